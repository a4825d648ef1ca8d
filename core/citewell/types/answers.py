"""Answers: their claims, and the citations that were checked."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from citewell.types.documents import Labels, PassageRef, Place


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
        note: one line for the reader that says what the answer had to do without, as who answers
            instead of the model that was to; or empty.
        labels: of the passages that it, or what it continues, was written from.
        passages: these passages; what is said without a citation may repeat any of them.
        generation: names the settings that it was answered with; empty when they are in no file.
    """

    id: str
    question_id: str
    claims: tuple[Claim, ...] = ()
    outcome: Outcome = Outcome.ANSWERED
    complete: bool = True
    notice: str = ""
    nearest: tuple[Nearest, ...] = ()
    model: str = ""
    note: str = ""
    labels: Labels = frozenset()
    passages: tuple[PassageRef, ...] = ()
    generation: str = ""

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
    def statements(self) -> tuple[Claim, ...]:
        """What the model stated, shown or not: a heading states nothing."""
        return tuple(claim for claim in self.claims if claim.kind is not ClaimKind.HEADING)

    @property
    def supported_count(self) -> int:
        """How many of the statements were supported."""
        return sum(claim.verdict.supported for claim in self.statements)
