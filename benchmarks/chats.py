"""A bot under load: how soon it acknowledges, what it keeps in memory, what it takes when idle.

`citewell run` is a process of its own; Slack and Discord are doubles in this one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TypedDict

import psutil

from citewell.cli.indexing import bring_up
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell_discord.testing import DiscordDouble
from citewell_slack.testing import Channel, Clock, Person, SlackDouble
from citewell_slack.testing.deliveries import Attempt, Delivery, Reply, Transport
from proofs import harness

PER_SECOND = 50
PER_HOUR = 10_000
_PEOPLE = 40
_CHANNELS = 40
# A retriever keeps what it has looked up of words, so people do not use new ones for ever.
_QUESTIONS = 200
_WARM_S = 300.0
_SETTINGS = """\
data_dir = "data"
[library.docs]
use = "files"
path = "docs"
[retriever.main]
use = "lexical"
[model.scripted]
use = "scripted"
[profile.default]
retriever = "main"
model = "scripted"
[chat]
queue = 0
user_per_minute = 0
channel_per_minute = 0
[adapter.slack]
use = "slack"
bot_token = {{ env = "BENCH_SLACK_BOT" }}
app_token = {{ env = "BENCH_SLACK_APP" }}
api_url = "{slack}"
"""
_DISCORD = """\
[adapter.discord]
use = "discord"
token = {{ env = "BENCH_DISCORD" }}
api_url = "{api}"
gateway_url = "{gateway}"
"""


class Burst(TypedDict):
    """Many questions in a short time; the acknowledgements in milliseconds."""

    questions: int
    seconds: float
    p50_ms: float
    p99_ms: float
    slowest_ms: float
    answered: int
    all_answered_s: float


class Steady(TypedDict):
    """Questions for long, and the memory of the bot in MB."""

    questions: int
    minutes: float
    answered: int
    warm_mb: float
    end_mb: float
    growth: float


class Run(TypedDict):
    """Everything that is kept of a run of the burst."""

    date: str
    commit: str
    machine: dict[str, object]
    burst: Burst
    idle_mb: float
    idle_processes: int


class Hour(TypedDict):
    """Everything that is kept of a run of the long time."""

    date: str
    commit: str
    machine: dict[str, object]
    steady: Steady


def run(_cache: Path, *, small: bool) -> Run:
    """Measure a burst, and a bot that nobody asks."""
    burst = asyncio.run(_burst(6.0 if small else 60.0))
    idle_mb, processes = asyncio.run(_idle())
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": harness.commit(),
        "machine": harness.machine(),
        "burst": burst,
        "idle_mb": idle_mb,
        "idle_processes": processes,
    }


def run_hour(_cache: Path, *, small: bool) -> Hour:
    """Measure a long time."""
    seconds = 60.0 if small else 3600.0
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": harness.commit(),
        "machine": harness.machine(),
        "steady": asyncio.run(_steady(seconds, warm_s=min(_WARM_S, seconds / 4))),
    }


def broken(result: Run) -> list[str]:
    """Name the promises that were not kept."""
    burst = result["burst"]
    return _not_kept({
        "acknowledgements within 500 ms at the 99th percentile": burst["p99_ms"] < 500,
        "each acknowledgement within 3 s": burst["slowest_ms"] < 3000,
        "every question of the burst answered": burst["answered"] == burst["questions"],
        "an idle bot of one process under 300 MB": result["idle_mb"] < 300
        and result["idle_processes"] == 1,
    })


def broken_in_hour(result: Hour) -> list[str]:
    """Name the promises that were not kept."""
    steady = result["steady"]
    return _not_kept({
        "every question of the long time answered": steady["answered"] == steady["questions"],
        "memory that grows by less than 5%": steady["growth"] < 0.05,
    })


def _not_kept(promises: Mapping[str, bool]) -> list[str]:
    return [promise for promise, is_kept in promises.items() if not is_kept]


def tables(result: Run) -> str:
    """Return the table of a burst as Markdown."""
    burst = result["burst"]
    return _table(
        {
            f"{PER_SECOND} questions a second for {burst['seconds']:.0f} s: acknowledged, p50": (
                f"{burst['p50_ms']:.1f} ms"
            ),
            "... p99": f"{burst['p99_ms']:.1f} ms",
            "... slowest": f"{burst['slowest_ms']:.0f} ms",
            "... answered": f"{burst['answered']:,} of {burst['questions']:,}",
            "... the last one after the first question": f"{burst['all_answered_s']:.0f} s",
            "idle, connected to Slack and Discord": f"{result['idle_mb']:.0f} MB",
        },
        result["date"],
        result["machine"],
    )


def tables_of_hour(result: Hour) -> str:
    """Return the table of a long time as Markdown."""
    steady = result["steady"]
    return _table(
        {
            f"{PER_HOUR:,} questions an hour for {steady['minutes']:.0f} minutes: answered": (
                f"{steady['answered']:,} of {steady['questions']:,}"
            ),
            "... memory after the first minutes": f"{steady['warm_mb']:.0f} MB",
            "... memory in the end": f"{steady['end_mb']:.0f} MB ({steady['growth']:+.1%})",
        },
        result["date"],
        result["machine"],
    )


def _table(rows: Mapping[str, str], date: str, machine: Mapping[str, object]) -> str:
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    told = f"{machine['cpu']}, {machine['cores']} cores, doubles on the same machine"
    return "\n".join([
        "| what | figure |",
        "|---|---:|",
        *lines,
        "",
        f"Measured on {date} with {told}.",
    ])


# --- what is measured ---------------------------------------------------------------------


class _Timed:
    """A way to the bot that measures how long acknowledgements take."""

    def __init__(self, inner: Transport) -> None:
        self.seconds: list[float] = []
        self._inner = inner

    async def attempt(self, delivery: Delivery, attempt: Attempt) -> Reply:
        begin = monotonic()
        reply = await self._inner.attempt(delivery, attempt)
        self.seconds.append(monotonic() - begin)
        return reply

    async def close(self) -> None:
        await self._inner.close()


class _Crowd:
    """People who ask."""

    def __init__(self, double: SlackDouble) -> None:
        self._double = double
        self._chance = random.Random(1)
        self.people: list[Person] = [double.add_person(f"p{at}") for at in range(_PEOPLE)]
        self.channels: list[Channel] = [
            double.add_channel(f"c{at}", self.people) for at in range(_CHANNELS)
        ]
        self.asked = 0

    def ask(self) -> None:
        person, channel = self._chance.choice(self.people), self._chance.choice(self.channels)
        number = self.asked % _QUESTIONS
        person.say(channel, f"{self._double.mention} How many days of leave? ({number})")
        self.asked += 1

    async def ask_for(self, seconds: float, per_second: float) -> None:
        """Ask evenly."""
        begin = monotonic()
        for number in range(round(seconds * per_second)):
            await asyncio.sleep(max(begin + number / per_second - monotonic(), 0))
            self.ask()

    def answered(self) -> int:
        """Return how many answers are complete."""
        return sum(
            not message.is_streaming
            for channel in self.channels
            for message in self._double.posted(channel)
        )

    async def all_answered(self, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.answered() < self.asked:  # noqa: ASYNC110 - another process does it
                    await asyncio.sleep(0.5)


async def _burst(seconds: float) -> Burst:
    async with _bot(with_discord=False) as (double, _):
        crowd = _Crowd(double)
        await crowd.ask_for(2, 5)
        await crowd.all_answered(60)
        timed = _Timed(double.deliveries.transport or double.sockets)
        double.deliveries.transport = timed
        begin = monotonic()
        await crowd.ask_for(seconds, PER_SECOND)
        await crowd.all_answered(600)
        took = monotonic() - begin
        cuts = quantiles(timed.seconds, n=100, method="inclusive")
        return {
            "questions": crowd.asked,
            "seconds": seconds,
            "p50_ms": round(1000 * cuts[49], 2),
            "p99_ms": round(1000 * cuts[98], 2),
            "slowest_ms": round(1000 * max(timed.seconds), 1),
            "answered": crowd.answered(),
            "all_answered_s": round(took, 1),
        }


async def _steady(seconds: float, *, warm_s: float) -> Steady:
    async with _bot(with_discord=False) as (double, process):
        crowd = _Crowd(double)
        await crowd.ask_for(warm_s, PER_HOUR / 3600)
        warm = _megabytes(process)
        await crowd.ask_for(seconds - warm_s, PER_HOUR / 3600)
        await crowd.all_answered(120)
        end = _megabytes(process)
        return {
            "questions": crowd.asked,
            "minutes": round(seconds / 60, 1),
            "answered": crowd.answered(),
            "warm_mb": round(warm, 1),
            "end_mb": round(end, 1),
            "growth": round(end / warm - 1, 4),
        }


async def _idle() -> tuple[float, int]:
    async with _bot(with_discord=True) as (_, process):
        await asyncio.sleep(20)
        return round(_megabytes(process), 1), 1 + len(process.children(recursive=True))


def _megabytes(process: psutil.Process) -> float:
    """Return the memory of a process and of those that it started."""
    every = [process, *process.children(recursive=True)]
    return float(sum(one.memory_info().rss for one in every)) / 1e6


@asynccontextmanager
async def _bot(*, with_discord: bool) -> AsyncIterator[tuple[SlackDouble, psutil.Process]]:
    """Start `citewell run`, connected to a double of Slack, and of Discord if so told."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        slack = await stack.enter_async_context(SlackDouble(clock=Clock(runs=True)))
        text = _SETTINGS.format(slack=slack.api_url)
        secrets = {"BENCH_SLACK_BOT": slack.bot_token, "BENCH_SLACK_APP": slack.app_token}
        if with_discord:
            discord = await stack.enter_async_context(DiscordDouble())
            discord.world.add_guild("bench")
            text += _DISCORD.format(api=discord.api_url, gateway=discord.gateway_url)
            secrets["BENCH_DISCORD"] = discord.token
        (folder / "docs").mkdir()
        leave = "# Leave\n\nEvery employee has 28 days of paid leave a year.\n"
        (folder / "docs" / "leave.md").write_text(leave, encoding="utf-8")
        config = folder / "citewell.toml"
        config.write_text(text, encoding="utf-8")
        os.environ.update(secrets)
        async with open_runtime(load_settings(config)) as runtime:
            await bring_up(runtime)
        program = "import sys; from citewell.cli.main import main; sys.exit(main())"
        child = subprocess.Popen(  # noqa: ASYNC220 - it is quick to start, and nothing else runs yet
            [sys.executable, "-c", program, "run", "--config", str(config)], cwd=folder
        )
        stack.callback(child.wait)
        stack.callback(child.kill)
        await slack.connected(timeout_s=60)
        yield slack, psutil.Process(child.pid)
