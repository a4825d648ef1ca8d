"""Excel workbooks: each row a line, each cell with its place."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import openpyxl
from msgspec import Struct

from citewell import Document, DocumentBuilder, DocumentError, PartKind, Place, RawDocument
from citewell_office.numbers import shown

_WIDE_GAP = 32
"""Columns; a gap in a row that is wider is not filled with empty cells."""


class _Cell(Struct, frozen=True):
    """A filled cell: where it is, and what it shows."""

    coordinate: str
    column: int
    text: str
    is_text: bool


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
                for row in sheet.iter_rows():
                    cells = list(_cells(row))
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
            yield _Cell(cell.coordinate, cell.column, text, isinstance(cell.value, str))


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
