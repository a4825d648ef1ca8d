"""Trainings to follow, for the contract of trainers."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from msgspec import Struct
from msgspec.structs import replace

from citewell.errors import TrainingError
from citewell.training import ExampleKind, Started, Trained, TrainEvent, TrainingTask

_QUESTIONS = (
    "How many days of leave does an employee have?",
    "How many days of leave are there a year?",
    "What is the leave of an employee?",
    "How long may somebody be away?",
)
_ANSWER = "Every employee has 28 days of leave a year. [1]"
_WRONG = "The office is closed on Sundays."
_COUNT = 24
_ENDING_S = 10.0


class Course(Struct, frozen=True, kw_only=True):
    """A training as it was followed.

    Attributes:
        events: in their order.
        held_up_s: for how long nothing else could run.
        left: processes and tasks that were there afterwards.
        was_killed: some process of it was.
        error: that it ended with.
    """

    task: TrainingTask
    events: Sequence[TrainEvent]
    was_killed: bool = False
    error: TrainingError | None = None
    held_up_s: float = 0.0
    left: Sequence[str] = ()

    @property
    def started(self) -> Started:
        """How it began."""
        first = self.events[0]
        assert isinstance(first, Started), f"the first event is {first}; expected Started"
        return first

    @property
    def adapter(self) -> Path:
        """What came of it."""
        last = self.events[-1]
        assert isinstance(last, Trained), f"the last event is {last}; expected Trained"
        return last.adapter


def task_in(base: Path, folder: Path, kind: ExampleKind) -> TrainingTask:
    """Return a task whose files are in `folder`, all examples of which have one answer."""
    out = folder / "out"
    out.mkdir()
    examples, validation = folder / "Beispiele.jsonl", folder / "validation.jsonl"
    _write(examples, kind, _COUNT)
    _write(validation, kind, len(_QUESTIONS))
    return TrainingTask(base=base, kind=kind, examples=examples, validation=validation, out=out)


def moved(task: TrainingTask, folder: Path) -> TrainingTask:
    """Return the same task with a copy of what was done for it so far, if that was stopped."""
    shutil.copytree(task.out, folder)
    return replace(task, out=folder)


def _write(path: Path, kind: ExampleKind, count: int) -> None:
    lines = [json.dumps(_example(kind, at), ensure_ascii=False) for at in range(count)]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _example(kind: ExampleKind, at: int) -> Mapping[str, object]:
    prompt = [_message("user", f"{_QUESTIONS[at % len(_QUESTIONS)]} ({at})")]
    good, bad = _message("assistant", _ANSWER), _message("assistant", _WRONG)
    if kind is ExampleKind.CHAT:
        return {"messages": [*prompt, good]}
    if kind is ExampleKind.TEXT:
        return {"text": f"{_ANSWER} ({at})"}
    if kind is ExampleKind.PREFERENCE:
        return {"prompt": prompt, "chosen": [good], "rejected": [bad]}
    return {"prompt": prompt, "completion": [bad if at % 2 else good], "label": not at % 2}


def _message(role: str, content: str) -> Mapping[str, str]:
    return {"role": role, "content": content}


def content_of(adapter: Path) -> bytes:
    """Return the weights of an adapter, as they stand in its file."""
    return (adapter / "adapter_model.safetensors").read_bytes()


def tensors_of(path: Path) -> Mapping[str, bytes]:
    """Return the tensors of a file of safetensors.

    Source: https://github.com/huggingface/safetensors, "Format".
    """
    content = path.read_bytes()
    begin = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:begin])
    header.pop("__metadata__", None)
    offsets = {name: tensor["data_offsets"] for name, tensor in header.items()}
    return {name: content[begin + at : begin + end] for name, (at, end) in offsets.items()}


@asynccontextmanager
async def beating() -> AsyncIterator[Sequence[float]]:
    """Yield the seconds for which nothing else could run, which become more meanwhile."""
    pauses = [0.0]

    async def beat() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.01)
            now = time.monotonic()
            pauses.append(now - last)
            last = now

    task = asyncio.create_task(beat())
    try:
        yield pauses
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def own_processes() -> set[psutil.Process]:
    """Return the processes that this one and its own started."""
    return set(psutil.Process().children(recursive=True))


def running() -> tuple[set[asyncio.Task[Any]], set[psutil.Process]]:
    """Return what `left_behind` compares with."""
    return asyncio.all_tasks(), own_processes()


async def left_behind(
    before: tuple[set[asyncio.Task[Any]], set[psutil.Process]],
) -> Sequence[str]:
    """Return what runs that did not; processes may take a moment to end."""
    tasks, processes = before
    left = asyncio.all_tasks() - tasks
    alive = await asyncio.to_thread(_alive, own_processes() - processes)
    return [*(f"task {one.get_name()}" for one in left), *alive]


def _alive(processes: Iterable[psutil.Process]) -> Sequence[str]:
    _, alive = psutil.wait_procs(list(processes), timeout=_ENDING_S)
    return [f"process {one.pid}" for one in alive]


def kill(processes: Iterable[psutil.Process]) -> bool:
    """Kill processes, and tell whether there were any."""
    found = list(processes)
    for one in found:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    return bool(found)
