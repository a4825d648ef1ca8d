"""Neutral blocks: what a formatter makes of an answer, before any platform encodes it.

Text in blocks is plain characters, never markup of a platform: whoever encodes a block escapes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from citewell.types import Citation, Nearest


class Style(StrEnum):
    """How a stretch of text is set."""

    PLAIN = "plain"
    STRONG = "strong"
    EMPHASIS = "emphasis"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text in one style."""

    text: str
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Mark:
    """A citation mark; its number is that of an entry in the source list."""

    number: int


Inline: TypeAlias = Span | Mark


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph.

    Attributes:
        marker: of a list item ("-", "1."), of a quotation (">"), or empty.
        depth: nesting of the list item, from 0.
    """

    inlines: tuple[Inline, ...]
    marker: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the highest."""

    inlines: tuple[Inline, ...]
    level: int


@dataclass(frozen=True, slots=True)
class Code:
    """Verbatim lines, without fences."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; each row has as many cells as the header."""

    header: tuple[tuple[Inline, ...], ...]
    rows: tuple[tuple[tuple[Inline, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """A quotation of stored text; shows `citation.quote` and nothing else."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of the source list: every citation that carries `number`, first quote first."""

    number: int
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class SourceList:
    """The sources of an answer, ascending by number; never cut.

    Attributes:
        quoted: whether the quotes stand under each source.
    """

    sources: tuple[Source, ...]
    quoted: bool = True


@dataclass(frozen=True, slots=True)
class NearestList:
    """Beside a refusal: where to look."""

    nearest: tuple[Nearest, ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """One line about the answer: how much is supported, that it is unsourced, that it failed."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """Something the reader may do next; a platform without buttons shows a hint or nothing.

    Attributes:
        name: "quotes", "why", "helpful", "unhelpful".
        answer_id: the answer that it is about.
    """

    name: str
    label: str
    answer_id: str


@dataclass(frozen=True, slots=True)
class Actions:
    """A row of actions."""

    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class Json:
    """A JSON document, for programs; shown as it is."""

    text: str


Block: TypeAlias = (
    Text | Heading | Code | Table | Quote | SourceList | NearestList | Notice | Actions | Json
)
