"""What quantising costs a model that was trained: the same questions, asked of each file."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from citewell.evaluation.estimating import difference
from proofs import harness

LIMITS = {"Q8_0": 2.0, "Q4_K_M": 5.0}
_FILES = ("F16", *LIMITS)


def run(*, size: harness.Size, seed: int) -> dict[str, object]:
    harness.need("llama_cpp", "torch")
    from proofs import _quantised_model

    learnt, asked, steps = (2_000, 1_200, 220) if size == "full" else (200, 40, 20)
    drawn = random.Random(seed)
    rows = list(
        dict.fromkeys(_quantised_model.question(drawn) for _ in range(20 * (learnt + asked)))
    )
    examples, questions = rows[:learnt], rows[learnt : learnt + asked]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = asyncio.run(_quantised_model.made(folder, examples, steps=steps, seed=seed))
        scores = {
            kind: asyncio.run(_quantised_model.scores(folder, files[kind].file, questions))
            for kind in _FILES
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
    files = cast("dict[str, dict[str, Any]]", result["files"])
    for kind, row in ((kind, files[kind]) for kind in _FILES):
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
