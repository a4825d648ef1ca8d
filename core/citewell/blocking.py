"""The one bridge between blocking libraries and the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from enum import Enum, auto
from functools import partial
from typing import TypeVar

T = TypeVar("T")

call = asyncio.to_thread
"""`await call(function, *args)` runs a blocking function in a thread."""


async def call_to_end(function: Callable[[], T]) -> T:
    """Run a blocking function in a thread, and to its end also where the caller is cancelled.

    The cancellation comes when it has ended; an error of the function then stands behind it.
    """
    calling = asyncio.ensure_future(asyncio.to_thread(function))
    cancelled: asyncio.CancelledError | None = None
    while not calling.done():
        try:
            await asyncio.wait({calling})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from calling.exception()
    return calling.result()


@asynccontextmanager
async def opened(make: Callable[[], T], close: Callable[[T], object]) -> AsyncGenerator[T, None]:
    """Yield what `make` opens in a thread; in a thread it is closed, also where that is cancelled.

    Whoever is cancelled while it is being opened waits until it is, and closed again: nothing else
    could close it.
    """
    made: list[T] = []
    try:
        await call_to_end(lambda: made.append(make()))
        yield made[0]
    finally:
        for one in made:
            await call_to_end(partial(close, one))


class _End(Enum):
    END = auto()


async def iterate(make: Callable[[], Iterator[T]], *, ahead: int = 16) -> AsyncGenerator[T, None]:
    """Pump a blocking iterator from a thread of its own.

    The iterator is made, advanced and closed in that thread. Leaving the loop early stops it after
    the item it is working on, and waits for its `close`.

    Args:
        make: called in the thread; returns the iterator.
        ahead: items that may wait unread before the thread pauses.
    """
    loop = asyncio.get_running_loop()
    items: asyncio.Queue[T | _End] = asyncio.Queue()
    room = threading.Semaphore(ahead)
    stopped = threading.Event()

    def pump() -> None:
        iterator = make()
        try:
            for item in iterator:
                loop.call_soon_threadsafe(items.put_nowait, item)
                room.acquire()
                if stopped.is_set():
                    break
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()

    # Those that all calls share would run out where several pumps wait to be read.
    own = ThreadPoolExecutor(1, thread_name_prefix="citewell-iterate")
    pumping = loop.run_in_executor(own, copy_context().run, pump)
    own.shutdown(wait=False)
    pumping.add_done_callback(lambda _: items.put_nowait(_End.END))
    try:
        while not isinstance(item := await items.get(), _End):
            room.release()
            yield item
        await pumping
    finally:
        stopped.set()
        room.release()
        await asyncio.gather(pumping, return_exceptions=True)
