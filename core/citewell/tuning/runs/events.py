"""The events of a run: JSON lines, of which a kill spoils at most the last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from citewell.training import Started, Stepped, Validated
from citewell.tuning.runs.happenings import Entered, Kept, Opened, State


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened, and when: seconds since 1970."""

    at: float
    what: Kept


class Curve(Struct, frozen=True, kw_only=True):
    """A training as a whole, whatever interrupted it.

    Attributes:
        steps: that were learnt, in order.
        validated: the losses on examples that were not.
        total: steps there are at most.
    """

    steps: tuple[Stepped, ...] = ()
    validated: tuple[Validated, ...] = ()
    total: int = 0

    @property
    def tokens_per_s(self) -> float | None:
        """How many tokens were learnt from in a second, in the last process."""
        last = self.steps[-1] if self.steps else None
        return last.tokens / last.seconds if last is not None and last.seconds > 0 else None


def append(path: Path, what: Kept) -> None:
    """Write an event behind those that are there."""
    line = msgspec.json.encode(Event(at=datetime.now(UTC).timestamp(), what=what), enc_hook=str)
    with path.open("ab+") as file:
        if file.tell() and not _ends_whole(path):
            line = b"\n" + line
        # One write: whoever reads meanwhile finds all of it, or nothing.
        file.write(line + b"\n")


def load(path: Path) -> tuple[Event, ...]:
    """Return the events that can be read, in order."""
    decoder = msgspec.json.Decoder(Event, dec_hook=_decoded)
    found: list[Event] = []
    with suppress(FileNotFoundError):
        for line in path.read_bytes().splitlines():
            with suppress(msgspec.MsgspecError):
                found.append(decoder.decode(line))
    return tuple(found)


def curve(events: Iterable[Event]) -> Curve:
    """Return the course of the training; what was done twice counts as it was last."""
    steps: list[Stepped] = []
    validated: list[Validated] = []
    total = 0
    for event in events:
        match event.what:
            case Started(step=begun, steps=every):
                steps = [one for one in steps if one.step <= begun]
                validated = [one for one in validated if one.step <= begun]
                total = every
            case Stepped() as one:
                steps.append(one)
            case Validated() as other:
                validated.append(other)
    return Curve(steps=tuple(steps), validated=tuple(validated), total=total)


def seconds_in(events: Sequence[Event]) -> dict[State, float]:
    """Return how long a run was in each state, without the time in which no process had it."""
    spent: dict[State, float] = {}
    state, before = State.WAITING, None
    for event in events:
        if before is not None and not isinstance(event.what, Opened):
            spent[state] = spent.get(state, 0.0) + max(0.0, event.at - before)
        if isinstance(event.what, Entered):
            state = event.what.state
        before = event.at
    return spent


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _decoded(wanted: type, value: Any) -> Any:
    return wanted(value)
