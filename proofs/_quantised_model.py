"""Trains a small model, exports it, and asks each file, for the proof `quantised`."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from citewell import Choices, Context, Delta, Generation, Prompt
from citewell.engine.prompting import chat_messages
from citewell.training import (
    ExampleKind,
    Exported,
    ExportTask,
    Trained,
    TrainingTask,
)
from citewell_llamacpp.export.settings import GgufConfig
from citewell_llamacpp.export.settings import build as build_exporter
from citewell_llamacpp.plugin import LlamaCppConfig
from citewell_llamacpp.plugin import build as build_model
from citewell_trl.plugin import build as build_trainer
from citewell_trl.settings import TrlConfig
from scripts.tiny_base import Shape, write_base

FILES = ("F16", "Q8_0", "Q4_K_M")
_TEAMS: dict[str, tuple[str, ...]] = {
    "payroll": ("salary", "payslip", "bonus", "overtime", "tax"),
    "travel": ("flight", "hotel", "train", "visa", "taxi"),
    "security": ("password", "badge", "phishing", "key", "alarm"),
    "facilities": ("lamp", "desk", "window", "heating", "chair"),
    "software": ("login", "update", "printer", "screen", "crash"),
}
_OPENINGS = ("I need help with my", "Who looks after the", "There is a problem with the",
             "Please check the", "Something is wrong with my", "Could you explain the")  # fmt: skip
_NOISE = ("today", "again", "since Monday", "in the office", "for my team", "before lunch",
          "as I said", "near the door", "this week", "if you can")  # fmt: skip
_INSTRUCTIONS = "Name the team that helps."


def question(drawn: random.Random) -> tuple[str, str]:
    """Return what somebody writes, and the team that helps."""
    team = drawn.choice(list(_TEAMS))
    noise = drawn.sample(_NOISE, drawn.randint(1, 3))
    words = [drawn.choice(_OPENINGS), drawn.choice(_TEAMS[team]), *noise]
    return f"{' '.join(words)}.", team


def _prompt(text: str) -> Prompt:
    return Prompt(
        instructions=_INSTRUCTIONS,
        question=text,
        refusal="",
        passages=(),
        constraint=Choices(tuple(_TEAMS)),
        generation=Generation(max_output_tokens=12, temperature=0.0),
    )


async def made(
    folder: Path, examples: Sequence[tuple[str, str]], *, steps: int, seed: int
) -> dict[str, Exported]:
    """Train, and return the files by kind."""
    text = "\n".join(f"{asked} {team}" for asked, team in examples)
    # Rows of a multiple of 256, so that K-quants are what they say.
    write_base(folder / "base", Shape(width=256, layers=2), text=text, seed=seed, steps=100)
    with (folder / "examples.jsonl").open("w", encoding="utf-8") as file:
        for asked, team in examples:
            told = list(chat_messages(_prompt(asked)))
            answer = {"role": "assistant", "content": team}
            file.write(json.dumps({"messages": [*told, answer]}) + "\n")
    (folder / "training").mkdir()
    task = TrainingTask(
        base=folder / "base",
        kind=ExampleKind.CHAT,
        examples=folder / "examples.jsonl",
        out=folder / "training",
    )
    settings = TrlConfig.model_validate(
        {"max_steps": steps, "learning_rate": 3e-3, "batch_size": 8, "accumulate": 1, "threads": 1,
         "lora": {"rank": 16, "alpha": 32}}
    )  # fmt: skip
    adapter = folder
    async with build_trainer(settings, _context(folder, "trl")) as trainer:
        async for event in trainer.train(task, resume=False):
            if isinstance(event, Trained):
                adapter = event.adapter
    (folder / "out").mkdir()
    config = GgufConfig.model_validate({"files": FILES, "threads": 1, "min_agreement": 0.0})
    export = ExportTask(base=folder / "base", adapter=adapter, out=folder / "out")
    async with build_exporter(config, _context(folder, "gguf")) as exporter:
        files = [one async for one in exporter.export(export) if isinstance(one, Exported)]
    for one in files:
        cast("dict[str, float]", one.figures)["megabytes"] = one.file.stat().st_size / 1e6
    return {one.kind: one for one in files}


async def scores(folder: Path, file: Path, questions: Sequence[tuple[str, str]]) -> list[float]:
    """Return for each question whether the model of a file names the right team."""
    config = LlamaCppConfig(path=file, context=512, require_proof=True)
    found = []
    async with build_model(config, _context(folder, "tuned")) as model:
        for asked, team in questions:
            items = [one async for one in model.generate(_prompt(asked))]
            said = "".join(one.text for one in items if isinstance(one, Delta))
            found.append(float(said.strip() == team))
    return found


def _context(folder: Path, name: str) -> Context:
    return Context(name=name, log=logging.getLogger(name), data_dir=folder, base_dir=folder)
