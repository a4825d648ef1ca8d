"""Counts how often the bot identifies itself, over restarts, so that a crash loop stays harmless.

Discord takes the token away from who identifies a thousand times a day.
Source: discord.com/developers/docs/events/gateway, "Session Start Limit Object".
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

DAY_S: Final = 24 * 3600.0
FREE: Final = 5
"""How many sessions a day may end badly without a pause."""
MOST_A_DAY: Final = 45
"""How many sessions a day may end badly, or soon, at all."""

LASTED_S: Final = 1800.0
"""A session that lasted so long is a good one, however it ends."""
SOON_S: Final = 60.0
"""Who stops a bot by hand does not do so after seconds, again and again; what starts it does."""

_FIRST_PAUSE_S: Final = 30.0
_LONGEST_PAUSE_S: Final = 3600.0
_KEPT: Final = 2000


class Start(Struct):
    """A session.

    Attributes:
        at: when it began, in seconds since 1970.
        is_good: it was ended on purpose, or lasted.
        is_short: it was ended on purpose, soon.
    """

    at: float
    is_good: bool = False
    is_short: bool = False

    @property
    def counts(self) -> bool:
        """Whether it is one of those that must not become too many."""
        return self.is_short or not self.is_good


class Identifies:
    """Remembers sessions in a file. Blocking, and quick.

    Args:
        path: of the file.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._own: list[float] = []

    def pause_s(self) -> float:
        """Return how long to wait before the next session; it is longer after each bad end."""
        counted = [one.at for one in self._today() if one.counts]
        if len(counted) >= MOST_A_DAY:
            return counted[-MOST_A_DAY] + DAY_S - self._clock()
        bad = [one.at for one in self._today() if not one.is_good]
        if len(bad) < FREE:
            return 0.0
        pause = min(_FIRST_PAUSE_S * 2.0 ** (len(bad) - FREE), _LONGEST_PAUSE_S)
        return max(bad[-1] + pause - self._clock(), 0.0)

    def bad_today(self) -> int:
        """Return how many sessions of the last day ended soon, or not on purpose."""
        return sum(one.counts for one in self._today())

    def note(self) -> None:
        """Note that a session begins now."""
        now = self._clock()
        self._own.append(now)
        self._write([*self._today(), Start(now)])

    def vouch(self) -> None:
        """Note that the last session of this process is a good one.

        What it began before was lost on the way, and stays counted.
        """
        if not self._own:
            return
        last = self._own[-1]
        good = Start(last, is_good=True, is_short=self.age_s() < SOON_S)
        self._write([good if one.at == last else one for one in self._today()])

    def age_s(self) -> float:
        """Return for how long the last session of this process lasts."""
        return self._clock() - self._own[-1] if self._own else 0.0

    def _today(self) -> list[Start]:
        since = self._clock() - DAY_S
        return sorted((one for one in self._read() if one.at > since), key=lambda start: start.at)

    def _read(self) -> list[Start]:
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return [Start(float(at), *map(bool, ends)) for at, *ends in rows]
        except (OSError, ValueError, TypeError):
            # A file that is not there, or was cut short by a crash, says nothing.
            return []

    def _write(self, starts: list[Start]) -> None:
        rows = [[one.at, one.is_good, one.is_short] for one in starts[-_KEPT:]]
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(rows), encoding="utf-8")
        part.replace(self._path)
