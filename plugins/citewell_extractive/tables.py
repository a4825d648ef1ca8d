"""Rows of tables: their cells, the titles of their columns, and how Markdown writes them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BAR = re.compile(r"(?<!\\)\|")
_ROW = re.compile(r"\t|\s\|\s|^\s*\|.*\|\s*$")
# An amount, with sign, brackets and unit; a dash is an empty one.
_AMOUNT = re.compile(
    r"[$\u20ac\u00a3(+\u2212-]*\s?\d[\d,.]*\s?[)%]*|[\u2014\u2013-]|[$\u20ac\u00a3%)]+"
)
_CURRENCY = re.compile(r"[$\u20ac\u00a3\u00a5\u20b9]")
_TOTAL = re.compile(r"\W*(?:total|sum|summe|gesamt|insgesamt|somme|suma|totale)\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_PRINTED_CHARS = 120
_YEAR = re.compile(r"(?:19|20)\d\d")


def is_row(line: str) -> bool:
    """Tell whether a line has cells, or words and then amounts as in a printed table."""
    if _ROW.search(line):
        return True
    if len(line) > _PRINTED_CHARS or line.rstrip().endswith((".", ",")):
        return False
    pieces = line.split()
    first = len(pieces)
    while first and _AMOUNT.fullmatch(pieces[first - 1]):
        first -= 1
    amounts = [piece for piece in pieces[first:] if _is_large(piece)]
    return first > 0 and (len(amounts) >= 2 or (len(amounts) == 1 and "$" in pieces[first:]))


def _is_large(piece: str) -> bool:
    """Tell an amount from a year or the number of a day or a page."""
    return any(map(str.isdigit, piece)) and not piece.strip("().,").isdigit()


def cells(line: str) -> list[str]:
    """Return the cells of a row; a row of a printed table is one cell."""
    line = line.strip()
    if "\t" in line:
        return [cell.strip() for cell in line.split("\t")]
    inner = line.removeprefix("|")
    if inner.endswith("|") and not inner.endswith("\\|"):
        inner = inner[:-1]
    return [cell.strip() for cell in _BAR.split(inner)]


def has_amounts(line: str) -> bool:
    """Tell whether a cell is an amount; a year may be the title of a column."""
    return any(_AMOUNT.fullmatch(cell) and not _YEAR.fullmatch(cell) for cell in cells(line))


def rows_of_group(rows: Sequence[str], labels: Sequence[str]) -> int:
    """Return how many of `rows`, from the first, are of the group that the last label names.

    A total ends it: a row that says so, or all that a label says, or holds money below amounts
    without, for in accounts the first row and the totals bear the sign.
    """
    for index, row in enumerate(rows):
        above = labels if index else labels[:-1]
        is_sum = bool(_CURRENCY.search(row)) and not all(map(_CURRENCY.search, rows[:index]))
        if is_sum or _TOTAL.match(row) or any(_words(label) <= _words(row) for label in above):
            return index
    return len(rows)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def titled(titles: Sequence[str], columns: int) -> list[str] | None:
    """Return one title for each of `columns`; None when the titles do not fit them.

    Titles that span several columns stand before each of theirs. Where the first column has no
    title, it gets an empty one.
    """
    whole = [""] * columns
    for line in titles:
        row = cells(line)
        if len(row) < columns and (columns - 1) % len(row) == 0:
            width = (columns - 1) // len(row)
            row = ["", *(cell for cell in row for _ in range(width))]
        if len(row) != columns:
            return None
        whole = [f"{above} {cell}".strip() for above, cell in zip(whole, row, strict=True)]
    return whole if any(whole) else None


def as_markdown(titles: Sequence[str], row: Sequence[str]) -> str:
    """Return a table with one row."""
    lines = (titles, ["---"] * len(row), row)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
