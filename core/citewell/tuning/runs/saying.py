"""Figures of runs in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from citewell.training import Estimate, Started
from citewell.tuning.runs.events import Curve, Event, curve, seconds_in
from citewell.tuning.runs.happenings import Estimated, Lost, State, Warned
from citewell.tuning.runs.record import Made, Record

_HASH = 16


class Facts(Struct, frozen=True, kw_only=True):
    """What the record and the events of a run say together.

    Attributes:
        training_s: seconds that it trained, of all processes.
        whole_s: seconds from the check to the last file.
        spent: what the training cost; None where the recipe names no price.
    """

    record: Record
    curve: Curve
    training_s: float
    whole_s: float
    spent: float | None

    @property
    def loss(self) -> float | None:
        """Of the last steps."""
        return self.curve.steps[-1].loss if self.curve.steps else None

    @property
    def validation(self) -> float | None:
        """The best loss on examples that were not learnt."""
        return min((one.loss for one in self.curve.validated), default=None)

    @property
    def last_step(self) -> int:
        """The last step that was done."""
        return self.curve.steps[-1].step if self.curve.steps else 0


def facts_of(record: Record, events: Sequence[Event]) -> Facts:
    """Return what is known of a run."""
    spent = seconds_in(events)
    training_s = spent.get(State.TRAINING, 0.0)
    price = record.price_per_hour
    return Facts(
        record=record,
        curve=curve(events),
        training_s=training_s,
        whole_s=sum(seconds for state, seconds in spent.items() if state is not State.WAITING),
        spent=None if price is None else price * training_s / 3600,
    )


def duration(seconds: float) -> str:
    """Return how long something takes, in two parts at most: `2 h 5 min`."""
    whole = round(seconds)
    if whole < 1:
        return f"{seconds:.1f} s"
    for unit, name, below, smaller in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if whole >= unit:
            return f"{whole // unit} {name} {whole % unit // below} {smaller}"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def size(count: float) -> str:
    """Return a number of bytes."""
    for name in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {name}" if name == "bytes" else f"{count:.1f} {name}"
        count /= 1024
    return f"{count:.1f} GiB"


def money(amount: float, currency: str | None) -> str:
    """Return an amount with its currency, where there is one."""
    shown = "less than 0.01" if 0 < amount < 0.01 else f"{amount:,.2f}"
    return f"{shown} {currency}" if currency else shown


def estimate_lines(found: Estimated) -> Iterator[str]:
    """Say what a training will take."""
    one: Estimate = found.estimate
    measured = "was measured" if one.measured == 1 else "were measured"
    yield (
        f"{_counted(one.steps, 'step')} over {_counted(one.examples, 'example')} of "
        f"{_counted(one.tokens, 'token')}, on {one.device}"
    )
    cost = "" if found.cost is None else f", {money(found.cost, found.currency)}"
    yield (
        f"about {duration(one.seconds)}{cost}, and {size(one.memory_bytes)} of memory; "
        f"{_counted(one.measured, 'step')} {measured}, {one.step_s:.3g} s each"
    )
    if one.too_long:
        yield _left_out(one.too_long)


def trained_line(facts: Facts) -> str:
    """Say in a line how the training went; empty where there was none."""
    if facts.record.is_handed:
        return "another trainer made the adapter"
    if facts.loss is None:
        return ""
    said = f"{facts.last_step:,} of {facts.curve.total:,} steps in {duration(facts.training_s)}"
    said += f", loss {facts.loss:.4g}"
    if facts.validation is not None:
        said += f", validation {facts.validation:.4g}"
    if facts.record.stopped_early:
        said += f"; ended early: {facts.record.stopped_early}"
    return said


def notes_of(events: Sequence[Event]) -> tuple[str, ...]:
    """Return what makes a run doubtful, or explains it, each once."""
    found: dict[str, None] = {}
    for event in events:
        match event.what:
            case Warned(said=said):
                found |= dict.fromkeys(said)
            case Started():
                found |= dict.fromkeys(started_notes(event.what))
            case Lost():
                found[lost_line(event.what)] = None
    return tuple(found)


def started_notes(started: Started) -> Iterator[str]:
    """Say what whoever trains should know as it begins."""
    if started.too_long:
        yield _left_out(started.too_long)
    if started.notice:
        yield started.notice


def lost_line(lost: Lost) -> str:
    """Say that an attempt ended before its time."""
    return f"attempt {lost.attempt} of {lost.attempts} was lost: {lost.reason}"


def figures_of(made: Made) -> str:
    """Say what the proof of a file found."""
    figures = made.figures.items()
    return ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in figures)


def _left_out(number: int) -> str:
    return f"too long and left out: {_counted(number, 'example')}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def short(sha256: str) -> str:
    """Return the beginning of a hash, which tells it from others."""
    return sha256[:_HASH]
