"""What passages that were found bring with them: the rest of their table, and their neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, takewhile

from msgspec import Struct, field

from citewell.protocols import Retriever
from citewell.types.documents import Passage
from citewell.types.questions import Audience

_MOST = 50
"""Passages that are brought, however short they are."""

_SLACK = 1_000
"""Characters to look at beyond those that fit: what stands there is left out, and that is told."""


class Wish(Struct, frozen=True, kw_only=True):
    """What a passage may bring.

    Attributes:
        neighbours: passages before it and after it, of the same document.
        tables: the rest of its table.
        chars: of all that is brought together.
    """

    neighbours: int
    tables: bool
    chars: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing is brought."""
        return not self.chars or not (self.neighbours or self.tables)


class Brought(Struct):
    """What was brought, by one found passage after another.

    Attributes:
        passages: those of one that brings them in the order of the text.
        cut: titles of the documents whose tables have more than there was room for.
    """

    passages: list[Passage] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)


async def bring(
    retriever: Retriever, found: Sequence[Passage], wish: Wish, *, readable_by: Audience
) -> Brought:
    """Return what `found` brings, the best first; tables go before neighbours.

    Raises:
        CitewellError: the retriever fails.
    """
    brought = Brought()
    if wish.is_empty:
        return brought
    known = {passage.id for passage in found}
    for passage in found:
        room = wish.chars - sum(len(one.text) for one in brought.passages)
        places = _MOST - len(brought.passages)
        if room <= 0 or places <= 0:
            break
        around = await retriever.within(
            passage.document_id,
            start=max(passage.start - room - _SLACK, 0),
            end=passage.end + room + _SLACK,
            readable_by=readable_by,
        )
        readable = [one for one in around if readable_by.may_read(one.labels)]
        rows = _rows(passage, readable) if wish.tables else []
        chosen = (*rows, *_beside(passage, readable, wish.neighbours))
        new = [one for one in dict.fromkeys(chosen) if one.id not in known]
        fitting = list(islice(_fitting(new, room), places))
        known.update(one.id for one in fitting)
        brought.passages += sorted(fitting, key=lambda one: one.start)
        if any(one.id not in known for one in rows):
            brought.cut.append(passage.title)
    return brought


def _rows(passage: Passage, readable: Sequence[Passage]) -> list[Passage]:
    """Return the rest of the table of a passage, what is nearest first.

    Of a table that was cut the first passage has the header in its text; the others name it.
    """
    before, after = _sides(passage, readable)
    header = passage.header or (after[0].header if after else "")
    if not header or not (passage.header or header in passage.text):
        return []
    rows = list(takewhile(lambda one: one.header == header, after))
    if passage.header:
        above = list(takewhile(lambda one: one.header == header, before))
        first = before[len(above) : len(above) + 1]
        rows += [*above, *(one for one in first if not one.header and header in one.text)]
    return _nearest_first(passage, rows)


def _beside(passage: Passage, readable: Sequence[Passage], count: int) -> list[Passage]:
    """Return as many passages on each side, the nearest first."""
    before, after = _sides(passage, readable)
    return _nearest_first(passage, [*before[:count], *after[:count]])


def _sides(passage: Passage, readable: Sequence[Passage]) -> tuple[list[Passage], list[Passage]]:
    """Return what stands before and after a passage, each the nearest first."""
    before = [one for one in readable if one.end <= passage.start]
    return before[::-1], [one for one in readable if one.start >= passage.end]


def _nearest_first(passage: Passage, others: Sequence[Passage]) -> list[Passage]:
    return sorted(others, key=lambda one: max(one.start - passage.end, passage.start - one.end))


def _fitting(passages: Sequence[Passage], room: int) -> Iterator[Passage]:
    """Yield passages until one has more characters than there is room for."""
    for passage in passages:
        room -= len(passage.text)
        if room < 0:
            return
        yield passage
