"""Questions as rows of a CSV file: each cell becomes what a field of a question holds."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from citewell.engine.nearest import did_you_mean
from citewell.types.evaluation import EvalItem

BETWEEN = "|"
"""Parts the texts of a cell that holds several."""

NAMES = {
    "answer": "answers",
    "expected": "answers",
    "expected_answer": "answers",
    "expected_output": "answers",
    "ground_truth": "answers",
    "reference": "answers",
    "reference_answer": "answers",
    "context": "quotes",
    "contexts": "quotes",
    "reference_contexts": "quotes",
    "input": "question",
    "query": "question",
    "user_input": "question",
}
"""Names that other tools give to fields, and ours."""

_DELIMITERS = (",", ";", "\t")
_YES, _NO = {"true", "yes", "1"}, {"", "false", "no", "0"}
_FIGURE = re.compile(
    r"(?P<value>[+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)"
    r"(?:\s*(?:±|\+/?-)\s*(?P<tolerance>\d+(?:\.\d+)?))?\s*(?P<unit>[^\d\s].*)?",
    re.IGNORECASE,
)

Row: TypeAlias = tuple[int, Mapping[str, Any]]
"""The line that a row begins in, and the fields of its question."""


def rows(text: str, told: Callable[[int, str], None]) -> Iterator[Row]:
    """Yield the rows of a CSV file; `told` is given the line and what is wrong with others."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        header = next(reader, [])
        problem = _header_problem(header)
        if problem:
            told(1, problem)
            return
        begin = reader.line_num + 1
        for cells in reader:
            if any(map(str.strip, cells)):
                try:
                    yield begin, _fields(header, cells)
                except ValueError as error:
                    told(begin, str(error))
            begin = reader.line_num + 1
    except csv.Error as error:
        told(reader.line_num, f"is no CSV: {error}; expected fields in double quotes: mend it")


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(_DELIMITERS, key=first.count)


def _known() -> list[str]:
    return [field.name for field in msgspec.structs.fields(EvalItem)]


def _header_problem(header: Sequence[str]) -> str:
    known = _known()
    names = [_own(cell) for cell in header]
    for cell, name in zip(header, names, strict=True):
        if name not in known:
            hint = did_you_mean(cell.strip(), [*known, *NAMES], f"columns: {', '.join(known)}")
            return f'the column "{cell.strip()}" is unknown; expected the name of a field{hint}'
        if names.count(name) > 1:
            return f'two columns are the field "{name}"; expected each once: delete one'
    if "question" not in names:
        return 'no column is named "question"; expected a header row with it: add one'
    return ""


def _own(cell: str) -> str:
    name = cell.strip()
    return NAMES.get(name, name)


def _fields(header: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
    if len(cells) > len(header):
        raise ValueError(
            f"has {len(cells)} fields; expected {len(header)}, as the header: put double quotes "
            "around what holds a delimiter"
        )
    return {
        _own(name): _value(_own(name), cell)
        for name, cell in zip(header, cells, strict=False)
        if cell.strip()
    }


def _value(name: str, cell: str) -> Any:
    if name in {"question", "id", "choice", "pattern", "origin"}:
        return cell if name == "pattern" else cell.strip()
    if name in {"unanswerable", "is_easy", "is_draft"}:
        return _truth(name, cell.strip().lower())
    if name == "output_schema":
        return _schema(cell)
    parts = [part.strip() for part in cell.split(BETWEEN) if part.strip()]
    if name == "figures":
        return list(map(_figure, parts))
    if name == "swap":
        if len(parts) != 2:
            raise ValueError(f'swap is "{cell.strip()}"; expected two facts: write FACT|INSTEAD')
        return {"fact": parts[0], "instead": parts[1]}
    return parts


def _truth(name: str, cell: str) -> bool:
    if cell not in _YES | _NO:
        raise ValueError(f'{name} is "{cell}"; expected true or false: write one of them')
    return cell in _YES


def _schema(cell: str) -> Any:
    try:
        return msgspec.json.decode(cell)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"output_schema is no JSON: {error}; expected a JSON Schema") from error


def _figure(part: str) -> dict[str, Any]:
    match = _FIGURE.fullmatch(part)
    if match is None:
        raise ValueError(
            f'figures has "{part}"; expected a number, perhaps with tolerance and unit, like '
            "28 days or 82959±10 USD"
        )
    return {
        "value": float(match["value"].replace(",", "")),
        "tolerance": float(match["tolerance"] or 0),
        "unit": (match["unit"] or "").strip(),
    }
