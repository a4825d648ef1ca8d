"""An adapter in the stand-in of its service, and replies that are shown there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from citewell import Context
from citewell.blocks import Block
from citewell.chat import Asked, Rehearsal, Said, Seen
from citewell.delivery.splitting import split
from citewell.testing.opening import find


class _Listening:
    """A host that keeps what it is told."""

    def __init__(self, config: Any) -> None:
        self.config = config
        self.asked: list[Asked] = []

    async def accept(self, event: Any) -> bool:
        if isinstance(event, Asked):
            self.asked.append(event)
        return True

    def takes_part(self, _venue: Any) -> bool:
        return False


class Correspondence:
    """Somebody who asks, and an adapter that is told what to reply."""

    def __init__(self, chat: Rehearsal, adapter: Any, host: _Listening) -> None:
        self.chat = chat
        self.adapter = adapter
        self._host = host
        self._names = count(1)

    async def ask(self, way: str) -> tuple[Said, Asked]:
        """Let somebody new ask in a new channel, directly, or privately by command."""
        before = len(self._host.asked)
        number = next(self._names)
        person = self.chat.person(f"person{number}")
        channel = self.chat.channel(f"channel{number}", [person])
        match way:
            case "channel":
                said = await self.chat.say(person, "What?", channel=channel)
            case "direct":
                said = await self.chat.say(person, "What?", mention=False)
            case _:
                said = await self.chat.command(person, "What?", channel=channel)
        async with asyncio.timeout(10):
            while len(self._host.asked) == before:  # noqa: ASYNC110 - another task's list
                await asyncio.sleep(0.002)
        return said, self._host.asked[-1]

    async def reply(self, way: str, states: Sequence[Sequence[Block]]) -> list[Seen]:
        """Show one state of an answer after the other, the last one for good, and look at it."""
        said, asked = await self.ask(way)
        address, adapter = asked.address, self.adapter
        reply = await adapter.open_reply(address, f"k{asked.key}")
        for at, blocks in enumerate(states, 1):
            messages = split(blocks, lambda part: adapter.fits(part, address))
            await reply.show(messages, complete=at == len(states))
        return self.chat.seen(said.person, channel=said.channel, thread=said.thread)


@asynccontextmanager
async def _opened(name: str, folder: Path) -> AsyncIterator[Correspondence]:
    spec: Any = find("adapter", name)
    async with spec.rehearsal() as chat:
        config = spec.config.model_validate(chat.settings)
        context = Context(
            name=name, log=logging.getLogger("test"), data_dir=folder, base_dir=folder
        )
        async with spec.build(config, context) as adapter:
            host = _Listening(config)
            serving = asyncio.create_task(adapter.serve(host))
            try:
                await chat.until_connected()
                yield Correspondence(chat, adapter, host)
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)


@contextmanager
def correspondence(name: str, folder: Path) -> Iterator[tuple[asyncio.Runner, Correspondence]]:
    """Open an adapter on a loop that any number of examples may run on."""
    with asyncio.Runner() as runner:
        ready: asyncio.Queue[Correspondence] = asyncio.Queue()
        leave = asyncio.Event()

        # What was entered in one task must be left in the same one.
        async def keep() -> None:
            async with _opened(name, folder) as opened:
                ready.put_nowait(opened)
                await leave.wait()

        async def begin() -> tuple[asyncio.Task[None], Correspondence]:
            keeper = asyncio.create_task(keep())
            first = asyncio.create_task(ready.get())
            await asyncio.wait({keeper, first}, return_when=asyncio.FIRST_COMPLETED)
            if keeper.done():
                first.cancel()
                keeper.result()
            return keeper, await first

        async def end(keeper: asyncio.Task[None]) -> None:
            leave.set()
            await keeper

        keeper, opened = runner.run(begin())
        try:
            yield runner, opened
        finally:
            runner.run(end(keeper))
