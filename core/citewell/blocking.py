"""The one bridge between blocking libraries and the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from enum import Enum, auto
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

    pumping = asyncio.ensure_future(asyncio.to_thread(pump))
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
