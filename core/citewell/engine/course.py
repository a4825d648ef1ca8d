"""What one question has come to so far, and the record of what it came to."""

from __future__ import annotations

from datetime import datetime
from time import perf_counter

from msgspec import Struct, field
from msgspec.structs import replace

from citewell.engine.budget import Budgets
from citewell.engine.runtime import Runtime
from citewell.engine.tables import Profile
from citewell.engine.trials import Trial
from citewell.journal.records import AnswerRecord, ClaimRecord, PassageRecord
from citewell.redaction import redact
from citewell.types.answers import Answer, Claim, Outcome
from citewell.types.documents import Passage, PassageRef
from citewell.types.questions import Question, Usage


class Course(Struct, kw_only=True):
    """What one question has come to so far.

    Attributes:
        runtime: the components of the one generation of the settings that it is answered with.
        history: what the question continues was written from these.
        kept: claims that were shown of models that then failed.
        broken_off: these models.
        skipped: what a reader is told of each model that did not answer.
        failing: those of them whose own fault that was.
        costs: what each model that was asked cost, with its name; None where that is not known.
        notes: what `citewell why` tells beside errors, a line each.
        trial: of a model in the profile; None where none is on trial.
        is_on_trial: whether that model is to answer.
    """

    question: Question
    runtime: Runtime
    profile_name: str
    profile: Profile
    asked_at: datetime
    began: float
    budgets: Budgets
    answer: Answer
    passages: tuple[Passage, ...] = ()
    history: tuple[PassageRef, ...] = ()
    index_identity: str = ""
    model_identity: str = ""
    prompt_hash: str = ""
    kept: tuple[Claim, ...] = ()
    broken_off: tuple[str, ...] = ()
    skipped: dict[str, str] = field(default_factory=dict)
    failing: tuple[str, ...] = ()
    raw: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    seconds: dict[str, float] = field(default_factory=dict)
    costs: list[tuple[str, float | None]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    trial: Trial | None = None
    is_on_trial: bool = False

    @property
    def chain(self) -> tuple[str, ...]:
        """The models to ask, in this order."""
        return self.profile.chain

    @property
    def output(self) -> str:
        """What the model that is asked now has written so far."""
        return "".join(self.raw)

    def took(self, stage: str, since: float) -> float:
        """Note the duration of `stage` and return it."""
        self.seconds[stage] = round(perf_counter() - since, 6)
        return self.seconds[stage]

    def note_error(self, what: str) -> None:
        """Keep what went wrong, for whoever runs the assistant; without secrets."""
        self.errors.append(redact(what))

    def tell(self, what: str) -> None:
        """Let whoever asks know, in a line below the answer."""
        said = [self.answer.note] if self.answer.note else []
        self.answer = replace(self.answer, note="; ".join([*said, what]))

    def keep(self, name: str) -> None:
        """Keep what the model `name` had shown before it failed, unless that is not allowed."""
        if self.profile.policy == "refuse":
            # Without its end nobody knows whether all of it is supported.
            hidden = tuple(replace(claim, shown=False) for claim in self.answer.claims)
            self.answer = replace(self.answer, claims=hidden)
        elif self.answer.shown != self.kept:
            self.kept = self.answer.shown
            self.broken_off = (*self.broken_off, name)

    def add(self, claim: Claim) -> None:
        """Let the answer grow."""
        self.answer = replace(self.answer, claims=(*self.answer.claims, claim))

    def finish(self, outcome: Outcome, notice: str) -> None:
        """End the answer."""
        self.answer = replace(self.answer, outcome=outcome, notice=notice, complete=True)

    def fail(self, what: str) -> None:
        """End the answer with what went wrong, and a reference to ask about."""
        self.finish(Outcome.FAILED, f"{what} (reference {self.answer.id})")

    def record(self) -> AnswerRecord:
        """Return what is kept of it."""
        question, answer, usage = self.question, self.answer, self.usage
        return AnswerRecord(
            id=answer.id,
            question_id=question.id,
            question="" if question.again else question.text,
            event=question.event,
            again=question.again,
            asker=question.asker,
            asked_at=self.asked_at.isoformat(timespec="milliseconds"),
            profile=self.profile_name,
            readers=tuple(sorted(tuple(sorted(labels)) for labels in question.audience.readers)),
            outcome=answer.outcome.value,
            notice=answer.notice,
            model=answer.model,
            model_identity=self.model_identity,
            retriever=self.profile.retriever or "",
            index_identity=self.index_identity,
            prompt_hash=self.prompt_hash,
            claims=tuple(map(ClaimRecord.of, answer.claims)),
            passages=tuple(map(PassageRecord.of, self.passages)),
            seconds=self.seconds,
            input_tokens=usage.input_tokens,
            reused_tokens=usage.reused_tokens,
            output_tokens=usage.output_tokens,
            cost=usage.cost,
            errors=tuple(self.errors),
            notes=tuple(self.notes),
            generation=answer.generation,
            labels=tuple(sorted(answer.labels)),
            history=self.history,
        )
