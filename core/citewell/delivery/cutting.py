"""Where text may be cut: between statements, else behind a word, and never within a character."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from typing import TypeAlias

from citewell.blocks import Inline, Mark, Span

Cell: TypeAlias = tuple[Inline, ...]
"""Text with marks, of a paragraph or in a table."""


def cut_inlines(
    inlines: Cell, fits: Callable[[Cell], bool], *, torn: bool = True
) -> tuple[Cell, Cell]:
    """Return the largest beginning that fits, and the rest.

    It ends between two inlines, of which the second is no mark, or else behind a word.

    Args:
        inlines: of a block.
        fits: tells whether a beginning does.
        torn: whether a word may be cut where there is no other way; else nothing is returned.
    """
    ends = [at for at in range(1, len(inlines)) if not isinstance(inlines[at], Mark)]
    count = longest(len(ends) + 1, lambda count: fits(inlines[: ends[count - 1]]))
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

    count = longest(len(first.text), lambda count: fits((part(count),)))
    at = word_end(first.text, count, torn=torn)
    if not at:
        return (), inlines
    return (part(at),), (Span(first.text[at:], first.style), *inlines[1:])


def longest(count: int, fits: Callable[[int], bool]) -> int:
    """Return the highest number below `count` that fits, from 0."""
    return bisect_right(range(1, count), False, key=lambda tried: not fits(tried))


def word_end(text: str, at: int, *, torn: bool = True) -> int:
    """Return where to cut at `at` or before: behind a blank, else anywhere but in a character.

    Args:
        text: what is cut.
        at: how much of it fits.
        torn: whether a word may be cut; else 0 where there is no blank.
    """
    blank = max(text.rfind(one, 0, at) for one in " \n")
    if blank > at // 2 or not torn:
        return blank + 1
    return _character_end(text, at)


def line_end(text: str, at: int, *, torn: bool = True) -> int:
    """Return where to cut at `at` or before: at the end of a line, else as in a word."""
    line = text.rfind("\n", 0, at + 1)
    if line > 0 or not torn:
        return max(line, 0)
    return _character_end(text, at)


def _character_end(text: str, at: int) -> int:
    """Return a place before `at` that parts no character from what belongs to it."""
    end = at
    while 0 < end < len(text) and _belongs_to_its_left(text, end):
        end -= 1
    return end or at


_JOINER = "\u200d"


def _belongs_to_its_left(text: str, at: int) -> bool:
    return (
        unicodedata.combining(text[at]) > 0
        or text[at] in {_JOINER, "\ufe0f", "\u20e3"}
        or text[at - 1] == _JOINER
        or "\U0001f3fb" <= text[at] <= "\U0001f3ff"
    )
