"""What quantising costs a model that was trained: the same questions, asked of each file."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from citewell import Choices, Context, Delta, Generation, Prompt
from citewell.engine.prompting import chat_messages
from citewell.evaluation.estimating import difference
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
from proofs import harness
from scripts.tiny_base import Shape, write_base

LIMITS = {"Q8_0": 2.0, "Q4_K_M": 5.0}
_FILES = ("F16", *LIMITS)
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


def run(*, size: harness.Size, seed: int) -> dict[str, object]:
    learnt, asked, steps = (2_000, 1_200, 500) if size == "full" else (300, 60, 60)
    drawn = random.Random(seed)
    rows = list(dict.fromkeys(_question(drawn) for _ in range(20 * (learnt + asked))))
    examples, questions = rows[:learnt], rows[learnt : learnt + asked]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = asyncio.run(_made(folder, examples, steps=steps, seed=seed))
        scores = {
            kind: asyncio.run(_scores(folder, files[kind].file, questions)) for kind in _FILES
        }
    names = [str(number) for number in range(len(questions))]
    result: dict[str, object] = {"examples": len(examples), "questions": len(questions)}
    result["files"] = {
        kind: {
            "megabytes": round(files[kind].figures["megabytes"], 2),
            "right": _percent(sum(scores[kind]) / len(scores[kind])),
            "likeliest_token_agreement": round(files[kind].figures["likeliest_token_agreement"], 3),
            **({} if kind == "F16" else _paired(scores[kind], scores["F16"], names)),
        }
        for kind in _FILES
    }
    return result


def check(result: dict[str, object]) -> Sequence[str]:
    files = cast("dict[str, dict[str, float]]", result["files"])
    return [
        f"{kind}: {files[kind]['points']} points, at least {files[kind]['low']}"
        for kind, limit in LIMITS.items()
        if files[kind]["points"] < -limit
    ]


def table(result: dict[str, object]) -> str:
    lines = [
        f"| file, {result['questions']} questions | MB | right | points against F16 | 95% |",
        "|---|---:|---:|---:|---|",
    ]
    for kind, row in cast("dict[str, dict[str, Any]]", result["files"]).items():
        points = "" if kind == "F16" else f"{row['points']:+.1f}"
        interval = "" if kind == "F16" else f"{row['low']:+.1f} to {row['high']:+.1f}"
        cells = (kind, f"{row['megabytes']:.2f}", f"{row['right']:.1f}%", points, interval)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _percent(share: float) -> float:
    return round(100 * share, 1)


def _paired(ours: list[float], theirs: list[float], names: list[str]) -> dict[str, float]:
    found = difference(ours, theirs, names)
    return {
        "points": _percent(sum(ours) / len(ours) - sum(theirs) / len(theirs)),
        "low": _percent(found.low),
        "high": _percent(found.high),
    }


def _question(drawn: random.Random) -> tuple[str, str]:
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


async def _made(
    folder: Path, examples: Sequence[tuple[str, str]], *, steps: int, seed: int
) -> dict[str, Exported]:
    """Train, and return the files by kind."""
    text = "\n".join(f"{asked} {team}" for asked, team in examples)
    # Rows of a multiple of 256, so that K-quants are what they say.
    write_base(folder / "base", Shape(width=256, layers=2), text=text, seed=seed, steps=40)
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
        {"max_steps": steps, "learning_rate": 2e-3, "batch_size": 8, "accumulate": 1, "threads": 1,
         "lora": {"rank": 16, "alpha": 32}}
    )  # fmt: skip
    adapter = folder
    async with build_trainer(settings, _context(folder, "trl")) as trainer:
        async for event in trainer.train(task, resume=False):
            if isinstance(event, Trained):
                adapter = event.adapter
    (folder / "out").mkdir()
    config = GgufConfig(files=list(_FILES), threads=1, min_agreement=0.0)
    export = ExportTask(base=folder / "base", adapter=adapter, out=folder / "out")
    async with build_exporter(config, _context(folder, "gguf")) as exporter:
        made = [one async for one in exporter.export(export) if isinstance(one, Exported)]
    for one in made:
        cast("dict[str, float]", one.figures)["megabytes"] = one.file.stat().st_size / 1e6
    return {one.kind: one for one in made}


async def _scores(folder: Path, file: Path, questions: Sequence[tuple[str, str]]) -> list[float]:
    """Return for each question whether the model of a file names the right team."""
    config = LlamaCppConfig(path=file, context=512, require_proof=True)
    scores = []
    async with build_model(config, _context(folder, "tuned")) as model:
        for asked, team in questions:
            items = [one async for one in model.generate(_prompt(asked))]
            said = "".join(one.text for one in items if isinstance(one, Delta))
            scores.append(float(said.strip() == team))
    return scores


def _context(folder: Path, name: str) -> Context:
    return Context(name=name, log=logging.getLogger(name), data_dir=folder, base_dir=folder)
