"""Where scenarios are played: people in a stand-in for a chat service, and a whole bot in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from citewell.chatting import Rehearsal
from citewell.configs import ChannelConfig
from citewell.journal.records import AnswerRecord
from citewell.specs import AdapterSpec
from citewell.testing.adapters.backstage import Backstage
from citewell.testing.adapters.library import DAYS
from citewell.types.chat import Asked
from citewell.types.rehearsal import Said, Seen

T = TypeVar("T")
_LOOK_S = 0.01


class Stage:
    """People who ask, and what they see of the bot.

    Args:
        chat: the stand-in.
        bot: whose adapter is connected to it.
        timeout_s: how long anything is waited for.

    Attributes:
        is_used: a scenario was played here.
    """

    def __init__(self, chat: Rehearsal, bot: Backstage, timeout_s: float) -> None:
        self.chat = chat
        self.bot = bot
        self.is_used = False
        self._timeout_s = timeout_s
        self._numbers = count(1)

    # --- who and where --------------------------------------------------------------------

    def person(self, *groups: str) -> str:
        """Return somebody new, who is a member of these groups."""
        return self.chat.person(f"person{next(self._numbers)}", groups=groups)

    async def channel(self, *members: str, **settings: Any) -> str:
        """Return a new channel with these members, and with settings of its own if so told."""
        name = self.chat.channel(f"channel{next(self._numbers)}", members)
        if settings:
            await self.bot.configure(channels={name: ChannelConfig(**settings)})
        return name

    async def scene(self, *groups: str, **settings: Any) -> tuple[str, str]:
        """Return somebody new and a channel in which nobody else is."""
        person = self.person(*groups)
        return person, await self.channel(person, **settings)

    # --- what is seen ---------------------------------------------------------------------

    def seen(self, said: Said, reader: str | None = None) -> list[Seen]:
        """Return what stands where the answer is looked for, as the asker or somebody else sees."""
        return self.chat.seen(reader or said.person, channel=said.channel, thread=said.thread)

    async def reply(self, said: Said, reader: str | None = None) -> list[Seen]:
        """Return what answers, once it is complete and nothing else is being answered."""

        def complete() -> list[Seen] | None:
            seen = self.seen(said, reader)
            is_complete = bool(seen) and not any(one.is_growing for one in seen)
            return seen if is_complete and not self.bot.inbox.waiting() else None

        return await self.until(complete, lambda: f"no complete reply; there is: {self._told(said)}")

    async def one_reply(self, said: Said, reader: str | None = None) -> Seen:
        """Return the one message that answers."""
        await self.reply(said, reader)
        await self.settled()
        seen = self.seen(said, reader)
        assert len(seen) == 1, (
            f"one question, one reply; there are {len(seen)} messages: {self._told(said)}; "
            "let `show` change what was posted, and find it again in `find_reply`"
        )
        return seen[0]

    async def says(self, said: Said, text: str, reader: str | None = None) -> list[Seen]:
        """Return what answers, once it is complete and contains a text."""

        def found() -> list[Seen] | None:
            seen = self.seen(said, reader)
            is_complete = bool(seen) and not any(one.is_growing for one in seen)
            is_there = text in joined(seen) and not self.bot.inbox.waiting()
            return seen if is_complete and is_there else None

        return await self.until(
            found, lambda: f"{text!r} is not in a complete reply: {self._told(said)}"
        )

    async def nothing(self, said: Said, reader: str | None = None) -> None:
        """Assert that nothing answers, when all that happened was taken in."""
        await self.settled()
        seen = self.seen(said, reader)
        assert not seen, f"nothing was to be answered; there is: {joined(seen)!r}"

    async def settled(self) -> None:
        """Wait until everything that happened so far was heard, and is answered."""
        person, channel = await self.scene()
        said = await self.chat.say(person, DAYS, channel=channel)

        def is_heard() -> bool:
            seen = self.seen(said)
            is_complete = bool(seen) and not any(one.is_growing for one in seen)
            return is_complete and not self.bot.inbox.waiting()

        await self.until(is_heard, lambda: "a later question in another channel has no answer")

    async def growing(self, said: Said) -> Seen:
        """Return an answer as it is seen before it is complete."""

        def begun() -> Seen | None:
            return next((one for one in self.seen(said) if one.is_growing), None)

        return await self.until(
            begun, lambda: "no answer was shown while it grew; show() is called with complete=False"
        )

    async def until(self, found: Callable[[], T | None], told: Callable[[], str]) -> T:
        """Return what `found` returns, once that is something; blame the adapter otherwise."""
        try:
            async with asyncio.timeout(self._timeout_s):
                while not (result := found()):
                    self.bot.check()
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise AssertionError(f"after {self._timeout_s:g} seconds: {told()}") from None
        return result

    def _told(self, said: Said) -> str:
        return repr([one.text for one in self.seen(said)])

    # --- the bot --------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the bot, and wait until it hears what happens."""
        await self.bot.start()
        waiting = asyncio.ensure_future(self.chat.until_connected())
        try:
            await self.until(lambda: waiting.done(), lambda: "the adapter did not connect")
            await waiting
        finally:
            waiting.cancel()

    async def restart(self) -> None:
        """End the bot wherever it is, and start it anew."""
        await self.bot.stop()
        await self.start()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nothing that happens reach the core within."""
        self.bot.host.hold()
        yield

    async def heard(self, kind: type, times: int) -> None:
        """Wait until the adapter told of so many events of a kind."""
        await self.until(
            lambda: sum(isinstance(one, kind) for one in self.bot.heard) >= times,
            lambda: f"the adapter told of no {kind.__name__}: {self.bot.heard[-3:]}",
        )

    # --- the journal ----------------------------------------------------------------------

    def answers(self, person: str) -> list[AnswerRecord]:
        """Return what the journal holds of the answers to somebody, newest first."""
        found = self.bot.journal.recent(50)
        return [one for one in found if (one.asker or "").rpartition("/")[2] == person]

    def questions(self, person: str) -> list[Asked]:
        """Return what the adapter told that somebody asked."""
        return [one for one in self.bot.heard if isinstance(one, Asked) and one.user == person]

    async def shown(self, person: str, said: Said, text: str) -> str:
        """Return what a button opened for somebody, once it contains a text.

        Args:
            person: who pressed it.
            said: the question whose answer has the button.
            text: is looked for in forms, pages, and messages for this person alone.
        """

        def found() -> str | None:
            private = [one.text for one in self.seen(said, person) if one.only_for == person]
            everything = "\n".join((*private, self.chat.form(person) or ""))
            return everything if text in everything else None

        return await self.until(
            found, lambda: f"{text!r} is not in what the button shows: {self.chat.form(person)!r}"
        )


def joined(seen: Sequence[Seen]) -> str:
    """Return the text of messages as one."""
    return "\n".join(one.text for one in seen)


Opener = Callable[[], AbstractAsyncContextManager[Rehearsal]]


@asynccontextmanager
async def open_stage(
    spec: AdapterSpec[Any], opener: Opener, timeout_s: float
) -> AsyncIterator[Stage]:
    """Open a stand-in, write a library, and start a bot on both."""
    with TemporaryDirectory(prefix="citewell-") as folder:
        async with opener() as chat:
            connection: Mapping[str, object] = chat.settings
            bot = Backstage(spec, connection, Path(folder).resolve())
            try:
                await bot.prepare()
                stage = Stage(chat, bot, timeout_s)
                await stage.start()
                yield stage
            finally:
                await bot.close()
