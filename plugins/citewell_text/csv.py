"""Comma-separated values as rows of text in which each cell has its place."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import islice

from citewell import Document, DocumentBuilder, DocumentError, PartKind, Place, RawDocument
from citewell_text.decoding import read_text, stem
from citewell_text.outline import folded

_DELIMITERS = ",;\t|"
_SAMPLE_CHARS = 64 * 1024
_SAMPLE_RECORDS = 50


class CsvLoader:
    """Reads one table from a file."""

    def __init__(
        self,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        header: bool = True,
        max_cells: int,
    ) -> None:
        self._encoding = encoding
        self._delimiter = delimiter
        self._header = header
        self._max_cells = max_cells

    def load(self, raw: RawDocument) -> Document:
        """Return one line for each record, its fields parted by bars."""
        text = read_text(raw.path, encoding=self._encoding)
        csv.field_size_limit(len(text) + 1)
        delimiter = self._delimiter or _delimiter(text)
        builder = DocumentBuilder()
        builder.start(PartKind.TABLE)
        cells = 0
        for number, (line, fields) in enumerate(_records(text, delimiter), start=1):
            cells += len(fields)
            if cells > self._max_cells:
                raise DocumentError(
                    f"holds more than {self._max_cells} cells; raise max_cells of the csv loader"
                )
            _write(builder, fields, line=line, number=number)
            if number == 1 and self._header:
                builder.end_header()
            builder.write("\n")
        return builder.document(raw, title=stem(raw))


def _write(builder: DocumentBuilder, fields: Sequence[str], *, line: int, number: int) -> None:
    """Write a record; empty fields at its end are left out."""
    lead = ""
    for column, field in enumerate(fields):
        words = folded(field)
        if words:
            place = Place(line=line, cell=f"{_letters(column)}{number}")
            builder.write(lead)
            builder.write(words, place=place)
            lead = ""
        lead += " | "


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line that it begins on."""
    reader = csv.reader((f"{line}\n" for line in text.split("\n")), delimiter=delimiter)
    line = 1
    try:
        for fields in reader:
            yield line, fields
            line = reader.line_num + 1
    except csv.Error as error:
        raise DocumentError(f"is not valid CSV: {error} at line {reader.line_num}") from error


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts the first records into the most fields, evenly."""
    sample = text[:_SAMPLE_CHARS]

    def evenness(delimiter: str) -> tuple[float, int]:
        records = islice(csv.reader(sample.split("\n"), delimiter=delimiter), _SAMPLE_RECORDS)
        widths = [len(record) for record in records if record]
        width = max(set(widths), key=widths.count, default=1)
        return (widths.count(width) / len(widths) if width > 1 else 0.0, width)

    return max(_DELIMITERS, key=evenness)


def _letters(column: int) -> str:
    """Return the letters of a column, counted from 0."""
    letters = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters
