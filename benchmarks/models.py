"""A local model, beside bare llama-cpp-python: one user, and several who ask in between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TypedDict, cast

from benchmarks import conversations, environments
from proofs import harness

TURNS = 3
QUESTIONS = 4
_SYSTEMS = {
    "bare": ("local_bare", "--grammar"),
    "ours": ("local_ours",),
    "bare_cache": ("local_bare", "--grammar", "--cache"),
    "together": ("local_ours", "--batches"),
    "bare_free": ("local_bare",),
}


class Answers(TypedDict):
    """What one system's process prints; lists by user, then by question.

    Attributes:
        shared_tokens: tokens that each prompt begins with like the last one of its user; of bare
            llama-cpp-python.
        reused_tokens: tokens of each prompt that were not computed again; of Citewell.
    """

    seconds: float
    output_tokens: int
    texts: list[str]
    shared_tokens: list[int]
    reused_tokens: list[int]


class Figures(TypedDict):
    """Of one number of users.

    Attributes:
        tokens_per_s: of answers, all users together, reading the prompts included; by system.
        shared_tokens: of a prompt, the median.
        reused: share of the shared tokens, the least of any answer.
        same_text: share of our answers that are those of bare llama-cpp-python.
        same_together: share of our answers that are the same when decoded together.
    """

    tokens_per_s: dict[str, float]
    shared_tokens: float
    reused: float
    same_text: float
    same_together: float


class Run(TypedDict):
    """Everything that is kept of a run."""

    date: str
    commit: str
    machine: dict[str, object]
    load: float
    versions: dict[str, str]
    users: dict[str, Figures]


def run(_cache: Path, *, small: bool) -> Run:
    """Return the figures of one run."""
    load = os.getloadavg()[0]
    with TemporaryDirectory() as folder:
        model = Path(folder) / "random.gguf"
        conversations.write_model(model)
        users = {
            str(count): measured(model, count, turns=1 if small else TURNS)
            for count in ((1, 2) if small else (1, 2, 4))
        }
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": harness.commit(),
        "machine": harness.machine(),
        "load": load,
        "versions": environments.versions(Path(sys.executable).parent, ("llama-cpp-python",)),
        "users": users,
    }


def measured(model: Path, users: int, *, turns: int, questions: int = QUESTIONS) -> Figures:
    """Return the figures of so many users."""
    print(f"{users} users", file=sys.stderr)
    runs: dict[str, list[Answers]] = {name: [] for name in _SYSTEMS}
    # In turns, so that a slow moment of the machine meets each of them.
    for _ in range(turns):
        for name, (module, *options) in _SYSTEMS.items():
            print(f"  {name}", file=sys.stderr)
            runs[name].append(_asked(module, str(model), str(users), str(questions), *options))
    bare, ours, together = (runs[name][0] for name in ("bare", "ours", "together"))
    pairs = zip(bare["shared_tokens"], ours["reused_tokens"], strict=True)
    return {
        "tokens_per_s": {
            name: round(median(one["output_tokens"] / one["seconds"] for one in answers), 1)
            for name, answers in runs.items()
        },
        "shared_tokens": median(bare["shared_tokens"]),
        "reused": round(min(reused / shared for shared, reused in pairs), 3),
        "same_text": _same(bare["texts"], ours["texts"]),
        "same_together": _same(ours["texts"], together["texts"]),
    }


def _asked(module: str, *options: str) -> Answers:
    done = subprocess.run(
        (sys.executable, "-m", f"benchmarks.{module}", *options),
        cwd=harness.ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return cast("Answers", json.loads(done.stdout))


def _same(ones: Sequence[str], others: Sequence[str]) -> float:
    return sum(one == other for one, other in zip(ones, others, strict=True)) / len(ones)


def broken(result: Run) -> list[str]:
    """Name each promise that a run does not keep."""
    found = []
    for users, figures in result["users"].items():
        speed = figures["tokens_per_s"]
        least = {1: 0.95, 4: 1.5}.get(int(users), 0.0)
        if speed["ours"] < least * speed["bare"]:
            found.append(
                f"{users} users: {speed['ours']} tokens a second, promised {least} times the "
                f"{speed['bare']} of bare llama-cpp-python"
            )
        if figures["reused"] < 0.95:
            found.append(f"{users} users: {figures['reused']:.1%} reused, promised 95%")
    return found


def tables(result: Run) -> str:
    """Return the tables of a run as Markdown."""
    counts = [f"{int(users)} user{'s' * (users != '1')}" for users in result["users"]]
    figures = list(result["users"].values())
    head = [
        f"| tokens of answers a second | {' | '.join(counts)} |",
        "|---" * (1 + len(counts)) + "|",
    ]
    rows = [_row(title, [_speed(one, name) for one in figures]) for name, title in _TITLES.items()]
    shares = {
        "shared tokens of a prompt that were reused, at least": "reused",
        "answers like those of bare llama-cpp-python": "same_text",
        "answers that are the same with `batches = true`": "same_together",
    }
    facts = [
        _row(title, [f"{cast('float', one[key]):.0%}" for one in figures])  # type: ignore[literal-required]
        for title, key in shares.items()
    ]
    return "\n".join((*head, *rows, *facts, "", _note(result)))


_TITLES = {
    "ours": "Citewell `llamacpp`",
    "together": "the same with `batches = true`",
    "bare": "llama-cpp-python, its users in turn",
    "bare_cache": "the same with a `LlamaRAMCache`",
    "bare_free": "the same without cache or grammar",
}


def _row(title: str, cells: Sequence[str]) -> str:
    return f"| {title} | {' | '.join(cells)} |"


def _speed(figures: Figures, name: str) -> str:
    speed = figures["tokens_per_s"]
    ratio = speed[name] / speed["bare"]
    return f"{speed[name]:.1f} ({ratio:.2f} x)"


def _note(result: Run) -> str:
    machine = result["machine"]
    shared = next(iter(result["users"].values()))["shared_tokens"]
    return (
        f"One run on {machine['cores']} cores of an {machine['cpu']} with {machine['memory_gb']} "
        f"GB, Python {machine['python']}, load average {result['load']:.1f} at the start, "
        f"llama-cpp-python {result['versions']['llama-cpp-python']}. A model of 100 million random "
        f"weights in F16. Each prompt begins with {shared:.0f} tokens that its user sent before "
        f"and ends with some 200 new ones; an answer has {conversations.ANSWER_TOKENS}. "
        f"{QUESTIONS} questions a user, all users at once, with the grammar of citation marks "
        "except in the row without it. Each has its own defaults for threads. Reading the prompts "
        f"is part of the time. Medians of {TURNS} rounds."
    )
