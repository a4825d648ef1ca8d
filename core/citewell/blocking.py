"""The one bridge between blocking libraries and the event loop."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

T = TypeVar("T")

call = asyncio.to_thread
"""`await call(function, *args)` runs a blocking function in a thread."""

_POLL_S = 0.1


class _End:
    """What the pump sends last: the error that ended it, or None."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


async def iterate(make: Callable[[], Iterator[T]], *, ahead: int = 16) -> AsyncIterator[T]:
    """Pump a blocking iterator from a thread of its own.

    The iterator is made, advanced and closed in that thread. Leaving the loop early stops it after
    the item it is working on, and waits for its `close`.

    Args:
        make: called in the thread; returns the iterator.
        ahead: items that may wait unread before the thread pauses.
    """
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    items: queue.Queue[T | _End] = queue.Queue(maxsize=ahead)
    stopped = threading.Event()

    def put(item: T | _End) -> bool:
        while not stopped.is_set():
            try:
                items.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            loop.call_soon_threadsafe(arrived.set)
            return True
        return False

    def pump() -> None:
        error: BaseException | None = None
        try:
            iterator = make()
            try:
                for item in iterator:
                    if not put(item):
                        break
            finally:
                close = getattr(iterator, "close", None)
                if close is not None:
                    close()
        except BaseException as caught:  # noqa: BLE001 - handed to the reader, which raises it
            error = caught
        put(_End(error))

    pumping = asyncio.ensure_future(asyncio.to_thread(pump))
    try:
        while True:
            try:
                item = items.get_nowait()
            except queue.Empty:
                arrived.clear()
                if items.empty():
                    await arrived.wait()
                continue
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
    finally:
        stopped.set()
        await pumping
