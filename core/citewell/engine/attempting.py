"""One model's attempt at a question: its prompt, its output, and the claims that passed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from time import perf_counter

from msgspec.structs import replace

from citewell.engine import structure
from citewell.engine.breaker import Loading, Withheld
from citewell.engine.budget import Charge
from citewell.engine.citing import Evidence, Policy, cite
from citewell.engine.course import Course
from citewell.engine.prompting import REFUSAL, earlier_turns, prompt_hash
from citewell.errors import CitewellError, ModelError, ModelTimeout
from citewell.protocols import Model
from citewell.types.answers import Answer
from citewell.types.documents import Passage
from citewell.types.questions import Constraint, Delta, Generation, Marks, Prompt, Usage

_LONGEST_OPENING_S = 600.0


async def attempt(course: Course, name: str) -> AsyncGenerator[Answer, None]:
    """Yield the answer as the model of section `name` lets it grow.

    What an earlier model had shown before it failed stays, and is not said again.

    Raises:
        ModelError: the model cannot be opened, fails, or must not see what the question needs.
    """
    since = perf_counter()
    if not course.runtime.is_ready(name) and name != course.chain[-1]:
        raise Loading("is being loaded")
    with course.runtime.breaker(name).attempt():
        prompt = _prompt(course, name)
        model = await _opened(course, name)
        evidence = await _evidence(course, prompt.passages)
        bound = course.profile.timeout_s
        async with (
            course.budgets.charged(model, name, prompt, course.question) as charge,
            _asked(course, name, prompt, charge),
            aclosing(_text(model.generate(prompt), course, timeout_s=bound)) as deltas,
            aclosing(structure.delivered(deltas, prompt.constraint)) as text,
            aclosing(cite(text, evidence)) as claims,
        ):
            said = {claim.text for claim in course.kept}
            async for claim in claims:
                if claim.shown and claim.text in said:
                    continue
                if course.kept and len(course.answer.claims) == len(course.kept):
                    claim = replace(claim, lead="\n\n")  # noqa: PLW2901 - the first one below
                course.add(claim)
                if claim.shown and course.profile.policy != "refuse":
                    course.seconds.setdefault("first_claim", perf_counter() - course.began)
                    yield course.answer
    course.took("generate", since)
    _note_what_had_no_room(course, name, prompt)


@asynccontextmanager
async def _asked(course: Course, name: str, prompt: Prompt, charge: Charge) -> AsyncIterator[None]:
    """Let the course tell of the model that is asked inside; of one that adds nothing it does not.

    What it used is charged, also where it fails.
    """
    before = course.answer.model, course.model_identity
    course.prompt_hash = prompt_hash(prompt)
    course.model_identity = _identity(course, name)
    course.raw.clear()
    course.usage = Usage()
    course.answer = replace(course.answer, claims=course.kept, model=name)
    cost: float | None = None
    try:
        yield
    except ModelError as error:
        cost = error.cost
        if course.kept and course.answer.shown == course.kept:
            model, course.model_identity = before
            course.answer = replace(course.answer, model=model)
        raise
    finally:
        if course.usage != Usage():
            charge.usage = course.usage
        course.costs.append((name, course.usage.cost if cost is None else cost))


def _note_what_had_no_room(course: Course, name: str, prompt: Prompt) -> None:
    passages = _lost(prompt.passages, course.usage.passages)
    turns = _lost(prompt.turns, course.usage.turns)
    for count, what in ((passages, "last {} passages"), (turns, "first {} earlier messages")):
        if count:
            course.notes.append(f"{name}: its context had no room for the {what.format(count)}")


def _lost(given: Sequence[object], fitted: int | None) -> int:
    return 0 if fitted is None else len(given) - fitted


async def _opened(course: Course, name: str) -> Model:
    """Return the model; one that cannot be opened has failed like one that cannot answer.

    Raises:
        Loading: it takes its time, which the next of the chain need not wait for.
        ModelError: it cannot be opened.
    """
    is_last = name == course.chain[-1]
    limit = _LONGEST_OPENING_S if is_last else course.profile.timeout_s
    try:
        async with asyncio.timeout(limit):
            return await course.runtime.model(name)
    except TimeoutError:
        if is_last:
            raise ModelTimeout(f"was not loaded within {limit:g} s") from None
        raise Loading("is being loaded") from None
    except ModelError:
        raise
    except CitewellError as error:
        raise ModelError(str(error)) from error


def _identity(course: Course, name: str) -> str:
    section = course.runtime.settings.models[name]
    decides = f"{section.config.model_dump_json()} {section.files}"
    return f"{section.use} {hashlib.sha256(decides.encode()).hexdigest()[:12]}"


def _prompt(course: Course, name: str) -> Prompt:
    """Return the prompt for the model `name`.

    Raises:
        Withheld: nothing is left that may leave the machine.
    """
    profile, question = course.profile, course.question
    passages, turns = course.passages, question.history
    if not course.runtime.is_local(name):
        held = course.runtime.settings.local_only
        passages = tuple(one for one in passages if not one.labels & held)
        turns = tuple(turn for turn in turns if not turn.labels & held)
        kept_back = len(course.passages) - len(passages)
        if kept_back and not passages:
            raise Withheld("what was found must not leave this machine")
        if kept_back:
            course.notes.append(f"{name}: {kept_back} passages must not leave this machine")
    return Prompt(
        instructions=profile.instructions,
        question=question.text,
        refusal=REFUSAL,
        passages=passages,
        attached=question.attached,
        turns=earlier_turns(turns, limit=profile.history_turns),
        constraint=_constraint(course, passages),
        generation=Generation(
            max_output_tokens=profile.max_output_tokens,
            timeout_s=profile.timeout_s,
            temperature=profile.temperature,
            stop=tuple(profile.stop),
            seed=profile.seed,
        ),
    )


def _constraint(course: Course, passages: Sequence[Passage]) -> Constraint | None:
    wanted = structure.constraint(course.profile)
    if wanted is not None:
        return wanted
    return Marks(len(passages)) if passages else None


async def _evidence(course: Course, passages: tuple[Passage, ...]) -> Evidence:
    profile, runtime = course.profile, course.runtime
    audience = course.question.audience

    async def fetch(ids: Sequence[str]) -> tuple[Passage, ...]:
        if profile.retriever is None:
            return ()
        retriever = await runtime.retriever(profile.retriever)
        return tuple(await retriever.fetch(ids, readable_by=audience))

    return Evidence(
        passages=passages,
        audience=audience,
        fetch=fetch,
        question=course.question.text,
        verifiers=tuple([await runtime.verifier(name) for name in profile.verifiers]),
        policy=Policy.MARK if profile.retriever is None else Policy(profile.policy),
    )


async def _text(
    items: AsyncIterator[Delta | Usage], course: Course, *, timeout_s: float
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
                # `asyncio.wait_for` of Python 3.11 forgets a cancellation that comes with an item.
                async with asyncio.timeout(end - perf_counter()):
                    item = await anext(items)
            except StopAsyncIteration:
                return
            if isinstance(item, Usage):
                course.usage = item
            else:
                course.seconds.setdefault("first_token", round(perf_counter() - course.began, 6))
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
