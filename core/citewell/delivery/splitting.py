"""Cuts the blocks of an answer into messages, so that nothing of it is lost.

What fits is asked of whoever encodes the blocks: only the encoder knows what a character costs. The
cuts stay where they are while an answer grows, so that a message that was sent need not be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import TypeAlias

from msgspec.structs import replace

from citewell.blocks import (
    Actions,
    Block,
    Code,
    Heading,
    Json,
    NearestList,
    Notice,
    SourceList,
    Table,
    Text,
)
from citewell.delivery.cutting import cut_inlines, line_end, longest, word_end
from citewell.delivery.shrinking import smaller
from citewell.errors import DeliveryError

Fits: TypeAlias = Callable[[Sequence[Block]], bool]
"""Tells whether blocks fit one message; what fits still fits when some of it is left out."""


class TooNarrow(DeliveryError):
    """Not even the smallest part of a block fits an empty message."""

    def __init__(self, block: Block) -> None:
        """Say which kind of block it is."""
        kind = type(block).__name__
        super().__init__(f"a block of type {kind} does not fit an empty message", passes=False)


def split(blocks: Sequence[Block], fits: Fits) -> list[list[Block]]:
    """Return the messages, in order; none is empty.

    Every character, mark, source and action of `blocks` stands in exactly one of them, but for the
    header of a table, which each of its parts repeats. Of what does not even fit a message of its
    own the same is said with smaller blocks: a quotation below its source as text, a row of a table
    cell by cell.

    Raises:
        TooNarrow: not even a few words fit a message.
    """
    messages: list[list[Block]] = []
    current: list[Block] = []
    waiting = list(reversed(blocks))
    while waiting:
        block = waiting.pop()
        if fits([*current, block]):
            current.append(block)
            continue
        head, rest = _cut(block, _beside(current, fits), not current)
        if head is not None and not _may_move(block, current, fits):
            current.append(head)
            waiting += [rest] if rest is not None else []
        elif current:
            waiting.append(block)
        else:
            instead = smaller(block, _beside((), fits))
            if instead is None:
                raise TooNarrow(block)
            waiting += reversed(instead)
        if waiting and current:
            messages.append(current)
            current = []
    return [*messages, current] if current else messages


def _beside(current: Sequence[Block], fits: Fits) -> Callable[[Block], bool]:
    return lambda part: fits([*current, part])


def _may_move(block: Block, current: Sequence[Block], fits: Fits) -> bool:
    """Tell whether a block that comes all at once stays whole in a message of its own."""
    return isinstance(block, Code | Json | Actions) and bool(current) and fits([block])


_Part: TypeAlias = tuple[Block | None, Block | None]


@singledispatch
def _cut(_block: Block, _fits: Callable[[Block], bool], _torn: bool) -> _Part:
    """Return the largest beginning of a block that fits, and the rest; None for neither.

    A word, or a line of code, is `torn` only where it stands in no message whole.
    """
    return None, None


@_cut.register
def _(block: Text, fits: Callable[[Block], bool], torn: bool) -> _Part:
    # A quotation stays one; of a list item the rest has no marker.
    marker = block.marker if block.marker == ">" else ""
    head, rest = cut_inlines(
        block.inlines, lambda part: fits(replace(block, inlines=part)), torn=torn
    )
    if not head:
        return None, None
    return replace(block, inlines=head), replace(block, inlines=rest, marker=marker)


@_cut.register
def _(block: Heading, fits: Callable[[Block], bool], torn: bool) -> _Part:
    head, rest = cut_inlines(
        block.inlines, lambda part: fits(replace(block, inlines=part)), torn=torn
    )
    return (replace(block, inlines=head), replace(block, inlines=rest)) if head else (None, None)


@_cut.register
def _(block: Notice, fits: Callable[[Block], bool], torn: bool) -> _Part:
    length = longest(len(block.text), lambda count: fits(Notice(block.text[:count])))
    at = word_end(block.text, length, torn=torn)
    return (Notice(block.text[:at]), Notice(block.text[at:])) if at else (None, None)


@_cut.register
def _(block: Code, fits: Callable[[Block], bool], torn: bool) -> _Part:
    length = longest(len(block.text), lambda count: fits(replace(block, text=block.text[:count])))
    at = line_end(block.text, length, torn=torn)
    if not at:
        return None, None
    # The line break between two parts is the break between two messages.
    rest = block.text[at:].removeprefix("\n")
    return replace(block, text=block.text[:at]), replace(block, text=rest) if rest else None


@_cut.register
def _(block: Json, fits: Callable[[Block], bool], torn: bool) -> _Part:
    return _cut(Code(block.text, "json"), fits, torn)


@_cut.register
def _(block: SourceList, fits: Callable[[Block], bool], _torn: bool) -> _Part:
    def part(count: int) -> SourceList:
        return replace(block, sources=block.sources[:count])

    count = longest(len(block.sources), lambda count: fits(part(count)))
    return (part(count), replace(block, sources=block.sources[count:])) if count else (None, None)


@_cut.register
def _(block: Actions, fits: Callable[[Block], bool], _torn: bool) -> _Part:
    count = longest(len(block.actions), lambda count: fits(Actions(block.actions[:count])))
    return (
        (Actions(block.actions[:count]), Actions(block.actions[count:])) if count else (None, None)
    )


@_cut.register
def _(block: NearestList, fits: Callable[[Block], bool], _torn: bool) -> _Part:
    count = longest(len(block.nearest), lambda count: fits(NearestList(block.nearest[:count])))
    return (
        (NearestList(block.nearest[:count]), NearestList(block.nearest[count:]))
        if count
        else (None, None)
    )


@_cut.register
def _(block: Table, fits: Callable[[Block], bool], _torn: bool) -> _Part:
    count = longest(len(block.rows), lambda count: fits(Table(block.header, block.rows[:count])))
    if not count:
        return None, None
    return Table(block.header, block.rows[:count]), Table(block.header, block.rows[count:])
