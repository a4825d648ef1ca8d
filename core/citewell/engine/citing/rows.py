"""Whether the cells of a table's row belong together in what the row cites."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from msgspec import Struct

from citewell.engine.citing.quantities import Figures, missing_figure
from citewell.engine.citing.source import Source
from citewell.engine.citing.tables import table_cells
from citewell.engine.citing.words import content_stems, stem, telling_words, words

# Of the content words of a cell, the share that must stand there.
_MOST = 0.75
_BAR, _BETWEEN = "|", " | "
_BLANKS = " \t"
_NONE: frozenset[str] = frozenset()
_CURRENCY = re.compile(r"[$€£¥₹]")
_TOTALS = frozenset({"total", "sum", "summe", "gesamt", "insgesamt", "somme", "suma", "totale"})


class Row(Struct, frozen=True):
    """A row of a table that a model wrote.

    Attributes:
        cells: one line each, without marks.
        titles: of its columns.
        language: of the answer.
    """

    cells: Sequence[str]
    titles: Sequence[str]
    language: str


class _Place(Struct, frozen=True):
    """Where words and figures may stand."""

    stems: frozenset[str]
    figures: Figures

    def holds(self, cell: str, language: str) -> bool:
        stems = content_stems(cell, language)
        held = sum(one in self.stems for one in stems)
        return held >= _MOST * len(stems) and not missing_figure(cell, [self.figures], language)


def missing_cell(row: Row, sources: Sequence[Source]) -> str | None:
    """Return the first cell that stands in no source beside the row's first cell, or None.

    Beside means in the same row or sentence and, where the source is a table with a column of that
    title, in that column.
    """
    readings = [list(_places(row, source)) for source in sources]
    filled = [index for index, cell in enumerate(row.cells) if any(words(cell))]
    beside = [
        places for places in readings if all(_holds(row, index, places) for index in filled[:1])
    ]
    for index in filled:
        if not any(_holds(row, index, places) for places in beside):
            return row.cells[index]
    return None


def _holds(row: Row, index: int, places: Sequence[Sequence[_Place]]) -> bool:
    return any(place.holds(row.cells[index], row.language) for place in places[index])


def _places(row: Row, source: Source) -> Iterator[list[_Place]]:
    """Yield for each cell where it may stand in the row or sentence closest to the whole row."""
    text, language = source.passage.text, source.passage.language
    start, end = source.near(_BETWEEN.join(row.cells), reach=0)
    closest = text[start:end]
    above = f"{source.passage.header}\n{text[:start]}".rstrip(_BLANKS).splitlines()
    header, group = _heads([*above, closest] if _BAR in closest else [], row.titles, language)

    def place(*lines: str, also: frozenset[str] = _NONE) -> _Place:
        figures = Figures("\n".join((*source.around, *lines)), language)
        return _Place(also.union(*map(_stems, (*group, *lines))), figures)

    # Of a title that names several things, only what no other row speaks of belongs to this one.
    others = [*(line for line in above if line not in header), text[end:]]
    also = _NONE.union(*map(_stems, source.titles)).difference(*map(_stems, others))
    anywhere = place(*header, closest, also=also)
    stored = table_cells(closest)
    columns = [cell for line in header for cell in table_cells(line)]
    for index, _ in enumerate(row.cells):
        named = [
            column
            for title in row.titles[index : index + 1]
            for column in _columns_named(title, columns, language)
        ]
        if named and len(columns) == len(stored):
            yield [place(columns[column], stored[column]) for column in named]
        else:
            yield [anywhere]


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, words(text)))


def _heads(
    lines: Sequence[str], titles: Sequence[str], language: str
) -> tuple[list[str], list[str]]:
    """Return the line that names the columns of the last one, and the line that names its group.

    A group stands alone in its line, as "Net sales:" above the rows of each product.
    """
    table = list(takewhile(str.strip, reversed(lines)))
    for index in reversed(range(1, len(table))):
        columns = table_cells(table[index]) if _BAR in table[index] else []
        if any(_columns_named(title, columns, language) for title in titles):
            return [table[index]], _group(table[:index])
    return [], _group(table)


def _group(lines: Sequence[str]) -> list[str]:
    """Return the nearest line that names a group which no total has ended.

    Args:
        lines: upwards, the row first.
    """
    labels = [
        line for line in lines[1:] if sum(any(words(cell)) for cell in table_cells(line)) == 1
    ]
    if not labels:
        return []
    rows = list(reversed(lines[: lines.index(labels[0])]))
    return [] if any(_is_total(rows, index, labels) for index in range(len(rows))) else labels[:1]


def _is_total(rows: Sequence[str], index: int, labels: Sequence[str]) -> bool:
    """Tell whether a row says that it is a total, or all that a label says, or bears a currency.

    In accounts the first row of a group and the totals do.
    """
    said = list(words(rows[index]))
    # The first row of a group may repeat its name.
    above = labels if index else labels[1:]
    return (
        not _TOTALS.isdisjoint(said[:1])
        or any(frozenset(words(label)).issubset(said) for label in above)
        or (bool(_CURRENCY.search(rows[index])) and not all(map(_CURRENCY.search, rows[:index])))
    )


def _columns_named(title: str, columns: Sequence[str], language: str) -> list[int]:
    """Return which columns have `title`, or else which have its words in theirs."""
    wanted = telling_words(title, language)
    found = [telling_words(column, language) for column in columns]
    if not wanted:
        return []
    same = [index for index, column in enumerate(found) if column == wanted]
    return same or [index for index, column in enumerate(found) if wanted.issubset(column)]
