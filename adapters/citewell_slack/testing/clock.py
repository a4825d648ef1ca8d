"""Slack's clock, which a test sets."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import TypeAlias

Timer: TypeAlias = tuple[float, int, Callable[[], None]]


class Clock:
    """Time that passes only when it is told to; with `runs`, as on the wall too.

    Args:
        now: seconds since the epoch; the machine's time where it is not given.
        runs: lets time pass by itself, as somebody at a terminal expects.
    """

    def __init__(self, now: float | None = None, *, runs: bool = False) -> None:
        self._runs = runs
        self._now = time.time() if now is None else now
        self._set_at = time.monotonic()
        self._timers: list[Timer] = []
        self._numbers = itertools.count()
        self._last_stamp = 0
        self._handle: asyncio.TimerHandle | None = None

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self._now + (time.monotonic() - self._set_at if self._runs else 0.0)

    @property
    def is_awaited(self) -> bool:
        """Tell whether anything waits for time to pass."""
        return bool(self._timers)

    def stamp(self) -> str:
        """Return a `ts`: later than every one before, though time may stand still."""
        self._last_stamp = max(self._last_stamp + 1, int(self.now * 1_000_000))
        return f"{self._last_stamp // 1_000_000}.{self._last_stamp % 1_000_000:06d}"

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back once it is `when`, in the order of times; a time that is past is soon."""
        timer = (when, next(self._numbers), callback)
        heapq.heappush(self._timers, timer)
        self._arm()
        return timer

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has moved on by `seconds`."""
        woken = asyncio.Event()
        timer = self.call_at(self.now + seconds, woken.set)
        try:
            await woken.wait()
        finally:
            # Who gives up waiting must not be waited for, or a long test piles timers up.
            if timer in self._timers:
                self._timers.remove(timer)
                heapq.heapify(self._timers)

    async def advance(self, seconds: float) -> None:
        """Move on, stopping at each time that something waits for."""
        target = self.now + seconds
        while self._timers and self._timers[0][0] <= target:
            when, _, callback = heapq.heappop(self._timers)
            self._set(max(when, self.now))
            callback()
            await _let_others_run()
        self._set(target)
        await _let_others_run()

    def close(self) -> None:
        """Forget everything that waits."""
        self._timers.clear()
        if self._handle is not None:
            self._handle.cancel()

    def _set(self, now: float) -> None:
        self._now, self._set_at = now, time.monotonic()

    def _arm(self) -> None:
        """See to it that the next timer fires though nobody moves the clock."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        if self._timers and (self._runs or self._timers[0][0] <= self.now):
            delay = max(0.0, self._timers[0][0] - self.now)
            self._handle = asyncio.get_running_loop().call_later(delay, self._fire)

    def _fire(self) -> None:
        while self._timers and self._timers[0][0] <= self.now:
            heapq.heappop(self._timers)[2]()
        self._arm()


async def _let_others_run() -> None:
    for _ in range(3):
        await asyncio.sleep(0)
