"""Rows of training files: JSON lines, a JSON array, CSV, TSV, Parquet, or one text a line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from citewell.errors import MissingExtra
from citewell.tuning.data.problems import Concern, Problem, named, shown
from citewell.tuning.data.schemas import FIELDS, LISTS

LARGEST_LINE = 20_000_000
"""Bytes of a line; a longer one is no example."""

_LARGEST_ARRAY = 500_000_000
_TABLES = {".csv": ",", ".tsv": "\t"}
_BATCH = 256
_MARK = b"\xef\xbb\xbf"
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bzip2",
}
SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".txt")

Told: TypeAlias = Callable[[Problem], None]


class Row(Struct, frozen=True):
    """A row with the line that it begins in."""

    line: int
    values: dict[str, Any]


class _Told(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def rows(path: Path, told: Told, *, by: str | None = None) -> Iterator[Row]:
    """Yield the rows of a file; `told` is given what is wrong with others, or with all of it.

    The name says what the file is: .jsonl and .ndjson hold a JSON object in each line, .json an
    array of them, .csv and .tsv a table with a header, .parquet a table, .txt a text in each line.

    Args:
        path: of the file.
        told: given each problem.
        by: a field that is read beside those of the forms.

    Raises:
        MissingExtra: a Parquet file needs a package that is not installed.
    """
    try:
        if path.suffix.lower() == ".parquet":
            yield from _of_parquet(path, by)
        else:
            yield from _reader(path)(path, told)
    except _Told as error:
        told(replace(error.problem, is_end=True))
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        problem = _of_file(
            path, f"cannot be read: {shown(reason, most=120)}", "a file", "name another"
        )
        told(replace(problem, is_end=True))


def _reader(path: Path) -> Callable[[Path, Told], Iterator[Row]]:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise _Told(
            _of_file(
                path,
                f'ends with "{suffix}"' if suffix else "has no suffix",
                f"one of {', '.join(SUFFIXES)}",
                "rename it to what it is",
            )
        )
    if suffix in _TABLES:
        return _of_table
    if suffix == ".json":
        return _of_array
    return _of_texts if suffix == ".txt" else _of_lines


# --- lines ----------------------------------------------------------------------------------


def _lines(path: Path, told: Told) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that hold something, as text."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LARGEST_LINE + 1):
            number += 1
            if number == 1:
                line = line.removeprefix(_MARK)
                _look(path, line)
            if len(line) > LARGEST_LINE:
                raise _Told(
                    Problem(
                        file=path,
                        line=number,
                        concern=Concern.FILE,
                        said=f"is longer than {LARGEST_LINE:,} bytes",
                        expected="one example a line",
                        fix="write each into a line of its own",
                    )
                )
            try:
                text = line.decode().rstrip("\r\n")
            except UnicodeDecodeError:
                told(_no_text(path, number))
                continue
            if text.strip():
                yield number, text


def _look(path: Path, first: bytes) -> None:
    """Notice what is no text at all by its first bytes."""
    for mark, name in _COMPRESSED.items():
        if first.startswith(mark):
            raise _Told(_of_file(path, f"is compressed ({name})", "plain text", "unpack it"))
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _Told(_of_file(path, "is UTF-16 text", "UTF-8", "save it with that encoding"))


def _no_text(path: Path, line: int) -> Problem:
    return Problem(
        file=path,
        line=line,
        concern=Concern.FILE,
        said="is not UTF-8 text",
        expected="that encoding",
        fix="save the file with it",
    )


def _of_lines(path: Path, told: Told) -> Iterator[Row]:
    for number, text in _lines(path, told):
        try:
            value = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            told(_no_json(path, number, text, error))
            continue
        if isinstance(value, dict):
            yield Row(number, value)
        else:
            told(_no_object(path, number, value))


def _no_json(path: Path, line: int, text: str, error: Exception) -> Problem:
    is_array = line == 1 and text.lstrip().startswith("[")
    is_python = text.lstrip().startswith("{'")
    fix = "mend the line, or delete it"
    if is_array:
        fix = "name the file .json, or write each object into a line"
    elif is_python:
        fix = "put double quotes around names and texts, as json.dumps does"
    return Problem(
        file=path,
        line=line,
        concern=Concern.JSON,
        said=f"is no JSON: {shown(str(error) or 'nested too deeply', most=80).lower()}",
        expected="a JSON object",
        fix=fix,
    )


def _no_object(path: Path, line: int, value: object) -> Problem:
    return Problem(
        file=path,
        line=line,
        concern=Concern.JSON,
        said=f"is {named(value)}",
        expected="a JSON object with the fields of one example",
        fix="write one in each line",
    )


def _of_texts(path: Path, told: Told) -> Iterator[Row]:
    for number, text in _lines(path, told):
        yield Row(number, {"text": text})


# --- a JSON array ---------------------------------------------------------------------------


def _of_array(path: Path, told: Told) -> Iterator[Row]:
    with path.open("rb") as file:
        content = file.read(_LARGEST_ARRAY + 1).removeprefix(_MARK)
    _look(path, content)
    if len(content) > _LARGEST_ARRAY:
        raise _Told(
            _of_file(path, f"is larger than {_LARGEST_ARRAY:,} bytes", "JSON lines", "write it so")
        )
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise _Told(_no_text(path, content[: error.start].count(b"\n") + 1)) from error
    begin = len(text) - len(text.lstrip())
    if text[begin : begin + 1] != "[":
        raise _Told(_no_array(path, text[begin:]))
    yield from _of_items(path, text, begin + 1, told)


def _no_array(path: Path, text: str) -> Problem:
    first = text.partition("\n")[0].strip()
    is_lines = first.startswith("{") and first.endswith("}")
    said = "holds nothing" if not text else "is no JSON array"
    fix = "name it .jsonl" if is_lines else "put the objects into [ and ]"
    return _of_file(path, said, "a list of objects", fix)


def _of_items(path: Path, text: str, at: int, told: Told) -> Iterator[Row]:
    """Yield the objects of an array with the lines that they begin in."""
    decoder = json.JSONDecoder()
    counted, line = 0, 1
    is_first = True
    while True:
        at = _behind_blanks(text, at)
        line, counted = line + text.count("\n", counted, at), at
        if text[at : at + 1] == "]":
            if text[at + 1 :].strip():
                raise _Told(_broken(path, line, "is followed by something else"))
            return
        if not is_first:
            if text[at : at + 1] != ",":
                raise _Told(_broken(path, line, "is not followed by a comma"))
            at = _behind_blanks(text, at + 1)
            line, counted = line + text.count("\n", counted, at), at
        is_first = False
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            deep = isinstance(error, RecursionError)
            said = "nested too deeply" if deep else shown(error, most=80).lower()
            raise _Told(_broken(path, line, f"is no JSON: {said}")) from error
        if isinstance(value, dict):
            yield Row(line, value)
        else:
            told(_no_object(path, line, value))


def _behind_blanks(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in " \t\r\n":
        at += 1
    return at


def _broken(path: Path, line: int, said: str) -> Problem:
    return Problem(
        file=path,
        line=line,
        concern=Concern.JSON,
        said=said,
        expected="objects with commas between, then ]",
        fix="mend it; nothing behind it was read",
    )


# --- tables ---------------------------------------------------------------------------------


def _of_table(path: Path, told: Told) -> Iterator[Row]:
    csv.field_size_limit(LARGEST_LINE)
    every = _decoded(path)
    first = next(every, "")
    delimiter = _TABLES[path.suffix.lower()]
    if delimiter == "," and ";" in first and "," not in first:
        delimiter = ";"
    reader = csv.reader(chain([first], every), delimiter=delimiter, strict=True)
    try:
        yield from _of_cells(path, reader, told)
    except csv.Error as error:
        raise _Told(
            Problem(
                file=path,
                line=reader.line_num,
                concern=Concern.TABLE,
                said=f"is no row of a table: {error}",
                expected="fields in double quotes, with inner quotes doubled",
                fix="mend it; nothing behind it was read",
            )
        ) from error


def _decoded(path: Path) -> Iterator[str]:
    """Yield the lines of a table; a row may have several, so one that is no text ends it."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            content = line.removeprefix(_MARK) if number == 1 else line
            if number == 1:
                _look(path, content)
            try:
                yield content.decode()
            except UnicodeDecodeError as error:
                raise _Told(_no_text(path, number)) from error


def _of_cells(path: Path, reader: Any, told: Told) -> Iterator[Row]:
    header = [cell.strip() for cell in next(reader, [])]
    twice = sorted({cell for cell in header if header.count(cell) > 1})
    if not any(header):
        raise _Told(_of_file(path, "holds nothing", "a header and rows", "write them"))
    if twice:
        raise _Told(_twice(path, twice[0]))
    begin = reader.line_num + 1
    for cells in reader:
        if len(cells) > len(header):
            told(
                Problem(
                    file=path,
                    line=begin,
                    concern=Concern.TABLE,
                    said=f"has {len(cells)} fields",
                    expected=f"{len(header)}, as the header",
                    fix="put double quotes around what holds a delimiter",
                )
            )
        elif any(map(str.strip, cells)):
            yield Row(
                begin, {name: _cell(name, cell) for name, cell in zip(header, cells, strict=False)}
            )
        begin = reader.line_num + 1


def _cell(name: str, cell: str) -> Any:
    """Return what a cell holds: a list of messages stands in it as JSON."""
    if name in LISTS and cell.lstrip().startswith("["):
        try:
            value = msgspec.json.decode(cell)
        except (msgspec.DecodeError, RecursionError):
            return cell
        is_list = isinstance(value, list) and value and isinstance(value[0], dict)
        return value if is_list and not value[0].keys().isdisjoint({"role", "from"}) else cell
    return cell


def _of_parquet(path: Path, by: str | None) -> Iterator[Row]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtra("a Parquet file", package="pyarrow", extra="data") from error

    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise _Told(_twice(path, twice[0]))
            # Other columns may hold what Python has no word for, and are not used.
            read = [name for name in names if name in FIELDS or name == by]
            others = {name: "not read" for name in names if name not in read}
            for batch in file.iter_batches(_BATCH, columns=read):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(number, values | others)
    except (pa.ArrowException, ArithmeticError, ValueError) as error:
        what = f"row {number + 1} cannot be read" if number else "is no Parquet file"
        raise _Told(
            _of_file(
                path,
                f"{what}: {shown(error, most=80).lower()}",
                "a table in that format",
                "write it anew",
            )
        ) from error


def _twice(path: Path, name: str) -> Problem:
    return Problem(
        file=path,
        line=1,
        field=shown(name),
        concern=Concern.TABLE,
        said="is the name of two columns" if name else "is a column without a name",
        expected="a name for each column",
        fix="rename one",
    )


def _of_file(path: Path, said: str, expected: str, fix: str) -> Problem:
    return Problem(file=path, concern=Concern.FILE, said=said, expected=expected, fix=fix)
