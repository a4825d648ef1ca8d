"""How fast one host is asked."""

from __future__ import annotations

import asyncio

MOST_DELAY_S = 30.0
"""A longer crawl delay is not kept: a sync would not end."""


class Pace:
    """Lets requests begin one after the other, so many seconds apart."""

    def __init__(self, interval_s: float) -> None:
        self.interval_s = interval_s
        self._next_s = 0.0

    def slow_down(self, interval_s: float) -> None:
        """Keep at least this interval from now on."""
        self.interval_s = max(self.interval_s, min(interval_s, MOST_DELAY_S))

    def hold(self, seconds: float) -> None:
        """Let no further request begin for so long."""
        self._next_s = max(self._next_s, asyncio.get_running_loop().time() + seconds)

    async def turn(self) -> None:
        """Wait until the next request may begin."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next_s)
        self._next_s = at + self.interval_s
        await asyncio.sleep(at - now)
