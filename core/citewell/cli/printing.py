"""Chooses how answers are printed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Protocol, TextIO

from citewell.blocks import Block
from citewell.cli.page import Row
from citewell.cli.pipe import Pipe


class Printer(Protocol):
    """Where answers are shown, one after the other."""

    def status(self, text: str) -> None:
        """Say what is being done, until there is something better to show."""
        ...

    def show(self, blocks: Sequence[Block]) -> None:
        """Show a growing answer in place of what was shown of it before."""
        ...

    def end(self, blocks: Sequence[Block]) -> None:
        """Show the complete answer; what comes next is another one."""
        ...

    def draw(self, rows: Iterable[Row]) -> None:
        """Show something that grows in place of what was shown of it; `write` ends it."""
        ...

    def write(self, rows: Iterable[Row]) -> None:
        """Show something else than an answer."""
        ...


def is_screen(out: TextIO) -> bool:
    """Tell whether `out` is a terminal that can move its cursor."""
    return out.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def open_printer(out: TextIO, *, where: str = "") -> Printer:
    """Return a printer that suits `out`; its hints end with the options `where`."""
    if not is_screen(out):
        return Pipe(out, where=where)
    # Rich takes a fifth of a quick answer's time to import.
    from citewell.cli.terminal import Screen

    return Screen(out, where=where)
