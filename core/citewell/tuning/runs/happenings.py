"""What happens in a run, as it is kept and as people are told of it."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from citewell.training import (
    Estimate,
    Exported,
    Exporting,
    Saved,
    Started,
    Stepped,
    Trained,
    Validated,
)


class State(StrEnum):
    """Where a run is."""

    WAITING = "waiting"
    CHECKING = "checking"
    ESTIMATING = "estimating"
    TRAINING = "training"
    EXPORTING = "exporting"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def is_active(self) -> bool:
        """Whether some process is at it, unless that was killed."""
        return self in _ACTIVE


_ACTIVE = {State.WAITING, State.CHECKING, State.ESTIMATING, State.TRAINING, State.EXPORTING}


class Opened(Struct, frozen=True, kw_only=True, tag=True):
    """A process took the run; nothing happened since the last line before."""

    process: int


class Entered(Struct, frozen=True, kw_only=True, tag=True):
    """The run is in another state.

    Attributes:
        reason: of one that ended otherwise than done.
    """

    state: State
    reason: str = ""


class Warned(Struct, frozen=True, kw_only=True, tag=True):
    """Something may be meant so, or may not."""

    said: tuple[str, ...]


class Estimated(Struct, frozen=True, kw_only=True, tag=True):
    """What the training will take is known.

    Attributes:
        cost: in the currency of the recipe; None where it names no price.
    """

    estimate: Estimate
    cost: float | None = None
    currency: str | None = None


class Lost(Struct, frozen=True, kw_only=True, tag=True):
    """The process of a trainer or an exporter ended before its time; it is tried again.

    Attributes:
        attempt: the one that ended, from 1.
        attempts: there are at most.
    """

    attempt: int
    attempts: int
    reason: str


class Doing(Struct, frozen=True, kw_only=True):
    """Something takes long; it is told, and not kept.

    Attributes:
        total: 0 where that is not known.
    """

    said: str
    done: int
    total: int


Kept: TypeAlias = (
    Opened
    | Entered
    | Warned
    | Estimated
    | Lost
    | Started
    | Stepped
    | Validated
    | Saved
    | Trained
    | Exporting
    | Exported
)
Happening: TypeAlias = Kept | Doing
