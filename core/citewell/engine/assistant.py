"""The one answer path: the command line, the bots, the evaluation and the tests all take it."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Literal, Protocol

from msgspec.structs import replace

from citewell import blocking
from citewell.engine.attempting import attempt
from citewell.engine.breaker import NotAsked, Resting
from citewell.engine.budget import Budgets
from citewell.engine.citing import is_refusal
from citewell.engine.course import Course
from citewell.engine.finding import find
from citewell.engine.prompting import REFUSAL, earlier_turns
from citewell.engine.runtime import Runtime
from citewell.engine.settings import Settings
from citewell.engine.trials import Seen, on_trial
from citewell.errors import ConfigError, ModelError
from citewell.journal.records import AnswerRecord
from citewell.observations import Observation
from citewell.types.answers import Answer, Nearest, Outcome
from citewell.types.questions import Question

if TYPE_CHECKING:
    from citewell.journal.ledger import Ledger

log = logging.getLogger(__name__)

UNSOURCED = "answered without sources"
_NEAREST = 3
# Crockford's base 32: nothing in it is mistaken for another character when read aloud.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class Recorder(Protocol):
    """Where finished answers are kept."""

    def add(self, record: AnswerRecord) -> None:
        """Keep `record`, blocking until it is durable."""
        ...


class Backends(Protocol):
    """Where the components of an answer come from."""

    def lease(self) -> AbstractAsyncContextManager[Runtime]:
        """Hold the generation of the settings that is in force, until the answer is complete."""
        ...


def new_id() -> str:
    """Return a reference of 50 random bits that a person can type."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


def profile_of(question: Question, settings: Settings) -> str:
    """Return the name of the profile that answers `question`.

    Raises:
        ConfigError: the question names a profile that the settings do not have.
    """
    names = tuple(settings.profiles)
    name = question.profile or settings.registry.route(question, names)
    name = name or settings.default_profile
    if name not in names:
        raise ConfigError(f'profile "{name}" is not in the settings; there are: {", ".join(names)}')
    return name


class Assistant:
    """Answers questions; any number of them at once.

    Args:
        backends: the components in force.
        recorder: keeps what is answered.
        ledger: opens the accounts of budgets, in a thread; needed where there are budgets.
    """

    def __init__(
        self,
        backends: Backends,
        recorder: Recorder,
        *,
        ledger: Callable[[], Ledger] | None = None,
    ) -> None:
        self._backends = backends
        self._recorder = recorder
        self._ledger = ledger

    async def ask(
        self, question: Question, *, is_late: Callable[[], bool] = lambda: False
    ) -> AsyncGenerator[Answer, None]:
        """Yield the answer as it grows; the last one is complete, and recorded before it comes.

        Closing the generator early stops the model and records the question as failed.

        Args:
            question: to answer.
            is_late: whether what ends it early does so because the answer takes too long.

        Raises:
            ConfigError: the question names a profile that the settings do not have.
            JournalError: the answer could not be recorded.
        """
        async with self._backends.lease() as runtime:
            course = _begin(question, runtime, self._ledger)
            async with aclosing(self._answered(course, is_late)) as growing:
                async for answer in growing:
                    yield answer

    async def whole(self, question: Question) -> Course:
        """Answer `question` to the end, and return all that it came to.

        Raises:
            ConfigError: the question names a profile that the settings do not have.
            JournalError: the answer could not be recorded.
        """
        async with self._backends.lease() as runtime:
            course = _begin(question, runtime, self._ledger)
            async with aclosing(self._answered(course, lambda: False)) as growing:
                async for _ in growing:
                    pass
            return course

    async def _answered(
        self, course: Course, is_late: Callable[[], bool]
    ) -> AsyncGenerator[Answer, None]:
        try:
            async with aclosing(_grow(course)) as growing:
                async for answer in growing:
                    yield answer
        except (GeneratorExit, asyncio.CancelledError):
            course.took("total", course.began)
            if is_late():
                course.note_error(f"took too long: ended after {course.seconds['total']:.0f} s")
                course.fail("took too long")
                _watch(course, is_late=True)
            else:
                course.note_error("cancelled by the asker")
                course.fail("cancelled")
            await self._record_anyway(course)
            raise
        except Exception as error:
            # Whatever breaks, the asker gets one visible outcome.
            log.exception("answer %s failed", course.answer.id)
            course.note_error(f"{type(error).__name__}: {error}")
            course.fail("something went wrong")
        await self._end(course)
        yield course.answer

    async def _record_anyway(self, course: Course) -> None:
        """Record what was cancelled, however often; that it was cancelled is what counts."""
        try:
            await blocking.call_to_end(partial(self._recorder.add, course.record()))
        except Exception:
            log.exception("answer %s could not be recorded", course.answer.id)

    async def keep(self, record: AnswerRecord) -> None:
        """Keep the record of a question that got no answer.

        Raises:
            JournalError: it could not be kept.
        """
        await blocking.call(self._recorder.add, record)

    async def _end(self, course: Course) -> None:
        course.took("total", course.began)
        failed = course.answer.outcome is Outcome.FAILED
        event: Literal["failed", "answered"] = "failed" if failed else "answered"
        _observe(course, event, course.seconds["total"], len(course.answer.shown))
        await blocking.call(self._recorder.add, course.record())
        _watch(course)


def _begin(question: Question, runtime: Runtime, ledger: Callable[[], Ledger] | None) -> Course:
    name = profile_of(question, runtime.settings)
    profile = runtime.settings.profiles[name]
    trial = None if runtime.trials is None else runtime.trials.of(runtime.settings, name)
    is_on_trial = trial is not None and trial.takes(question.id)
    if trial is not None and is_on_trial:
        profile = on_trial(profile, trial.canary)
    turns = earlier_turns(question.history, limit=profile.history_turns)
    history = tuple(dict.fromkeys(one for turn in turns for one in turn.passages))
    answer = Answer(
        id=new_id(),
        question_id=question.id,
        complete=False,
        generation=runtime.settings.generation,
        # What the answer leans on, it may repeat.
        labels=frozenset(label for turn in turns for label in turn.labels),
        passages=history,
    )
    if profile.retriever is None:
        # The label stands above the first word, not only below the last.
        answer = replace(answer, outcome=Outcome.UNSOURCED, notice=UNSOURCED)
    return Course(
        question=question,
        runtime=runtime,
        profile_name=name,
        profile=profile,
        asked_at=datetime.now(UTC),
        began=perf_counter(),
        budgets=Budgets(runtime.settings.budgets, ledger),
        answer=answer,
        history=history,
        notes=[f"{profile.model} is on trial"] if is_on_trial else [],
        trial=trial,
        is_on_trial=is_on_trial,
    )


def _watch(course: Course, *, is_late: bool = False) -> None:
    """Let the trial of the profile see the answer, if it says anything about its first model."""
    if course.trial is None or course.runtime.trials is None:
        return
    answer, first = course.answer, course.profile.model
    is_its_own = answer.model == first
    failed = first in course.failing or (is_its_own and is_late)
    # What else fails, as a retriever, says nothing of a model.
    if not failed and (not is_its_own or answer.outcome is Outcome.FAILED):
        return
    seen = Seen(
        id=answer.id,
        failed=failed,
        refused=not failed and answer.outcome is Outcome.REFUSED,
        seconds=course.seconds["total"],
    )
    course.runtime.trials.note(course.trial, seen, is_on_trial=course.is_on_trial)


async def _grow(course: Course) -> AsyncGenerator[Answer, None]:
    """Yield the growing answer and leave its final state in `course`."""
    if course.profile.retriever is not None:
        found = await find(course, course.profile.retriever)
        _observe(course, "retrieved", course.seconds["retrieve"], found)
        if not course.passages:
            _refuse(course)
            return
    for model in course.chain:
        try:
            async with aclosing(attempt(course, model)) as growing:
                async for answer in growing:
                    yield answer
        except ModelError as error:
            course.note_error(f"{model}: {error}")
            said = error.reason if isinstance(error, NotAsked) else "could not answer"
            course.skipped[model] = said
            if not isinstance(error, NotAsked) or isinstance(error, Resting):
                course.failing = (*course.failing, model)
            course.keep(model)
        else:
            seconds = course.seconds["generate"]
            _observe(course, "generated", seconds, len(course.output))
            _conclude(course)
            return
    course.fail("the answer stopped early" if course.answer.shown else "no model could answer")


def _conclude(course: Course) -> None:
    """Choose the outcome of an answer whose model has finished."""
    _name_stand_in(course)
    claims = course.answer.claims
    if is_refusal(course.output, REFUSAL) and not course.kept:
        course.answer = replace(course.answer, claims=())
        _refuse(course)
    elif course.profile.retriever is None:
        course.finish(Outcome.UNSOURCED, UNSOURCED)
    elif course.profile.policy == "refuse" and any(not c.verdict.supported for c in claims):
        course.answer = replace(
            course.answer, claims=tuple(replace(claim, shown=False) for claim in claims)
        )
        _refuse(course)
    elif any(claim.shown and claim.citations for claim in claims):
        course.finish(Outcome.ANSWERED, "")
    else:
        _refuse(course)


def _name_stand_in(course: Course) -> None:
    """Say who answers where it is not the model that the profile names first."""
    first, now = course.profile.model, course.answer.model
    if now == first:
        return
    why = "could not go on" if first in course.broken_off else course.skipped[first]
    course.tell(f"answered by {now}, because {first} {why}")


def _refuse(course: Course) -> None:
    nearest = tuple(
        Nearest(
            passage_id=passage.id,
            document_id=passage.document_id,
            title=passage.title,
            uri=passage.uri,
            place=passage.place,
        )
        for passage in course.passages[:_NEAREST]
    )
    course.answer = replace(course.answer, nearest=nearest)
    course.finish(Outcome.REFUSED, REFUSAL)


def _observe(
    course: Course,
    event: Literal["retrieved", "generated", "answered", "failed"],
    seconds: float,
    count: int,
) -> None:
    course.runtime.settings.registry.observe(
        Observation(event=event, question_id=course.question.id, seconds=seconds, count=count)
    )
