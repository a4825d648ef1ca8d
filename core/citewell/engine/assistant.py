"""The one answer path: the command line, the bots, the evaluation and the tests all take it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from time import perf_counter
from typing import Literal, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from citewell import blocking
from citewell.engine.citing import Evidence, Policy, cite, is_refusal
from citewell.engine.prompting import (
    REFUSAL,
    earlier_turns,
    prompt_hash,
    retrieval_text,
)
from citewell.engine.runtime import Runtime
from citewell.engine.settings import Profile
from citewell.errors import ConfigError, ModelError, ModelTimeout
from citewell.journal.records import AnswerRecord, ClaimRecord, PassageRecord
from citewell.observations import Observation
from citewell.types.answers import Answer, Claim, Nearest, Outcome
from citewell.types.documents import Passage
from citewell.types.questions import Delta, Generation, Marks, Prompt, Query, Question, Usage

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


def new_id() -> str:
    """Return a reference of 50 random bits that a person can type."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(10))


class _Course(Struct):
    """What one question has come to so far."""

    question: Question
    profile_name: str
    profile: Profile
    asked_at: datetime
    began: float
    answer: Answer
    passages: tuple[Passage, ...] = ()
    index_identity: str = ""
    model_identity: str = ""
    prompt_hash: str = ""
    raw: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    seconds: dict[str, float] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def took(self, stage: str, since: float) -> float:
        """Note the duration of `stage` and return it."""
        self.seconds[stage] = round(perf_counter() - since, 6)
        return self.seconds[stage]


class Assistant:
    """Answers questions; any number of them at once."""

    def __init__(self, runtime: Runtime, recorder: Recorder) -> None:
        self._runtime = runtime
        self._recorder = recorder

    async def ask(self, question: Question) -> AsyncGenerator[Answer, None]:
        """Yield the answer as it grows; the last one is complete, and recorded before it comes.

        Closing the generator early stops the model and records the question as failed.

        Raises:
            ConfigError: the question names a profile that the settings do not have.
            JournalError: the answer could not be recorded.
        """
        course = self._begin(question)
        try:
            async with aclosing(self._grow(course)) as growing:
                async for answer in growing:
                    yield answer
        except (GeneratorExit, asyncio.CancelledError):
            course.errors.append("cancelled by the asker")
            self._fail(course, "cancelled")
            self._recorder.add(self._record(course))
            raise
        except Exception as error:
            # Whatever breaks, the asker gets one visible outcome.
            log.exception("answer %s failed", course.answer.id)
            course.errors.append(f"{type(error).__name__}: {error}")
            self._fail(course, "something went wrong")
        await self._end(course)
        yield course.answer

    def _begin(self, question: Question) -> _Course:
        name = self.profile_of(question)
        profile = self._runtime.settings.profiles[name]
        answer = Answer(id=new_id(), question_id=question.id, complete=False)
        if profile.retriever is None:
            # The label stands above the first word, not only below the last.
            answer = replace(answer, outcome=Outcome.UNSOURCED, notice=UNSOURCED)
        return _Course(
            question=question,
            profile_name=name,
            profile=profile,
            asked_at=datetime.now(UTC),
            began=perf_counter(),
            answer=answer,
        )

    def profile_of(self, question: Question) -> str:
        """Return the name of the profile that answers `question`.

        Raises:
            ConfigError: the question names a profile that the settings do not have.
        """
        settings = self._runtime.settings
        names = tuple(settings.profiles)
        name = question.profile or settings.registry.route(question, names)
        name = name or settings.default_profile
        if name not in names:
            raise ConfigError(
                f'profile "{name}" is not in the settings; there are: {", ".join(names)}'
            )
        return name

    async def _grow(self, course: _Course) -> AsyncGenerator[Answer, None]:
        """Yield the growing answer and leave its final state in `course`."""
        if course.profile.retriever is not None:
            await self._retrieve(course, course.profile.retriever)
            if not course.passages:
                self._refuse(course)
                return
        for model in (course.profile.model, *course.profile.fallback):
            try:
                async with aclosing(self._generate(course, model)) as growing:
                    async for answer in growing:
                        yield answer
            except ModelError as error:
                course.errors.append(f"{model}: {error}")
                if course.answer.shown:
                    self._fail(course, "the answer stopped early")
                    return
            else:
                self._conclude(course)
                return
        self._fail(course, "no model could answer")

    async def _retrieve(self, course: _Course, name: str) -> None:
        since = perf_counter()
        retriever = await self._runtime.retriever(name)
        query = Query(text=retrieval_text(course.question))
        audience = course.question.audience
        async with asyncio.timeout(course.profile.timeout_s):
            found = await retriever.retrieve(
                query, limit=course.profile.passages, readable_by=audience
            )
        course.passages = tuple(passage for passage in found if audience.may_read(passage.labels))
        course.index_identity = await retriever.identity()
        self._observe(course, "retrieved", course.took("retrieve", since), len(course.passages))

    async def _generate(self, course: _Course, name: str) -> AsyncGenerator[Answer, None]:
        since = perf_counter()
        model = await self._runtime.model(name)
        prompt = self._prompt(course)
        course.prompt_hash = prompt_hash(prompt)
        section = self._runtime.settings.models[name]
        settings_hash = hashlib.sha256(section.config.model_dump_json().encode()).hexdigest()[:12]
        course.model_identity = f"{section.use} {settings_hash}"
        course.raw.clear()
        course.answer = replace(course.answer, claims=(), model=name)
        evidence = await self._evidence(course)
        async with (
            aclosing(_text(model.generate(prompt), course, prompt.generation.timeout_s)) as deltas,
            aclosing(cite(deltas, evidence)) as claims,
        ):
            async for claim in claims:
                course.answer = _with(course.answer, claim)
                if claim.shown and course.profile.policy != "refuse":
                    course.seconds.setdefault("first_claim", perf_counter() - course.began)
                    yield course.answer
        self._observe(course, "generated", course.took("generate", since), len("".join(course.raw)))

    def _prompt(self, course: _Course) -> Prompt:
        profile = course.profile
        return Prompt(
            instructions=profile.instructions,
            question=course.question.text,
            refusal=REFUSAL,
            passages=course.passages,
            turns=earlier_turns(course.question.history, limit=profile.history_turns),
            constraint=Marks(len(course.passages)) if course.passages else None,
            generation=Generation(
                max_output_tokens=profile.max_output_tokens, timeout_s=profile.timeout_s
            ),
        )

    async def _evidence(self, course: _Course) -> Evidence:
        profile = course.profile
        audience = course.question.audience

        async def fetch(ids: Sequence[str]) -> tuple[Passage, ...]:
            if profile.retriever is None:
                return ()
            retriever = await self._runtime.retriever(profile.retriever)
            return tuple(await retriever.fetch(ids, readable_by=audience))

        return Evidence(
            passages=course.passages,
            audience=audience,
            fetch=fetch,
            question=course.question.text,
            verifiers=tuple([await self._runtime.verifier(name) for name in profile.verifiers]),
            policy=Policy.MARK if profile.retriever is None else Policy(profile.policy),
        )

    def _conclude(self, course: _Course) -> None:
        """Choose the outcome of an answer whose model has finished."""
        claims = course.answer.claims
        if is_refusal("".join(course.raw), REFUSAL):
            course.answer = replace(course.answer, claims=())
            self._refuse(course)
        elif course.profile.retriever is None:
            self._finish(course, Outcome.UNSOURCED, UNSOURCED)
        elif course.profile.policy == "refuse" and any(not c.verdict.supported for c in claims):
            course.answer = replace(
                course.answer, claims=tuple(replace(claim, shown=False) for claim in claims)
            )
            self._refuse(course)
        elif any(claim.shown and claim.citations for claim in claims):
            self._finish(course, Outcome.ANSWERED, "")
        else:
            self._refuse(course)

    def _refuse(self, course: _Course) -> None:
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
        self._finish(course, Outcome.REFUSED, REFUSAL)

    def _fail(self, course: _Course, what: str) -> None:
        self._finish(course, Outcome.FAILED, f"{what} (reference {course.answer.id})")

    @staticmethod
    def _finish(course: _Course, outcome: Outcome, notice: str) -> None:
        course.answer = replace(course.answer, outcome=outcome, notice=notice, complete=True)

    async def _end(self, course: _Course) -> None:
        course.took("total", course.began)
        failed = course.answer.outcome is Outcome.FAILED
        event: Literal["failed", "answered"] = "failed" if failed else "answered"
        self._observe(course, event, course.seconds["total"], len(course.answer.shown))
        await blocking.call(self._recorder.add, self._record(course))

    def _observe(
        self,
        course: _Course,
        event: Literal["retrieved", "generated", "answered", "failed"],
        seconds: float,
        count: int,
    ) -> None:
        self._runtime.settings.registry.observe(
            Observation(event=event, question_id=course.question.id, seconds=seconds, count=count)
        )

    def _record(self, course: _Course) -> AnswerRecord:
        question, answer = course.question, course.answer
        return AnswerRecord(
            id=answer.id,
            question_id=question.id,
            question=question.text,
            asker=question.asker,
            asked_at=course.asked_at.isoformat(timespec="milliseconds"),
            profile=course.profile_name,
            readers=tuple(sorted(tuple(sorted(labels)) for labels in question.audience.readers)),
            outcome=answer.outcome.value,
            notice=answer.notice,
            model=answer.model,
            model_identity=course.model_identity,
            retriever=course.profile.retriever or "",
            index_identity=course.index_identity,
            prompt_hash=course.prompt_hash,
            claims=tuple(map(ClaimRecord.of, answer.claims)),
            passages=tuple(map(PassageRecord.of, course.passages)),
            seconds=course.seconds,
            input_tokens=course.usage.input_tokens,
            output_tokens=course.usage.output_tokens,
            cost=course.usage.cost,
            errors=tuple(course.errors),
        )


def _with(answer: Answer, claim: Claim) -> Answer:
    return replace(answer, claims=(*answer.claims, claim))


async def _text(
    items: AsyncIterator[Delta | Usage], course: _Course, timeout_s: float
) -> AsyncGenerator[str, None]:
    """Yield the text of a generation, keep a copy of it, and hold it to its time.

    Raises:
        ModelTimeout: the model took longer than `timeout_s`.
        ModelError: the model failed in any other way.
    """
    end = perf_counter() + timeout_s
    try:
        while True:
            try:
                item = await asyncio.wait_for(anext(items), end - perf_counter())
            except StopAsyncIteration:
                return
            if isinstance(item, Usage):
                course.usage = item
            else:
                course.raw.append(item.text)
                yield item.text
    except TimeoutError as error:
        raise ModelTimeout(f"no answer within {timeout_s:g} s") from error
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(f"{type(error).__name__}: {error}") from error
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()
