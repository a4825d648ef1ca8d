"""Whether the cells of a table's row belong together in what the row cites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile

from msgspec import Struct

from citewell.engine.citing.quantities import Figures, missing_figure
from citewell.engine.citing.segmenting import table_cells
from citewell.engine.citing.verdicts import Source
from citewell.engine.citing.words import content_stems, stem, telling_words, words

# Of the content words of a cell, the share that must stand there.
_MOST = 0.75
_BAR, _BETWEEN = "|", " | "
_BLANKS = " \t"
_NONE: frozenset[str] = frozenset()


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
    header, group = _heads(above if _BAR in closest else [], row.titles, language)

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
    above: Sequence[str], titles: Sequence[str], language: str
) -> tuple[list[str], list[str]]:
    """Return the line that names the columns of a row below, and the line that names its group.

    A group stands alone in its line, as "Net sales:" above the rows of each product.
    """
    table = list(takewhile(str.strip, reversed(above)))
    for index in reversed(range(len(table))):
        columns = table_cells(table[index]) if _BAR in table[index] else []
        if any(_columns_named(title, columns, language) for title in titles):
            return [table[index]], _group(table[:index])
    return [], _group(table)


def _group(lines: Sequence[str]) -> list[str]:
    return [line for line in lines if sum(any(words(cell)) for cell in table_cells(line)) == 1][:1]


def _columns_named(title: str, columns: Sequence[str], language: str) -> list[int]:
    """Return which columns have `title`, or else which have its words in theirs."""
    wanted = telling_words(title, language)
    found = [telling_words(column, language) for column in columns]
    if not wanted:
        return []
    same = [index for index, column in enumerate(found) if column == wanted]
    return same or [index for index, column in enumerate(found) if wanted.issubset(column)]
