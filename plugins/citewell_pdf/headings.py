"""Page furniture and headings, told by where lines stand again and how they are set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from citewell_pdf.tables import Block

_EDGE_LINES = 2
_REPEATED = 3
_RUNNING_CHARS = 120
_LARGER = 1.15
_HEADING_LINES = 4
_HEADING_CHARS = 200
_NUMBER = re.compile(r"\d+")
_NO_HEADING = re.compile(r"[.,;]$")


def without_running_lines(pages: Sequence[Sequence[Block]]) -> list[list[Block]]:
    """Return the pages without running heads and feet.

    They are short lines at the edge of a page that three pages share but for their numbers.
    """
    seen = Counter(
        folded for blocks in pages for folded in {_folded(line) for line in _edges(blocks)}
    )
    running = {folded for folded, count in seen.items() if count >= _REPEATED}
    return [list(_kept(blocks, running)) for blocks in pages]


def _edges(blocks: Sequence[Block]) -> list[str]:
    lines = [line for block in blocks if not block.is_table for line in block.lines]
    edges = lines[:_EDGE_LINES] + lines[_EDGE_LINES:][-_EDGE_LINES:]
    return [line for line in edges if len(line) <= _RUNNING_CHARS]


def _folded(line: str) -> str:
    return _NUMBER.sub("#", line)


def _kept(blocks: Sequence[Block], running: set[str]) -> Iterator[Block]:
    edges = {line for line in _edges(blocks) if _folded(line) in running}
    for block in blocks:
        lines = tuple(line for line in block.lines if block.is_table or line not in edges)
        if lines:
            yield replace(block, lines=lines)


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
