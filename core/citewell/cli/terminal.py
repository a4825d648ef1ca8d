"""Prints blocks on a screen, while they grow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import takewhile
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.style import Style
from rich.table import Column, Table
from rich.text import Text

from citewell.blocks import Block, Notice
from citewell.cli.page import Grid, Line, Look, Piece, Row, page

# Longer lines are hard to read, however wide the screen is.
_MAX_WIDTH = 96
# A table breaks a longer word, such as an address, to keep its shape; no figure is as long.
_LONG_WORD = 24
# Blank columns between two columns of a table.
_GAP = 3
# No colour but cyan: it reads well on dark and on light screens.
_STYLES = {
    Look.PLAIN: Style(),
    Look.STRONG: Style(bold=True),
    Look.EMPHASIS: Style(italic=True),
    Look.CODE: Style(color="cyan"),
    Look.MARK: Style(color="cyan"),
    Look.NOTICE: Style(italic=True),
    Look.FAINT: Style(dim=True),
}


class Screen:
    """Keeps what a terminal shows equal to the newest blocks; only changed lines are written.

    Args:
        out: the terminal.
        where: options that end every hint.
        width: columns to use; by default those that the terminal has.
    """

    def __init__(self, out: TextIO, *, where: str = "", width: int | None = None) -> None:
        self._out = out
        self._where = where
        self._rendered = StringIO()
        self._console = Console(
            file=self._rendered,
            force_terminal=True,
            width=width,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._console.width = min(self._console.width, _MAX_WIDTH)
        self._shown: list[str] = []

    def status(self, text: str) -> None:
        """Say what is being done, until there is something better to show."""
        self.show((Notice(text),))

    def show(self, blocks: Sequence[Block]) -> None:
        """Show a growing answer in place of what was shown of it before."""
        self._replace(page(blocks, reflows=True, where=self._where))

    def end(self, blocks: Sequence[Block]) -> None:
        """Show the complete answer; what comes next is another one."""
        self.show(blocks)
        self._shown = []

    def draw(self, rows: Iterable[Row]) -> None:
        """Show something that grows in place of what was shown of it."""
        self._replace(rows)

    def write(self, rows: Iterable[Row]) -> None:
        """Show something else than an answer."""
        self._replace(rows)
        self._shown = []

    def _replace(self, rows: Iterable[Row]) -> None:
        lines = self._lines(rows)
        pairs = zip(lines, self._shown, strict=False)
        kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        stale = len(self._shown) - kept
        # Up to the first line that differs, and away with everything from there on.
        back = f"\x1b[{stale}F\x1b[J" if stale else ""
        self._out.write(back + "".join(f"{line}\n" for line in lines[kept:]))
        self._out.flush()
        self._shown = lines

    def _lines(self, rows: Iterable[Row]) -> list[str]:
        for row in rows:
            for renderable in self._set(row):
                self._console.print(renderable, soft_wrap=isinstance(renderable, Text))
        lines = self._rendered.getvalue().split("\n")[:-1]
        self._rendered.seek(0)
        self._rendered.truncate()
        return lines

    def _set(self, row: Row) -> Iterable[RenderableType]:
        if isinstance(row, Line):
            return self._wrapped(row)
        texts = [[_text(cell) for cell in cells] for cells in (row.header, *row.rows)]
        widths = _widths(texts, self._console.width)
        if widths is not None:
            return [_table(texts, widths)]
        return (part for line in _stacked(row) for part in self._wrapped(line))

    def _wrapped(self, line: Line) -> Iterator[RenderableType]:
        text = _text(line.pieces)
        if line.is_verbatim or not line.pieces:
            yield Text(line.first) + text
            return
        room = max(self._console.width - max(len(line.first), len(line.rest)), 8)
        for index, part in enumerate(text.wrap(self._console, room)):
            prefix = line.rest if index else line.first
            whole = Text().append(prefix, _STYLES[Look.FAINT]).append(part)
            whole.rstrip()
            yield whole


def _text(pieces: Sequence[Piece]) -> Text:
    text = Text()
    for piece in pieces:
        style = _STYLES[piece.look]
        text.append(piece.text, style.update_link(piece.link) if piece.link else style)
    return text


def _widths(texts: Sequence[Sequence[Text]], width: int) -> list[int] | None:
    """Return the width of each column, or None where they would break what belongs together."""
    columns = list(zip(*texts, strict=True))
    words = [
        max((cell_len(word) for one in column for word in one.plain.split()), default=1)
        for column in columns
    ]
    wholes = [
        max(1, *(cell_len(line) for one in column for line in one.plain.split("\n")))
        for column in columns
    ]
    widths = [min(longest, _LONG_WORD) for longest in words]
    spare = width - sum(widths) - _GAP * (len(widths) - 1)
    if spare < 0:
        return None
    wanted = [whole - least for whole, least in zip(wholes, widths, strict=True)]
    # Whoever wants least is served first, so that nothing of the room is left over.
    for served, index in enumerate(sorted(range(len(widths)), key=wanted.__getitem__)):
        given = min(wanted[index], spare // (len(widths) - served))
        widths[index] += given
        spare -= given
    return widths


def _stacked(grid: Grid) -> Iterator[Line]:
    """Yield each row of a table that is too wide as lines with a header and its cell."""
    for number, row in enumerate(grid.rows or [((),) * len(grid.header)]):
        if number:
            yield Line()
        for header, cell in zip(grid.header, row, strict=True):
            named = (*header, Piece(": ")) if header else ()
            yield Line((*named, *cell), rest="  ")


def _table(texts: Sequence[Sequence[Text]], widths: Sequence[int]) -> Table:
    header, *rows = texts
    table = Table(
        *(
            Column(text, width=width, overflow="fold")
            for text, width in zip(header, widths, strict=True)
        ),
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    for row in rows:
        table.add_row(*row)
    return table
