"""A folder asked through the real path: source, loaders, splitting, index, assistant."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import tomlkit

from citewell import Answer, Passage, Query, Question, Turn
from citewell.cli.indexing import indexes
from citewell.engine.assistant import Assistant, new_id
from citewell.engine.runtime import Runtime, open_runtime
from citewell.engine.settings import load_settings
from citewell.journal.spool import Spool
from citewell.library.syncing import sync
from proofs.harness import READER


@dataclass(frozen=True, slots=True)
class Asking:
    """An indexed folder and the assistant before it."""

    runtime: Runtime
    assistant: Assistant

    @property
    def passages(self) -> int:
        """How many passages the model gets."""
        settings = self.runtime.settings
        return settings.profiles[settings.default_profile].passages

    async def ask(self, text: str, *, history: Sequence[Turn] = ()) -> Answer:
        """Return the complete answer."""
        question = Question(id=new_id(), text=text, audience=READER, history=tuple(history))
        growing = [answer async for answer in self.assistant.ask(question)]
        return growing[-1]

    async def retrieve(self, text: str, *, limit: int) -> tuple[Passage, ...]:
        """Return what the index finds, best first."""
        retriever = await self.runtime.retriever("lexical")
        return tuple(await retriever.retrieve(Query(text=text), limit=limit, readable_by=READER))


@asynccontextmanager
async def asking(folder: Path) -> AsyncIterator[Asking]:
    """Index `folder` in a place of its own with the default settings, and yield it."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "citewell.toml"
        library = {"use": "files", "path": str(folder)}
        path.write_text(tomlkit.dumps({"data_dir": "data", "library": {"docs": library}}))
        settings = load_settings(path)
        async with open_runtime(settings) as runtime:
            report = await sync(
                await indexes(runtime), data_dir=settings.data_dir, base_dir=settings.base_dir
            )
            assert not report.failed, report.failed
            yield Asking(runtime, Assistant(runtime, Spool(settings.data_dir / "spool")))


def shown_text(answer: Answer) -> str:
    """Return what a reader sees of the answer's statements, on one line."""
    return " ".join(" ".join(claim.text for claim in answer.shown).split())
