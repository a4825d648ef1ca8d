"""How often a workspace lets messages grow: what would be too much is left out, never waited for.

Slack counts calls of a method over a minute: https://docs.slack.dev/apis/web-api/rate-limits
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

_WINDOW_S: Final = 60.0
# For longer no answer grows; what was left in the middle gives back what it held.
_MOST_HELD_S: Final = 900.0
# Of the 20 streams, 50 changes and 100 appended chunks of a minute, some are kept for what must be.
_STREAMS: Final = 16
_CHANGES: Final = 40
_APPENDS: Final = 80


@dataclass
class Slot:
    """Leave for one call, and for the one that ends what it began.

    Attributes:
        until: when it is free again.
    """

    until: float


class Budget:
    """The slots of one method in one workspace.

    A slot is held from a beginning to a minute after its end, so neither the calls that begin
    something nor those that end it are ever too many.

    Args:
        most: how many there are.
        clock: in seconds; never goes back.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._clock = clock
        self._rests_until = float("-inf")
        self._slots: list[Slot] = []

    def take(self) -> Slot | None:
        """Return a slot to give back, or None where there is none now."""
        now = self._clock()
        self._slots = [one for one in self._slots if one.until > now]
        if now < self._rests_until or len(self._slots) >= self._most:
            return None
        slot = Slot(now + _MOST_HELD_S)
        self._slots.append(slot)
        return slot

    def give_back(self, slot: Slot | None) -> None:
        """Let a slot be free again in a minute; None is no slot."""
        if slot is not None:
            slot.until = self._clock() + _WINDOW_S

    def allows_one(self) -> bool:
        """Take leave for one call, if there is any now."""
        slot = self.take()
        self.give_back(slot)
        return slot is not None

    def rest(self, seconds: float) -> None:
        """Take nothing for this long, because Slack said so."""
        self._rests_until = max(self._rests_until, self._clock() + max(seconds, 1.0))


@dataclass(frozen=True)
class Budgets:
    """What one workspace allows.

    Attributes:
        streams: begun and stopped.
        changes: of posted messages.
        appends: to streams.
    """

    streams: Budget = field(default_factory=lambda: Budget(_STREAMS))
    changes: Budget = field(default_factory=lambda: Budget(_CHANGES))
    appends: Budget = field(default_factory=lambda: Budget(_APPENDS))
