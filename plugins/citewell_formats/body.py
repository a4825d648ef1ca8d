"""The claims of an answer as blocks of text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct, field

from citewell import Answer, Claim, ClaimKind, Outcome
from citewell.blocks import Block, Code, Heading, Inline, Mark, Span, Style, Table, Text
from citewell_formats.inline import spans

UNSUPPORTED = " (unsupported)"

_MARKER = re.compile(r"(?P<indent>[ \t]*)(?P<quotation>(?:>[ \t]?)*)(?P<item>[-*+•]|\d{1,9}[.)])?")
_HEADING = re.compile(r"(?P<hashes>#{1,6})[ \t]+(?P<title>.*?)[ \t]*#*[ \t]*\Z", re.DOTALL)
_FENCE = re.compile(r"[ ]{0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[^\s`]*)[^\n]*(?:\n|\Z)")
_RULE = re.compile(r"[\s|:-]*-[\s|:-]*\Z")
_CELL_END = re.compile(r"(?<!\\)\|")


class _Start(Struct, frozen=True):
    """How a claim begins, read from its lead: in a paragraph of its own, or going on."""

    breaks: bool
    newline: bool
    marker: str
    indent: int


def _start(lead: str) -> _Start:
    match = _MARKER.match(lead.rpartition("\n")[2])
    assert match is not None  # noqa: S101 - every part of the pattern may be empty
    marker = match["item"] or ("> " if match["quotation"] else "").strip()
    return _Start(
        breaks=lead.count("\n") > 1 or bool(marker),
        newline="\n" in lead,
        marker="-" if marker in {"*", "+", "•"} else marker,
        indent=len(match["indent"].expandtabs(4)),
    )


class Body(Struct):
    """Lays out claims one after the other; what is laid out never changes, it only grows.

    Attributes:
        styled: whether emphasis, strong and code keep their style.
        flags: whether a statement that is not supported is marked so.
    """

    styled: bool = True
    flags: bool = True
    blocks: list[Block] = field(default_factory=list)
    _dropped_lead: str = ""
    _indents: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, answer: Answer, *, styled: bool) -> list[Block]:
        """Return the blocks of the claims that are shown."""
        body = cls(styled=styled, flags=answer.outcome is not Outcome.UNSOURCED)
        for claim in answer.claims:
            body.add(claim)
        return body.blocks

    def add(self, claim: Claim) -> None:
        """Lay out `claim`; of one that is dropped only its line breaks and marker count."""
        lead = self._dropped_lead + claim.lead
        if not claim.shown:
            self._dropped_lead = lead
            return
        self._dropped_lead = ""
        match claim.kind:
            case ClaimKind.HEADING:
                self._add_heading(claim)
            case ClaimKind.CODE:
                self._add_code(claim)
            case ClaimKind.TABLE:
                self._add_rows(claim)
            case ClaimKind.SENTENCE:
                self._add_sentence(claim, _start(lead))

    def _add_sentence(self, claim: Claim, start: _Start) -> None:
        inlines = (*self._spans(claim.text), *self._after(claim))
        last = self.blocks[-1] if self.blocks else None
        if isinstance(last, Text) and not start.breaks:
            gap = Span("\n" if start.newline else " ")
            self.blocks[-1] = Text((*last.inlines, gap, *inlines), last.marker, last.depth)
        else:
            self.blocks.append(Text(inlines, start.marker, self._depth(start)))

    def _depth(self, start: _Start) -> int:
        """Return how deep a list item is nested, from the indents of the items before it."""
        if not start.marker or start.marker == ">":
            return 0
        self._indents = [*(one for one in self._indents if one < start.indent), start.indent]
        return len(self._indents) - 1

    def _add_heading(self, claim: Claim) -> None:
        match = _HEADING.match(claim.text)
        title, level = (match["title"], len(match["hashes"])) if match else (claim.text, 2)
        self.blocks.append(Heading((*self._spans(title), *self._after(claim)), level))

    def _add_code(self, claim: Claim) -> None:
        match = _FENCE.match(claim.text)
        if match is None:
            code = Code(claim.text)
        else:
            inside = claim.text[match.end() :].rstrip().removesuffix(match["fence"])
            code = Code(inside.rstrip("\n"), match["language"])
        self.blocks.append(code)
        after = self._after(claim)
        if after:
            self.blocks.append(Text(after))

    def _add_rows(self, claim: Claim) -> None:
        lines = [line for line in claim.text.splitlines() if line.strip()]
        has_header = len(lines) > 1 and _RULE.match(lines[1]) is not None
        rows = [self._cells(line) for line in (lines[2:] if has_header else lines)]
        last = self.blocks[-1] if self.blocks else None
        if isinstance(last, Table) and not has_header:
            self.blocks.pop()
        else:
            header = self._cells(lines[0]) if has_header else ((),) * len(rows[0])
            last = Table(header, ())
        fitted = [_fitted(row, len(last.header)) for row in rows]
        if fitted:
            fitted[-1] = (*fitted[-1][:-1], (*fitted[-1][-1], *self._after(claim)))
        self.blocks.append(Table(last.header, (*last.rows, *fitted)))

    def _cells(self, line: str) -> tuple[tuple[Inline, ...], ...]:
        inside = line.strip().removeprefix("|")
        inside = _CELL_END.sub("\n", inside)
        cells = inside.removesuffix("\n").split("\n")
        return tuple(self._spans(cell.strip()) for cell in cells)

    def _spans(self, markdown: str) -> tuple[Span, ...]:
        return spans(markdown, styled=self.styled)

    def _after(self, claim: Claim) -> tuple[Inline, ...]:
        """Return what follows the text of a claim: its marks, or that it is not supported."""
        numbers = sorted({citation.number for citation in claim.citations})
        flagged = self.flags and not claim.verdict.supported
        style = Style.EMPHASIS if self.styled else Style.PLAIN
        flag = (Span(UNSUPPORTED, style),) if flagged else ()
        return (*map(Mark, numbers), *flag)


def _fitted(row: tuple[tuple[Inline, ...], ...], width: int) -> tuple[tuple[Inline, ...], ...]:
    """Return `row` with `width` cells; what is too much stays in the last one."""
    kept, surplus = row[:width], row[width:]
    kept = (*kept, *((),) * (width - len(kept)))
    if not surplus:
        return kept
    return (*kept[:-1], tuple(_joined((kept[-1], *surplus))))


def _joined(cells: Iterable[tuple[Inline, ...]]) -> Iterable[Inline]:
    for index, cell in enumerate(cells):
        if index:
            yield Span(" | ")
        yield from cell
