"""How often a growing answer is shown: as a service allows, and always its newest state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic

from citewell.blocks import Block

Show = Callable[[Sequence[Sequence[Block]]], Awaitable[None]]


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
        self._newest: Sequence[Sequence[Block]] | None = None
        self._showing: asyncio.Task[None] | None = None

    def offer(self, messages: Sequence[Sequence[Block]]) -> None:
        """Let this be what is shown next; returns at once.

        Raises:
            DeliveryError: an earlier state could not be shown.
        """
        self._newest = messages
        if self._showing is not None and self._showing.done():
            self._showing.result()
            self._showing = None
        if self._showing is None:
            self._showing = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while self._newest is not None:
            await asyncio.sleep(max(self._last + self._pace_s - self._clock(), 0))
            messages, self._newest = self._newest, None
            self._last = self._clock()
            await self._show(messages)

    async def stop(self) -> None:
        """Show nothing more: what is being shown is waited for, what waits is dropped."""
        self._newest = None
        if self._showing is not None:
            await asyncio.gather(self._showing, return_exceptions=True)
            self._showing = None
