"""Prints blocks as plain text, for pipes and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from citewell.blocks import Block
from citewell.cli.page import Grid, Line, Piece, page


class Pipe:
    """Writes plain text, once it is complete."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def status(self, text: str) -> None:
        """Say nothing: whoever reads the pipe wants the answer alone."""

    def show(self, blocks: Sequence[Block]) -> None:
        """Wait for the end."""

    def end(self, blocks: Sequence[Block]) -> None:
        """Write the lines of `blocks`."""
        self._out.write(plain(blocks))
        self._out.flush()


def plain(blocks: Sequence[Block]) -> str:
    """Return `blocks` as text without colours; paragraphs are not wrapped."""
    return "".join(
        f"{line}\n"
        for row in page(blocks, is_screen=False)
        for line in (_plain_grid(row) if isinstance(row, Grid) else [_plain_line(row)])
    )


def _plain_line(line: Line) -> str:
    text = _joined(line.pieces).replace("\n", f"\n{line.rest}")
    return f"{line.first}{text}".rstrip()


def _plain_grid(grid: Grid) -> Iterator[str]:
    rows = [[_joined(cell) for cell in row] for row in (grid.header, *grid.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    for row in rows:
        yield " | ".join(map(str.ljust, row, widths)).rstrip()


def _joined(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)
