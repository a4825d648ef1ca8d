"""Documents and their passages, in which each character knows its place.

Spans are `[start, end)` in characters of `Document.text`. Lines, pages and slides count from 1.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

Labels: TypeAlias = frozenset[str]


class Place(Struct, frozen=True, kw_only=True):
    """Where in its source some text stands; only what the format has is set.

    Attributes:
        page: page of a PDF, from 1.
        slide: slide of a presentation, from 1.
        headings: titles from the outermost heading inwards.
        line: line of the source file (in a PDF: of the page), from 1.
        anchor: fragment that opens this place in a browser, without `#`.
        sheet: worksheet name.
        cell: spreadsheet cell in A1 notation; in a CSV file, column letter and record number.
        uri: what opens this place, where it is no fragment of what opens the document; on the
            host of that, or it is not taken.
    """

    page: int | None = None
    slide: int | None = None
    headings: tuple[str, ...] = ()
    line: int | None = None
    anchor: str | None = None
    sheet: str | None = None
    cell: str | None = None
    uri: str | None = None

    def address(self, uri: str | None) -> str | None:
        """Return what opens this place of a document that `uri` opens; None where nothing does."""
        if uri is None or self.uri is not None:
            return self.uri
        fragment = self.anchor or (f"page={self.page}" if self.page is not None else None)
        return f"{uri}#{fragment}" if fragment and "#" not in uri else uri


class Placed(Struct, frozen=True):
    """From the character `start` of a text on, until the next `Placed`, `place` holds."""

    start: int
    place: Place


class PartKind(StrEnum):
    """What a stretch of a document is; the splitter keeps tables and code whole."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


class Part(Struct, frozen=True, kw_only=True):
    """A structural unit of a document.

    Attributes:
        kind: what the unit is.
        start: first character.
        end: one past the last character.
        header_end: of a table, one past its header row, so the header is `[start, header_end)`;
            equal to `start` when there is none.
        header: of a table that goes on from an earlier part, where its header row stands there.
    """

    kind: PartKind
    start: int
    end: int
    header_end: int | None = None
    header: tuple[int, int] | None = None


class RawDocument(Struct, frozen=True, kw_only=True):
    """A file as a source hands it over, before a loader reads it.

    Attributes:
        id: stable name within its source, for files the path below the root with `/`.
        path: where the bytes are, readable by this process.
        uri: what a person opens to see it; None when there is no such thing.
        labels: who may read it, as the source knows; None where it does not. They hold unless the
            user wrote a pattern that says otherwise, see `[library.NAME] labels`.
    """

    id: str
    path: Path
    uri: str | None = None
    labels: Labels | None = None


class Document(Struct, frozen=True, kw_only=True):
    """A file as text in which each character knows its place.

    Attributes:
        id: as in `RawDocument.id`; the library puts its own name before it.
        title: what a reader would call it.
        text: everything that can be cited.
        places: ascending by `start`, the first at 0. Where a place has a line, the line advances
            with each newline of `text` after the entry's `start`.
        parts: ascending and not overlapping; text outside every part is split by blank lines.
        language: ISO 639-1 code, for stemming and sentence splitting.
    """

    id: str
    title: str
    text: str
    places: tuple[Placed, ...]
    parts: tuple[Part, ...] = ()
    uri: str | None = None
    language: str = "en"

    def place_at(self, offset: int) -> Place:
        """Return the place of the character at `offset`."""
        return place_at(self.places, self.text, offset)


def place_at(places: Sequence[Placed], text: str, offset: int, *, text_start: int = 0) -> Place:
    """Return the place of the character at `offset`.

    Args:
        places: ascending by start, in the offsets of the whole document.
        text: the document's text, or the part of it that begins at `text_start`.
        offset: in the whole document.
        text_start: where `text` begins in the document.
    """
    index = max(bisect_right(places, offset, key=lambda placed: placed.start) - 1, 0)
    placed = places[index]
    if placed.place.line is None:
        return placed.place
    begin = max(placed.start - text_start, 0)
    newlines = text.count("\n", begin, max(offset - text_start, begin))
    return moved_down(placed.place, newlines)


def moved_down(place: Place, lines: int) -> Place:
    """Return `place` moved `lines` lines down; a place without a line stays as it is."""
    if not lines or place.line is None:
        return place
    return replace(place, line=place.line + lines)


def content_hash(text: str) -> str:
    """Return 32 hex digits that name `text`: BLAKE2b, 128 bits (RFC 7693)."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class PassageRef(Struct, frozen=True):
    """Names a passage, and what it said: another hash is another text."""

    id: str
    content_hash: str


class Passage(Struct, frozen=True, kw_only=True):
    """A stretch of a document that can be retrieved and cited.

    `text` equals `document.text[start:end]`, always.

    Attributes:
        id: changes whenever the text or its position changes.
        document_id: library name, colon, `Document.id`.
        places: ascending; offsets of the whole document; the first holds at `start`, its line
            already counted.
        labels: who may read it; a reader needs one of them.
        header: the header row of the table that this passage is a part of, when it is not itself
            in `text`.
        language: ISO 639-1 code.
        score: of the retriever that found it, higher is better, without a fixed range.
    """

    id: str
    document_id: str
    title: str
    text: str
    start: int
    end: int
    places: tuple[Placed, ...]
    labels: Labels = frozenset()
    uri: str | None = None
    header: str = ""
    language: str = "en"
    score: float = 0.0

    @property
    def place(self) -> Place:
        """Where the passage begins."""
        return self.places[0].place

    def place_at(self, offset: int) -> Place:
        """Return the place of the character at `offset` of the document."""
        return place_at(self.places, self.text, offset, text_start=self.start)

    @property
    def content_hash(self) -> str:
        """Name of the text; a citation records it."""
        return content_hash(self.text)


class IndexedDocument(Struct, frozen=True, kw_only=True):
    """A whole document with its passages, as the library hands it to a retriever.

    Attributes:
        id: library name, colon, `Document.id`; equal to `document_id` of each passage.
        version: changes when content, labels, loader or splitting change.
        title: of the document.
        passages: in the order of the text; empty for a document without text.
    """

    id: str
    version: str
    title: str
    passages: tuple[Passage, ...]
    uri: str | None = None


class Changed(Struct, frozen=True, kw_only=True):
    """A source's word that a document is new or differs from the known version.

    Attributes:
        version: hash of the content, and of the labels that the source gives it, and of nothing
            else.
    """

    raw: RawDocument
    version: str


class Gone(Struct, frozen=True):
    """A source's word that a known document is no longer there."""

    id: str


class Unreadable(Struct, frozen=True):
    """A source's word that it cannot hand over a document; what is indexed of it stays.

    Attributes:
        reason: one line for people, without the id.
    """

    id: str
    reason: str
