"""A small library whose facts are known, four arms over it, and questions with their answers."""

from __future__ import annotations

import json
from pathlib import Path

from citewell.types.evaluation import EvalItem, Swap

PEOPLE = {f"island{at}": 100 + 7 * at for at in range(12)}
CONFIG = """
[library.atlas]
use = "files"
path = "docs"

[retriever.main]
use = "lexical"

[model.quotes]
use = "extractive"

[model.memory]
use = "scripted"
cost = 0.5
{memory}

[profile.rag]
retriever = "main"
model = "quotes"

[profile.tuned]
model = "memory"

[profile.both]
retriever = "main"
model = "memory"

[profile.base]
model = "quotes"

[cli]
profile = "rag"

[eval]
adequate = 0.5

[eval.arms]
base = {{ profile = "base" }}
tuned = {{ profile = "tuned", tuned = true, training_cost = 30.0, training_s = 600 }}
rag = {{ profile = "rag" }}
both = {{ profile = "both", tuned = true, training_cost = 30.0 }}
"""


def question(name: str) -> str:
    """Return the question about an island."""
    return f"How many people live on {name}?"


def write_project(folder: Path) -> Path:
    """Write documents, questions and settings; return the settings file."""
    (folder / "docs").mkdir()
    for name, people in PEOPLE.items():
        text = f"# {name}\n\nOn {name} live {people} people, and many birds.\n"
        (folder / "docs" / f"{name}.md").write_text(text)
    said = json.dumps({question(name): f"{people} people." for name, people in PEOPLE.items()})
    memory = f"answers = {said}".replace('": "', '" = "')
    settings = folder / "citewell.toml"
    settings.write_text(CONFIG.format(memory=memory))
    lines = [json.dumps(_plain(name, people)) for name, people in PEOPLE.items()]
    lines += [json.dumps({"question": _unknown(at), "unanswerable": True}) for at in range(6)]
    (folder / "questions.jsonl").write_text("\n".join(lines))
    return settings


def _plain(name: str, people: int) -> dict[str, object]:
    return {
        "id": name,
        "question": question(name),
        "answers": [f"{people} people"],
        "documents": [f"{name}.md"],
        "quotes": [f"On {name} live {people} people"],
    }


def _unknown(at: int) -> str:
    return f"What is the capital of planet {at}?"


def items() -> list[EvalItem]:
    """Return the questions, with slices, and a swap for some of them."""
    return [
        EvalItem(
            id=name,
            question=question(name),
            answers=(f"{people} people",),
            documents=(f"{name}.md",),
            quotes=(f"On {name} live {people} people",),
            slices=("in the documents",),
            swap=Swap(fact=f"{people} people", instead="9999 people") if name < "island4" else None,
        )
        for name, people in PEOPLE.items()
    ] + [
        EvalItem(
            id=f"no{at}",
            question=_unknown(at),
            unanswerable=True,
            slices=("not in the documents",),
        )
        for at in range(6)
    ]
