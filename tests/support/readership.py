"""Who may read what in a chat service, decided apart from the program, and a bot to compare."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from citewell.chat import Address, Asked, Said, Venue
from citewell.journal.outbox import Outbox
from citewell.testing.adapters.stage import Stage, open_stage
from citewell.testing.opening import find
from citewell.testing.scripts import ScriptedModel

# Some services know groups by numbers alone.
GROUPS = {"5511000001": "red", "5511000002": "blue", "5511000003": "green"}
LABELS = ("everyone", *GROUPS.values())
_numbers = count(1)


def _word(prefix: str) -> str:
    """Return a word that is in nothing else."""
    number, letters = next(_numbers), ""
    for _ in range(5):
        number, rest = divmod(number, 20)
        letters += "bcdfghjklmnpqrstvwxz"[rest]
    return f"{prefix}{letters}o"


@dataclass(eq=False)
class Page:
    """A document.

    Attributes:
        topic: word of its own, by which it is asked for.
        canary: word of its own, which nobody asks for.
        labels: none where it was deleted.
    """

    labels: frozenset[str]
    topic: str = field(default_factory=lambda: _word("zu"))
    canary: str = field(default_factory=lambda: _word("ka"))

    @property
    def text(self) -> str:
        return f"The {self.topic} file says {self.canary} in its first line."


@dataclass(eq=False)
class Scene:
    """People, a channel, and documents.

    Attributes:
        groups: of each person.
        reads: what the channel declares.
        answered: each question that was answered.
    """

    stage: Stage
    pages: list[Page]
    groups: list[frozenset[str]]
    members: frozenset[int]
    people: list[str] = field(default_factory=list)
    channel: str = ""
    reads: frozenset[str] | None = None
    answered: list[tuple[Asked, str]] = field(default_factory=list)
    thread: str = ""

    def labels_of(self, person: int) -> frozenset[str]:
        return frozenset({"everyone", *(GROUPS[one] for one in self.groups[person])})

    def readers(self, *, alone: int | None) -> Collection[frozenset[str]]:
        """Return the labels of each who reads: somebody alone, or the channel."""
        if alone is not None:
            return [self.labels_of(alone)]
        if self.reads is not None:
            return [self.reads]
        return [self.labels_of(one) for one in self.members]

    def hidden(self, *, alone: int | None) -> list[str]:
        """Return the canaries of what they may not all read."""
        readers = self.readers(alone=alone)
        return [page.canary for page in self.pages if not all(page.labels & one for one in readers)]

    # --- what happens ---------------------------------------------------------------------

    async def begin(self) -> None:
        self.people = [self.stage.person(*one) for one in self.groups]
        self.channel = await self.stage.channel(*(self.people[one] for one in self.members))
        await self.sync()

    async def sync(self, said: str = "Nothing.") -> None:
        write(self.stage.bot.path.parent, self.pages, said)
        await self.stage.bot.reread()

    async def regroup(self, person: int, groups: frozenset[str]) -> None:
        self.groups[person] = groups
        self.stage.regroup(self.people[person], *groups)

    async def readmit(self, members: frozenset[int]) -> None:
        self.members = members
        self.stage.readmit(self.channel, *(self.people[one] for one in members))

    async def profile(self, name: str) -> None:
        await self.stage.configured(self.channel, profile=name)

    async def declare(self, reads: frozenset[str] | None) -> None:
        self.reads = reads
        await self.stage.configured(self.channel, reads=sorted(reads) if reads else None)

    async def relabel(self, page: int, labels: frozenset[str]) -> None:
        self.pages[page].labels = labels
        await self.sync()

    async def ask(self, person: int, page: int, way: str) -> str:
        """Ask for a document, and return what was said to that."""
        stage, who = self.stage, self.people[person]
        text = f"What does the {self.pages[page].topic} file say?"
        before = len(stage.answers(who))
        match way:
            case "direct":
                said = await stage.chat.say(who, text, mention=False)
            case "private":
                said = await stage.chat.command(who, text, channel=self.channel)
            case _:
                thread = self.thread if way == "thread" else ""
                said = await stage.chat.say(who, text, channel=self.channel, thread=thread)
                self.thread = said.thread
        await stage.until(
            lambda: len(stage.answers(who)) > before and not stage.bot.inbox.waiting(),
            lambda: "no answer",
        )
        self.answered.append((stage.questions(who)[-1], stage.answers(who)[0].id))
        return await self._said(said)

    async def _said(self, said: Said) -> str:
        """Return the messages of the last answer, and none of before."""
        asked, answer = self.answered[-1]
        posted: set[str] = set()

        def found() -> str | None:
            record = self._posted(answer)
            posted.update(record)
            seen = [
                one
                for one in self.stage.seen(said)
                if one.id in posted or any(button.handle.endswith(answer) for button in one.buttons)
            ]
            is_complete = bool(seen) and not any(one.is_growing for one in seen)
            return "\n".join(one.text for one in seen) if is_complete else None

        return await self.stage.until(found, lambda: f"no reply to {asked.text!r}")

    def _posted(self, answer: str) -> tuple[str, ...]:
        reply = Outbox(self.stage.bot.engine).of_answer(answer)
        return () if reply is None else reply.posted

    # --- what is shown later --------------------------------------------------------------

    async def quoted(self, person: int) -> list[str]:
        """Return what somebody is shown of each answer's quotes now."""
        return [
            repr(
                await self.stage.bot.host.quotes(
                    answer, Address(venue=asked.venue, only_for=self.people[person])
                )
            )
            for asked, answer in self.answered
        ]

    async def handed(self) -> list[str]:
        """Return what the channel is told of each answer that is handed off to it."""
        return [
            repr(await self.stage.bot.host.hand_off(answer, Address(venue=self._venue(asked))))
            for asked, answer in self.answered
        ]

    def _venue(self, asked: Asked) -> Venue:
        team = next((one.venue.team for one, _ in self.answered if one.venue.team), "")
        return Venue(platform=asked.venue.platform, team=team, channel=self.channel)


def write(folder: Path, pages: Iterable[Page], said: str = "Nothing.") -> Path:
    """Write documents and settings, and return the settings file.

    Args:
        folder: for all of them.
        pages: the documents.
        said: by the model of the profile `parrot`, which shows what no source supports.
    """
    docs = folder / "docs"
    docs.mkdir(exist_ok=True)
    for old in docs.iterdir():
        old.unlink()
    labels: dict[str, list[str]] = {"**": ["nobody"]}
    for page in pages:
        if page.labels:
            (docs / f"{page.topic}.txt").write_text(f"{page.text}\n", encoding="utf-8")
            labels[f"{page.topic}.txt"] = sorted(page.labels)
    rules = ", ".join(f"{json.dumps(name)} = {json.dumps(its)}" for name, its in labels.items())
    settings = folder / "citewell.toml"
    text = _SETTINGS.replace("SAID", json.dumps(said))
    settings.write_text(f"{text}\nlabels = {{ {rules} }}\n", encoding="utf-8")
    return settings


_SETTINGS = """
[chat]
user_per_minute = 0
channel_per_minute = 0

[model.obedient]
use = "scripted"

[profile.default]
retriever = "main"
model = "obedient"

[model.parrot]
use = "scripted"
script = [SAID]

[profile.parrot]
retriever = "main"
model = "parrot"
policy = "mark"
passages = 1

[retriever.main]
use = "lexical"
libraries = ["docs"]

[library.docs]
use = "files"
path = "docs"
base_url = "https://docs.example/"
"""


class Spies(logging.Handler):
    """What models were given and what was logged."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.prompts: list[str] = []
        self.logged: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.logged.append(f"{record.getMessage()} {record.exc_text or ''} {record.exc_info}")

    @contextmanager
    def listening(self) -> Iterator[None]:
        """See and hear everything within."""
        generate = ScriptedModel.generate

        def overheard(model: ScriptedModel, prompt: Any) -> Any:
            self.prompts.append(repr(prompt))
            return generate(model, prompt)

        ScriptedModel.generate = overheard  # type: ignore[method-assign,assignment]
        logging.getLogger().addHandler(self)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(self)
            ScriptedModel.generate = generate  # type: ignore[method-assign]


@contextmanager
def staged(
    name: str, library: Callable[[Path], Path] = lambda folder: write(folder, ())
) -> Iterator[tuple[asyncio.Runner, Stage]]:
    """Open a whole bot in the stand-in of a service, on a loop that any number of plays may use."""
    spec: Any = find("adapter", name)
    with asyncio.Runner() as runner:
        leave = asyncio.Event()

        # What was entered in one task must be left in the same one.
        async def keep(ready: asyncio.Future[Stage]) -> None:
            async with open_stage(spec, spec.rehearsal, 20.0, library=library) as stage:
                await stage.bot.configure(groups={one: [label] for one, label in GROUPS.items()})
                stage.person(*GROUPS)
                ready.set_result(stage)
                await leave.wait()

        async def begin() -> tuple[asyncio.Task[None], Stage]:
            ready: asyncio.Future[Stage] = asyncio.get_running_loop().create_future()
            keeper = asyncio.create_task(keep(ready))
            await asyncio.wait({keeper, ready}, return_when=asyncio.FIRST_COMPLETED)
            if keeper.done():
                keeper.result()
            return keeper, await ready

        async def end(keeper: asyncio.Task[None]) -> None:
            leave.set()
            await keeper

        keeper, stage = runner.run(begin())
        try:
            yield runner, stage
        finally:
            runner.run(end(keeper))
