"""How often a growing answer is shown: as a service allows, and always its newest state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import TypeAlias

from citewell.blocks import Block

log = logging.getLogger(__name__)

Messages: TypeAlias = Sequence[Sequence[Block]]
Show: TypeAlias = Callable[[Messages], Awaitable[None]]


class Pace:
    """Shows states of one reply, at most one each `pace_s` seconds; states in between are skipped.

    Args:
        show: shows the messages of a state.
        pace_s: seconds between two.
        clock: in seconds; never goes back.
    """

    def __init__(
        self, show: Show, pace_s: float, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._show = show
        self._pace_s = pace_s
        self._clock = clock
        self._last = float("-inf")
        self._newest: Callable[[], Messages] | None = None
        self._showing: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()

    def offer(self, make: Callable[[], Messages]) -> None:
        """Let this be what is shown next; returns at once.

        Args:
            make: returns the messages; called only if they are shown. None of them is no state.

        Raises:
            DeliveryError: an earlier state could not be shown.
        """
        if self._stopped.is_set():
            return
        self._newest = make
        if self._showing is not None and self._showing.done():
            showing, self._showing = self._showing, None
            showing.result()
        if self._showing is None:
            self._showing = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._newest is not None:
            await self._pause(max(self._last + self._pace_s - self._clock(), 0))
            if self._stopped.is_set():
                return
            make, self._newest = self._newest, None
            messages = make()
            if messages:
                self._last = self._clock()
                await self._show(messages)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopped.wait()

    async def stop(self) -> None:
        """Show nothing more: what is being shown is waited for, what waits is dropped.

        That the last state could not be shown is logged: who stops shows the end, or why not.
        """
        self._stopped.set()
        self._newest = None
        showing, self._showing = self._showing, None
        if showing is None:
            return
        try:
            await asyncio.wait({showing})
        finally:
            showing.cancel()
            (error,) = await asyncio.gather(showing, return_exceptions=True)
            if isinstance(error, Exception):
                log.warning("a growing answer could not be shown: %s", error)
