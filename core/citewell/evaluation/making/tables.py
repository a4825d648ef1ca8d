"""Questions of tables: what stands in a column for a row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from citewell.engine.citing.words import stopwords, words
from citewell.evaluation.making.cells import PERIOD, Cell, cells
from citewell.evaluation.making.facts import Fact, Kind, figure_in
from citewell.types.documents import Passage

_DECLARED = re.compile(r"\bin (thousands|millions|billions)\b", re.IGNORECASE)
_DATE = re.compile(
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
    r" \d{1,2}, \d{4}|\d{4}"
)
_CHANGE = re.compile(r"(?:%|percent|percentage)?\s?change", re.IGNORECASE)
_NOTHING = re.compile(r"[-–—\s*.☐☒✓✗]*|n/?a|yes|no|tbd|total", re.IGNORECASE)
_COUNTED = re.compile(r"\b(?:shares?|per|basic|diluted|number of|authorized)\b", re.IGNORECASE)
_FOOTNOTE = re.compile(r"\s*\(\d{1,2}\)$")
_NUMBERED = re.compile(r"(?:Note|Item|Part|Section)\s[\dIVX]+[A-Z]?\s*[–—.:-]\s*", re.IGNORECASE)
_AMOUNTS = frozenset(
    """amount amounts assets balance balances capital cash cost costs debt depreciation earnings
    equity expense expenses fee fees income inventories liabilities loss margin number payable
    price profit rate receivable receivables revenue revenues salaries sales securities shares
    taxes total provision repurchases payments proceeds purchases population dividends""".split()
)
_NOUNS = frozenset(
    """address allowance amount area author balance budget capacity category code colour contact
    cost country currency date deadline default department description discount distance duration
    email extension fee format frequency height language length level licence license limit
    location manager maximum meaning minimum model name number owner package path percentage
    period phone population port price purpose quantity range rate reason result salary score
    size speed status symbol temperature term time title total type unit value version volume
    weight width year""".split()
)
_NO_KINDS = frozenset("name item key description topic use value figure number".split())
_LONGEST_ROW, _LONGEST_CELL = 70, 80
_LONGEST_HEADING = 70


def of_tables(passage: Passage) -> Iterator[Fact]:
    """Yield a question for each cell whose row and column say what it is."""
    found = [*cells(passage)]
    named = Counter((cell.row, cell.group, cell.index) for cell in found)
    rows = Counter((cell.row, cell.index) for cell in found)
    declared = _DECLARED.search(f"{passage.header}\n{passage.text}")
    for cell in found:
        is_one = named[cell.row, cell.group, cell.index] == 1
        if not is_one or not _is_telling(cell):
            continue
        is_grouped = rows[cell.row, cell.index] > 1
        if is_grouped and not cell.group:
            continue
        is_scaled = bool(declared) and not _COUNTED.search(f"{cell.group} {cell.row}")
        question = _question(cell, passage, group=cell.group if is_grouped else "")
        figure = figure_in(cell.text, passage.language)
        if declared and is_scaled and figure is not None and figure.unit != "%":
            question = f"{question[:-1]}, in {declared[1].lower()}?"
        yield Fact(
            kind=Kind.TABLE,
            question=question,
            passage=passage,
            start=cell.start,
            end=cell.end,
            at=(passage.start + cell.start) * 1000 + cell.index,
            answer=cell.text,
            figure=figure,
            merit=6 if figure is not None or cell.corner else 3,
        )


def _is_telling(cell: Cell) -> bool:
    """Tell whether row and column are words, and the cell is something that can be asked for."""
    names = (cell.row, *cell.columns)
    return (
        any(map(str.isalpha, cell.row))
        and len(cell.row) <= _LONGEST_ROW
        and len(cell.text) <= _LONGEST_CELL
        and not _NOTHING.fullmatch(cell.text)
        and not cell.text.startswith("(")
        and not any(_NOTHING.fullmatch(name) for name in names)
        and not _CHANGE.fullmatch(cell.columns[-1])
        and cell.row[:1].isalnum()
        and cell.row.lower() != "other"
        and len(set(names)) == len(names)
    )


def _question(cell: Cell, passage: Passage, *, group: str) -> str:
    """Return a question after a cell, in words that depend on what its column is."""
    label = _FOOTNOTE.sub("", cell.row)
    asked = _what(label)
    if group or _AMOUNTS.isdisjoint(words(label)):
        under = f" under “{_FOOTNOTE.sub('', group)}”" if group else ""
        asked = f"What is the figure for “{label}”{under}"
    last = cell.columns[-1]
    if _DATE.fullmatch(last):
        above = cell.columns[0] if len(cell.columns) > 1 else ""
        is_period = PERIOD.fullmatch(above)
        when = f"for the {above.lower().rstrip(':')} {last}" if is_period else f"as of {last}"
        if not is_period and re.fullmatch(r"\d{4}", last):
            when = f"in {last}"
        return f"{asked} {when}{_where(passage)}?"
    columns = ", ".join(map(_lower, reversed(cell.columns)))
    if not cell.corner:
        return f"{asked}, {columns}{_where(passage)}?"
    if _is_noun(last):
        return f"What is the {columns} of {_definite(cell)}{_where(passage)}?"
    titles = " and ".join(f"“{title}”" for title in cell.columns)
    return f"What does the table say under {titles} for {_definite(cell)}{_where(passage)}?"


def _is_noun(title: str) -> bool:
    """Tell whether a title can be asked for by its name, unlike "what it does" or "needs"."""
    head = re.split(r"\s(?:per|of|in|for|a)\s|\(", title.lower())[0].split()
    return bool(head) and head[-1] in _NOUNS


def _definite(cell: Cell) -> str:
    """Return the first cell of a row behind the title of its column, where that says what it is."""
    corner = cell.corner.lower()
    is_kind = corner.isalpha() and corner not in _NO_KINDS | stopwords("en")
    return f"the {corner} “{cell.row}”" if is_kind else f"“{cell.row}”"


def _what(label: str) -> str:
    row = _lower(label)
    head = re.split(r"\s(?:of|and|in|for|from|to)\s|,|\(", row)[0].split()
    is_plural = bool(head) and head[-1].endswith("s") and not head[-1].endswith("ss")
    return f"What {'were' if is_plural else 'was'} {row}"


def _where(passage: Passage) -> str:
    """Return the heading that a table stands under, in brackets; it tells like rows apart."""
    headings = passage.place.headings
    heading = _NUMBERED.sub("", headings[-1]) if headings else ""
    heading = re.sub(r"\s*\((?:unaudited|in \w+)\)$", "", heading, flags=re.IGNORECASE)
    if not heading or len(heading) > _LONGEST_HEADING:
        return ""
    return f" ({heading.capitalize() if heading.isupper() else heading})"


def _lower(text: str) -> str:
    """Return a title as it is written within a sentence: names and abbreviations stay."""
    first, _, rest = text.partition(" ")
    is_name = not first[1:].islower() or (bool(rest) and rest[:1].isupper() and not rest.isupper())
    return text if is_name else f"{first.lower()} {rest}".rstrip()
