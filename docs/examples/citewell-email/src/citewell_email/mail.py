"""An answer as a mail: paragraphs first, then what their marks lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from citewell import Answer, Citation, Claim, ClaimKind, Nearest, Outcome, Place
from citewell.blocks import Block, Span, Text
from citewell_email.lines import Lines

_MARKER = re.compile(r"[ \t]*(?P<quotation>(?:>[ \t]?)*)(?P<item>[-*+\u2022]|\d{1,9}[.)])?")
_HASHES = re.compile(r"#{1,6}[ \t]+")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})[^\n]*\n?(?P<code>.*?)\n?[ \t]*(\1)?\s*\Z", re.DOTALL)


class Paragraph(Struct):
    """What stands between two empty lines of a mail.

    Attributes:
        kind: how it becomes lines.
        text: without what begins its lines.
        marker: of a list item or a quotation.
    """

    kind: ClaimKind
    text: str
    marker: str = ""


class Mail(Struct, frozen=True, kw_only=True):
    """Formats answers for mails; Markdown stays as it is, as people write it in mails too.

    Attributes:
        width: characters of a line.
        flowed: lines that go on below say so, as `format=flowed` wants it.
        quoted: whether a note quotes what it refers to.
    """

    width: int
    flowed: bool
    quoted: bool

    def render(self, answer: Answer) -> Sequence[Block]:
        """Return a block for each paragraph; of a complete answer also for each note."""
        lines = Lines(width=self.width, flowed=self.flowed)
        is_free = answer.outcome is Outcome.UNSOURCED
        above = [lines.wrapped(answer.notice)] if is_free and answer.notice else []
        body = (_laid_out(one, lines) for one in _paragraphs(answer))
        below = self._below(answer, lines) if answer.complete else ()
        return tuple(Text((Span(text),)) for text in (*above, *body, *below))

    def _below(self, answer: Answer, lines: Lines) -> Iterator[str]:
        if answer.notice and answer.outcome is not Outcome.UNSOURCED:
            yield lines.wrapped(answer.notice)
        if answer.note:
            yield lines.wrapped(answer.note)
        if answer.citations:
            yield _underlined("Notes", "-", lines)
            for number, cited in groupby(answer.citations, key=lambda one: one.number):
                yield self._note(number, [*cited], lines)
        if answer.nearest:
            yield _underlined("Where to look", "-", lines)
            yield from (_where(one, lines, first="* ", rest="  ") for one in answer.nearest)

    def _note(self, number: int, cited: Sequence[Citation], lines: Lines) -> str:
        """Return one note: what is cited and where, and each quote."""
        first = f"[{number}] "
        rest = " " * len(first)
        parts = [_where(cited[0], lines, first=first, rest=rest)]
        if self.quoted:
            quotes = (f'"{one.quote.strip()}"' for one in cited)
            parts += (lines.wrapped(one, first=rest, rest=rest) for one in quotes)
        return "\n".join(parts)


def _paragraphs(answer: Answer) -> list[Paragraph]:
    """Return the shown claims of an answer, those of one paragraph together."""
    paragraphs: list[Paragraph] = []
    lead = ""
    for claim in answer.claims:
        lead += claim.lead
        if not claim.shown:
            continue
        text, marker = _marked(claim, answer), _marker(lead)
        last = paragraphs[-1] if paragraphs else None
        if last is not None and _goes_on(last, claim, lead, marker):
            joint = "\n" if claim.kind is ClaimKind.TABLE else " "
            last.text += joint + text
        else:
            paragraphs.append(Paragraph(claim.kind, text, marker))
        lead = ""
    return paragraphs


def _goes_on(last: Paragraph, claim: Claim, lead: str, marker: str) -> bool:
    """Tell whether a claim belongs to the paragraph above it."""
    if last.kind is not claim.kind or marker:
        return False
    if claim.kind is ClaimKind.TABLE:
        return True
    return claim.kind is ClaimKind.SENTENCE and lead.count("\n") < 2


def _marker(lead: str) -> str:
    match = _MARKER.match(lead.rpartition("\n")[2])
    assert match is not None  # noqa: S101 - every part of the pattern may be empty
    return match["item"] or (">" if match["quotation"] else "")


def _marked(claim: Claim, answer: Answer) -> str:
    """Return the text of a claim with its marks, or with the word that it is not supported."""
    marks = "".join(f"[{number}]" for number in sorted({one.number for one in claim.citations}))
    is_flagged = not claim.verdict.supported and answer.outcome is not Outcome.UNSOURCED
    after = " ".join(filter(None, [marks, "(unsupported)" if is_flagged else ""]))
    text = claim.text
    if claim.kind is ClaimKind.HEADING:
        text = _HASHES.sub("", text, count=1)
    elif claim.kind is ClaimKind.CODE and (fenced := _FENCE.match(text)):
        text = fenced["code"]
    if not after:
        return text
    return f"{text}\n{after}" if claim.kind is ClaimKind.CODE else f"{text} {after}"


def _laid_out(paragraph: Paragraph, lines: Lines) -> str:
    match paragraph.kind:
        case ClaimKind.HEADING:
            return _underlined(paragraph.text, "=", lines)
        case ClaimKind.CODE:
            return lines.verbatim(paragraph.text, indent="    ")
        case ClaimKind.TABLE:
            return lines.verbatim(paragraph.text)
    if not paragraph.marker:
        return lines.wrapped(paragraph.text)
    first = f"{paragraph.marker} "
    rest = first if paragraph.marker == ">" else " " * len(first)
    return lines.wrapped(paragraph.text, first=first, rest=rest)


def _underlined(title: str, line: str, lines: Lines) -> str:
    text = " ".join(title.split())
    return lines.verbatim(f"{text}\n{line * min(len(text), lines.width)}")


def _where(cited: Citation | Nearest, lines: Lines, *, first: str, rest: str) -> str:
    """Return title, place and link; a link has a line of its own, so that it can be opened."""
    named = ", ".join([cited.title, *_place(cited.place)])
    address = cited.place.address(cited.uri)
    link = [lines.verbatim(address, indent=rest)] if address else []
    return "\n".join([lines.wrapped(named, first=first, rest=rest), *link])


def _place(place: Place) -> Iterator[str]:
    """Yield the parts of a place in words, as far as they are known."""
    if place.headings:
        yield " > ".join(place.headings)
    known = (
        ("page", place.page),
        ("slide", place.slide),
        ("sheet", place.sheet),
        ("cell", place.cell),
        ("line", place.line),
    )
    yield from (f"{name} {value}" for name, value in known if value is not None)
