"""The end of a client that is cancelled at any moment: discord.py alone may go on, or leave things.

With Python 3.11, `asyncio.wait_for`, by which it connects, loses a cancellation that comes together
with the result (github.com/python/cpython/issues/86296).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, Final
from weakref import WeakSet

import aiohttp
import discord
from discord.gateway import KeepAliveHandler

_AGAIN_S: Final = 0.2
_HEARTBEAT_S: Final = 2.0


class Sockets:
    """The responses by which a client has opened its web sockets, as long as something has them."""

    def __init__(self) -> None:
        self._responses: WeakSet[aiohttp.ClientResponse] = WeakSet()

    def trace(self) -> aiohttp.TraceConfig:
        """Return what tells of them."""
        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(self._note)
        return trace

    def close(self) -> None:
        """Close each; one that was cancelled before its first message is nobody's else."""
        for response in list(self._responses):
            response.close()

    async def _note(
        self,
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        ended: aiohttp.TraceRequestEndParams,
    ) -> None:
        if ended.response.status == 101:
            self._responses.add(ended.response)


async def cancellable(work: Coroutine[Any, Any, None]) -> None:
    """Do something that may lose a cancellation, and end it all the same."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task})
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_AGAIN_S)
    await task


async def end_heartbeats(client: discord.Client) -> None:
    """End the threads that send heartbeats for a client that is closed.

    discord.py forgets one where a session was not begun; it would use an event loop that is gone.
    """
    state = client._connection  # noqa: SLF001 - no public name tells whose thread it is
    for thread in threading.enumerate():
        socket = getattr(thread, "ws", None)
        if isinstance(thread, KeepAliveHandler) and getattr(socket, "_connection", None) is state:
            thread.stop()
            await asyncio.to_thread(thread.join, _HEARTBEAT_S)
