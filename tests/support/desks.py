"""A desk at work in a chat of nothing but text, also in processes that are killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from assistants import write_handbook
from citewell.cli.indexing import bring_up
from citewell.delivery.answering import Answering
from citewell.delivery.desk import Desk, Manner
from citewell.engine.assistant import Assistant
from citewell.engine.runtime import Runtime, open_runtime
from citewell.engine.settings import load_settings
from citewell.journal.conversations import Conversations
from citewell.journal.inbox import Inbox, Limits
from citewell.journal.journal import Journal
from citewell.journal.outbox import Outbox
from citewell.testing.plainchat import PlainAdapter, PlainChat
from citewell.types.chat import Address, Asked, Venue
from databases import opened

SETTINGS = """
[adapter.plain]
use = "plainchat"
path = "chat.sqlite"
groups = { people = ["people-team"] }

[model.quotes]
use = "extractive"

[model.slow]
use = "scripted"
script = ["Every employee has 28 days of paid leave a year [1]. Unused days expire [1]."]
behaviour = "slow"
delay_s = 0.05

[profile.default]
retriever = "main"
model = "quotes"
"""
SLOW = SETTINGS.replace('model = "quotes"\n', 'model = "slow"\n')
VENUE = Venue(platform="plain", channel="general", thread="1")
QUICK = Manner(poll_s=0.05, lease_s=3, backoff_s=0.05)


def asked(key: str = "1", text: str = "How many days of leave?", **changes: Any) -> Asked:
    """Return a question in a thread of the chat."""
    venue = changes.pop("venue", VENUE)
    values = {"user": "U1", "at": 1.0, "address": Address(venue=venue)} | changes
    return Asked(key=key, venue=venue, text=text, **values)


@dataclass
class AtWork:
    """A desk, and what it works with."""

    desk: Desk
    chat: PlainChat
    inbox: Inbox
    journal: Journal
    adapter: PlainAdapter
    runtime: Runtime
    running: asyncio.Task[None]

    async def idle(self) -> None:
        """Wait until every question has its outcome."""
        async with asyncio.timeout(30):
            while self.inbox.waiting():  # noqa: ASYNC110 - another process may be at it
                await asyncio.sleep(0.02)


@asynccontextmanager
async def working(
    folder: Path,
    *,
    settings: str = SETTINGS,
    manner: Manner = QUICK,
    speaks: type[PlainAdapter] = PlainAdapter,
    answering: dict[str, Any] | None = None,
    limits: Limits | None = None,
    **options: Any,
) -> AsyncIterator[AtWork]:
    """Yield a desk at work on a synced handbook.

    Args:
        folder: of the documents, the settings, the journal and the chat.
        settings: of the chat, the models and the profiles.
        manner: how the desk works.
        speaks: the adapter.
        answering: further arguments of the answering.
        limits: over which questions are turned away.
        options: of the adapter.
    """
    chat = PlainChat(folder / "chat.sqlite")
    with opened(f"sqlite:///{folder / 'journal.sqlite'}") as engine:
        async with open_runtime(load_settings(write_handbook(folder, settings))) as runtime:
            await bring_up(runtime)
            journal, inbox = Journal(engine), Inbox(engine, limits=limits)
            adapter = speaks(chat, **options)
            desk = Desk(
                inbox=inbox,
                answering=Answering(
                    backends=runtime,
                    assistant=lambda leased: Assistant(leased, journal),
                    outbox=Outbox(engine),
                    conversations=Conversations(engine),
                    **({"question_of": Conversations(engine).question_of} | (answering or {})),
                ),
                adapters={"plain": adapter},
                manner=manner,
            )
            running = asyncio.create_task(desk.run())
            try:
                yield AtWork(desk, chat, inbox, journal, adapter, runtime, running)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)


# --- processes that are killed --------------------------------------------------------------

KILLED = 77
_KILLABLE = Manner(poll_s=0.02, lease_s=0.3, backoff_s=0.05, attempts=1000)


class Killable(msgspec.Struct, frozen=True, kw_only=True):
    """What a process does: it works until there is nothing left, or is killed.

    Attributes:
        commit: with which it ends, of the journal; 0 for none.
        before: whether it ends before that is done, or after it.
        workers: of its desk.
        forgets: whether the chat forgets what one person alone sees.
    """

    folder: str
    commit: int = 0
    before: bool = False
    workers: int = 8
    forgets: bool = False

    async def work(self) -> None:
        """Answer all that waits."""
        manner = replace(_KILLABLE, workers=self.workers)
        async with working(Path(self.folder), manner=manner, forgets=self.forgets) as at_work:
            if self.commit:
                self.end_at_commit()
            await at_work.idle()

    def end_at_commit(self) -> None:
        """Let this process end at a commit of any engine, counted from now on."""
        count = 0

        @sa.event.listens_for(sa.Engine, "commit")
        def committing(connection: sa.Connection) -> None:
            nonlocal count
            count += 1
            if count == self.commit:
                if not self.before:
                    connection.connection.dbapi_connection.commit()
                os._exit(KILLED)


def serve_forks() -> None:
    """Fork for each line of the input, which is a `Killable`; tell its pid, then how it ended."""
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            asyncio.run(msgspec.json.decode(line, type=Killable).work())
            os._exit(0)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


class Forks:
    """Makes processes, one at a time; what they import was imported before."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, killable: Killable) -> int:
        """Start one, and return its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(killable).decode() + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def end(self) -> int:
        """Wait until it has ended, and return with which code."""
        return int(self._line())

    def run(self, killable: Killable) -> int:
        """Start one, and return the code with which it ended."""
        self.start(killable)
        return self.end()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def forking() -> Iterator[Forks]:
    """Yield what makes processes."""
    script = f"import sys; sys.path[:] = {sys.path!r}; import desks; desks.serve_forks()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Forks(process)
