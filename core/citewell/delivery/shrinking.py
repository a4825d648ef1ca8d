"""Says the same with smaller blocks, where a block fits no message and cannot be cut.

Nothing is left out: what was one entry of a list or one row of a table becomes text, which can be
cut anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from itertools import chain, zip_longest
from typing import TypeAlias

from msgspec.structs import replace

from citewell.blocks import (
    Action,
    Actions,
    Block,
    Heading,
    Mark,
    NearestList,
    Quote,
    Source,
    SourceList,
    Span,
    Table,
    Text,
)
from citewell.delivery.cutting import Cell, cut_inlines
from citewell.engine.prompting import describe_place
from citewell.types.answers import Citation, Nearest

Fits: TypeAlias = Callable[[Block], bool]
"""Tells whether a block fits a message of its own."""


@singledispatch
def smaller(_block: Block, _fits: Fits) -> list[Block] | None:
    """Return what says the same, in order; None where there is nothing smaller."""
    return None


@smaller.register
def _(block: Quote, _fits: Fits) -> list[Block]:
    return [_quoted(block.citation)]


@smaller.register
def _(block: SourceList, fits: Fits) -> list[Block] | None:
    """Part the first source from the others, then from its quotes; then spell it out."""
    first, *others = block.sources
    if others:
        return [replace(block, sources=(first,)), replace(block, sources=tuple(others))]
    quotes = [_quoted(one) for one in first.citations] if block.quoted else []
    unquoted = replace(block, quoted=False)
    return [unquoted, *quotes] if fits(unquoted) else [_spelled_out(first), *quotes]


@smaller.register
def _(block: NearestList, _fits: Fits) -> list[Block] | None:
    return [Text((Span(_described(one)),), "-") for one in block.nearest]


@smaller.register
def _(block: Table, fits: Fits) -> list[Block] | None:
    """Cut the first row; or name the column in each of its cells, which need be no table then."""
    if not block.rows:
        cells = [[*cell, Span(" ")] for cell in block.header if cell]
        return [Text(tuple(chain.from_iterable(cells)))] if cells else []
    parts = _cut_row(block, fits)
    if parts is not None:
        return parts
    first, *others = block.rows
    lines = [Text(_named(name, cell)) for name, cell in zip_longest(block.header, first)]
    rest: list[Block] = [Table(block.header, tuple(others))] if others else []
    return [*(line for line in lines if line.inlines), *rest]


@smaller.register
def _(block: Text, fits: Fits) -> list[Block] | None:
    marker = block.marker if block.marker == ">" else ""
    parts = _cut_anywhere(block.inlines, lambda part: fits(replace(block, inlines=part)))
    if parts is None:
        return None
    return [replace(block, inlines=parts[0]), replace(block, inlines=parts[1], marker=marker)]


@smaller.register
def _(block: Heading, fits: Fits) -> list[Block] | None:
    parts = _cut_anywhere(block.inlines, lambda part: fits(replace(block, inlines=part)))
    return None if parts is None else [replace(block, inlines=part) for part in parts]


@smaller.register
def _(block: Actions, fits: Fits) -> list[Block] | None:
    """Let a button be called by the beginning of its name, below the whole of it."""
    first, *others = block.actions
    if not first.label:
        return None
    label = next(
        (
            cut
            for at in range(len(first.label))
            if fits(_button(first, cut := first.label[: -at - 1]))
        ),
        None,
    )
    if label is None:
        return None
    rest: list[Block] = [Actions(tuple(others))] if others else []
    return [Text((Span(first.label),)), _button(first, label), *rest]


def _cut_row(block: Table, fits: Fits) -> list[Block] | None:
    """Cut a row that is larger than a message: its beginning becomes a row of its own."""
    first, *others = block.rows
    at = next((at for at in range(len(first)) if not fits(_up_to(block, at, first[at]))), None)
    if at is None:
        return None
    head, rest = cut_inlines(first[at], lambda part: fits(_up_to(block, at, part)))
    if not head and not any(first[:at]):
        return None
    left = (*((),) * at, rest, *first[at + 1 :])
    return [_up_to(block, at, head), Table(block.header, (left, *others))]


def _up_to(block: Table, at: int, part: Cell) -> Table:
    """Return a table of the first row up to its cell `at`, of which it has `part`."""
    first = block.rows[0]
    row: tuple[Cell, ...] = (*first[:at], part, *((),) * (len(first) - at - 1))
    return Table(block.header, (row,))


def _button(action: Action, label: str) -> Actions:
    return Actions((Action(action.name, label, action.answer_id),))


def _cut_anywhere(inlines: Cell, fits: Callable[[Cell], bool]) -> tuple[Cell, Cell] | None:
    """Part what has so many marks in a row that it fits no message, also between two of them."""
    ends = [at for at in range(1, len(inlines)) if fits(inlines[:at])]
    return (inlines[: ends[-1]], inlines[ends[-1] :]) if ends else None


def _quoted(citation: Citation) -> Text:
    return Text((Span(citation.quote),), ">")


def _spelled_out(source: Source) -> Text:
    """Return a source as text: its title once, and each place and address."""
    said = [source.citations[0].title]
    for one in source.citations:
        said += [part for part in _where(one) if part not in said]
    return Text((Mark(source.number), Span(f" {', '.join(said)}")))


def _described(nearest: Nearest) -> str:
    return ", ".join((nearest.title, *_where(nearest)))


def _where(one: Citation | Nearest) -> Sequence[str]:
    return [part for part in (describe_place(one.place), one.uri) if part]


def _named(name: Cell | None, cell: Cell | None) -> Cell:
    if not cell:
        return ()
    return (*name, Span(": "), *cell) if name else cell
