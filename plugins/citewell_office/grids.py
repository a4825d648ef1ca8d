"""Rows of tables with merged cells, a cell for each column."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct


class Cell(Struct, frozen=True):
    """A cell as a file stores it.

    Attributes:
        columns: that it reaches over.
        continues: whether it is one with the cell above.
    """

    text: str
    columns: int = 1
    continues: bool = False


class Grid:
    """A table from its first row to its last."""

    def __init__(self) -> None:
        self._above: list[str] = []

    def line(self, cells: Iterable[Cell]) -> str:
        """Return the text of the next row, without empty cells at its end.

        A cell that reaches over several columns is followed by empty ones, so that what stands
        beside it stays under its title; one that reaches over several rows is said in each.
        """
        texts: list[str] = []
        for cell in cells:
            above = self._above[len(texts) : len(texts) + 1] if cell.continues else [cell.text]
            texts += (above or [""]) + [""] * (cell.columns - 1)
        self._above = texts.copy()
        while texts and not texts[-1]:
            texts.pop()
        return " | ".join(texts)
