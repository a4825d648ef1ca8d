"""Neutral blocks: what a formatter makes of an answer, before any platform encodes it.

Text in blocks is plain characters, never markup of a platform: whoever encodes a block escapes it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from citewell.types.answers import Citation, Nearest


class Style(StrEnum):
    """How a stretch of text is set."""

    PLAIN = "plain"
    STRONG = "strong"
    EMPHASIS = "emphasis"
    CODE = "code"


class Span(Struct, frozen=True):
    """A stretch of text in one style."""

    text: str
    style: Style = Style.PLAIN


class Mark(Struct, frozen=True):
    """A citation mark; its number is that of an entry in the source list."""

    number: int


Inline: TypeAlias = Span | Mark


class Text(Struct, frozen=True):
    """A paragraph.

    Attributes:
        marker: of a list item ("-", "1."), of a quotation (">"), or empty.
        depth: nesting of the list item, from 0.
    """

    inlines: tuple[Inline, ...]
    marker: str = ""
    depth: int = 0


class Heading(Struct, frozen=True):
    """A heading; level 1 is the highest."""

    inlines: tuple[Inline, ...]
    level: int


class Code(Struct, frozen=True):
    """Verbatim lines, without fences."""

    text: str
    language: str = ""


class Table(Struct, frozen=True):
    """A table; each row has as many cells as the header."""

    header: tuple[tuple[Inline, ...], ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]


class Quote(Struct, frozen=True):
    """A quotation of stored text; shows `citation.quote` and nothing else."""

    citation: Citation


class Source(Struct, frozen=True):
    """One entry of the source list: every citation that carries `number`, first quote first."""

    number: int
    citations: tuple[Citation, ...]


class SourceList(Struct, frozen=True):
    """The sources of an answer, ascending by number; never cut.

    Attributes:
        quoted: whether the quotes stand under each source.
    """

    sources: tuple[Source, ...]
    quoted: bool = True


class NearestList(Struct, frozen=True):
    """Beside a refusal: where to look."""

    nearest: tuple[Nearest, ...]


class Notice(Struct, frozen=True):
    """One line about the answer: how much is supported, that it is unsourced, that it failed."""

    text: str


class Action(Struct, frozen=True):
    """Something the reader may do next; a platform without buttons shows a hint or nothing.

    Attributes:
        name: "why"; in a chat service "quotes" (show them in context), "helpful", "unhelpful",
            "person" (hand the question off), "private" (answer for me alone), "share" (answer for
            everyone here).
        answer_id: the answer that it is about.
    """

    name: str
    label: str
    answer_id: str


class Actions(Struct, frozen=True):
    """A row of actions."""

    actions: tuple[Action, ...]


class Json(Struct, frozen=True):
    """A JSON document, for programs; shown as it is."""

    text: str


Block: TypeAlias = (
    Text | Heading | Code | Table | Quote | SourceList | NearestList | Notice | Actions | Json
)
