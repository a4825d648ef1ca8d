"""Assistants over a small synced handbook, with the models that a test asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from citewell import Answer, Audience, Question
from citewell.cli.indexing import bring_up
from citewell.engine.assistant import Assistant, new_id
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.journal.records import AnswerRecord

LEAVE = """# Leave

Every employee has 28 days of paid leave a year. Unused days expire on 31 March.

## Sick leave

A doctor's note is due on the fourth day of sick leave.
"""
CANARY = "71,344"
SALARIES = f"# Salaries\n\nThe salary of the leave officer is {CANARY} euros.\n"

LIBRARY = """
[library.handbook]
use = "files"
path = "docs"
labels = { "**" = ["everyone"], "hr/**" = ["people-team"] }

[retriever.main]
use = "lexical"
"""


@dataclass
class Kept:
    """A recorder that keeps records in memory."""

    records: list[AnswerRecord] = field(default_factory=list)

    def add(self, record: AnswerRecord) -> None:
        self.records.append(record)


def write_handbook(folder: Path, settings: str) -> Path:
    """Write the documents and a settings file; return the file."""
    (folder / "docs" / "hr").mkdir(parents=True, exist_ok=True)
    (folder / "docs" / "leave.md").write_text(LEAVE)
    (folder / "docs" / "hr" / "salaries.md").write_text(SALARIES)
    config = folder / "citewell.toml"
    config.write_text(LIBRARY + settings)
    return config


@asynccontextmanager
async def assistant(folder: Path, settings: str) -> AsyncIterator[tuple[Assistant, Kept]]:
    """Yield an assistant on a synced handbook, and what it records."""
    kept = Kept()
    async with open_runtime(load_settings(write_handbook(folder, settings))) as runtime:
        await bring_up(runtime)
        yield Assistant(runtime, kept), kept


def question(text: str = "How many days of leave?", **changes: Any) -> Question:
    """Return a question of someone who may read what everyone may."""
    values = {"id": new_id(), "text": text, "audience": Audience.of("everyone")}
    return Question(**(values | changes))


async def answers(
    asked: Assistant, text: str = "How many days of leave?", **changes: Any
) -> list[Answer]:
    """Return the answer as it grew; the last one is complete."""
    return [answer async for answer in asked.ask(question(text, **changes))]
