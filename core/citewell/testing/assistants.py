"""An assistant over one settings file: what `citewell ask` opens, for a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from citewell.engine.assistant import Assistant, new_id
from citewell.engine.folders import make_folder
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import Settings, load_settings
from citewell.journal.records import AnswerRecord
from citewell.testing.syncing import sync_libraries
from citewell.types.answers import Answer
from citewell.types.questions import EVERYONE, Audience, Question


class AssistantUnderTest:
    """Answers questions from the libraries of a settings file, which are synced before.

    Args:
        path: of the settings file; a plugin that is bad, whichever, is an error.

    Attributes:
        records: what was answered, as the journal would keep it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.records: list[AnswerRecord] = []

    @property
    def settings(self) -> Settings:
        """The settings, as the file says now.

        Raises:
            ConfigError: with every problem of the file.
            PluginError: an installed plugin is bad.
        """
        return load_settings(self.path, strict=True)

    def add(self, record: AnswerRecord) -> None:
        """Keep a record; the assistant calls it."""
        self.records.append(record)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Assistant]:
        """Yield the assistant, once what it answers from is up to date."""
        settings = self.settings
        make_folder(settings.data_dir)
        async with open_runtime(settings) as runtime:
            await sync_libraries(runtime)
            yield Assistant(runtime, self)

    async def growing(
        self, text: str, *, profile: str | None = None, labels: Collection[str] = (EVERYONE,)
    ) -> list[Answer]:
        """Return the answer as it grew; the last one is complete.

        Args:
            text: of the question.
            profile: that answers; by default the settings choose.
            labels: of the reader.
        """
        question = Question(id=new_id(), text=text, audience=Audience.of(*labels), profile=profile)
        async with self.open() as assistant:
            return [answer async for answer in assistant.ask(question)]

    async def answer(
        self, text: str, *, profile: str | None = None, labels: Collection[str] = (EVERYONE,)
    ) -> Answer:
        """Return the complete answer; see `growing`."""
        return (await self.growing(text, profile=profile, labels=labels))[-1]

    def ask(
        self, text: str, *, profile: str | None = None, labels: Collection[str] = (EVERYONE,)
    ) -> Answer:
        """Return the complete answer, in a test that is no coroutine; see `growing`."""
        return asyncio.run(self.answer(text, profile=profile, labels=labels))
