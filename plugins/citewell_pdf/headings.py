"""Page furniture and headings, told by where lines stand again and how they are set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from citewell_pdf.rows import Row
from citewell_pdf.tables import Block, table_rows

_EDGE_ROWS = 2
_REPEATED = 3
_LARGER = 1.15
_HEADING_LINES = 4
_HEADING_CHARS = 200
_NUMBER = re.compile(r"\d+")
_NO_HEADING = re.compile(r"[.,;]$")


def without_running_lines(pages: Sequence[Sequence[Sequence[Row]]]) -> list[list[list[Row]]]:
    """Return the rows of the columns of the pages without running heads and feet.

    They are the highest or lowest rows of a page, and three pages share them but for their numbers.
    What runs in another direction on a page is a page of its own. A row of a table is none, though
    those of the pages that it goes on over may differ by their figures alone.
    """
    edges = [_edges(columns) for columns in pages]
    seen = Counter(folded for page in edges for folded in set(map(_folded, page)))
    return [
        [
            [row for row in rows if not (row in page and seen[_folded(row)] >= _REPEATED)]
            for rows in columns
        ]
        for page, columns in zip(edges, pages, strict=True)
    ]


def _edges(columns: Sequence[Sequence[Row]]) -> list[Row]:
    rows = sorted((row for rows in columns for row in rows), key=lambda row: -row.top)
    edges = rows[:_EDGE_ROWS] + rows[_EDGE_ROWS:][-_EDGE_ROWS:]
    in_tables = [row for rows in columns for row in table_rows(rows)]
    return [row for row in edges if not any(row is one for one in in_tables)]


def _folded(row: Row) -> str:
    return _NUMBER.sub("#", " ".join(cell.text for cell in row.cells))


class Outline:
    """The headings of a file that has no bookmarks: short lines that stand out from its body."""

    def __init__(self, pages: Sequence[Sequence[Block]]) -> None:
        sizes, emphases = Counter[int](), Counter[int]()
        for block in (block for blocks in pages for block in blocks if not block.is_table):
            chars = sum(map(len, block.lines))
            sizes[round(block.size)] += chars
            emphases[block.emphasis] += chars
        self._size = sizes.most_common(1)[0][0] if sizes else 0
        self._emphasis = emphases.most_common(1)[0][0] if emphases else 0
        self._path: list[tuple[tuple[int, int], str]] = []

    def titles(self, blocks: Sequence[Block]) -> dict[int, tuple[str, ...]]:
        """Return the path of each line of the next page that is a heading, by its number."""
        titles: dict[int, tuple[str, ...]] = {}
        number = 0
        for block in blocks:
            if self._is_heading(block):
                rank = (round(block.size), block.emphasis)
                while self._path and self._path[-1][0] <= rank:
                    self._path.pop()
                self._path.append((rank, " ".join(block.lines)))
                path = tuple(title for _, title in self._path)
                titles |= {number + 1 + index: path for index in range(len(block.lines))}
            number += len(block.lines)
        return titles

    def _is_heading(self, block: Block) -> bool:
        text = " ".join(block.lines)
        stands_out = block.size > _LARGER * self._size or block.emphasis > self._emphasis
        return (
            not block.is_table
            and stands_out
            and len(block.lines) <= _HEADING_LINES
            and len(text) <= _HEADING_CHARS
            and any(map(str.isalpha, text))
            and not _NO_HEADING.search(text)
        )
