"""Questions of an evaluation, what came back for them, and what a score may be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct, field

from citewell.types.answers import Outcome
from citewell.types.documents import Passage

_SPACE = re.compile(r"\s+")


class Figure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A number that an answer must state.

    Attributes:
        unit: as an answer writes it, like "EUR" or "days"; empty for any or none.
        tolerance: by how much the answer may be off, in that unit; not negative.
    """

    value: float
    unit: str = ""
    tolerance: float = 0.0


class Swap(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fact that is exchanged in the passages, to see what an answer follows.

    Attributes:
        fact: as passages state it.
        instead: what they state then; an answer that still states `fact` has it from elsewhere.
    """

    fact: str
    instead: str


class EvalItem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question, and what tells a right answer or a right passage. Each expectation is optional.

    Attributes:
        id: unique in its set; empty until the set is read, which makes it of the question.
        question: in a user's words.
        documents: a right passage stands in one of these: `handbook:leave.md`, or `leave.md` of any
            library.
        quotes: a right passage contains one of these, whatever the case and the blank space.
        answers: any of these is right, in the sense of SQuAD: after normalisation.
        figures: each is stated.
        contains: each is said, whatever the case.
        lacks: none is said.
        choice: the one of a profile's `choices` that is right.
        pattern: a regular expression that the whole answer matches.
        output_schema: a JSON Schema that the answer, as JSON, satisfies.
        glossary: words of the house that the answer uses.
        forbidden: words of others that it does not use.
        unanswerable: the documents do not say; the right answer is to say so.
        swap: for the measure of context obedience.
        slices: names of groups that are shown apart, like "in the documents".
        is_easy: the question shares more than half of its content words with its evidence.
        is_draft: made by a model, and not yet accepted by a person; not asked.
        origin: where it is from: "written", "documents", "model" or "journal".
    """

    id: str = ""
    question: str
    documents: tuple[str, ...] = ()
    quotes: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    choice: str | None = None
    pattern: str | None = None
    output_schema: dict[str, Any] | None = None
    glossary: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    unanswerable: bool = False
    swap: Swap | None = None
    slices: tuple[str, ...] = ()
    is_easy: bool = False
    is_draft: bool = False
    origin: str = "written"

    @property
    def names_passages(self) -> bool:
        """Whether it tells which passages are to be found."""
        if self.unanswerable:
            return False
        return bool(self.documents) or any(quote.strip() for quote in self.quotes)

    def is_right(self, passage: Passage) -> bool:
        """Tell whether `passage` is one to be found."""
        if self.documents and self._document(passage.document_id) is None:
            return False
        text = _plain(passage.text)
        return not self.quotes or any(_plain(quote) in text for quote in self.quotes)

    def relevant(self, passages: Iterable[Passage]) -> frozenset[str]:
        """Return the names (see `named`) of what is to be found, as far as `passages` hold it."""
        if not self.quotes:
            return frozenset(self.documents)
        return frozenset(passage.id for passage in passages if self.is_right(passage))

    def named(self, ranked: Sequence[Passage]) -> list[str]:
        """Return what a ranking counts: passages where there are quotes, else documents once."""
        if self.quotes:
            return [passage.id for passage in ranked]
        ids = [passage.document_id for passage in ranked]
        return [*dict.fromkeys(self._document(id_) or id_ for id_ in ids)]

    def _document(self, id_: str) -> str | None:
        names = {id_, id_.partition(":")[2]}
        return next((name for name in self.documents if name in names), None)


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text).strip().casefold()


class Quote(Struct, frozen=True, kw_only=True):
    """What a citation showed: `text` is the stored text `[start, end)` of the document."""

    number: int
    passage_id: str
    document_id: str
    start: int
    end: int
    text: str


class Statement(Struct, frozen=True, kw_only=True):
    """A piece of an answer.

    Attributes:
        text: without citation marks.
        is_supported: by what the evidence checks say.
        is_shown: False when the policy of the profile dropped it.
    """

    text: str
    is_supported: bool
    is_shown: bool
    quotes: tuple[Quote, ...] = ()


class Response(Struct, frozen=True, kw_only=True):
    """What one arm said to one question, as plain values that JSON can hold.

    Attributes:
        output: the model's own text, with its marks, before anything was checked.
        text: what was delivered, without marks; empty for a refusal or a failure.
        found: the passages that were retrieved, best first.
        seconds: durations by stage: "retrieve", "first_token", "generate", "total".
        cost: in the currency of the models' prices; None when unknown.
        model: section that answered.
        errors: what failed on the way, in one line each.
        asked_at: ISO 8601, UTC.
    """

    outcome: Outcome
    output: str = ""
    text: str = ""
    statements: tuple[Statement, ...] = ()
    found: tuple[Passage, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    model: str = ""
    errors: tuple[str, ...] = ()
    asked_at: str = ""

    @property
    def refuses(self) -> bool:
        """Whether it says that the documents do not say."""
        return self.outcome is Outcome.REFUSED


class Unscored(Struct, frozen=True):
    """A score that should be there and could not be computed; it is counted, never averaged.

    Attributes:
        reason: one line for people.
    """

    reason: str


Score: TypeAlias = float | Unscored | None
"""In [0, 1], higher is better; None where the item expects nothing that the metric looks at."""
