"""An answer as text with marks, followed by its sources."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct

from citewell import Answer, Outcome
from citewell.blocks import (
    Action,
    Actions,
    Block,
    NearestList,
    Notice,
    Source,
    SourceList,
)
from citewell_formats.body import Body


class Prose(Struct, frozen=True, kw_only=True):
    """Formats answers for people.

    Attributes:
        quoted: whether the quotes stand under the sources.
        styled: whether emphasis, strong and code keep their style.
        offers_why: whether the reader is offered the explanation of the answer.
    """

    quoted: bool
    styled: bool
    offers_why: bool

    def render(self, answer: Answer) -> Sequence[Block]:
        """Return the text so far; of a complete answer also what stands below it."""
        unsourced = answer.outcome is Outcome.UNSOURCED
        label = [Notice(answer.notice)] if unsourced and answer.notice else []
        below = self._below(answer) if answer.complete else []
        return (*label, *Body.of(answer, styled=self.styled), *below)

    def _below(self, answer: Answer) -> list[Block]:
        below: list[Block] = []
        if answer.citations:
            below.append(SourceList(sources(answer), quoted=self.quoted))
        if answer.notice and answer.outcome is not Outcome.UNSOURCED:
            below.append(Notice(answer.notice))
        elif answer.outcome is Outcome.ANSWERED:
            below.append(Notice(support(answer)))
        if answer.note:
            below.append(Notice(answer.note))
        if answer.nearest:
            below.append(NearestList(answer.nearest))
        if self.offers_why:
            below.append(Actions((Action("why", "Why this answer", answer.id),)))
        return below


def sources(answer: Answer) -> tuple[Source, ...]:
    """Return the sources of what is shown, one for each number."""
    by_number = groupby(answer.citations, key=lambda citation: citation.number)
    return tuple(Source(number, tuple(citations)) for number, citations in by_number)


def support(answer: Answer) -> str:
    """Return the line that tells how much of the model's text was supported."""
    total = len(answer.statements)
    noun = "statement" if total == 1 else "statements"
    return f"{answer.supported_count} of {total} {noun} supported"
