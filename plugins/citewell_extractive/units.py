"""Passages cut into the units that an answer is made of: sentences, list items, rows, code."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from citewell import Passage
from citewell_extractive.sentences import sentences
from citewell_extractive.tables import has_amounts, is_row, rows_of_group

_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_HEADING = re.compile(r"\s{0,3}#{1,6}\s")
_RULE = re.compile(r"[\s|:=~^+*_.\-\u2014]*")
_ITEM = re.compile(r"\s*(?:[-*+\u2022\u2023\u25e6\u2013]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s+(?=\S)")
_ENDS_SENTENCE = re.compile(r"[.!?\u2026\u3002][\"'\u201d\u2019)\]]*$")
_ENDS_PROSE = re.compile(r"[.!?:\u2026\u3002][\"'\u201d\u2019)\]]*$")
_LABEL_CHARS = 80
_WRAPPED_CHARS = 60
_SHORT = 0.7


class Kind(StrEnum):
    """What a unit is."""

    SENTENCE = "sentence"
    ITEM = "item"
    ROW = "row"
    CODE = "code"


class Unit(Struct, frozen=True):
    """The least that is quoted: `[start, end)` of the passage's text.

    Attributes:
        lead: the sentence with a colon that announces it, or the one above its table.
        titles: of a row, the lines with the titles of its columns.
        label: of a row, the line that names its group.
    """

    kind: Kind
    start: int
    end: int
    lead: str = ""
    titles: tuple[str, ...] = ()
    label: str = ""


class _Line(NamedTuple):
    kind: str
    start: int
    end: int
    text: str


def units(passage: Passage) -> list[Unit]:
    """Return the units of a passage, in order; headings and rules are none."""
    text = passage.text
    found: list[Unit] = []
    block: list[_Line] = []
    titles = tuple(passage.header.splitlines())
    for line in [*_lines(text), _Line("blank", len(text), len(text), "")]:
        is_heading = line.kind == "heading" or _is_heading(line, passage)
        if line.kind not in {"blank", "code"} and not is_heading:
            block.append(line)
            continue
        found += _Block(text, passage.language, titles, _announcement(text, found)).units(block)
        block = []
        if line.kind == "code":
            found.append(Unit(Kind.CODE, line.start, line.end, _announcement(text, found)))
    return found


def _is_heading(line: _Line, passage: Passage) -> bool:
    """Tell whether the loader took a line for a heading; it may be one line of several."""
    title = line.text.strip()
    if line.kind != "prose" or not title:
        return False
    index = bisect_right(
        passage.places, passage.start + line.start, key=lambda placed: placed.start
    )
    headings = passage.places[max(index - 1, 0)].place.headings
    return bool(headings) and title in headings[-1]


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
    if is_row(line):
        return "row"
    return "item" if _ITEM.match(line) else "prose"


def _announcement(text: str, found: Sequence[Unit]) -> str:
    """Return the last sentence when a colon ends it."""
    if found and found[-1].kind in {Kind.SENTENCE, Kind.ITEM}:
        last = text[found[-1].start : found[-1].end]
        return last if last.endswith(":") else ""
    return ""


class _Block(Struct):
    """Lines that no blank line parts.

    Attributes:
        titles: lines with the titles of a table's columns; at first of one that goes on.
        announcement: the last sentence before the block, when a colon ends it.
        above: the lines between the last sentence and the next row.
        labels: the lines that name groups of the table's rows.
    """

    text: str
    language: str
    titles: tuple[str, ...]
    announcement: str
    above: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def units(self, lines: Sequence[_Line]) -> list[Unit]:
        found: list[Unit] = []
        runs = list(_runs(lines))
        kinds = [kind for kind, _ in runs]
        for index, (kind, run) in enumerate(runs):
            later = kinds[index + 1 :]
            self.announcement = _announcement(self.text, found) or self.announcement
            if kind == "row":
                found += self._rows(run, goes_on="row" in later)
            elif kind == "item":
                found += self._items(run)
            elif later[:1] != ["row"]:
                found += self._sentences(run)
            elif ("row" in kinds[:index] or self.titles) and _is_label(run):
                self.labels += (run[-1].text.strip(),)
            else:
                prose, above = _parted(run)
                found += self._sentences(prose)
                self.above, self.titles, self.labels = tuple(line.text for line in above), (), ()
        return found

    def _rows(self, run: Sequence[_Line], *, goes_on: bool) -> list[Unit]:
        rules = [index for index, line in enumerate(run) if line.kind == "rule"]
        rows = [line for line in run if line.kind == "row"]
        count = 1 if rules[:1] == [1] else _title_rows(rows, goes_on=goes_on)
        titles = (*self.above, *(line.text for line in rows[:count]))
        self.titles, self.above = titles or self.titles, ()
        rows = rows[count:]
        size = rows_of_group([line.text for line in rows], self.labels) if self.labels else 0
        labels = [*self.labels[-1:] * size, *[""] * (len(rows) - size)]
        return [
            Unit(Kind.ROW, line.start, line.end, self.announcement, self.titles, label)
            for line, label in zip(rows, labels, strict=True)
        ]

    def _items(self, run: Sequence[_Line]) -> list[Unit]:
        """Cut list items into sentences; the first of each is the item."""
        spans: list[tuple[int, int]] = []
        for line in run:
            if line.kind == "item" or not spans:
                spans.append((line.end - len(_ITEM.sub("", line.text, count=1)), line.end))
            else:
                spans[-1] = (spans[-1][0], line.end)
        return [
            Unit(
                Kind.SENTENCE if index else Kind.ITEM, first + start, first + end, self.announcement
            )
            for first, last in spans
            for index, (start, end) in enumerate(sentences(self.text[first:last], self.language))
        ]

    def _sentences(self, run: Sequence[_Line]) -> list[Unit]:
        return [
            Unit(Kind.SENTENCE, first + start, first + end)
            for first, last in _paragraphs([line for line in run if line.kind != "rule"])
            for start, end in sentences(self.text[first:last], self.language)
            if any(map(str.isalnum, self.text[first + start : first + end]))
        ]


def _paragraphs(run: Sequence[_Line]) -> Iterator[tuple[int, int]]:
    """Yield the spans of paragraphs that no blank line parts, as in the text of a PDF.

    Where lines were broken to fit a width, a much shorter one ends its paragraph when it ends a
    sentence, or when the next line begins with a capital and it is itself a heading.
    """
    width = max((len(line.text) for line in run), default=0)
    start = 0
    for index, line in enumerate(run):
        following = run[index + 1].text.lstrip() if index + 1 < len(run) else ""
        is_short = width > _WRAPPED_CHARS and len(line.text) < _SHORT * width
        ends = _ENDS_SENTENCE.search(line.text) or following[:1].isupper()
        if not following or (is_short and ends):
            yield run[start].start, line.end
            start = index + 1


def _runs(lines: Sequence[_Line]) -> Iterator[tuple[str, list[_Line]]]:
    """Yield lines of one kind together; prose below a list item is part of it.

    A line above a rule is a heading, and left out.
    """
    kind, run = "", list[_Line]()
    for line in lines:
        is_heading = line.kind == "rule" and kind == "prose" and len(run) == 1
        if not is_heading and (
            line.kind in {kind, "rule"} or (kind, line.kind) == ("item", "prose")
        ):
            run.append(line)
            continue
        if kind and not is_heading:
            yield kind, run
        kind, run = ("", []) if is_heading else (line.kind, [line])
    if kind:
        yield kind, run


def _is_label(run: Sequence[_Line]) -> bool:
    """Tell whether lines between rows name the group of rows that follows."""
    chars = sum(len(line.text) for line in run)
    return chars <= _LABEL_CHARS and not any(_ENDS_SENTENCE.search(line.text) for line in run)


def _title_rows(rows: Sequence[_Line], *, goes_on: bool) -> int:
    """Return how many rows stand above the first that holds an amount.

    Args:
        rows: without anything between them.
        goes_on: the table has more rows below a label.
    """
    for index, line in enumerate(rows):
        if has_amounts(line.text):
            return index
    return len(rows) if goes_on else 0


def _parted(run: Sequence[_Line]) -> tuple[Sequence[_Line], Sequence[_Line]]:
    """Part the lines above a table into sentences and the titles below them."""
    for index in range(len(run), 0, -1):
        if _ENDS_PROSE.search(run[index - 1].text):
            return run[:index], run[index:]
    return [], run
