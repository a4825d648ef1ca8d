"""Counts how often the bot identifies itself, over restarts, so that a crash loop stays harmless.

Discord takes the token away from who identifies a thousand times a day.
Source: discord.com/developers/docs/events/gateway, "Session Start Limit Object".
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from citewell_discord.keeping import keep

DAY_S: Final = 24 * 3600.0
FREE: Final = 5
"""How many sessions of a shard may end badly in a day without a pause."""
MOST_A_DAY: Final = 45
"""How many sessions a day may end badly, or soon, at all; of all shards together."""
MOST_OF_SHARD: Final = 6
"""The same for each shard, where there are so many of them that this is more."""
MOST_AT_ALL: Final = 800
"""How many sessions a day may begin, however they end."""

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
        shard: whose it was.
    """

    at: float
    is_good: bool = False
    is_short: bool = False
    shard: int = 0

    @property
    def counts(self) -> bool:
        """Whether it is one of those that must not become too many."""
        return self.is_short or not self.is_good


class Identifies:
    """Remembers the sessions of all shards in a file. Blocking, and quick.

    As long as the file cannot be written, they are counted in this process alone.

    Args:
        path: of the file.
        clock: seconds since 1970.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock
        self._own: dict[int, float] = {}
        self._unkept: list[Start] | None = None
        self._lock = threading.Lock()

    def pause_s(self) -> float:
        """Return how long to wait before the next session; it is longer after each bad end."""
        today = self._today()
        spent_s = self._spent_s(today)
        if spent_s > 0:
            return spent_s
        bad = [one.at for one in today if not one.is_good]
        times = len(bad) // _shards(today)
        if times < FREE:
            return 0.0
        pause = min(_FIRST_PAUSE_S * 2.0 ** (times - FREE), _LONGEST_PAUSE_S)
        return max(bad[-1] + pause - self._clock(), 0.0)

    def is_spent(self) -> bool:
        """Tell whether no further session may begin before some of them are a day old."""
        return self._spent_s(self._today()) > 0

    def bad_today(self) -> int:
        """Return how many sessions of the last day ended soon, or not on purpose."""
        return sum(one.counts for one in self._today())

    def leave(self) -> None:
        """Leave the sessions that this process began before as they ended."""
        with self._lock:
            self._own.clear()

    def note(self, shard: int = 0) -> None:
        """Note that a session of a shard begins now."""
        with self._lock:
            now = self._clock()
            self._own[shard] = now
            self._write([*self._today(), Start(now, shard=shard)])

    def vouch(self, *, after_s: float = 0.0) -> None:
        """Note that the last session of each shard in this process is a good one.

        What it began before was lost on the way, and stays counted.

        Args:
            after_s: only of sessions that have lasted so long.
        """
        with self._lock:
            now = self._clock()
            lasting = {key: at for key, at in self._own.items() if now - at >= after_s}
            if lasting:
                self._write([_vouched(one, lasting, now) for one in self._today()])

    def _spent_s(self, today: list[Start]) -> float:
        """Return how long it takes until another session may begin at all."""
        most = max(MOST_A_DAY, MOST_OF_SHARD * _shards(today))
        limits = (
            ([one.at for one in today if one.counts], most),
            (
                [one.at for one in today],
                MOST_AT_ALL,
            ),
        )
        waits = [at[-most] + DAY_S - self._clock() for at, most in limits if len(at) >= most]
        return max([0.0, *waits])

    def _today(self) -> list[Start]:
        since = self._clock() - DAY_S
        unkept = self._unkept
        starts = self._read() if unkept is None else unkept
        return sorted((one for one in starts if one.at > since), key=lambda start: start.at)

    def _read(self) -> list[Start]:
        try:
            rows = json.loads(self._path.read_text(encoding="utf-8"))
            return [
                Start(float(at), is_good=bool(good), is_short=bool(short), shard=int(shard))
                for at, good, short, shard in rows
            ]
        except (OSError, ValueError, TypeError):
            # A file that is not there, or was cut short by a crash, says nothing.
            return []

    def _write(self, starts: list[Start]) -> None:
        rows = [[one.at, one.is_good, one.is_short, one.shard] for one in starts[-_KEPT:]]
        self._unkept = None if keep(self._path, json.dumps(rows)) else starts


def _shards(today: list[Start]) -> int:
    return max(len({one.shard for one in today}), 1)


def _vouched(start: Start, lasting: dict[int, float], now: float) -> Start:
    if lasting.get(start.shard) != start.at:
        return start
    return Start(start.at, is_good=True, is_short=now - start.at < SOON_S, shard=start.shard)
