"""What every trainer must do, as tests."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from statistics import fmean
from typing import Any, ClassVar, TypeVar, cast

import pytest
from msgspec import Struct
from msgspec.structs import replace

from citewell.errors import TrainingError, TrainingLost
from citewell.protocols import Trainer
from citewell.testing.courses import (
    Course,
    beating,
    content_of,
    kill,
    left_behind,
    moved,
    own_processes,
    running,
    task_in,
    tensors_of,
)
from citewell.testing.opening import find, opened, run_async
from citewell.training import (
    Estimate,
    ExampleKind,
    Saved,
    Started,
    Stepped,
    Trained,
    TrainEvent,
    TrainingTask,
    Validated,
)

_HELD_UP_S = 2.0
T = TypeVar("T")
_made: dict[tuple[type[Any], str], object] = {}


class TrainerContract:
    """Subclass it, set `name` and `config`, write `base`, and pytest tests your trainer.

    A training is followed several times, so it should take seconds: a tiny base, short examples,
    and settings with which it is saved at least once before its end, and learns.

    Attributes:
        name: under which a plugin that is installed offers the trainer.
        config: its settings, as they would stand in a recipe.
        kind: of the examples that it is given.
    """

    name: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}
    kind: ClassVar[ExampleKind] = ExampleKind.CHAT

    def base(self, folder: Path) -> Path:
        """Make a tiny model in the form of Hugging Face below `folder`, and return its folder."""
        raise NotImplementedError

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Trainer]:
        """Open the trainer; override to build it otherwise."""
        async with opened("trainer", self.name, self.config, folder) as trainer:
            yield trainer

    @pytest.fixture
    def made_base(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """The model that learns, made once."""
        return _once(self, "base", lambda: self.base(tmp_path_factory.mktemp("base")))

    @pytest.fixture
    def course(self, made_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
        """A training that nobody disturbs, which many tests look at."""

        def follow() -> Course:
            task = task_in(made_base, tmp_path_factory.mktemp("Ein Lauf für Ülo"), self.kind)
            return asyncio.run(self._followed(task))

        return _once(self, "course", follow)

    @pytest.fixture
    def stopped(self, made_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Course:
        """A training that was closed once it was saved."""

        def follow() -> Course:
            task = task_in(made_base, tmp_path_factory.mktemp("stopped"), self.kind)
            return asyncio.run(self._followed(task, until=Saved))

        return _once(self, "stopped", follow)

    @pytest.fixture
    def killed(self, stopped: Course, tmp_path_factory: pytest.TempPathFactory) -> Course:
        """A training that began anew where one was stopped, and was killed."""

        def follow() -> Course:
            folder = tmp_path_factory.mktemp("killed")
            return asyncio.run(self._killed(moved(stopped.task, folder / "out")))

        return _once(self, "killed", follow)

    def test_what_happens_is_told_in_order(self, course: Course) -> None:
        steps = [one.step for one in course.events if isinstance(one, Stepped)]

        assert course.adapter.is_dir(), "`Trained` names a folder that is there"
        assert course.started.step == 0, "what begins stands at step 0"
        assert course.started.parameters > 0, "say how much is learnt: set `parameters`"
        assert steps == sorted(set(steps)), "steps come one after the other"
        assert steps, "tell of steps: yield `Stepped`"
        assert steps[-1] <= course.started.steps, "there are no more steps than `Started` says"
        assert any(isinstance(one, Validated) for one in course.events), (
            "there are validation examples: yield `Validated`"
        )
        ends = [one for one in course.events if isinstance(one, Started | Trained)]
        assert len(ends) == 2, "a training begins once and ends once"

    def test_what_is_told_of_steps_is_sound(self, course: Course) -> None:
        stepped = [one for one in course.events if isinstance(one, Stepped)]

        assert all(math.isfinite(one.loss) for one in stepped), "a loss is a number"
        assert all(one.learning_rate >= 0 for one in stepped), "a learning rate is not negative"
        for name in ("tokens", "seconds"):
            values = [getattr(one, name) for one in stepped]
            assert values == sorted(values), f"{name} are those so far, and never become fewer"
            assert values[-1] > 0, f"say how many {name} it took"

    def test_what_can_be_learnt_is_learnt(self, course: Course) -> None:
        losses = [one.loss for one in course.events if isinstance(one, Stepped)]

        few = max(1, len(losses) // 4)
        first, last = fmean(losses[:few]), fmean(losses[-few:])
        assert last < 0.9 * first, (
            f"all examples have one answer, and the loss went from {first:.3g} to {last:.3g}; "
            "set `config` so that it learns"
        )

    def test_the_adapter_is_in_the_form_of_peft(self, course: Course) -> None:
        config = json.loads((course.adapter / "adapter_config.json").read_text(encoding="utf-8"))
        tensors = tensors_of(course.adapter / "adapter_model.safetensors")

        assert config["peft_type"] == "LORA", "what is learnt is a LoRA adapter"
        assert config["r"] > 0, "it has a rank"
        halves = {name.rpartition(".lora_")[2][:1] for name in tensors if ".lora_" in name}
        assert halves == {"A", "B"}, "each module has a tensor lora_A and one lora_B"
        assert any(any(one) for name, one in tensors.items() if ".lora_B" in name), (
            "lora_B begins as zeros and is learnt; here all of it is zero"
        )

    def test_other_work_goes_on_meanwhile(self, course: Course) -> None:
        assert course.held_up_s < _HELD_UP_S, (
            f"for {course.held_up_s:.2f} s nothing else could run; train in a process of its own "
            "(`citewell.children`), and look at files in `citewell.blocking.call`"
        )

    def test_nothing_is_left_running(self, course: Course, stopped: Course) -> None:
        assert not course.left, f"end what was started when it is done: {', '.join(course.left)}"
        assert not stopped.left, (
            f"end what was started when the iterator is closed: {', '.join(stopped.left)}"
        )

    def test_nothing_can_be_loaded_before_the_end(self, course: Course, stopped: Course) -> None:
        place = course.adapter.relative_to(course.task.out)

        assert not (stopped.task.out / place).exists(), (
            f"{place} is there before `Trained`; give it its name when it is whole"
        )

    @run_async
    async def test_the_same_task_gives_the_same_adapter(
        self, course: Course, tmp_path: Path
    ) -> None:
        _skip_unless_it_repeats(course)

        out = tmp_path / "again"
        out.mkdir()

        again = await self._followed(replace(course.task, out=out))

        assert content_of(again.adapter) == content_of(course.adapter), (
            "the same task and settings give the same adapter; or set `Started.repeats` to False"
        )

    @run_async
    async def test_a_training_that_was_stopped_goes_on(
        self, course: Course, stopped: Course, tmp_path: Path
    ) -> None:
        saved = cast("Saved", stopped.events[-1])
        task = moved(stopped.task, tmp_path / "on")

        on = await self._followed(task, resume=True)

        assert on.started.step == saved.step, "it goes on behind the last `Saved`"
        assert all(one.step > saved.step for one in on.events if isinstance(one, Stepped)), (
            "what was done is not done again"
        )
        _skip_unless_it_repeats(course)
        assert content_of(on.adapter) == content_of(course.adapter), (
            "what was stopped and went on gives the adapter of what was never stopped"
        )

    @run_async
    async def test_another_task_does_not_go_on_from_it(
        self, stopped: Course, tmp_path: Path
    ) -> None:
        task = moved(stopped.task, tmp_path / "other")
        other = tmp_path / "other.jsonl"
        lines = task.examples.read_text(encoding="utf-8").splitlines(keepends=True)
        other.write_text("".join(lines[1:]), encoding="utf-8")

        begun = await self._followed(replace(task, examples=other), resume=True, until=Started)

        assert begun.started.step == 0, "other examples are another task, which begins anew"
        assert begun.started.notice, "it was to go on and did not: say why in `Started.notice`"

    def test_a_training_that_is_not_to_go_on_begins_anew(self, killed: Course) -> None:
        assert killed.started.step == 0, "without `resume` it begins anew"

    def test_a_process_that_is_killed_is_lost(self, course: Course, killed: Course) -> None:
        if not killed.was_killed:
            pytest.skip("not claimed: it trains in a process of its own")
        place = course.adapter.relative_to(course.task.out)

        assert isinstance(killed.error, TrainingLost), (
            f"its process was killed, and it raised {killed.error!r}; raise TrainingLost, so that "
            "another attempt is made"
        )
        assert not (killed.task.out / place).exists(), "nothing can be loaded before `Trained`"

    @run_async
    async def test_a_base_that_is_not_there_is_refused(self, tmp_path: Path) -> None:
        task = task_in(tmp_path / "no such model", tmp_path, self.kind)

        await self._refused(task, "no such model")

    @run_async
    async def test_examples_of_other_kinds_are_refused(
        self, made_base: Path, tmp_path: Path
    ) -> None:
        spec: Any = find("trainer", self.name)
        learns = spec.learns(spec.config.model_validate(dict(self.config)))
        assert self.kind in learns, f"`learns` names the kind {self.kind}, which it is given here"

        for kind in sorted(set(ExampleKind) - learns):
            folder = tmp_path / kind
            folder.mkdir()
            await self._refused(task_in(made_base, folder, kind), kind)

    @run_async
    async def test_a_file_without_examples_is_refused(
        self, made_base: Path, tmp_path: Path
    ) -> None:
        task = task_in(made_base, tmp_path, self.kind)
        task.examples.write_text("\n \n", encoding="utf-8")

        await self._refused(task, task.examples.name)

    @run_async
    async def test_an_estimate_is_measured_and_leaves_nothing(
        self, course: Course, made_base: Path, tmp_path: Path
    ) -> None:
        task = task_in(made_base, tmp_path, self.kind)

        async with self.open(tmp_path) as trainer:
            estimate = await trainer.estimate(task)

        assert isinstance(estimate, Estimate)
        assert estimate.steps == course.started.steps, "both count the steps of the whole training"
        assert estimate.examples == course.started.examples
        assert estimate.measured > 0, "an estimate rests on steps that were measured"
        assert estimate.step_s > 0
        assert estimate.memory_bytes > 1_000_000, "say how much memory it takes, in bytes"
        assert estimate.tokens > 0
        assert not list(task.out.iterdir()), "nothing of what was measured stays"

    async def _followed(
        self, task: TrainingTask, *, resume: bool = False, until: type[Struct] | None = None
    ) -> Course:
        """Follow a training, to its end or to the first event of a kind."""
        before = running()
        events: list[TrainEvent] = []
        async with self.open(task.out.parent) as trainer, beating() as pauses:
            training = trainer.train(task, resume=resume)
            async with aclosing(cast("AsyncGenerator[TrainEvent, None]", training)) as told:
                async for event in told:
                    events.append(event)
                    if until is not None and isinstance(event, until):
                        break
        return Course(
            task=task, events=events, held_up_s=max(pauses), left=await left_behind(before)
        )

    async def _killed(self, task: TrainingTask) -> Course:
        """Follow a training from its beginning, and kill what trains after a step."""
        before = own_processes()
        was_killed = False
        events: list[TrainEvent] = []
        try:
            async with self.open(task.out.parent) as trainer:
                async for event in trainer.train(task, resume=False):
                    events.append(event)
                    was_killed = was_killed or (
                        isinstance(event, Stepped) and kill(own_processes() - before)
                    )
        except TrainingError as error:
            return Course(task=task, events=events, was_killed=was_killed, error=error)
        return Course(task=task, events=events, was_killed=was_killed)

    async def _refused(self, task: TrainingTask, named: str) -> None:
        """Assert that neither an estimate nor a training begins, and that nothing is left."""
        async with self.open(task.out.parent) as trainer:
            with pytest.raises(TrainingError, match=named) as estimated:
                await trainer.estimate(task)
            with pytest.raises(TrainingError, match=named) as trained:
                async for _ in trainer.train(task, resume=False):
                    pass
        for error in (estimated.value, trained.value):
            assert "\n" not in str(error), "an error is one line"
            assert not isinstance(error, TrainingLost), "another attempt does not help"
        assert not list(task.out.iterdir()), "what is refused leaves nothing"


def _once(contract: TrainerContract, name: str, make: Callable[[], T]) -> T:
    """Return what `make` returns, made once for all tests of a contract."""
    key = type(contract), name
    if key not in _made:
        _made[key] = make()
    return cast("T", _made[key])


def _skip_unless_it_repeats(course: Course) -> None:
    if not course.started.repeats:
        pytest.skip("not claimed: the same task gives the same adapter on this machine")
