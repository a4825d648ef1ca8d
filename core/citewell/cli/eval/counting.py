"""How many questions a set has, and what so many can show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from citewell.cli.page import Grid, Line, Look, Piece, Row
from citewell.cli.wording import counted, safe_line
from citewell.types.evaluation import EvalItem

if TYPE_CHECKING:
    from citewell.cli.eval.sets import Made


class Counts(Struct, frozen=True, kw_only=True):
    """What a set holds.

    Attributes:
        questions: drafts not counted.
        easy: of these.
        unanswerable: of these.
        documents: that these are from.
        held_out: documents that must not be found.
        slices: of every question, drafts among them.
        origins: of every question.
        smallest_gain: that so many questions can show, in [0, 1]; None where there is none.
    """

    questions: int
    drafts: int
    easy: int
    unanswerable: int
    documents: int
    held_out: int
    slices: Mapping[str, int]
    origins: Mapping[str, int]
    smallest_gain: float | None


def counted_up(items: Sequence[EvalItem]) -> Counts:
    """Count what a set holds."""
    from citewell.evaluation.power import smallest_gain
    from citewell.evaluation.questions import held_out

    asked = [item for item in items if not item.is_draft]
    documents = {item.documents[0] if item.documents else item.id for item in asked}
    gain = smallest_gain(len(asked), documents=len(documents)) if asked else None
    return Counts(
        questions=len(asked),
        drafts=len(items) - len(asked),
        easy=sum(item.is_easy for item in asked),
        unanswerable=sum(item.unanswerable for item in asked),
        documents=len(documents),
        held_out=len(held_out(items)),
        slices=dict(Counter(name for item in items for name in item.slices).most_common()),
        origins=dict(Counter(item.origin for item in items).most_common()),
        smallest_gain=gain,
    )


def page(file: Path, counts: Counts, made: Made) -> Iterator[Row]:
    """Lay out what was made, and what to do next."""
    drafts = f" and {counted(counts.drafts, 'draft')}" if counts.drafts else ""
    said = f"{file}: {counted(counts.questions, 'question')}{drafts}"
    yield Line((Piece(safe_line(said), Look.STRONG),))
    rows = [
        *((f"from: {name}", number) for name, number in counts.origins.items()),
        *counts.slices.items(),
        *([("easy", counts.easy)] if counts.easy else []),
    ]
    yield Grid(
        ((Piece("group", Look.STRONG),), (Piece("questions", Look.STRONG),)),
        tuple(((Piece(safe_line(name)),), (Piece(f"{number:,}"),)) for name, number in rows),
    )
    for text in _notes(counts, made):
        yield Line((Piece(safe_line(text)),))
    for text in _next(file, counts):
        yield Line((Piece(safe_line(text), Look.FAINT),))


def _notes(counts: Counts, made: Made) -> Iterator[str]:
    if counts.easy:
        yield (
            f"{counts.easy:,} of {counts.questions:,} are easy: they share over half of their "
            "words with the text that answers them, so search looks better than it is"
        )
    if counts.held_out:
        yield (
            f"{counted(counts.held_out, 'document')} must not be found while these are asked: "
            "those that unanswerable questions name"
        )
    for reason, number in made.dropped.items():
        if number:
            yield f"dropped {number:,}: {reason}"
    if made.cost:
        yield f"the model cost {made.cost:.4f}"
    if counts.smallest_gain is not None:
        yield (
            f"the smallest gain that {counted(counts.questions, 'question')} from "
            f"{counted(counts.documents, 'document')} can show: "
            f"{100 * counts.smallest_gain:.0f} points"
        )


def _next(file: Path, counts: Counts) -> Iterator[str]:
    if counts.drafts:
        yield f"drafts are not asked before somebody accepts them: citewell eval review {file}"
