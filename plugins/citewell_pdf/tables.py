"""Rows of a page, gathered into tables and paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import Struct

from citewell_pdf.rows import Row
from citewell_pdf.words import Words

_LABELS = 3
"""Rows of one cell, such as "Net sales:", that may follow each other inside a table."""

_ROWS = 3

_EDGE = 3.0
"""Points by which the edges of one column may differ."""

_YEAR = re.compile(r"(19|20)\d\d")
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{2,4}")
_VALUE = re.compile(r"\W*\d[\d.,\s-]*\W*|[-\u2013\u2014]+|n/?[am]", re.IGNORECASE)
_BULLET = re.compile(r"[^\w\s]|\(?(\d{1,3}|[a-z]{1,4})[.)]|\d+(\.\d+)+", re.IGNORECASE)


class Block(Struct, frozen=True):
    """Lines that belong together.

    Attributes:
        header_lines: of a table, how many lines name its columns.
        columns: of a table, left and right edge of each column of figures.
        size: of the font, 0 in a table.
        emphasis: of all of it: 2 for bold, 1 for italic, 0 for none.
    """

    lines: tuple[str, ...]
    is_table: bool = False
    header_lines: int = 0
    columns: tuple[tuple[float, float], ...] = ()
    size: float = 0.0
    emphasis: int = 0


def blocks(rows: Sequence[Row]) -> Iterator[Block]:
    """Yield the tables and paragraphs that `rows`, from top to bottom, are made of."""
    usual_gap = _usual_gap(rows)
    prose: list[Row] = []
    position = 0
    while position < len(rows):
        end = _table_end(rows, position)
        if end is None:
            if prose and _parts(prose[-1], rows[position], usual_gap):
                yield _paragraph(prose)
                prose = []
            prose.append(rows[position])
            position += 1
            continue
        start = position - _spanners(prose, rows[position:end])
        prose = prose[: len(prose) - (position - start)]
        if prose:
            yield _paragraph(prose)
            prose = []
        yield _table(rows[start:end])
        position = end
    if prose:
        yield _paragraph(prose)


# --- prose -----------------------------------------------------------------------------------


def _paragraph(rows: Sequence[Row]) -> Block:
    lines = tuple(" ".join(cell.text for cell in row.cells) for row in rows)
    emphasis = min(row.emphasis for row in rows)
    return Block(lines, size=max(row.size for row in rows), emphasis=emphasis)


def _usual_gap(rows: Sequence[Row]) -> float:
    gaps = sorted(above.bottom - below.top for above, below in pairwise(rows))
    return gaps[len(gaps) // 4] if gaps else 0.0


def _parts(above: Row, below: Row, usual_gap: float) -> bool:
    """Tell whether a paragraph ends between two rows."""
    gap = above.bottom - below.top
    if gap > usual_gap + 0.6 * below.size:
        return True
    if above.emphasis != below.emphasis:
        return True
    return max(above.size, below.size) > 1.2 * min(above.size, below.size)


# --- tables ----------------------------------------------------------------------------------


def _is_tabular(row: Row) -> bool:
    if len(row.cells) < 2:
        return False
    return len(row.cells) > 2 or not _BULLET.fullmatch(row.cells[0].text)


def _table_end(rows: Sequence[Row], start: int) -> int | None:
    """Return where the table that begins with row `start` ends; None when none begins there."""
    if not _is_tabular(rows[start]):
        return None
    end = start + 1
    last_column = rows[start].cells[-1].left
    label_left = rows[start].left
    has_figures = _has_figures(rows[start])
    for position in range(start + 1, len(rows)):
        row = rows[position]
        if rows[position - 1].bottom - row.top > 3 * row.size or position - end > _LABELS:
            break
        if _is_tabular(row):
            if has_figures and _names_columns(row, label_left):
                break
            has_figures |= _has_figures(row)
            label_left = min(label_left, row.left)
            end = position + 1
            last_column = max(last_column, row.cells[-1].left)
        elif row.right > last_column:
            break
    tabular = [row for row in rows[start:end] if _is_tabular(row)]
    return end if len(tabular) > 1 and _is_aligned(tabular) else None


def _is_aligned(rows: Sequence[Row]) -> bool:
    """Tell whether columns run through the rows."""
    pairs = [
        [(cell, other) for cell in above.cells[1:] for other in below.cells[1:]]
        for above, below in pairwise(rows)
    ]
    edges = sum(any(_share_edge(*cells) for cells in pair) for pair in pairs)
    over = sum(any(_overlap(*cells) for cells in pair) for pair in pairs)
    return edges > 0 and over * 2 >= len(pairs)


def _share_edge(one: Words, other: Words) -> bool:
    return abs(one.left - other.left) < _EDGE or abs(one.right - other.right) < _EDGE


def table_rows(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that surely are those of a table: three and more, one close below another.

    A head or foot of a page has one row or two, and keeps its distance.
    """
    found: list[Row] = []
    group: list[Row] = []
    for row in rows:
        if group and not _is_close(group[-1], row):
            found += group if len(group) >= _ROWS else ()
            group = []
        group.append(row)
    return found + (group if len(group) >= _ROWS else [])


def _is_close(above: Row, below: Row) -> bool:
    cells = min(len(above.cells), len(below.cells))
    gap = above.bottom - below.top
    pairs = ((one, other) for one in above.cells for other in below.cells)
    return cells > 1 and gap < below.size and any(_share_edge(*pair) for pair in pairs)


def _spanners(prose: Sequence[Row], table: Sequence[Row]) -> int:
    """Count the last rows of `prose` that are headings over the table's right-hand columns."""
    label_left = min(row.left for row in table)
    columns_left = min(row.cells[1].left for row in table if len(row.cells) > 1)
    count = 0
    below = table[0]
    for row in reversed(prose[-_LABELS:]):
        is_over = row.left > max(label_left + 2 * row.size, columns_left - 4 * row.size)
        if len(row.cells) > 1 or not is_over or row.bottom - below.top > row.size:
            break
        count += 1
        below = row
    return count


def _table(rows: Sequence[Row]) -> Block:
    label_left = min(row.left for row in rows)
    header = _header(rows, label_left)
    body = rows[len(header) :]
    columns = _columns(body, label_left)
    stacked = _stacked(header)
    lines = [" | ".join(cell.text for cell in cells) for cells in stacked]
    lines += [_line(row.cells, columns, label_left) for row in body]
    return Block(tuple(lines), is_table=True, header_lines=len(stacked), columns=tuple(columns))


def goes_on(above: Block, below: Block) -> bool:
    """Tell whether a table that begins a page goes on with the one that ended the page before.

    It names no columns of its own, and its figures stand below those of the other.
    """
    if not (above.is_table and below.is_table) or below.header_lines or not below.columns:
        return False
    over = [
        [i for i, (left, right) in enumerate(above.columns) if left < own[1] and own[0] < right]
        for own in below.columns
    ]
    return all(len(found) == 1 for found in over) and len({f[0] for f in over}) == len(over)


def _header(rows: Sequence[Row], label_left: float) -> Sequence[Row]:
    """Return the rows that name the columns: those above the first figures."""
    count = 0
    while count < len(rows) and _names_columns(rows[count], label_left):
        count += 1
    # The last row of column titles may have one for the labels, too.
    if count < len(rows) and not _has_figures(rows[count]):
        titles = len(rows[count].cells)
        count += titles > 1 and all(len(row.cells) < titles for row in rows[:count])
    return rows[:count] if any(_has_figures(row) for row in rows[count:]) else rows[:0]


def _names_columns(row: Row, label_left: float) -> bool:
    return row.left > label_left + row.size and not any(_is_value(cell.text) for cell in row.cells)


def _has_figures(row: Row) -> bool:
    return any(_is_value(cell.text) for cell in row.cells[1:])


def _is_value(text: str) -> bool:
    return bool(_VALUE.fullmatch(text)) and not (_YEAR.fullmatch(text) or _DATE.fullmatch(text))


def _stacked(rows: Sequence[Row]) -> list[tuple[Words, ...]]:
    """Join the lines of column titles such as "July 1," above "2023"."""
    done: list[Row] = []
    for row in rows:
        is_tight = done and done[-1].bottom - row.top < row.size / 2
        joined = _joined(done[-1].cells, row.cells) if is_tight else None
        if joined:
            done[-1] = Row(joined)
        else:
            done.append(row)
    return [row.cells for row in done]


def _joined(upper: Sequence[Words], lower: Sequence[Words]) -> tuple[Words, ...] | None:
    """Return `lower` with each cell of `upper` put before the one below it, where that is plain."""
    below = [[i for i, cell in enumerate(lower) if _overlap(above, cell)] for above in upper]
    if len(upper) * 2 <= len(lower) or any(len(found) != 1 for found in below):
        return None
    if len({found[0] for found in below}) < len(below):
        return None
    joined = list(lower)
    for above, (position,) in zip(upper, below, strict=True):
        joined[position] = above.joined(joined[position], " ")
    return tuple(joined)


def _overlap(one: Words, other: Words) -> bool:
    return one.left < other.right and other.left < one.right


def _columns(rows: Sequence[Row], label_left: float) -> list[tuple[float, float]]:
    """Return left and right edge of each column of figures."""
    cells = [
        (cell.left, cell.right)
        for row in rows
        for cell in row.cells
        if cell.left > label_left + row.size and _is_value(cell.text)
    ]
    columns: list[tuple[float, float]] = []
    for left, right in sorted(cells):
        if columns and left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], right))
        else:
            columns.append((left, right))
    return columns


def _line(cells: Sequence[Words], columns: Sequence[tuple[float, float]], label_left: float) -> str:
    """Return the text of a row, with an empty cell for each column that has no figure in it."""
    has_label = cells[0].left <= label_left + cells[0].size
    figures = cells[1:] if has_label else cells
    places = [
        [i for i, (left, right) in enumerate(columns) if cell.left < right and left < cell.right]
        for cell in figures
    ]
    texts = [cell.text for cell in figures]
    taken = [found[0] for found in places if len(found) == 1]
    if len(taken) == len(places) and len(set(taken)) == len(taken) and taken:
        padded = [""] * (max(taken) + 1)
        for position, text in zip(taken, texts, strict=True):
            padded[position] = text
        texts = padded
    if has_label:
        texts.insert(0, cells[0].text)
    return " | ".join(texts)
