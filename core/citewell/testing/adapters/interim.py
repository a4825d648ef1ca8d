"""A bot as small as it can be, until `citewell.delivery.bot` is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import sqlalchemy as sa

from citewell import blocking
from citewell.chatting import Adapter, HandOff
from citewell.configs import ChatConfig
from citewell.delivery.access import audience
from citewell.delivery.answering import Answering
from citewell.delivery.desk import Desk
from citewell.engine.assistant import Assistant
from citewell.engine.restoring import current_passages, restored
from citewell.engine.runtime import context_of
from citewell.engine.serving import Serving
from citewell.journal.conversations import Conversations
from citewell.journal.database import open_engine
from citewell.journal.inbox import Inbox
from citewell.journal.journal import Journal, journal_url
from citewell.journal.outbox import Outbox
from citewell.journal.tables import inbox as inbox_table
from citewell.specs import AdapterSpec
from citewell.types.chat import Address, Event, LibraryState, Quoted, Recent, Venue


class InterimHost:
    def __init__(self, name: str, adapter: Adapter, desk: Desk, serving: Serving, engine: sa.Engine):
        self._name, self._adapter, self._desk = name, adapter, desk
        self._serving, self._engine = serving, engine

    @property
    def config(self) -> ChatConfig:
        return cast("ChatConfig", self._serving.settings.adapters[self._name].config)

    async def accept(self, event: Event) -> bool:
        return await self._desk.accept(event)

    async def quotes(self, answer_id: str, address: Address) -> Sequence[Quoted]:
        record = await blocking.call(Journal(self._engine).find, answer_id)
        if record is None:
            return ()
        async with self._serving.lease() as runtime:
            readers = await audience(self._adapter, self.config, address)
            retriever = await runtime.retriever(record.retriever)
            current = await current_passages(record, retriever, readers)
        pointers = [one for claim in record.claims if claim.shown for one in claim.citations]
        quoted = []
        for one in restored(pointers, current.values(), readers):
            text = current[one.passage_id].text
            start = one.start - current[one.passage_id].start
            end = start + len(one.quote)
            quoted.append(
                Quoted(
                    number=one.number,
                    title=one.title,
                    uri=one.uri,
                    place=one.place,
                    before=text[:start],
                    quote=one.quote,
                    after=text[end:],
                )
            )
        return quoted

    async def hand_off(self, answer_id: str, by: str, address: Address) -> HandOff | None:
        return None

    async def libraries(self) -> Sequence[LibraryState]:
        return ()

    async def recent(self, venue: Venue, user: str, *, limit: int = 5) -> Sequence[Recent]:
        return ()

    def takes_part(self, venue: Venue) -> bool:
        query = sa.select(sa.func.count()).where(
            inbox_table.c.conversation == venue.conversation, inbox_table.c.kind == "asked"
        )
        with self._engine.connect() as connection:
            return bool(connection.scalar(query))


class InterimBot:
    def __init__(self, desk: Desk, adapters: Mapping[str, Adapter], hosts: dict[str, Any]) -> None:
        self._desk, self._adapters, self.hosts = desk, adapters, hosts
        self._began = time.time()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._desk.run())
            for name, adapter in self._adapters.items():
                group.create_task(adapter.serve(self.hosts[name]))
                group.create_task(self._catch_up(adapter))

    async def drain(self) -> None:
        await asyncio.sleep(0)

    async def _catch_up(self, adapter: Adapter) -> None:
        while not adapter.is_connected:
            await asyncio.sleep(0.01)
        async for event in adapter.missed(self._began - 60):
            await self._desk.accept(event)


@asynccontextmanager
async def open_bot(serving: Serving) -> AsyncIterator[InterimBot]:
    settings = serving.settings
    async with AsyncExitStack() as stack:
        engine = await blocking.call(
            open_engine, journal_url(settings.journal_url, settings.data_dir)
        )
        stack.callback(engine.dispose)
        adapters: dict[str, Adapter] = {}
        for name, section in settings.adapters.items():
            spec = cast("AdapterSpec[Any]", section.spec)
            context = context_of(settings, "adapter", name)
            adapters[name] = await stack.enter_async_context(spec.build(section.config, context))
        journal = Journal(engine)
        answering = Answering(
            backends=serving,
            assistant=lambda leased: Assistant(leased, journal),
            outbox=Outbox(engine),
            conversations=Conversations(engine),
        )
        desk = Desk(inbox=Inbox(engine), answering=answering, adapters=adapters)
        hosts = {
            name: InterimHost(name, adapter, desk, serving, engine)
            for name, adapter in adapters.items()
        }
        yield InterimBot(desk, adapters, hosts)
