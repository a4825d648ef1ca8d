"""The tables of a passage, as rows of cells below what names their columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from citewell.engine.citing.tables import is_rule, table_cells
from citewell.evaluation.making.prose import bare, lines
from citewell.types.documents import Passage

_VALUE = re.compile(r"[$€£¥]?\s?\(?-?\d[\d.,]*\)?\s?[%A-Za-z]{0,4}")
PERIOD = re.compile(
    r"(?:three|six|nine|twelve|first|second|third|fourth|fiscal|years?|quarters?)\b.*\bended:?",
    re.IGNORECASE,
)
"""A line that says of the dates below it what ended then."""

_ALONE = re.compile(r"\d{4}|\W*")


class Cell(Struct, frozen=True):
    """A cell with what names it.

    Attributes:
        row: the first cell of its row.
        columns: the titles above it, the outermost first.
        group: the line above its row that names several, without its colon; or empty.
        corner: the title above the first cells; or empty.
        start: of its row, in the text of the passage.
        end: of its row.
        index: of its column.
    """

    row: str
    columns: tuple[str, ...]
    group: str
    corner: str
    text: str
    start: int
    end: int
    index: int


class _Row(Struct, frozen=True):
    start: int
    end: int
    cells: list[str]


def cells(passage: Passage) -> Iterator[Cell]:
    """Yield the cells of each table of `passage` that has titles above its columns."""
    above = passage.header.splitlines()
    carried = [_cells(line) for line in above if "|" in line or PERIOD.fullmatch(line.strip())]
    for table in _tables(passage.text):
        yield from _named(table, [] if _has_titles(table) else carried)


def _tables(text: str) -> Iterator[list[_Row]]:
    """Yield the lines of each table; a line without a bar within it is a row of one cell."""
    table: list[_Row] = []
    for start, end in lines(text):
        line = text[start:end]
        is_group = bool(table) and line.rstrip().endswith(":") and len(line) < 90
        if "|" in line:
            if not (table and is_rule(line, below=text[table[-1].start : table[-1].end])):
                table.append(_Row(start, end, _cells(line)))
        elif PERIOD.fullmatch(line.strip()):
            yield table
            table = [_Row(start, end, [bare(line)])]
        elif is_group:
            table.append(_Row(start, end, [bare(line)]))
        else:
            yield table
            table = []
    yield table


def _cells(line: str) -> list[str]:
    return [bare(cell) for cell in table_cells(line)]


def _is_title(row: Sequence[str]) -> bool:
    """Tell whether a row names columns: nothing in it but its first cell is a value."""
    told = [cell for cell in row if cell]
    is_value = [bool(_VALUE.fullmatch(cell)) and not _ALONE.fullmatch(cell) for cell in told]
    return bool(told) and not any(is_value)


def _has_titles(table: Sequence[_Row]) -> bool:
    first = table[0].cells if len(table) > 1 else []
    return bool(first) and _is_title(first) and (len(first) > 1 or _is_period(first))


def _is_period(row: Sequence[str]) -> bool:
    return len(row) == 1 and bool(PERIOD.fullmatch(row[0]))


def _named(table: Sequence[_Row], carried: Sequence[list[str]]) -> Iterator[Cell]:
    titles = [*carried]
    at = 0
    if not carried:
        while at < min(3, len(table) - 1) and _may_be_title(table, at):
            titles.append(table[at].cells)
            at += 1
    if not titles:
        return
    group = ""
    for row in table[at:]:
        if len(row.cells) == 1:
            group = row.cells[0].rstrip(": ")
            continue
        for index, text in enumerate(row.cells[1:], 1):
            columns, corner = _above(titles, index, len(row.cells))
            if columns and text and row.cells[0]:
                yield Cell(row.cells[0], columns, group, corner, text, row.start, row.end, index)
        if row.cells[0].lower().startswith("total"):
            group = ""


def _may_be_title(table: Sequence[_Row], at: int) -> bool:
    """Tell whether a line at the top names columns: the first does, others only below a span."""
    row = table[at].cells
    if not _is_title(row) or (len(row) < 2 and not _is_period(row)):
        return False
    before = table[at - 1].cells
    return at == 0 or len(before) < len(row) or (_is_period(before) and len(row) > 1)


def _above(titles: Sequence[Sequence[str]], index: int, width: int) -> tuple[tuple[str, ...], str]:
    """Return the titles above a cell, and the one above the first column.

    A line of titles has one for each column, none for the first, or some that span equally many.
    """
    found: list[str] = []
    corner = ""
    for row in titles:
        if len(row) == width:
            found.append(row[index])
            corner = row[0]
        elif (width - 1) % len(row) == 0:
            found.append(row[(index - 1) // ((width - 1) // len(row))])
        else:
            return (), ""
    return tuple(filter(None, found)), corner
