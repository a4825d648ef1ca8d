"""The time that a double lives in, and the ids that carry it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

DISCORD_EPOCH_MS = 1_420_070_400_000
"""1 January 2015. Source: discord.com/developers/docs/reference, "Snowflakes"."""

_COUNTER_BITS = 22


class Clock:
    """Runs like the real one, and can be moved on, so that no test waits for a timeout."""

    def __init__(self) -> None:
        self._began = time.time() - time.monotonic()

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._began + time.monotonic()

    def advance(self, seconds: float) -> None:
        """Let this much time pass at once.

        Raises:
            ValueError: `seconds` is negative; ids would repeat.
        """
        if seconds < 0:
            raise ValueError(f"seconds: {seconds}: expected 0 or more, for ids must not repeat")
        self._began += seconds


class Snowflakes:
    """Ids that rise with time, as Discord's do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return an id that was never given before."""
        milliseconds = int(self._clock.now() * 1000) - DISCORD_EPOCH_MS
        self._last = max(milliseconds << _COUNTER_BITS, self._last + 1)
        return self._last


def created_at(id_: int) -> float:
    """Return when `id_` was given, in seconds since 1970."""
    return ((id_ >> _COUNTER_BITS) + DISCORD_EPOCH_MS) / 1000


def iso(at: float) -> str:
    """Write a time as Discord does."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds")
