"""Prints blocks as plain text, for pipes and files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from citewell.blocks import Block
from citewell.cli.page import Grid, Line, Piece, Row, page


class Pipe:
    """Writes plain text, once it is complete.

    Args:
        out: the pipe or file.
        where: options that end every hint.
    """

    def __init__(self, out: TextIO, *, where: str = "") -> None:
        self._out = out
        self._where = where

    def status(self, text: str) -> None:
        """Say nothing: whoever reads the pipe wants the answer alone."""

    def show(self, blocks: Sequence[Block]) -> None:
        """Wait for the end."""

    def end(self, blocks: Sequence[Block]) -> None:
        """Write the lines of `blocks`."""
        self.write(page(blocks, where=self._where))

    def draw(self, rows: Iterable[Row]) -> None:
        """Wait for what is written in the end."""

    def write(self, rows: Iterable[Row]) -> None:
        """Write `rows`."""
        self._out.write(plain(rows))
        self._out.flush()


def plain(rows: Iterable[Row]) -> str:
    """Return `rows` as text without colours; paragraphs are not wrapped."""
    return "".join(
        f"{line}\n"
        for row in rows
        for line in (_grid(row) if isinstance(row, Grid) else [_line(row)])
    )


def _line(line: Line) -> str:
    text = _joined(line.pieces).replace("\n", f"\n{line.rest}")
    return f"{line.first}{text}".rstrip()


def _grid(grid: Grid) -> Iterator[str]:
    rows = [[_joined(cell) for cell in row] for row in (grid.header, *grid.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    for row in rows:
        yield " | ".join(map(str.ljust, row, widths)).rstrip()


def _joined(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)
