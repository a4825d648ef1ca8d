"""Cuts the blocks of an answer into messages, so that nothing of it is lost.

What fits is asked of whoever encodes the blocks: only the encoder knows what a character costs. The
cuts stay where they are while an answer grows, so that a message that was sent need not be changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import TypeAlias

from msgspec.structs import replace

from citewell.blocks import (
    Block,
    Code,
    Heading,
    Inline,
    Json,
    Mark,
    NearestList,
    Notice,
    SourceList,
    Span,
    Table,
    Text,
)

Fits: TypeAlias = Callable[[Sequence[Block]], bool]
"""Tells whether blocks fit one message; what fits still fits when some of it is left out."""

_Cell: TypeAlias = tuple[Inline, ...]


class TooNarrow(ValueError):
    """Not even the smallest part of a block fits an empty message."""


def split(blocks: Sequence[Block], fits: Fits) -> list[list[Block]]:
    """Return the messages, in order; none is empty.

    Every character, mark, source and action of `blocks` stands in exactly one of them, but for the
    header of a table, which each of its parts repeats. Where a quotation does not fit a message,
    its source is listed without the quotes.

    Raises:
        TooNarrow: a block cannot be cut small enough.
    """
    messages: list[list[Block]] = []
    current: list[Block] = []
    waiting = list(reversed(blocks))
    while waiting:
        block = waiting.pop()
        if fits([*current, block]):
            current.append(block)
            continue
        head, rest = _cut(block, _beside(current, fits))
        if head is not None and not _may_move(block, current, fits):
            current.append(head)
            waiting += [rest] if rest is not None else []
        elif current:
            waiting.append(block)
        else:
            raise TooNarrow(f"a block of type {type(block).__name__} does not fit an empty message")
        if waiting:
            messages.append(current)
            current = []
    return [*messages, current] if current else messages


def _beside(current: Sequence[Block], fits: Fits) -> Callable[[Block], bool]:
    return lambda part: fits([*current, part])


def _may_move(block: Block, current: Sequence[Block], fits: Fits) -> bool:
    """Tell whether a block that comes all at once stays whole in a message of its own."""
    return isinstance(block, Code | Json) and bool(current) and fits([block])


_Part: TypeAlias = tuple[Block | None, Block | None]


@singledispatch
def _cut(_block: Block, _fits: Callable[[Block], bool]) -> _Part:
    """Return the largest beginning of a block that fits, and the rest; None for neither."""
    return None, None


@_cut.register
def _(block: Text, fits: Callable[[Block], bool]) -> _Part:
    # A quotation stays one; of a list item the rest has no marker.
    marker = block.marker if block.marker == ">" else ""
    head, rest = _cut_inlines(block.inlines, lambda part: fits(replace(block, inlines=part)))
    if not head:
        return None, None
    return replace(block, inlines=head), replace(block, inlines=rest, marker=marker)


@_cut.register
def _(block: Heading, fits: Callable[[Block], bool]) -> _Part:
    head, rest = _cut_inlines(block.inlines, lambda part: fits(replace(block, inlines=part)))
    return (replace(block, inlines=head), replace(block, inlines=rest)) if head else (None, None)


@_cut.register
def _(block: Notice, fits: Callable[[Block], bool]) -> _Part:
    length = _longest(len(block.text), lambda count: fits(Notice(block.text[:count])))
    at = _word_end(block.text, length)
    return (Notice(block.text[:at]), Notice(block.text[at:])) if at else (None, None)


@_cut.register
def _(block: Code, fits: Callable[[Block], bool]) -> _Part:
    length = _longest(len(block.text), lambda count: fits(replace(block, text=block.text[:count])))
    at = _line_end(block.text, length)
    if not at:
        return None, None
    # The line break between two parts is the break between two messages.
    rest = block.text[at:].removeprefix("\n")
    return replace(block, text=block.text[:at]), replace(block, text=rest) if rest else None


@_cut.register
def _(block: Json, fits: Callable[[Block], bool]) -> _Part:
    return _cut(Code(block.text, "json"), fits)


@_cut.register
def _(block: SourceList, fits: Callable[[Block], bool]) -> _Part:
    def part(count: int) -> SourceList:
        return replace(block, sources=block.sources[:count])

    count = _longest(len(block.sources), lambda count: fits(part(count)))
    if count:
        return part(count), replace(block, sources=block.sources[count:])
    first = replace(block, sources=block.sources[:1], quoted=False)
    if not block.quoted or not fits(first):
        return None, None
    rest = block.sources[1:]
    return first, replace(block, sources=rest) if rest else None


@_cut.register
def _(block: NearestList, fits: Callable[[Block], bool]) -> _Part:
    count = _longest(len(block.nearest), lambda count: fits(NearestList(block.nearest[:count])))
    return (
        (NearestList(block.nearest[:count]), NearestList(block.nearest[count:]))
        if count
        else (None, None)
    )


@_cut.register
def _(block: Table, fits: Callable[[Block], bool]) -> _Part:
    count = _longest(len(block.rows), lambda count: fits(Table(block.header, block.rows[:count])))
    if count:
        return Table(block.header, block.rows[:count]), Table(block.header, block.rows[count:])
    if not block.rows:
        return None, None
    return _cut_row(block, fits)


def _cut_row(block: Table, fits: Callable[[Block], bool]) -> _Part:
    """Cut a row that is larger than a message: its beginning becomes a row of its own."""
    first, *others = block.rows
    at = next((at for at in range(len(first)) if not fits(_up_to(block, at, first[at]))), None)
    if at is None:
        return None, None
    head, rest = _cut_inlines(first[at], lambda part: fits(_up_to(block, at, part)))
    if not head and not any(first[:at]):
        return None, None
    left = (*((),) * at, rest, *first[at + 1 :])
    return _up_to(block, at, head), Table(block.header, (left, *others))


def _up_to(block: Table, at: int, part: _Cell) -> Table:
    """Return a table of the first row up to its cell `at`, of which it has `part`."""
    first = block.rows[0]
    row: tuple[_Cell, ...] = (*first[:at], part, *((),) * (len(first) - at - 1))
    return Table(block.header, (row,))


def _cut_inlines(inlines: _Cell, fits: Callable[[_Cell], bool]) -> tuple[_Cell, _Cell]:
    """Return the largest beginning that fits, and the rest.

    It ends between two inlines, of which the second is no mark, or else behind a word.
    """
    ends = [at for at in range(1, len(inlines)) if not isinstance(inlines[at], Mark)]
    count = _longest(len(ends) + 1, lambda count: fits(inlines[: ends[count - 1]]))
    if count:
        at = ends[count - 1]
        return inlines[:at], inlines[at:]
    if not inlines:
        return (), ()
    first = inlines[0]
    if isinstance(first, Mark):
        return ((first,), inlines[1:]) if fits((first,)) and len(inlines) > 1 else ((), inlines)

    def part(count: int) -> Span:
        return Span(first.text[:count], first.style)

    at = _word_end(first.text, _longest(len(first.text), lambda count: fits((part(count),))))
    if not at:
        return (), inlines
    return (part(at),), (Span(first.text[at:], first.style), *inlines[1:])


def _longest(count: int, fits: Callable[[int], bool]) -> int:
    """Return the highest number below `count` that fits, from 0."""
    return bisect_right(range(1, count), False, key=lambda tried: not fits(tried))


def _word_end(text: str, at: int) -> int:
    """Return where to cut at `at` or before: behind a blank, else anywhere but in a character."""
    blank = max(text.rfind(one, 0, at) for one in " \n")
    return blank + 1 if blank > at // 2 else _character_end(text, at)


def _line_end(text: str, at: int) -> int:
    line = text.rfind("\n", 0, at + 1)
    return line if line > 0 else _character_end(text, at)


def _character_end(text: str, at: int) -> int:
    """Return a place before `at` that parts no character from what belongs to it."""
    end = at
    while 0 < end < len(text) and _belongs_to_its_left(text, end):
        end -= 1
    return end or at


_JOINER = "\u200d"


def _belongs_to_its_left(text: str, at: int) -> bool:
    import unicodedata

    return (
        unicodedata.combining(text[at]) > 0
        or text[at] in {_JOINER, "\ufe0f", "\u20e3"}
        or text[at - 1] == _JOINER
        or "\U0001f3fb" <= text[at] <= "\U0001f3ff"
    )
