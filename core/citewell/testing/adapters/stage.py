"""Where scenarios are played: people in a stand-in for a chat service, and a whole bot in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
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
from citewell.testing.adapters.library import DAYS, GROUP, OTHER_GROUP, write_library
from citewell.types.chat import Asked
from citewell.types.rehearsal import Said, Seen

T = TypeVar("T")
_LOOK_S = 0.01
_MOST_TOLD = 1000


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
        self._names: dict[str, str] = {}

    # --- who and where --------------------------------------------------------------------

    def person(self, *groups: str) -> str:
        """Return somebody new, who is a member of these groups."""
        name = f"person{next(self._numbers)}"
        person = self.chat.person(name, groups=groups)
        self._names[person] = name
        return person

    async def channel(self, *members: str, **settings: Any) -> str:
        """Return a new channel with these members, and with settings of its own if so told."""
        name = f"channel{next(self._numbers)}"
        channel = self.chat.channel(name, members)
        self._names[channel] = name
        if settings:
            await self.configured(channel, **settings)
        return channel

    async def configured(self, channel: str, **settings: Any) -> None:
        """Let settings hold in a channel from now on, also in a direct one."""
        await self.bot.configure(channels={channel: ChannelConfig(**settings)})

    def regroup(self, person: str, *groups: str) -> None:
        """Let somebody be a member of these groups alone from now on."""
        self.chat.person(self._names[person], groups=groups)

    def readmit(self, channel: str, *members: str) -> None:
        """Let a channel have these members alone from now on."""
        self.chat.channel(self._names[channel], members)

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

        return await self.until(
            complete, lambda: f"no complete reply; there is: {self._told(said)}"
        )

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
            found, lambda: f"{_short(text)!r} is not in a complete reply: {self._told(said)}"
        )

    async def nothing(self, said: Said, reader: str | None = None) -> None:
        """Assert that nothing answers, when all that happened was taken in."""
        await self.settled()
        seen = self.seen(said, reader)
        assert not seen, f"nothing was to be answered; there is: {joined(seen)!r}"

    async def settled(self) -> None:
        """Wait until everything that happened so far was heard, and is answered.

        What the bot catches up on overtakes what its adapter has still to tell. So only a later
        question that the adapter itself told of shows that it told of everything before.
        """
        while not await self._asked_later():
            pass

    async def _asked_later(self) -> bool:
        """Ask elsewhere, wait for the answer, and return whether the adapter told of it."""
        person, channel = await self.scene()
        said = await self.chat.say(person, DAYS, channel=channel)

        def is_answered() -> bool:
            seen = self.seen(said)
            is_complete = bool(seen) and not any(one.is_growing for one in seen)
            return is_complete and not self.bot.inbox.waiting()

        await self.until(is_answered, lambda: "a later question in another channel has no answer")
        return bool(self.questions(person))

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
        return _short(repr([one.text for one in self.seen(said)]))

    # --- the bot --------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the bot, and wait until it hears what happens."""
        await self.bot.start()
        waiting = asyncio.ensure_future(self.chat.until_connected())
        try:
            await self.until(lambda: waiting.done() or None, lambda: "the adapter did not connect")
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

    async def is_heard(self, person: str) -> None:
        """Wait until the adapter told that somebody asked."""
        await self.until(
            lambda: self.questions(person) or None, lambda: "the adapter told of no question"
        )

    # --- the journal ----------------------------------------------------------------------

    def answers(self, person: str) -> list[AnswerRecord]:
        """Return what the journal holds of the answers to somebody, newest first."""
        found = self.bot.journal.recent(50)
        return [one for one in found if (one.asker or "").rpartition("/")[2] == person]

    def questions(self, person: str) -> list[Asked]:
        """Return what the adapter told that somebody asked, repetitions left out."""
        asked = [one for one in self.bot.heard if isinstance(one, Asked) and one.user == person]
        return list({(one.venue.channel, one.key): one for one in reversed(asked)}.values())[::-1]

    # --- buttons --------------------------------------------------------------------------

    async def press(self, person: str, said: Said, name: str) -> Seen:
        """Let somebody press the last button of this name below an answer; return its message."""

        def found() -> Seen | None:
            seen = reversed(self.seen(said, person))
            return next((one for one in seen if one.button(name) is not None), None)

        message = await self.until(
            found, lambda: f"there is no button {name!r}: {self._told(said)}"
        )
        button = message.button(name)
        assert button is not None
        await self.chat.press(person, message, button)
        return message

    async def votes(self, person: str, count: int) -> list[tuple[bool, str]]:
        """Return the votes on the last answer to somebody, once there are so many."""

        def found() -> list[tuple[bool, str]] | None:
            votes = self._votes(person)
            return votes if len(votes) >= count else None

        return await self.until(
            found, lambda: f"the journal has these votes: {self._votes(person)}"
        )

    async def until_voted(self, person: str, vote: tuple[bool, str]) -> None:
        """Wait until this is the one vote on the last answer to somebody."""
        await self.until(
            lambda: self._votes(person) == [vote] or None,
            lambda: f"expected the vote {vote}; the journal has {self._votes(person)}",
        )

    def _votes(self, person: str) -> list[tuple[bool, str]]:
        answer = self.answers(person)[0].id
        return [(one.is_helpful, one.reason) for one in self.bot.feedback.of_answer(answer)]

    def handed_off(self, person: str) -> int:
        """Return how often the last answer to somebody was handed off."""
        answer = self.answers(person)[0].id
        return sum(
            one.action == "handed off" and answer in str(one.detail)
            for one in self.bot.audit.entries()
        )

    def told(self, person: str, said: Said) -> str:
        """Return what somebody alone sees: forms and pages, and messages for nobody else."""
        places = {said.thread, ""}
        private = [
            one.text
            for thread in places
            for one in self.chat.seen(person, channel=said.channel, thread=thread)
            if one.only_for == person
        ]
        return "\n".join((*private, self.chat.form(person) or ""))

    async def until_told(self, person: str, said: Said, text: str) -> str:
        """Return what somebody alone sees once it contains a text."""

        def found() -> str | None:
            told = self.told(person, said)
            return told if text in told else None

        return await self.until(
            found, lambda: f"{text!r} is not in what is shown: {self.told(person, said)!r}"
        )


def _short(told: str) -> str:
    return told if len(told) < _MOST_TOLD else f"{told[:_MOST_TOLD]} …"


def joined(seen: Sequence[Seen]) -> str:
    """Return the text of messages as one."""
    return "\n".join(one.text for one in seen)


Opener = Callable[[], AbstractAsyncContextManager[Rehearsal]]


@asynccontextmanager
async def open_stage(
    spec: AdapterSpec[Any],
    opener: Opener,
    timeout_s: float,
    *,
    library: Callable[[Path], Path] = write_library,
) -> AsyncIterator[Stage]:
    """Open a stand-in, write a library, and start a bot on both."""
    with TemporaryDirectory(prefix="citewell-") as folder:
        async with opener() as chat:
            bot = Backstage(spec, chat.settings, Path(folder), library=library)
            try:
                await bot.prepare()
                stage = Stage(chat, bot, timeout_s)
                # The groups that settings name are there before anybody asks.
                stage.person(GROUP, OTHER_GROUP)
                await stage.start()
                yield stage
            finally:
                await bot.close()
