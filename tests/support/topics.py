"""A synced library with a topic in each document, found by words and vectors, and questions."""

from __future__ import annotations

import json
from pathlib import Path

from assistants import write_handbook
from citewell.cli.main import run

SETTINGS = """
[retriever.both]
use = "hybrid"
embedder = "words"  # that is enough here

[embedder.words]
use = "scripted"

[model.quotes]
use = "extractive"

[profile.default]
retriever = "both"
model = "quotes"
"""
TOPICS = [f"topic{number}" for number in range(12)]
QUESTIONS = "questions.jsonl"


def write_topics(folder: Path) -> Path:
    """Write documents, questions and settings to the present folder; return the settings file."""
    file = write_handbook(folder, SETTINGS)
    for topic in TOPICS:
        (folder / "docs" / f"{topic}.md").write_text(f"# {topic}\n\nWhat {topic} is about.\n")
    questions = [
        {"question": f"what is {topic}?", "documents": [f"{topic}.md"]} for topic in TOPICS
    ]
    questions += [{"question": f"{topic}?", "quotes": [f"what {topic} is"]} for topic in TOPICS]
    (folder / QUESTIONS).write_text("\n".join(map(json.dumps, questions)))
    assert run(["sync", "--config", str(file)]) == 0
    return file
