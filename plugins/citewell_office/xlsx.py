"""Excel workbooks: each row a line, each cell with its place."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import openpyxl
from lxml import etree
from msgspec import Struct
from msgspec.structs import replace
from openpyxl.utils import get_column_letter

from citewell import Document, DocumentBuilder, DocumentError, PartKind, Place, RawDocument
from citewell_office.numbers import shown

_WIDE_GAP = 32
"""Columns; a gap in a row that is wider is not filled with empty cells."""


_RANGE = re.compile(r"(?P<first>[A-Z]+(?P<top>\d+)):[A-Z]+(?P<bottom>\d+)")


class _Cell(Struct, frozen=True):
    """A filled cell: where it is, and what it shows."""

    row: int
    column: int
    text: str
    is_text: bool

    @property
    def coordinate(self) -> str:
        """Its name, such as "C17"."""
        return f"{get_column_letter(self.column)}{self.row}"


class XlsxLoader:
    """Reads the values that a workbook was saved with, on the sheets that it shows."""

    def __init__(self, *, header: bool, max_cells: int) -> None:
        self._header = header
        self._max_cells = max_cells

    def load(self, raw: RawDocument) -> Document:
        """Return a table for each block of rows without an empty row between them."""
        builder = DocumentBuilder()
        try:
            with warnings.catch_warnings(action="ignore"):
                self._write(builder, raw)
        except DocumentError:
            raise
        except Exception as error:
            raise DocumentError("is damaged: it cannot be opened as an XLSX file") from error
        return builder.document(raw, title=PurePosixPath(raw.id).stem)

    def _write(self, builder: DocumentBuilder, raw: RawDocument) -> None:
        workbook = openpyxl.load_workbook(raw.path, read_only=True, data_only=True)
        filled = 0
        try:
            for sheet in workbook.worksheets:
                if sheet.sheet_state != "visible":
                    continue
                # A sheet may claim a million rows that are not there.
                sheet.reset_dimensions()
                table = _Table(builder, sheet.title, has_header=self._header)
                merged = _Merged(_tall_ranges(sheet))
                for row in sheet.iter_rows():
                    cells = merged.completed(list(_cells(row)))
                    filled += len(cells)
                    if filled > self._max_cells:
                        raise DocumentError(
                            f"holds more than {self._max_cells} cells; "
                            "raise max_cells of the xlsx loader"
                        )
                    table.write(cells)
        finally:
            workbook.close()


def _cells(row: Sequence[Any]) -> Iterator[_Cell]:
    for cell in row:
        if cell.value is None:
            continue
        text = shown(cell.value, cell.number_format or "General")
        if text:
            yield _Cell(cell.row, cell.column, text, isinstance(cell.value, str))


def _tall_ranges(sheet: Any) -> dict[str, int]:
    """Return the last row of each merged cell that reaches over several rows, by its name."""
    found: dict[str, int] = {}
    tags = ("{*}row", "{*}mergeCell")
    # openpyxl reads merged cells only along with the whole workbook, which takes much more memory.
    with sheet._get_source() as source:  # noqa: SLF001 - the file has no public name
        for _, element in etree.iterparse(source, tag=tags, resolve_entities=False):
            area = _RANGE.fullmatch(element.get("ref") or "")
            if area and int(area["top"]) < int(area["bottom"]):
                found[area["first"]] = int(area["bottom"])
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    return found


class _Merged:
    """Says what stands in merged cells in each of the rows that they reach over."""

    def __init__(self, last_rows: Mapping[str, int]) -> None:
        self._last_rows = last_rows
        self._open: dict[int, tuple[_Cell, int]] = {}

    def completed(self, cells: list[_Cell]) -> list[_Cell]:
        """Return the cells of the next row, with those that reach down from a row above."""
        if not cells or not self._last_rows:
            return cells
        row = cells[0].row
        for cell in cells:
            self._open[cell.column] = (cell, self._last_rows.get(cell.coordinate, 0))
        self._open = {column: held for column, held in self._open.items() if held[1] >= row}
        filled = {cell.column for cell in cells}
        repeated = (
            replace(cell, row=row)
            for column, (cell, _) in self._open.items()
            if column not in filled
        )
        return sorted((*cells, *repeated), key=lambda cell: cell.column)


class _Table:
    """Writes the rows of a sheet; an empty row begins another table."""

    def __init__(self, builder: DocumentBuilder, sheet: str, *, has_header: bool) -> None:
        self._builder = builder
        self._sheet = sheet
        self._has_header = has_header
        self._is_open = False
        self._first_column = 1

    def write(self, cells: Sequence[_Cell]) -> None:
        """Write the next row."""
        if not cells:
            self._is_open = False
            return
        if not self._is_open and len(cells) == 1:
            # A title above a table.
            self._builder.start(PartKind.PARAGRAPH)
            self._row(cells, cells[0].column)
            return
        begins = not self._is_open
        if begins:
            self._builder.start(PartKind.TABLE)
            self._is_open = True
            self._first_column = cells[0].column
        self._row(cells, min(self._first_column, cells[0].column))
        if begins and self._has_header and all(cell.is_text for cell in cells):
            self._builder.end_header()
        self._builder.write("\n")

    def _row(self, cells: Sequence[_Cell], column: int) -> None:
        for cell in cells:
            empty = cell.column - column
            self._builder.write(" | " * (empty if empty < _WIDE_GAP else 1))
            self._builder.write(cell.text, place=Place(sheet=self._sheet, cell=cell.coordinate))
            column = cell.column
