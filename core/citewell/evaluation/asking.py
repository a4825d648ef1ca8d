"""Asks every arm every question once, by the one answer path, and keeps what comes back."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
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
from citewell.evaluation.responding import given_at, response_of
from citewell.journal.records import AnswerRecord
from citewell.types.answers import Outcome
from citewell.types.evaluation import EvalItem, Response, Swap
from citewell.types.questions import Audience, Question

if TYPE_CHECKING:
    from citewell.journal.ledger import Ledger

_GIVEN_UP_AFTER = 3
"""Failures of an arm, one after another and from its first question on."""

_TORN = 3
"""Times that a question is asked whose documents change while it is answered."""

_REST_S, _LONGEST_REST = 0.5, 120

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
        self._priced: set[str] = set()
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
        for task in wanted:
            asked = every[key_of(task, self._terms)].arm.name
            if asked in self.progress.given_up:
                self.progress.given_up.setdefault(task.arm.name, self.progress.given_up[asked])
        return self.progress

    def _width(self, arm: Arm) -> int:
        return 1 if arm.is_local else self._terms.at_once

    async def _work(self, queue: Iterator[Task]) -> None:
        for task in queue:
            for attempt in range(1, _TORN + 1):
                if task.arm.name in self.progress.given_up:
                    break
                model, is_free = task.arm.model, task.arm.is_local
                async with self._ceiling.room(model, is_free=is_free) as has_room:
                    if not has_room:
                        self.progress.ended_by_cost = True
                        return
                    # Its arm may have been given up while this one waited.
                    is_given_up = task.arm.name in self.progress.given_up
                    if is_given_up or await self._ask(task, is_last=attempt == _TORN):
                        break
                await self._rest(task)

    async def _rest(self, task: Task) -> None:
        """Wait until the documents of an arm stay as they are for a moment, but not for long."""
        for _ in range(_LONGEST_REST):
            before = await self._documents(task)
            await asyncio.sleep(_REST_S)
            if before == await self._documents(task):
                return

    async def _is_kept(self, key: Key) -> bool:
        found = await blocking.call(self._answers.get, key)
        if found is None or found.outcome is Outcome.FAILED:
            return False
        if self._terms.since is None or given_at(found) >= self._terms.since:
            return True
        self.progress.too_old += 1
        return False

    async def _ask(self, task: Task, *, is_last: bool) -> bool:
        """Ask once; return False where that has to be done again.

        What was written while the documents changed may be from both, and is not kept.
        """
        # A model that rests would be stood in for, or fail without having been asked.
        await asyncio.sleep(self._runtime.breaker(task.arm.model).rests_for_s)
        before = await self._documents(task)
        course = await self._course(task)
        self._spend(task, course)
        response = response_of(course)
        if before != await self._documents(task):
            if not is_last:
                return False
            response = _torn(response)
        key = key_of(task, self._terms)
        kept_as = key_of(_of_documents(task, before), self._terms)
        if kept_as != key:
            self.progress.moved[key] = kept_as
        if response.outcome is not Outcome.FAILED or not await self._has_answer(kept_as):
            await blocking.call(self._answers.add, kept_as, response)
        self._count(task, course, response)
        self._told(self.progress)
        return True

    async def _has_answer(self, key: Key) -> bool:
        """Tell whether there is an answer, however old, that a failure would replace."""
        found = await blocking.call(self._answers.get, key)
        return found is not None and found.outcome is not Outcome.FAILED

    async def _documents(self, task: Task) -> str:
        """Return what the retriever names the documents; nothing where it cannot."""
        name = self._runtime.settings.profiles[task.arm.profile].retriever
        if name is None:
            return ""
        try:
            return await (await self._runtime.retriever(name)).identity()
        except CitewellError:
            # Then it finds nothing either, which costs this arm its answer, and no other.
            return ""

    def _spend(self, task: Task, course: Course) -> None:
        """Count what an answer cost; what is not known counts as what the dearest one did."""
        own, answer = task.arm.model, course.answer
        answered_by = "" if answer.outcome is Outcome.FAILED else answer.model
        known = {name for name, cost in course.costs if cost is not None}
        cost = sum(one for _, one in course.costs if one is not None)
        self.progress.cost += cost
        self._priced |= known & {answered_by}
        self._ceiling.count(
            own,
            cost,
            is_whole=all(name in known or self._runtime.is_local(name) for name, _ in course.costs),
            is_price=own == answered_by and own in known,
        )

    def _count(self, task: Task, course: Course, response: Response) -> None:
        progress, arm = self.progress, task.arm
        progress.asked += 1
        has_failed = response.outcome is Outcome.FAILED
        progress.failed += has_failed
        if not has_failed and self._is_unpriced(response):
            progress.given_up[arm.name] = _UNPRICED.format(model=response.model)
        if not has_failed and response.model == arm.model:
            self._has_answered.add(arm.name)
        if has_failed or arm.model in course.failing:
            self._failures[arm.name] += 1
        if arm.name not in self._has_answered and self._failures[arm.name] >= _GIVEN_UP_AFTER:
            last = response.errors[-1] if response.errors else "no reason given"
            progress.given_up[arm.name] = f"it only failed: {last}"

    def _is_unpriced(self, response: Response) -> bool:
        """Tell whether there is a bound, and nobody knows what the model that answered costs."""
        model = response.model
        is_known = not model or model in self._priced or self._runtime.is_local(model)
        return self._ceiling.is_set and not is_known

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


def _torn(response: Response) -> Response:
    return replace(
        response,
        outcome=Outcome.FAILED,
        text="",
        statements=(),
        errors=(*response.errors, "the documents changed with every answer"),
    )


class _Nowhere:
    """Keeps no record: an evaluation keeps answers of its own, and nobody asks why of these."""

    def add(self, record: AnswerRecord) -> None:
        """Keep nothing of it."""
