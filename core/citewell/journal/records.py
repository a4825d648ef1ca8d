"""What is kept of a question and its answer, as plain values that JSON can hold."""

from __future__ import annotations

from msgspec import Struct, field

from citewell.types.answers import Citation, Claim
from citewell.types.documents import Passage, PassageRef, Place


def storable(text: str) -> str:
    """Return `text` with each half of a character, which no database takes, joined or replaced."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def plain(text: str) -> str:
    """Return `text` as a column of every database takes it: PostgreSQL refuses NUL."""
    return storable(text).replace("\0", "\ufffd")


class PassageRecord(Struct, frozen=True, kw_only=True):
    """A retrieved passage without its text: what is deleted from the library is gone from here."""

    id: str
    document_id: str
    title: str
    content_hash: str
    score: float
    place: Place

    @classmethod
    def of(cls, passage: Passage) -> PassageRecord:
        """Keep what names `passage`."""
        return cls(
            id=passage.id,
            document_id=passage.document_id,
            title=passage.title,
            content_hash=passage.content_hash,
            score=passage.score,
            place=passage.place,
        )


class CitationRecord(Struct, frozen=True, kw_only=True):
    """Where a citation pointed; the quote is read from the library again when it is shown."""

    number: int
    passage_id: str
    document_id: str
    content_hash: str
    title: str
    start: int
    end: int

    @classmethod
    def of(cls, citation: Citation) -> CitationRecord:
        """Keep where `citation` points."""
        return cls(
            number=citation.number,
            passage_id=citation.passage_id,
            document_id=citation.document_id,
            content_hash=citation.content_hash,
            title=citation.title,
            start=citation.start,
            end=citation.end,
        )


class ClaimRecord(Struct, frozen=True, kw_only=True):
    """A piece of an answer, kept or dropped, with the reason."""

    kind: str
    lead: str
    text: str
    raw: str
    shown: bool
    supported: bool
    reason: str
    check: str
    score: float | None
    citations: tuple[CitationRecord, ...]

    @classmethod
    def of(cls, claim: Claim) -> ClaimRecord:
        """Keep `claim` with its verdict."""
        return cls(
            kind=claim.kind.value,
            lead=claim.lead,
            text=claim.text,
            raw=claim.raw,
            shown=claim.shown,
            supported=claim.verdict.supported,
            reason=claim.verdict.reason,
            check=claim.verdict.check,
            score=claim.verdict.score,
            citations=tuple(map(CitationRecord.of, claim.citations)),
        )


class AnswerRecord(Struct, frozen=True, kw_only=True):
    """Everything that `citewell why` needs to explain an answer.

    Attributes:
        id: the answer's reference.
        asked_at: ISO 8601, UTC.
        readers: the label sets of the audience.
        prompt_hash: empty when no prompt was made.
        model_identity: component name and hash of its settings.
        index_identity: what the retriever named its content at that moment.
        seconds: durations by stage: "retrieve", "first_token", "first_claim", "generate", "total".
        reused_tokens: of the input, those that were computed for an earlier prompt.
        errors: what failed on the way and was done without, each in one line: models before the one
            that answered, rerankers, a part of the search.
        notes: what else the models were not given, a line each.
        generation: names the settings that were in force.
        labels: of the passages that the answer, or what it continues, was written from.
        event: number of the event that its question came with.
        again: id of the answer whose question was asked once more; the words are kept there.
        is_wiped: what it says was deleted.
        history: the passages that what it continues was written from.
    """

    id: str
    question_id: str
    question: str
    asker: str | None
    asked_at: str
    profile: str
    readers: tuple[tuple[str, ...], ...]
    outcome: str
    notice: str
    model: str
    model_identity: str
    retriever: str
    index_identity: str
    prompt_hash: str
    claims: tuple[ClaimRecord, ...]
    passages: tuple[PassageRecord, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    input_tokens: int = 0
    reused_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    errors: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    generation: str = ""
    labels: tuple[str, ...] = ()
    history: tuple[PassageRef, ...] = ()
    event: int | None = None
    again: str = ""
    is_wiped: bool = False
