"""Units written as an answer, each with the mark of its passage."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from citewell import Passage
from citewell_extractive.evidence import Evidence
from citewell_extractive.sentences import sentences
from citewell_extractive.tables import as_markdown, cells, titled
from citewell_extractive.units import Kind, Unit

_NUMBERED = re.compile(r"\d{1,9}[.)]")
_LINE_BREAK = re.compile(r"\s*\n\s*(?:>\s?)*")
_OPENING, _CLOSING = r"\[\u3010\uff3b\u3014", r"\]\u3011\uff3d\u3015"
_BRACKETS = re.compile(
    rf"(?P<code>(`+)[^`]*\2)|\\?[{_OPENING}]+(?P<inside>[^{_OPENING}{_CLOSING}]*)\\?[{_CLOSING}]+"
)
_REFERENCE_WORDS = re.compile(
    r"sources?|passages?|citations?|ref(?:erence)?s?|\u2020.*|[ex]", re.IGNORECASE
)


def written(chosen: Sequence[Evidence], passages: Sequence[Passage]) -> str:
    """Return an answer of the chosen units, in their order, as Markdown.

    Each sentence carries a mark of its own, for it is checked on its own.
    """
    quoted = {(item.number, item.unit) for item in chosen}
    pieces = []
    for item in chosen:
        writer = _Writer(passages[item.number - 1], f"[{item.number}]")
        before = None if (item.number, item.before) in quoted else item.before
        pieces.append(writer.piece(before, item.unit, item.follows))
    return "\n\n".join(pieces)


class _Writer(Struct, frozen=True):
    """Writes units of one passage."""

    passage: Passage
    mark: str

    def piece(self, before: Unit | None, unit: Unit, follows: Sequence[Unit]) -> str:
        text = " ".join(self._unit(one) for one in (before, unit) if one is not None)
        for following in follows:
            if following.kind is Kind.ITEM:
                text += f"\n{self._bullet(following)}"
            else:
                text += "\n" if following.kind is Kind.CODE else " "
            text += self._unit(following)
        return text

    def _unit(self, unit: Unit) -> str:
        text = self.passage.text[unit.start : unit.end]
        if unit.kind is Kind.CODE:
            return f"{text}\n{self.mark}"
        if unit.kind is Kind.ROW:
            return self._row(text, unit)
        return self._marked(as_line(text))

    def _marked(self, line: str) -> str:
        spans = sentences(line, self.passage.language)
        return " ".join(f"{line[start:end]} {self.mark}" for start, end in spans)

    def _row(self, text: str, unit: Unit) -> str:
        row = [as_line(cell) for cell in cells(text)]
        titles = titled([as_line(line) for line in unit.titles], len(row))
        row[0] = f"{as_line(unit.label)} {row[0]}".strip()
        if len(row) > 1 and titles:
            row[-1] = f"{row[-1]} {self.mark}"
            return as_markdown(titles, row)
        return f"{', '.join(filter(None, row))} {self.mark}"

    def _bullet(self, unit: Unit) -> str:
        """Return the marker of a list item as Markdown writes it."""
        begin = self.passage.text.rfind("\n", 0, unit.start) + 1
        marker = self.passage.text[begin : unit.start].strip()
        return f"{marker} " if _NUMBERED.fullmatch(marker) else "- "


def as_line(text: str) -> str:
    """Return `text` on one line, without brackets that a reader would take for a mark.

    A reference of the source's own, like `[2]` behind a word, is dropped; what fills a line or a
    cell loses its brackets, for accounts write a minus so; other figures in brackets stand in
    parentheses.
    """
    line = " ".join(_LINE_BREAK.sub(" ", text).split())
    return _BRACKETS.sub(_unmarked, line)


def _unmarked(match: re.Match[str]) -> str:
    inside = match["inside"]
    if inside is None or not any(map(str.isnumeric, inside)):
        return match[0]
    if any(map(str.isalpha, _REFERENCE_WORDS.sub("", inside))):
        return match[0]
    if match[0] == match.string:
        return inside.strip()
    behind_word = match.start() > 0 and not match.string[match.start() - 1].isspace()
    return "" if behind_word else f"({inside.strip()})"
