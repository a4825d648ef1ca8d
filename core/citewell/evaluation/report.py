"""What an evaluation found, as plain values: the terminal, the page, JSON and the gate read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from citewell.evaluation.agreement import Agreement
from citewell.evaluation.estimating import Estimate
from citewell.evaluation.spending import Spent
from citewell.evaluation.verdict import Comparison, Verdict
from citewell.types.documents import Labels

SCHEMA = 1
"""Raised when a reader of an older report would misread this one."""

CHANGED = "changed while questions were asked"
"""Stands for the version of a document of which there was more than one."""

PRIMARY = "correct"
"""Name of the score that arms are compared by."""


class Unscorable(Struct, frozen=True, kw_only=True):
    """How often a score of an arm could not be computed, and why."""

    score: str
    reason: str
    count: int


class ArmResult(Struct, frozen=True, kw_only=True):
    """What one arm came to.

    Attributes:
        identity: the parts that make it answer as it does, each with a hash.
        asked: questions that it was asked.
        outcomes: how many of these came to each outcome.
        stood_in: how many of these another model of the chain answered.
        scores: by name.
        slices: name of a slice to the estimate of the primary score in it.
        unscored: what could not be computed.
        given_up: why it was not asked any further, or empty.
        oldest: when the oldest of its answers was given, ISO 8601, UTC; "" without any.
    """

    name: str
    profile: str
    tuned: bool
    rag: bool
    is_local: bool
    identity: Mapping[str, str]
    asked: int
    outcomes: Mapping[str, int]
    scores: Mapping[str, Estimate]
    slices: Mapping[str, Estimate]
    stood_in: int = 0
    unscored: tuple[Unscorable, ...] = ()
    spent: Spent | None = None
    training_cost: float | None = None
    training_s: float | None = None
    given_up: str = ""
    oldest: str = ""

    @property
    def primary(self) -> Estimate | None:
        """The score that arms are compared by; None where no question has it."""
        return self.scores.get(PRIMARY)


class Source(Struct, frozen=True, kw_only=True):
    """What an answer quoted."""

    document_id: str
    place: str
    quote: str


class Said(Struct, frozen=True, kw_only=True):
    """What one arm said to one question.

    Attributes:
        correct: None where it could not be scored.
        text: as it was delivered, or why there is none.
    """

    arm: str
    outcome: str
    correct: float | None
    text: str
    sources: tuple[Source, ...] = ()


class Asked(Struct, frozen=True, kw_only=True):
    """One question.

    Attributes:
        document: that it is about; its cluster.
        evidence: document to the version that was indexed when it was asked; `CHANGED` for one
            that changed meanwhile.
        correct: by arm; None where it could not be scored.
        texts: by arm, what names the text that was delivered, see `labels.text_hash`; an arm that
            delivered none is left out.
        scores: by name and arm, those that tell a right answer and those of plugins; None where
            one could not be computed, and left out where it says nothing.
    """

    id: str
    question: str
    document: str
    slices: tuple[str, ...] = ()
    is_easy: bool = False
    evidence: Mapping[str, str] = field(default_factory=dict)
    correct: Mapping[str, float | None] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)


class Disagreement(Struct, frozen=True, kw_only=True):
    """A question on which arms differ, side by side."""

    id: str
    question: str
    expected: str
    said: tuple[Said, ...]


class TradeOff(Struct, frozen=True, kw_only=True):
    """One of the ten trade-offs between tuning and retrieval.

    Attributes:
        figures: by arm; empty where nothing was measured.
        unmeasured: why not, and what would measure it.
    """

    name: str
    figures: Mapping[str, str] = field(default_factory=dict)
    unmeasured: str = ""


class Report(Struct, frozen=True, kw_only=True):
    """What an evaluation found.

    Attributes:
        schema: `SCHEMA` when it was written.
        created: when the newest answer was given, ISO 8601, UTC; "" without any.
        questions_hash: of the questions and what they expect.
        config: generation of the settings.
        documents: what the questions are about, counted.
        smallest_gain: in [0, 1], that so many questions show with 80%.
        arms: the cheapest first.
        verdict: None where nothing could be scored.
        pairs: every two arms, the better first.
        interaction: what tuning and retrieval do for each other; None without four arms.
        flags: what makes a comparison doubtful, a line each.
        readers: the labels of whom questions were asked for, each reader's sorted.
        leaked: questions that were asked though they stand in the training data.
        agreement: of scores with people, as far as there are labels.
    """

    schema: int = SCHEMA
    created: str
    questions_hash: str
    config: str
    margin: float
    adequate: float
    documents: int
    smallest_gain: float
    arms: tuple[ArmResult, ...]
    verdict: Verdict | None
    pairs: tuple[Comparison, ...]
    interaction: Estimate | None
    flags: tuple[str, ...]
    trade_offs: tuple[TradeOff, ...]
    disagreements: tuple[Disagreement, ...]
    asked: tuple[Asked, ...]
    readers: tuple[tuple[str, ...], ...]
    leaked: int
    agreement: tuple[Agreement, ...] = ()

    def arm(self, name: str) -> ArmResult | None:
        """Return the result of an arm."""
        return next((arm for arm in self.arms if arm.name == name), None)


def sorted_readers(readers: Iterable[Labels]) -> tuple[tuple[str, ...], ...]:
    """Return the labels of readers, always in the same order."""
    return tuple(sorted(tuple(sorted(labels)) for labels in readers))
