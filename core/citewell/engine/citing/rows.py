"""Whether the cells of a table's row belong together in what the row cites."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, repeat, takewhile

from msgspec import Struct

from citewell.engine.citing.quantities import Figures, missing_figure
from citewell.engine.citing.segmenting import table_cells
from citewell.engine.citing.verdicts import Source
from citewell.engine.citing.words import content_stems, telling_words, words

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
        held = sum(stem in self.stems for stem in stems)
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
    header, group = _heads(above, row.titles, language) if _BAR in closest else ("", "")

    def place(words_of: str, *, also: frozenset[str] = _NONE) -> _Place:
        figures = Figures("\n".join((*source.around, header, words_of)), language)
        return _Place(also.union(content_stems(f"{group}\n{words_of}", language)), figures)

    # Of a title that names several things, only what no other row speaks of belongs to this one.
    others = "\n".join((*(line for line in above if line != header), text[end:]))
    titles = frozenset(content_stems("\n".join(source.titles), language))
    also = titles.difference(content_stems(others, language))
    anywhere = place(f"{header}\n{closest}", also=also)
    stored, columns = table_cells(closest), table_cells(header)
    for title, _ in zip(chain(row.titles, repeat("")), row.cells, strict=False):
        named = _columns_named(title, columns, language)
        if named and len(columns) == len(stored):
            yield [place(f"{columns[column]}\n{stored[column]}") for column in named]
        else:
            yield [anywhere]


def _heads(above: Sequence[str], titles: Sequence[str], language: str) -> tuple[str, str]:
    """Return the lines of a table that name its columns and the group of the row below them.

    A group stands alone in its line, as "Net sales:" above the rows of each product.
    """
    table = list(takewhile(str.strip, reversed(above)))
    for index in reversed(range(len(table))):
        columns = table_cells(table[index]) if _BAR in table[index] else []
        if any(_columns_named(title, columns, language) for title in titles):
            return table[index], _group(table[:index])
    return "", _group(table)


def _group(lines: Sequence[str]) -> str:
    """Return the first line with a single cell that says something."""
    alone = (line for line in lines if sum(any(words(cell)) for cell in table_cells(line)) == 1)
    return next(alone, "")


def _columns_named(title: str, columns: Sequence[str], language: str) -> list[int]:
    """Return which columns have `title`, or else which have its words in theirs."""
    wanted = telling_words(title, language)
    found = [telling_words(column, language) for column in columns]
    if not wanted:
        return []
    same = [index for index, column in enumerate(found) if column == wanted]
    return same or [index for index, column in enumerate(found) if wanted <= column]
