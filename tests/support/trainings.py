"""Small trainings for tests: a tiny base, examples, and what happens while they are learnt."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import tiny_base
from citewell import Context
from citewell.training import ExampleKind, Stepped, TrainingTask
from citewell_trl.plugin import build
from citewell_trl.settings import TrlConfig

QUESTIONS = ("How many days of leave?", "What is the leave?", "How long is the leave a year?")
GOOD, BAD = "Every employee has 28 days of leave.", "The canteen serves lunch."
KINDS = {"sft": ExampleKind.CHAT, "dpo": ExampleKind.PREFERENCE, "kto": ExampleKind.VOTE}


@cache
def base() -> Path:
    """Return the folder of a model with random weights, made once a run."""
    folder = Path(mkdtemp(prefix="citewell-base-")) / "tiny"
    script = [sys.executable, tiny_base.__file__, folder, "--width", "64", "--layers", "1"]
    subprocess.run(script, check=True, capture_output=True)
    return folder


def said(role, content):
    return {"role": role, "content": content}


def chat(question, answer=GOOD):
    return {"messages": [said("user", question), said("assistant", answer)]}


def row(method, at):
    """Return an example in which the good answer is to be learnt."""
    question = f"{QUESTIONS[at % len(QUESTIONS)]} {at}"
    if method == "sft":
        return chat(question)
    good, bad = [said("assistant", GOOD)], [said("assistant", BAD)]
    if method == "dpo":
        return {"prompt": [said("user", question)], "chosen": good, "rejected": bad}
    is_good = at % 3 > 0
    answer = good if is_good else bad
    return {"prompt": [said("user", question)], "completion": answer, "label": is_good}


def write(path, rows):
    path.write_text("".join(f"{json.dumps(one)}\n" for one in rows), encoding="utf-8")
    return path


def task_in(folder, method="sft", *, rows=None, validation=None):
    """Return a task with 40 examples, whose files are in `folder`."""
    out = folder / "out"
    out.mkdir(exist_ok=True)
    rows = [row(method, at) for at in range(40)] if rows is None else rows
    tried = None if validation is None else write(folder / "validation.jsonl", validation)
    return TrainingTask(
        base=base(),
        kind=KINDS[method],
        examples=write(folder / "examples.jsonl", rows),
        validation=tried,
        out=out,
    )


def opened(folder, **settings):
    config = TrlConfig(**{"threads": 1, "learning_rate": 0.01, "accumulate": 2, **settings})
    log = logging.getLogger("citewell.trainer.trl")
    return build(config, Context(name="trl", log=log, data_dir=folder, base_dir=folder))


async def followed(task, *, resume=False, seen=None, **settings):
    """Return what happens in a training, to its end; `seen` hears of it at once."""
    events = []
    async with opened(task.out.parent, **settings) as trainer:
        async for event in trainer.train(task, resume=resume):
            events.append(event)
            if seen is not None:
                seen(event)
    return events


def of_kind(kind, events):
    return [one for one in events if isinstance(one, kind)]


def losses(events):
    return [one.loss for one in of_kind(Stepped, events)]


def weights(events):
    """Return the adapter that came of it."""
    return (events[-1].adapter / "adapter_model.safetensors").read_bytes()
