"""Asks every arm every question once, by the one answer path, and keeps what comes back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from citewell import blocking
from citewell.engine.assistant import Assistant, new_id
from citewell.engine.course import Course
from citewell.engine.runtime import Runtime
from citewell.errors import CitewellError
from citewell.evaluation.altering import Alteration, altered
from citewell.evaluation.answers import Answers, Key, question_key
from citewell.evaluation.arms import Arm
from citewell.evaluation.ceiling import Ceiling
from citewell.evaluation.identity import Identity
from citewell.journal.records import AnswerRecord
from citewell.types.answers import Claim, Outcome
from citewell.types.evaluation import EvalItem, Quote, Response, Statement, Swap
from citewell.types.questions import Audience, Question

if TYPE_CHECKING:
    from citewell.journal.ledger import Ledger

_GIVEN_UP_AFTER = 3
"""Failures of an arm, one after another and from its first question on."""

_TORN = 3
"""Times that a question is asked whose documents change while it is answered."""

_UNPRICED = (
    "what an answer of {model} costs is not known, so no highest cost can be kept; give the model "
    "a price, or run without --max-cost"
)


class Task(Struct, frozen=True):
    """One question to one arm.

    Attributes:
        swaps: whether the item's fact is exchanged in the passages.
    """

    arm: Arm
    item: EvalItem
    swaps: bool = False


class Terms(Struct, frozen=True, kw_only=True):
    """How a run asks.

    Attributes:
        audience: who asks.
        held_out: documents that no arm may find.
        since: what was answered before is asked again; None for whatever is kept.
        max_cost: the run ends before it costs more; None for no bound.
        at_once: questions to one model elsewhere; one on this machine is asked one at a time.
        ledger: opens the accounts of budgets.
    """

    audience: Audience
    held_out: frozenset[str] = frozenset()
    since: datetime | None = None
    max_cost: float | None = None
    at_once: int = 1
    ledger: Callable[[], Ledger] | None = None


class Progress(Struct):
    """How far a run is.

    Attributes:
        asked: in this run.
        kept: answers that were there already.
        too_old: answers that were there, and are asked for again.
        cost: of this run, as far as it is known.
        failed: of what was asked, what got no answer.
        judged: answers that the metrics of plugins have looked at, of `to_judge`.
        given_up: arms that are not asked any further, with the reason.
        ended_by_cost: whether the bound was reached.
        moved: what is kept under another key than it was asked for, because the documents changed
            in between.
    """

    total: int = 0
    asked: int = 0
    kept: int = 0
    too_old: int = 0
    cost: float = 0.0
    failed: int = 0
    judged: int = 0
    to_judge: int = 0
    given_up: dict[str, str] = field(default_factory=dict)
    ended_by_cost: bool = False
    moved: dict[Key, Key] = field(default_factory=dict)


def tasks(arms: Sequence[Arm], items: Sequence[EvalItem]) -> list[Task]:
    """Return what is to be asked: question by question, so that a run that is ended is fair."""
    found = []
    for item in items:
        found += [Task(arm, item) for arm in arms]
        if item.swap is not None:
            found += [Task(arm, item, swaps=True) for arm in arms if arm.identity.retrieves]
    return found


def key_of(task: Task, terms: Terms) -> Key:
    """Return what the answer to `task` is kept under."""
    swap = task.item.swap if task.swaps else None
    return key_under(task.arm.identity, task.item.question, terms, swap=swap)


def key_under(identity: Identity, question: str, terms: Terms, *, swap: Swap | None = None) -> Key:
    """Return what the answer of an arm with `identity` is kept under."""
    readers = sorted(sorted(labels) for labels in terms.audience.readers)
    shown = readers, sorted(terms.held_out), swap
    variant = repr(shown) if identity.retrieves else ""
    return Key(question_key(question, variant=variant), identity.key)


class Run:
    """One run over some tasks.

    Args:
        runtime: the components.
        answers: what is kept.
        terms: how it asks.
        told: is called after each answer.
    """

    def __init__(
        self,
        runtime: Runtime,
        answers: Answers,
        terms: Terms,
        told: Callable[[Progress], None],
    ) -> None:
        self._runtime = runtime
        self._answers = answers
        self._terms = terms
        self._told = told
        self._ceiling = Ceiling(terms.max_cost)
        self._failures: Counter[str] = Counter()
        self._has_answered: set[str] = set()
        self.progress = Progress()

    async def ask(self, wanted: Sequence[Task]) -> Progress:
        """Ask what is not kept yet, what failed when it was asked, and what is too old.

        Raises:
            CitewellError: an answer could not be kept; what was kept before stays.
        """
        every: dict[Key, Task] = {}
        for task in wanted:
            # Two arms of one identity are asked once.
            every.setdefault(key_of(task, self._terms), task)
        due = [task for key, task in every.items() if not await self._is_kept(key)]
        self.progress.total = len(every)
        self.progress.kept = len(every) - len(due)
        self._told(self.progress)
        lanes: dict[str, list[Task]] = {}
        for task in due:
            lanes.setdefault(task.arm.model, []).append(task)
        try:
            async with asyncio.TaskGroup() as group:
                for lane in lanes.values():
                    queue = iter(lane)
                    for _ in range(self._width(lane[0].arm)):
                        group.create_task(self._work(queue))
        except* CitewellError as errors:
            raise errors.exceptions[0] from errors
        return self.progress

    def _width(self, arm: Arm) -> int:
        return 1 if arm.is_local else self._terms.at_once

    async def _work(self, queue: Iterator[Task]) -> None:
        for task in queue:
            if task.arm.name in self.progress.given_up:
                continue
            async with self._ceiling.room(task.arm.model, is_free=task.arm.is_local) as has_room:
                if not has_room:
                    self.progress.ended_by_cost = True
                    return
                # Its arm may have been given up while this one waited.
                if task.arm.name not in self.progress.given_up:
                    await self._ask(task)

    async def _is_kept(self, key: Key) -> bool:
        found = await blocking.call(self._answers.get, key)
        if found is None or found.outcome is Outcome.FAILED:
            return False
        if self._terms.since is None or given_at(found) >= self._terms.since:
            return True
        self.progress.too_old += 1
        return False

    async def _ask(self, task: Task) -> None:
        # A model that rests would be stood in for, or fail without having been asked.
        await asyncio.sleep(self._runtime.breaker(task.arm.model).rests_for_s)
        course, documents = await self._answered(task)
        response = response_of(course)
        key = key_of(task, self._terms)
        kept_as = key_of(_of_documents(task, documents), self._terms)
        if kept_as != key:
            self.progress.moved[key] = kept_as
        if response.outcome is not Outcome.FAILED or not await self._has_answer(kept_as):
            await blocking.call(self._answers.add, kept_as, response)
        self._count(task, response)
        self._told(self.progress)

    async def _has_answer(self, key: Key) -> bool:
        """Tell whether there is an answer, however old, that a failure would replace."""
        found = await blocking.call(self._answers.get, key)
        return found is not None and found.outcome is not Outcome.FAILED

    async def _answered(self, task: Task) -> tuple[Course, str]:
        """Return an answer, and what the retriever names the documents that it is from.

        One that was written while the documents changed may be from both: it is asked again.

        Raises:
            CitewellError: they change with every answer.
        """
        for _ in range(_TORN):
            before = await self._documents(task)
            course = await self._course(task)
            self._spend(task, course)
            if before == await self._documents(task):
                return course, before
        raise CitewellError(
            "the documents change with every answer; run it again when nothing is synced"
        )

    async def _documents(self, task: Task) -> str:
        name = self._runtime.settings.profiles[task.arm.profile].retriever
        return "" if name is None else await (await self._runtime.retriever(name)).identity()

    def _spend(self, task: Task, course: Course) -> None:
        """Count what an answer cost; what is not known counts as what the dearest one did."""
        if not course.costs:
            return
        cost = _cost(course) or 0.0
        self.progress.cost += cost
        is_known = all(
            one is not None or self._runtime.is_local(name) for name, one in course.costs
        )
        self._ceiling.count(task.arm.model, cost if is_known else None)

    def _count(self, task: Task, response: Response) -> None:
        progress, name = self.progress, task.arm.name
        progress.asked += 1
        if response.outcome is not Outcome.FAILED:
            self._has_answered.add(name)
            if self._is_unpriced(task, response):
                progress.given_up[name] = _UNPRICED.format(model=response.model)
            return
        progress.failed += 1
        self._failures[name] += 1
        if name not in self._has_answered and self._failures[name] >= _GIVEN_UP_AFTER:
            last = response.errors[-1] if response.errors else "no reason given"
            progress.given_up[name] = f"it only failed: {last}"

    def _is_unpriced(self, task: Task, response: Response) -> bool:
        """Tell whether there is a bound, and nobody knows what this model costs."""
        if not self._ceiling.is_set or not response.model:
            return False
        return response.cost is None and not self._ceiling.has_price(task.arm.model)

    async def _course(self, task: Task) -> Course:
        swap = task.item.swap if task.swaps else None
        alteration = Alteration(self._terms.held_out, swap)
        runtime = altered(self._runtime, alteration)
        assistant = Assistant(runtime, _Nowhere(), ledger=self._terms.ledger)
        question = Question(
            id=new_id(),
            text=task.item.question,
            audience=self._terms.audience,
            profile=task.arm.profile,
        )
        return await assistant.whole(question)


def _of_documents(task: Task, index: str) -> Task:
    """Return the task as if the documents had been these from the beginning."""
    if not task.arm.identity.retrieves or not index:
        return task
    identity = task.arm.identity.of_documents(index)
    return replace(task, arm=replace(task.arm, identity=identity))


class _Nowhere:
    """Keeps no record: an evaluation keeps answers of its own, and nobody asks why of these."""

    def add(self, record: AnswerRecord) -> None:
        """Keep nothing of it."""


def given_at(response: Response) -> datetime:
    """Return when an answer was given; long ago where that cannot be read."""
    try:
        return datetime.fromisoformat(response.asked_at)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def response_of(course: Course) -> Response:
    """Return what an evaluation keeps of an answer."""
    answer = course.answer
    has_text = answer.outcome in {Outcome.ANSWERED, Outcome.UNSOURCED}
    shown = "".join(claim.lead + claim.text for claim in answer.shown).strip()
    return Response(
        outcome=answer.outcome,
        output=course.output,
        text=shown if has_text else "",
        statements=tuple(map(_statement, answer.statements)),
        found=course.passages,
        seconds=dict(course.seconds),
        input_tokens=course.usage.input_tokens,
        output_tokens=course.usage.output_tokens,
        cost=_cost(course),
        model=answer.model,
        errors=tuple(course.errors),
        asked_at=course.asked_at.isoformat(timespec="seconds"),
    )


def _cost(course: Course) -> float | None:
    """Return what all models that were asked cost, as far as it is known."""
    known = [cost for _, cost in course.costs if cost is not None]
    return sum(known) if known else None


def _statement(claim: Claim) -> Statement:
    return Statement(
        text=claim.text,
        is_supported=claim.verdict.supported,
        is_shown=claim.shown,
        quotes=tuple(
            Quote(
                number=one.number,
                passage_id=one.passage_id,
                document_id=one.document_id,
                start=one.start,
                end=one.end,
                text=one.quote,
            )
            for one in claim.citations
        ),
    )
