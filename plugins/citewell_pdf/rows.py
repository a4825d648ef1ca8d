"""Words of a page, put into the rows that a reader sees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from citewell_pdf.words import Words

_STACK = 4.0
"""Lines that one cell of a table may stack before the page goes on with the next cell above."""

_WIDE_GAP = 1.1
"""Of the size: more than between words, less than between columns."""

_CURRENCIES = frozenset({"$", "€", "£", "¥", "US$", "C$", "A$", "CHF", "EUR", "USD", "GBP"})
_OPENING = _CURRENCIES | {"("}
_CLOSING = re.compile(r"[)%]+")
_CLINGING = re.compile(r"[®™©.,;:]+")
_FIGURE = re.compile(r"[\d(]|^\W+$")


class Row(Struct, frozen=True):
    """What stands on one line, from left to right; a wide gap parts its cells."""

    cells: tuple[Words, ...]

    @property
    def left(self) -> float:
        """Left edge."""
        return min(cell.left for cell in self.cells)

    @property
    def right(self) -> float:
        """Right edge."""
        return max(cell.right for cell in self.cells)

    @property
    def top(self) -> float:
        """Upper edge."""
        return max(cell.top for cell in self.cells)

    @property
    def bottom(self) -> float:
        """Lower edge."""
        return min(cell.bottom for cell in self.cells)

    @property
    def size(self) -> float:
        """Of the font that most of it is set in."""
        return max(self.cells, key=lambda cell: len(cell.text)).size

    @property
    def emphasis(self) -> int:
        """Of all of it: 2 for bold, 1 for italic, 0 for none."""
        return min(cell.emphasis for cell in self.cells)


def page_rows(words: Sequence[Words]) -> list[list[Row]]:
    """Return the rows of each column of a page, in reading order.

    A page of prose in two columns gives two lists; whatever stands side by side in a table is one
    row, in whichever order the page draws it.
    """
    columns: list[list[Words]] = []
    for stretch in _stretches(words):
        home = next((column for column in columns if _belongs(stretch, column)), None)
        if home is not None:
            home.extend(stretch)
            continue
        lower_edge = min(word.bottom for word in stretch)
        tops = (max(word.middle for word in column) for column in columns)
        # A page may draw its running head last.
        position = next((i for i, top in enumerate(tops) if lower_edge > top), len(columns))
        columns.insert(position, stretch)
    return [list(_rows(column)) for column in columns]


def _stretches(words: Iterable[Words]) -> list[list[Words]]:
    """Cut the order of drawing where it leaps up the page."""
    stretches: list[list[Words]] = []
    lowest = 0.0
    for word in words:
        if not stretches or word.bottom - lowest > _STACK * word.size:
            stretches.append([])
            lowest = word.bottom
        stretches[-1].append(word)
        lowest = min(lowest, word.bottom)
    return stretches


def _belongs(stretch: Sequence[Words], column: Sequence[Words]) -> bool:
    """Tell whether both stand in the same rows, and not as two columns of prose."""
    beside, others = _between(stretch, column), _between(column, stretch)
    if not beside or not others:
        return False
    is_apart = min(word.left for word in beside) > max(other.right for other in others)
    is_apart |= max(word.right for word in beside) < min(other.left for other in others)
    if not is_apart:
        return True
    figures = sum(bool(_FIGURE.match(word.text)) for word in beside)
    return figures * 2 > len(beside)


def _between(words: Sequence[Words], others: Sequence[Words]) -> list[Words]:
    """Return those of `words` that stand within the height of `others`."""
    lowest = min(other.bottom for other in others)
    highest = max(other.top for other in others)
    return [word for word in words if lowest < word.middle < highest]


def _rows(words: Iterable[Words]) -> Iterator[Row]:
    level: list[Words] = []
    for word in sorted(words, key=lambda word: -word.middle):
        if level and not _is_level(level[0], word):
            yield _row(level)
            level = []
        level.append(word)
    if level:
        yield _row(level)


def _is_level(first: Words, other: Words) -> bool:
    shared = min(first.top, other.top) - max(first.bottom, other.bottom)
    return shared > min(first.size, other.size) / 2


def _row(words: list[Words]) -> Row:
    leftward = sum(_runs_leftward(word) for word in words) * 2 > len(words)
    words.sort(key=lambda word: -word.right if leftward else word.left)
    cells = [words[0]]
    for word in words[1:]:
        separator = _separator(cells[-1], word)
        if separator is None:
            cells.append(word)
        else:
            cells[-1] = cells[-1].joined(word, separator)
    return Row(tuple(_figures_joined(cells)))


def _runs_leftward(word: Words) -> bool:
    return not word.text.isascii() and unicodedata.bidirectional(word.text[0]) in {"R", "AL"}


def _separator(before: Words, word: Words) -> str | None:
    """Return what joins two neighbours; None when they are cells of their own."""
    size = max(before.size, word.size)
    gap = max(word.left - before.right, before.left - word.right)
    # The sign of the next column's figure may stand close to the figure before it.
    if gap > size * (_WIDE_GAP / 3 if word.text in _CURRENCIES else _WIDE_GAP):
        return None
    return "" if _CLINGING.fullmatch(word.text) and gap < size * 0.3 else " "


def _figures_joined(cells: Iterable[Words]) -> list[Words]:
    """Join signs and brackets, which may stand in columns of their own, to their figure."""
    joined: list[Words] = []
    for cell in cells:
        if joined and joined[-1].text in _OPENING:
            joined[-1] = joined[-1].joined(cell, "" if joined[-1].text == "(" else " ")
        elif joined and _CLOSING.fullmatch(cell.text):
            joined[-1] = joined[-1].joined(cell, "")
        else:
            joined.append(cell)
    return joined
