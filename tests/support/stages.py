"""Whole bots in stand-ins for chat services, for tests of what goes wrong there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import pytest

from citewell.chat import Rehearsal
from citewell.delivery.manner import Manner
from citewell.specs import AdapterSpec
from citewell.testing.adapters.backstage import Backstage
from citewell.testing.adapters.library import write_library
from citewell.testing.adapters.stage import Stage
from citewell.testing.opening import find

NO_OUTCOME = "Something went wrong"
_TIMEOUT_S = 60.0
_HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def hurry(monkeypatch: pytest.MonkeyPatch, **manner: Any) -> None:
    """Let a bot look, and try again, after hundredths of seconds."""
    quick = {"poll_s": 0.05, "lease_s": 3.0, "backoff_s": 0.05} | manner
    monkeypatch.setattr("citewell.delivery.bot.Manner", partial(Manner, **quick))
    monkeypatch.setattr("citewell.delivery.watching._LOOK_S", 0.05)
    monkeypatch.setattr("citewell.delivery.watching._GLANCE_S", 0.01)
    monkeypatch.setattr("citewell.delivery.watching._FIRST_PAUSE_S", 0.05)


@cache
def _library() -> TemporaryDirectory[str]:
    """Return where the library is that every stage gets a copy of; it is synced by the first."""
    return TemporaryDirectory(prefix="citewell-library-")


@asynccontextmanager
async def staged(
    name: str,
    opener: Callable[[], AbstractAsyncContextManager[Rehearsal]] | None = None,
    *,
    journal: str | None = None,
) -> AsyncIterator[Stage]:
    """Yield a stage on which the bot is at work in a chat service, by the name of its adapter.

    Args:
        name: of the adapter.
        opener: of the service; None for the adapter's own.
        journal: its address; None for a file.
    """
    spec = cast("AdapterSpec[Any]", find("adapter", name))
    opener = opener or spec.rehearsal
    assert opener is not None
    with TemporaryDirectory(prefix="citewell-") as folder:
        copy = Path(folder) / "copy"
        async with opener() as chat:
            shutil.copytree(await _synced(spec, chat), copy)
            bot = Backstage(spec, chat.settings, copy, library=partial(_written, journal))
            try:
                stage = Stage(chat, bot, _TIMEOUT_S)
                await stage.start()
                yield stage
            finally:
                await bot.close()


async def _synced(spec: AdapterSpec[Any], chat: Rehearsal) -> Path:
    """Return the folder of a library that is synced; to sync it takes longer than most tests."""
    synced = Path(_library().name) / "synced"
    if not synced.exists():
        making = synced.with_name("making")
        making.mkdir(exist_ok=True)
        bot = Backstage(spec, chat.settings, making)
        try:
            await bot.prepare()
        finally:
            await bot.close()
        making.rename(synced)
    return synced


def _written(journal: str | None, folder: Path) -> Path:
    path = write_library(folder)
    if journal is not None:
        (folder / "journal.txt").write_text(journal, encoding="utf-8")
        with path.open("a", encoding="utf-8") as file:
            file.write('\n[journal]\nurl = { file = "journal.txt" }\n')
    return path


def journal_of(stage: Stage) -> str:
    """Return the file that the bot keeps its journal in."""
    return str(stage.bot.engine.url.database)


@contextmanager
def locked(stage: Stage) -> Iterator[None]:
    """Let another process hold the journal for itself."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, journal_of(stage)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.stdin.close()
