"""A clock that a test moves."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest


class Clock:
    """The time of this process, as far ahead of the real one as a test wants it.

    It goes on by itself, so nothing that waits is stuck. `time.time` and `time.monotonic` follow
    it, and with these the timers of asyncio; `datetime.now` cannot: give `now` to what takes a
    clock.

    Args:
        patch: undoes at the end of the test what is done here.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._ahead_s = 0.0
        self._real = time.time
        for name in ("time", "monotonic"):
            patch.setattr(time, name, self._moved(getattr(time, name)))

    def _moved(self, real: Callable[[], float]) -> Callable[[], float]:
        return lambda: real() + self._ahead_s

    def move(self, seconds: float) -> None:
        """Let that much time pass at once.

        Raises:
            ValueError: time would go back.
        """
        if seconds < 0:
            raise ValueError(f"expected seconds from 0 on, got {seconds:g}: time does not go back")
        self._ahead_s += seconds

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.fromtimestamp(self._real() + self._ahead_s, UTC)
