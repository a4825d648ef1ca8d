"""Passages cut into the units that an answer is made of: sentences, list items, rows, code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from citewell_extractive.sentences import sentences

_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s")
_RULE = re.compile(r"[\s|:=~^+*_.\-\u2014]*")
_ITEM = re.compile(r"\s*(?:[-*+\u2022\u2023\u25e6\u2013]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s+(?=\S)")
_CELLS = re.compile(r"\t|^\s*\|.*\|\s*$")
# An amount in a printed table: with sign, brackets and unit; a dash is an empty amount.
_AMOUNT = re.compile(r"[$\u20ac\u00a3(+\u2212-]*\d[\d,.]*[)%]*|[\u2014\u2013-]|[$\u20ac\u00a3%)]+")
_ENDS_SENTENCE = re.compile(r"[.!?\u2026\u3002][\"'\u201d\u2019)\]]*$")
_TITLE_LINES = 8


class Kind(StrEnum):
    """What a unit is."""

    SENTENCE = "sentence"
    ITEM = "item"
    ROW = "row"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Unit:
    """The least that is quoted: `[start, end)` of the passage's text.

    Attributes:
        lead: what stands above and must be known to understand it: of a row the column titles
            and the label of its group, of an item or of code the sentence that announces it.
    """

    kind: Kind
    start: int
    end: int
    lead: str = ""


class _Line(NamedTuple):
    kind: str
    start: int
    end: int
    text: str


def units(text: str, *, language: str, header: str = "") -> list[Unit]:
    """Return the units of a passage's text, in order; headings and rules are none.

    Args:
        text: of the passage.
        language: ISO 639-1 code, for the ends of sentences.
        header: of the table that the passage continues.
    """
    found: list[Unit] = []
    block: list[_Line] = []
    for line in [*_lines(text), _Line("blank", len(text), len(text), "")]:
        if line.kind not in {"blank", "heading", "code"}:
            block.append(line)
            continue
        found += _Block(text, language, header, _announcement(text, found)).units(block)
        block = []
        if line.kind == "code":
            found.append(Unit(Kind.CODE, line.start, line.end, _announcement(text, found)))
    return found


def _lines(text: str) -> Iterator[_Line]:
    """Yield lines with their kinds; a fenced block of code is one line."""
    position, opened, fence = 0, 0, ""
    for raw in text.splitlines(keepends=True):
        start, position = position, position + len(raw)
        line = raw.rstrip()
        mark = _FENCE.match(line)
        if fence:
            if mark and mark.group(1).startswith(fence):
                yield _Line("code", opened, start + len(line), "")
                fence = ""
        elif mark:
            opened, fence = start, mark.group(1)
        else:
            yield _Line(_kind(line), start, start + len(line), line)
    if fence:
        yield _Line("code", opened, len(text.rstrip()), "")


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    if _HEADING.match(line):
        return "heading"
    if _RULE.fullmatch(line):
        return "rule"
    if _CELLS.search(line) or _is_figures(line):
        return "row"
    return "item" if _ITEM.match(line) else "prose"


def _is_figures(line: str) -> bool:
    """Tell whether words and then amounts stand in a line, as in a printed table."""
    pieces = line.split()
    first = len(pieces)
    while first and _AMOUNT.fullmatch(pieces[first - 1]):
        first -= 1
    amounts = sum(any(map(str.isdigit, piece)) for piece in pieces[first:])
    return first > 0 and (amounts >= 2 or (amounts == 1 and "$" in pieces[first:]))


def _announcement(text: str, found: Sequence[Unit]) -> str:
    """Return the last sentence when a colon ends it."""
    if found and found[-1].kind in {Kind.SENTENCE, Kind.ITEM}:
        last = text[found[-1].start : found[-1].end]
        return last if last.endswith(":") else ""
    return ""


@dataclass(slots=True)
class _Block:
    """Lines that no blank line parts.

    Attributes:
        titles: of the columns of a table.
        announcement: the sentence with a colon before the block.
    """

    text: str
    language: str
    titles: str
    announcement: str

    def units(self, lines: Sequence[_Line]) -> list[Unit]:
        found: list[Unit] = []
        label = ""
        runs = list(_runs(lines))
        for index, (kind, run) in enumerate(runs):
            if kind == "row":
                found += self._rows(run, label)
            elif kind == "item":
                found += self._items(run, _announcement(self.text, found) or self.announcement)
            elif index + 1 < len(runs) and runs[index + 1][0] == "row":
                prose, above = _parted(run)
                found += self._sentences(prose)
                label = self._label(prose, above, below_row=index > 0)
            else:
                found += self._sentences(run)
        return found

    def _label(self, prose: Sequence[_Line], above: Sequence[_Line], *, below_row: bool) -> str:
        """Take `above` as column titles, or between rows return it as the label of a group."""
        if below_row and not prose and above:
            return above[-1].text
        lines = [*prose[-1:], *above][-_TITLE_LINES:]
        self.titles = " ".join(line.text for line in lines) or self.titles
        return ""

    def _rows(self, run: Sequence[_Line], label: str) -> list[Unit]:
        found: list[Unit] = []
        for line, below in zip(run, [*run[1:], None], strict=True):
            if below is not None and below.kind == "rule" and not found:
                self.titles = line.text
            elif line.kind == "row":
                lead = f"{self.titles} {label}".strip()
                found.append(Unit(Kind.ROW, line.start, line.end, lead))
        return found

    def _items(self, run: Sequence[_Line], announcement: str) -> list[Unit]:
        found: list[Unit] = []
        for line in run:
            if line.kind == "item" or not found:
                start = line.end - len(_ITEM.sub("", line.text, count=1))
                found.append(Unit(Kind.ITEM, start, line.end, announcement))
            else:
                found[-1] = replace(found[-1], end=line.end)
        return found

    def _sentences(self, run: Sequence[_Line]) -> list[Unit]:
        if not run:
            return []
        first = run[0].start
        prose = self.text[first : run[-1].end]
        return [
            Unit(Kind.SENTENCE, first + start, first + end)
            for start, end in sentences(prose, self.language)
            if any(map(str.isalnum, prose[start:end]))
        ]


def _runs(lines: Sequence[_Line]) -> Iterator[tuple[str, list[_Line]]]:
    """Yield lines of one kind together; prose below a list item is part of it."""
    kind, run = "", list[_Line]()
    for line in lines:
        if line.kind in {"rule", kind} or (kind == "item" and line.kind == "prose"):
            run.append(line)
        else:
            if kind:
                yield kind, run
            kind, run = line.kind, [line]
    if kind:
        yield kind, run


def _parted(run: Sequence[_Line]) -> tuple[Sequence[_Line], Sequence[_Line]]:
    """Part the lines above a table into what ends a sentence and the titles below it."""
    for index in range(len(run), 0, -1):
        if _ENDS_SENTENCE.search(run[index - 1].text):
            return run[:index], run[index:]
    return [], run
