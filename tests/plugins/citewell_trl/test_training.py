"""Trainings from beginning to end, however often they are killed."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import aclosing, suppress
from importlib.util import find_spec

import psutil
import pytest
from msgspec.structs import replace

import trainings
from citewell import TrainingError, TrainingLost
from citewell.training import Saved, Started, Stepped, Trained, Validated
from citewell_trl import checkpoints

pytestmark = pytest.mark.skipif(find_spec("trl") is None, reason="what trains is not installed")

# Loaded by each Python whose path has it; notes whom a process wants to speak to.
SPY = """
import os, sys
def note(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        with open(os.path.join(os.path.dirname(__file__), "noted.txt"), "a") as file:
            print(event, arguments[-1], file=file)
open(os.path.join(os.path.dirname(__file__), "loaded.txt"), "a").close()
sys.addaudithook(note)
"""
# Follows a training and tells of it, until somebody kills it.
PARENT = """
import asyncio, json, sys
from pathlib import Path
import trainings

async def main(folder, settings):
    tried, rows = map(json.loads, sys.argv[3:])
    task = trainings.task_in(folder, validation=tried, rows=rows)
    await trainings.followed(task, seen=lambda event: print(event, flush=True), **settings)

asyncio.run(main(Path(sys.argv[1]), json.loads(sys.argv[2])))
"""
SETTINGS = {
    "epochs": 3,
    "save_every": 4,
    "validate_every": 5,
    "max_tokens": 80,
    "patience": None,
    "lora": {"dropout": 0.1},
}
ROWS = [trainings.row("sft", at) for at in range(40)] + [trainings.chat("Why? " * 40)] * 2
TRIED = [trainings.row("sft", at) for at in range(100, 104)]


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """What happens where nobody disturbs it, and whom it wanted to speak to."""
    folder = tmp_path_factory.mktemp("course")
    (folder / "sitecustomize.py").write_text(SPY)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        task = trainings.task_in(folder, rows=ROWS, validation=TRIED)
        events = asyncio.run(trainings.followed(task, **SETTINGS))
    return events, folder


def test_the_loss_falls_and_all_steps_are_told(course):
    events, _ = course

    losses = trainings.losses(events)

    assert [one.step for one in trainings.of_kind(Stepped, events)] == [*range(1, 16)]
    assert losses[-1] < 0.7 * losses[0]
    assert [one.step for one in trainings.of_kind(Validated, events)] == [5, 10, 15]
    assert {4, 8, 12, 15} <= {one.step for one in trainings.of_kind(Saved, events)}


def test_examples_that_are_too_long_are_left_out_and_counted(course):
    started = course[0][0]

    assert (started.examples, started.too_long) == (40, 2)


def test_nothing_odd_is_said_of_what_is_not_odd(course):
    started = course[0][0]

    assert started.repeats
    assert not started.notice


def test_the_weights_are_those_of_the_step_with_the_least_loss_on_validation_examples(course):
    events, folder = course
    tried = trainings.of_kind(Validated, events)

    best = min(tried, key=lambda one: one.loss)

    assert events[-1].step == best.step
    kept = checkpoints.folder_of(folder / "out", best.step) / "adapter_model.safetensors"
    assert kept.read_bytes() == trainings.weights(events)


def test_the_adapter_says_nothing_of_this_machine(course):
    events, folder = course

    config = json.loads((events[-1].adapter / "adapter_config.json").read_text())

    assert config["base_model_name_or_path"] == "tiny"
    assert config["target_modules"] == sorted(config["target_modules"])
    assert str(folder) not in json.dumps(config)


def test_nobody_is_spoken_to(course):
    _, folder = course

    assert (folder / "loaded.txt").exists()
    assert not (folder / "noted.txt").exists(), (folder / "noted.txt").read_text()


def test_what_is_written_on_the_side_is_removed(course):
    _, folder = course

    left = {path.name for path in (folder / "out").iterdir()}

    assert left == {"adapter", "checkpoints", "lock", "log.txt"}


def killed_parent(folder):
    """Begin a training in another process, and kill that once something was saved."""
    arguments = [folder, json.dumps(SETTINGS), json.dumps(TRIED), json.dumps(ROWS)]
    path = os.pathsep.join(one for one in sys.path if one)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    with parent:
        for line in parent.stdout:
            if line.startswith("Saved"):
                break
        started = psutil.Process(parent.pid).children(recursive=True)
        parent.kill()
    return started


def kill_while_it_writes(out, step):
    """Kill all processes of a training as soon as the checkpoint of a step begins to be there."""
    written = checkpoints.folder_of(out, step) / "adapter_model.safetensors"
    others = set(psutil.Process().children(recursive=True))

    def wait():
        until = time.monotonic() + 60
        while not written.exists() and time.monotonic() < until:
            time.sleep(0.001)
        for one in set(psutil.Process().children(recursive=True)) - others:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)

    killing = threading.Thread(target=wait)
    killing.start()
    return killing


async def test_a_training_that_is_killed_twice_gives_the_same_adapter(course, tmp_path):
    left = await asyncio.to_thread(killed_parent, tmp_path)
    task = trainings.task_in(tmp_path, rows=ROWS, validation=TRIED)
    assert left
    assert not psutil.wait_procs(left, timeout=10)[1]
    killing = kill_while_it_writes(task.out, 12)
    with pytest.raises(TrainingLost, match="goes on from its last checkpoint"):
        await trainings.followed(task, resume=True, **SETTINGS)
    killing.join()
    assert not (task.out / "adapter").exists()
    stood_at = checkpoints.newest(task.out).step

    events = await trainings.followed(task, resume=True, **SETTINGS)

    assert stood_at < 12
    assert events[0].step == stood_at
    assert not events[0].notice
    assert trainings.weights(events) == trainings.weights(course[0])
    assert events[-1].step == course[0][-1].step


async def test_what_is_over_is_not_trained_again(course):
    events, folder = course
    task = trainings.task_in(folder, rows=ROWS, validation=TRIED)
    before = trainings.weights(events)

    again = await trainings.followed(task, resume=True, **SETTINGS)

    assert [type(one) for one in again] == [Started, Trained]
    assert again[0].step == 15
    assert trainings.weights(again) == before


async def test_who_turns_back_goes_on_where_it_stood(course, tmp_path):
    task = trainings.task_in(tmp_path, rows=ROWS, validation=TRIED)
    shutil.copytree(course[1] / "out", task.out, dirs_exist_ok=True)

    async def begun(**settings):
        async with (
            trainings.opened(tmp_path, **settings) as trainer,
            aclosing(trainer.train(task, resume=True)) as events,
        ):
            return await anext(events)

    other = await begun(**{**SETTINGS, "epochs": 2})
    again = await begun(**SETTINGS)

    assert other.step == 0
    assert "the settings changed; they are kept, for when that is changed back" in other.notice
    assert again.step == 15
    assert not again.notice


async def test_trials_and_saves_are_estimated_and_a_step_has_no_more_than_all_examples(tmp_path):
    task = trainings.task_in(tmp_path, validation=TRIED)

    async with trainings.opened(tmp_path, accumulate=10_000, save_every=1) as trainer:
        estimate = await trainer.estimate(task)

    assert (estimate.steps, estimate.measured) == (3, 3)
    assert estimate.other_s > 0
    assert estimate.seconds > estimate.start_s + estimate.steps * estimate.step_s


async def test_it_stops_where_validation_examples_become_worse(tmp_path):
    task = trainings.task_in(
        tmp_path, validation=[trainings.chat("Where is lunch?", trainings.BAD)] * 4
    )

    events = await trainings.followed(
        task, epochs=20, validate_every=1, patience=2, learning_rate=0.03
    )

    tried = trainings.of_kind(Validated, events)
    best = min(tried, key=lambda one: one.loss)
    assert events[-1].step == best.step == tried[-3].step
    assert f"2 trials on the validation examples were no better than that of step {best.step}" in (
        events[-1].stopped_early
    )
    assert tried[-1].step < events[0].steps


@pytest.mark.parametrize("method", ["dpo", "kto"])
async def test_answers_that_people_prefer_are_learnt(tmp_path, method):
    task = trainings.task_in(
        tmp_path, method, validation=[trainings.row(method, at) for at in range(100, 106)]
    )

    events = await trainings.followed(task, method=method)

    losses = trainings.losses(events)
    assert losses[-1] < 0.7 * losses[0]
    assert len(trainings.of_kind(Validated, events)) == 3
    assert not events[0].notice
    assert trainings.weights(events)


async def test_a_loss_that_is_no_number_ends_it_and_names_the_step(tmp_path):
    base = shutil.copytree(trainings.base(), tmp_path / "broken")
    with (base / "model.safetensors").open("r+b") as file:
        # Of the last norm, whose first number is none now.
        file.seek(-4, os.SEEK_END)
        file.write(b"\xff\xff\xff\xff")
    task = replace(trainings.task_in(tmp_path), base=base)

    with pytest.raises(TrainingError, match=r"^the loss of step 1 is nan; .*learning_rate = 0\.01"):
        await trainings.followed(task)

    assert not (task.out / "adapter").exists()


async def test_an_example_that_cannot_be_read_is_named_with_its_line(tmp_path):
    rows = [trainings.row("sft", 0), {"messages": [trainings.said("user", "Why?")]}]
    task = trainings.task_in(tmp_path, rows=rows)

    with pytest.raises(TrainingError, match=r"examples\.jsonl:2: messages ends without an answer"):
        await trainings.followed(task)
