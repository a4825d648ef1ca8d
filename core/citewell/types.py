"""The nouns of Citewell: frozen values that travel between the core and its plugins.

Spans are `[start, end)` in characters of `Document.text`. Lines, pages and slides count from 1.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct, field

Labels: TypeAlias = frozenset[str]


# --- documents -------------------------------------------------------------------------------


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
    """

    page: int | None = None
    slide: int | None = None
    headings: tuple[str, ...] = ()
    line: int | None = None
    anchor: str | None = None
    sheet: str | None = None
    cell: str | None = None


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
    """

    kind: PartKind
    start: int
    end: int
    header_end: int | None = None


class RawDocument(Struct, frozen=True, kw_only=True):
    """A file as a source hands it over, before a loader reads it.

    Attributes:
        id: stable name within its source, for files the path below the root with `/`.
        path: where the bytes are, readable by this process.
        uri: what a person opens to see it; None when there is no such thing.
    """

    id: str
    path: Path
    uri: str | None = None


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
    return Place(
        page=place.page,
        slide=place.slide,
        headings=place.headings,
        line=place.line + lines,
        anchor=place.anchor,
        sheet=place.sheet,
        cell=place.cell,
    )


def content_hash(text: str) -> str:
    """Return 32 hex digits that name `text`: BLAKE2b, 128 bits (RFC 7693)."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


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
        version: hash of the content (and of nothing else).
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


# --- readers ---------------------------------------------------------------------------------


class Audience(Struct, frozen=True):
    """Who will see an answer: the frozen set of its readers' label sets.

    A person is one set; a channel is one per distinct reader. An audience without any reader may
    see nothing.
    """

    readers: frozenset[Labels]

    @classmethod
    def of(cls, *labels: str) -> Audience:
        """Return the audience of one reader with these labels."""
        return cls(frozenset({frozenset(labels)}))

    def may_read(self, labels: Labels) -> bool:
        """Tell whether every reader shares a label with `labels`."""
        return bool(self.readers) and all(reader & labels for reader in self.readers)


EVERYONE = "everyone"


# --- questions and prompts -------------------------------------------------------------------


class Turn(Struct, frozen=True):
    """One earlier message of a conversation; citation marks are already removed."""

    role: Literal["user", "assistant"]
    text: str


class Question(Struct, frozen=True, kw_only=True):
    """What somebody asked, of whom it will be seen, and what was said before.

    Attributes:
        history: earlier turns, oldest first.
        profile: name of the profile that shall answer; None lets the routing choose.
        asker: who asked, as the platform names them; None in the terminal.
    """

    id: str
    text: str
    audience: Audience
    history: tuple[Turn, ...] = ()
    profile: str | None = None
    asker: str | None = None


class Query(Struct, frozen=True, kw_only=True):
    """What a retriever looks for.

    Attributes:
        text: in the asker's words; a follow-up carries words of the question before it.
        language: ISO 639-1 code, or None for every language of the index.
    """

    text: str
    language: str | None = None


class OutputSchema(Struct, frozen=True):
    """The output must be JSON that satisfies this JSON Schema."""

    schema: Mapping[str, object]


class Choices(Struct, frozen=True):
    """The output must be one of these strings."""

    choices: tuple[str, ...]


class Marks(Struct, frozen=True):
    """The output is free text in which a citation mark carries a number from 1 to `highest`."""

    highest: int


Constraint: TypeAlias = Marks | OutputSchema | Choices


class Generation(Struct, frozen=True, kw_only=True):
    """Bounds of one generation.

    Attributes:
        max_output_tokens: at most this many tokens.
        timeout_s: from the first request to the last token.
        temperature: 0 is greedy.
        stop: strings that end the output and are not part of it.
        seed: for models that claim `seeded`.
    """

    max_output_tokens: int = 1024
    timeout_s: float = 120.0
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    seed: int = 0


class Prompt(Struct, frozen=True, kw_only=True):
    """Everything a model gets, as data; `citewell.chat_messages` lays it out as text.

    Attributes:
        passages: number 1 is the first; empty when the profile has no retriever.
        refusal: the sentence that says that the passages do not hold the answer.
    """

    instructions: str
    question: str
    refusal: str
    passages: tuple[Passage, ...] = ()
    turns: tuple[Turn, ...] = ()
    constraint: Constraint | None = None
    generation: Generation = field(default_factory=Generation)


class Delta(Struct, frozen=True):
    """The next piece of a model's output; any number of characters, also none."""

    text: str


class Usage(Struct, frozen=True, kw_only=True):
    """The last item of a generation.

    Attributes:
        cost: in the currency that the model's config names; None when unknown.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    finish: Literal["stop", "length", "cancelled"] = "stop"


# --- answers ---------------------------------------------------------------------------------


class _Seal:
    """What a `Citation` needs to be made; only `citewell.engine.citing` holds it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "checked"


_SEAL = _Seal()


class Citation(Struct, frozen=True, kw_only=True):
    """A checked pointer from a claim to stored text. Only the evidence checks can make one.

    Attributes:
        number: the mark that readers see, from 1.
        passage_id: a passage that was retrieved for this question.
        content_hash: of the passage's text when it was cited.
        start: first character of the quote in `Document.text`.
        end: one past its last character.
        quote: equal, character for character, to the stored text `[start, end)`.
        place: where the quote begins.
    """

    number: int
    passage_id: str
    document_id: str
    content_hash: str
    title: str
    uri: str | None
    start: int
    end: int
    quote: str
    place: Place
    seal: _Seal

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise TypeError("a Citation is made by the evidence checks alone")


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether passages support a claim, and why.

    Attributes:
        supported: the judgement.
        reason: one line for people; names what is missing when not supported.
        check: which check decided, for counting ("marks", "numbers", "containment", ...).
        score: in [0, 1], higher is better supported; None when the check has no score.
    """

    supported: bool
    reason: str
    check: str
    score: float | None = None


class ClaimKind(StrEnum):
    """What a piece of an answer is."""

    SENTENCE = "sentence"
    HEADING = "heading"
    CODE = "code"
    TABLE = "table"


class Claim(Struct, frozen=True, kw_only=True):
    """One piece of an answer that passed, was marked, or was dropped.

    Attributes:
        lead: what stands between the previous piece and this one: blank space, line breaks, and
            the marker of a list item or a quotation.
        text: the piece itself, Markdown, without citation marks and without mentions, links or
            images. A code block keeps its fences. A table row keeps its bars; the header row and
            its rule stand at the beginning of the first row's text.
        raw: the model's own characters for this piece, marks included.
        citations: ascending by number; empty when none survived.
        verdict: of the evidence checks.
        shown: False when the profile's policy dropped it.
    """

    kind: ClaimKind
    lead: str
    text: str
    raw: str
    citations: tuple[Citation, ...]
    verdict: Verdict
    shown: bool


class Outcome(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNSOURCED = "unsourced"
    FAILED = "failed"


class Nearest(Struct, frozen=True, kw_only=True):
    """A source named beside a refusal: where to look, with no claim that it answers."""

    passage_id: str
    document_id: str
    title: str
    uri: str | None
    place: Place


class Answer(Struct, frozen=True, kw_only=True):
    """A checked answer, whole or still growing.

    Attributes:
        id: short reference that `citewell why` takes.
        claims: in order; those with `shown` False were dropped.
        outcome: what became of the question; of a growing answer, what it is so far.
        complete: False while more may come.
        notice: one line for the reader: the refusal, the label of an unsourced answer, the
            apology, or empty.
        nearest: best first; beside a refusal only.
        model: name of the model section that answered.
    """

    id: str
    question_id: str
    claims: tuple[Claim, ...] = ()
    outcome: Outcome = Outcome.ANSWERED
    complete: bool = True
    notice: str = ""
    nearest: tuple[Nearest, ...] = ()
    model: str = ""

    @property
    def shown(self) -> tuple[Claim, ...]:
        """The claims that a reader sees, in order."""
        return tuple(claim for claim in self.claims if claim.shown)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Each shown citation once: ascending by number, then by where its quote stands."""
        seen = {
            (citation.number, citation.start, citation.end): citation
            for claim in self.shown
            for citation in claim.citations
        }
        return tuple(seen[key] for key in sorted(seen))

    @property
    def supported_count(self) -> int:
        """How many statements of the model were supported."""
        return sum(claim.verdict.supported for claim in self.claims)
