"""The contract of trainers holds for one that is right, and notices what is wrong with others."""

import asyncio
import inspect
import itertools
import json
import time
from contextlib import aclosing, asynccontextmanager

import pytest
from msgspec.structs import replace

from citewell import TrainingError, TrainingLost
from citewell.testing import TrainerContract
from citewell.testing.courses import moved, task_in
from citewell.training import ExampleKind, Saved, Started, Stepped, Trained, Validated
from counting_trainer import CountingTrainer
from distributions import Site

TESTS = [name for name in vars(TrainerContract) if name.startswith("test_")]
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


@pytest.fixture(autouse=True)
def installed(tmp_path_factory, monkeypatch):
    Site(tmp_path_factory.mktemp("installed") / "site", monkeypatch).install(
        {"counting": "counting_trainer"}, name="citewell-counting"
    )


class TestCounting(TrainerContract):
    name = "counting"

    def base(self, folder):
        return folder


class Changing(CountingTrainer):
    """Tells of events otherwise than they are; each change is one way to be wrong."""

    def __init__(self, change):
        self.change = change

    async def train(self, task, *, resume):
        async with aclosing(super().train(task, resume=resume)) as events:
            async for event in events:
                for one in self.change(event, task):
                    yield one


def only(kind, **changes):
    """Change the events of a kind."""
    return Changing(
        lambda event, task: [replace(event, **changes) if isinstance(event, kind) else event]
    )


def without(kind):
    return Changing(lambda event, task: [] if isinstance(event, kind) else [event])


def at_the_end(act):
    """Do something to the adapter before it is told of."""

    def change(event, task):
        if isinstance(event, Trained):
            act(event.adapter)
        return [event]

    return Changing(change)


def holding_up(event, task):
    if isinstance(event, Started):
        time.sleep(2.2)
    return [event]


def showing_early(event, task):
    if isinstance(event, Started):
        (task.out / "adapter").mkdir(exist_ok=True)
    return [event]


class Leaving(CountingTrainer):
    async def train(self, task, *, resume):
        self.task = asyncio.ensure_future(asyncio.Event().wait())
        async with aclosing(super().train(task, resume=resume)) as events:
            async for event in events:
                yield event


class Resuming(CountingTrainer):
    """Resumes, or does not, whatever it is told."""

    def __init__(self, resumes):
        self.resumes = resumes

    async def train(self, task, *, resume):
        async with aclosing(super().train(task, resume=self.resumes)) as events:
            async for event in events:
                yield event


class Careless(CountingTrainer):
    """Goes on also with other examples."""

    async def train(self, task, *, resume):
        state = task.out / "state.json"
        if resume and state.exists():
            step = json.loads(state.read_text())[0]
            yield Started(steps=12, step=step, examples=23, parameters=2)
            return
        async with aclosing(super().train(task, resume=resume)) as events:
            async for event in events:
                yield event


class Swallowing(CountingTrainer):
    async def train(self, task, *, resume):
        try:
            async with aclosing(super().train(task, resume=resume)) as events:
                async for event in events:
                    yield event
        except TrainingLost:
            return


class Agreeing(CountingTrainer):
    """Finds nothing wrong with any task."""

    async def estimate(self, task):
        return None

    async def train(self, task, *, resume):
        return
        yield


class Complaining(CountingTrainer):
    """Writes down what is wrong, and says it."""

    async def estimate(self, task):
        (task.out / "complaint.txt").touch()
        raise TrainingError(f"{task.base} or {task.examples} cannot be used")

    async def train(self, task, *, resume):
        raise TrainingError(f"{task.base} or {task.examples} cannot be used")
        yield


class Guessing(CountingTrainer):
    def __init__(self, **changes):
        self.changes = changes

    async def estimate(self, task):
        if self.changes.pop("leaves", False):
            (task.out / "measured").touch()
        return replace(await super().estimate(task), **self.changes)


NUMBERS = itertools.count()


def numbered(adapter):
    with (adapter / WEIGHTS).open("r+b") as file:
        file.seek(-4, 2)
        file.write(next(NUMBERS).to_bytes(4, "little"))


def emptied(adapter):
    with (adapter / WEIGHTS).open("r+b") as file:
        file.seek(-4, 2)
        file.write(bytes(4))


def of_another_kind(adapter):
    (adapter / CONFIG).write_text(json.dumps({"peft_type": "IA3", "r": 1}))


ORDER = "test_what_happens_is_told_in_order"
SOUND = "test_what_is_told_of_steps_is_sound"
PEFT = "test_the_adapter_is_in_the_form_of_peft"
ESTIMATE = "test_an_estimate_is_measured_and_leaves_nothing"
WRONG = [
    (without(Started), ORDER, "expected Started"),
    (without(Trained), ORDER, "expected Trained"),
    (without(Validated), ORDER, "yield `Validated`"),
    (without(Stepped), ORDER, "yield `Stepped`"),
    (only(Stepped, step=3), ORDER, "one after the other"),
    (only(Started, parameters=0), ORDER, "set `parameters`"),
    (only(Started, steps=2), ORDER, "no more steps than"),
    (only(Stepped, loss=float("nan")), SOUND, "a loss is a number"),
    (only(Stepped, learning_rate=-1.0), SOUND, "not negative"),
    (only(Stepped, tokens=0), SOUND, "how many tokens"),
    (only(Stepped, loss=1.0), "test_what_can_be_learnt_is_learnt", "so that it learns"),
    (at_the_end(of_another_kind), PEFT, "a LoRA adapter"),
    (at_the_end(emptied), PEFT, "all of it is zero"),
    (Changing(holding_up), "test_other_work_goes_on_meanwhile", "nothing else could run"),
    (Leaving(), "test_nothing_is_left_running", "task Task-"),
    (Changing(showing_early), "test_nothing_can_be_loaded_before_the_end", "is there before"),
    (at_the_end(numbered), "test_the_same_task_gives_the_same_adapter", "or set `Started.repeats`"),
    (Resuming(False), "test_a_training_that_was_stopped_goes_on", "behind the last `Saved`"),
    (at_the_end(numbered), "test_a_training_that_was_stopped_goes_on", "of what was never stopped"),
    (Careless(), "test_another_task_does_not_go_on_from_it", "which begins anew"),
    (only(Started, notice=""), "test_another_task_does_not_go_on_from_it", "say why"),
    (Resuming(True), "test_a_training_that_is_not_to_go_on_begins_anew", "without `resume`"),
    (Swallowing(), "test_a_process_that_is_killed_is_lost", "raise TrainingLost"),
    (Agreeing(), "test_a_base_that_is_not_there_is_refused", "DID NOT RAISE"),
    (Agreeing(), "test_examples_of_other_kinds_are_refused", "DID NOT RAISE"),
    (Complaining(), "test_a_file_without_examples_is_refused", "leaves nothing"),
    (Guessing(steps=1), ESTIMATE, "the steps of the whole training"),
    (Guessing(measured=0), ESTIMATE, "that were measured"),
    (Guessing(leaves=True), ESTIMATE, "nothing of what was measured stays"),
]


def contract(trainer):
    @asynccontextmanager
    async def open_(self, folder):
        yield trainer

    return type("Subject", (TrainerContract,), {"name": "counting", "open": open_})()


def play(subject, test, folder):
    """Play one test of a contract, with the fixtures that it asks for."""
    made = {"tmp_path": folder, "made_base": folder}

    def a_task(name):
        place = folder / name
        place.mkdir()
        return task_in(folder, place, ExampleKind.CHAT)

    asked = inspect.signature(getattr(subject, test)).parameters
    if "course" in asked:
        made["course"] = asyncio.run(subject._followed(a_task("course")))
    if {"stopped", "killed"} & set(asked):
        made["stopped"] = asyncio.run(subject._followed(a_task("stopped"), until=Saved))
    if "killed" in asked:
        task = moved(made["stopped"].task, folder / "killed")
        made["killed"] = asyncio.run(subject._killed(task))
    return getattr(subject, test)(**{name: made[name] for name in asked})


@pytest.mark.parametrize(("trainer", "test", "said"), WRONG)
def test_what_is_wrong_is_noticed(tmp_path, trainer, test, said):
    with pytest.raises((AssertionError, pytest.fail.Exception), match=said):
        play(contract(trainer), test, tmp_path)


def test_each_promise_is_broken_by_some_trainer():
    assert {test for _, test, _ in WRONG} == set(TESTS)


def test_what_cannot_be_repeated_is_not_claimed(tmp_path):
    with pytest.raises(pytest.skip.Exception, match="not claimed: the same task"):
        play(
            contract(only(Started, repeats=False)),
            "test_the_same_task_gives_the_same_adapter",
            tmp_path,
        )
