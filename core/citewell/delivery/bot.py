"""Every chat service of the settings, answered in one process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, cast

import sqlalchemy as sa

from citewell import blocking
from citewell.chatting import Adapter
from citewell.delivery.answering import Answering
from citewell.delivery.attachments import Attachments
from citewell.delivery.desk import Desk, Manner
from citewell.delivery.host import ChatHost, Stores
from citewell.delivery.monitoring import Status
from citewell.delivery.watching import Watching
from citewell.engine.assistant import Assistant, Recorder
from citewell.engine.folders import make_folder
from citewell.engine.runtime import Runtime, context_of
from citewell.engine.sections import Settings
from citewell.engine.serving import Serving
from citewell.errors import AdapterError, CitewellError, ConfigError
from citewell.journal.audit import Audit
from citewell.journal.conversations import Conversations, Origin
from citewell.journal.database import open_engine
from citewell.journal.forgetting import Forgetting
from citewell.journal.hearing import Hearing
from citewell.journal.inbox import Inbox, Limits
from citewell.journal.journal import Journal, journal_url
from citewell.journal.ledger import Ledger
from citewell.journal.outbox import Outbox
from citewell.journal.spool import Spool
from citewell.library.plans import loadings
from citewell.library.reading import Reader
from citewell.specs import AdapterSpec

log = logging.getLogger(__name__)

_CLEAN_S = 3600.0


class Bot:
    """Every chat service of the settings, answered in one process.

    Args:
        serving: the components in force.
        stores: what is kept.
        desk: answers what is asked.
        adapters: by the name of their section.
    """

    def __init__(
        self, serving: Serving, stores: Stores, desk: Desk, adapters: Mapping[str, Adapter]
    ) -> None:
        self._serving = serving
        self._stores = stores
        self._desk = desk
        self._adapters = adapters
        self._lost: dict[str, str] = {}
        self.hosts = {
            name: ChatHost(name, adapter, desk, serving=serving, stores=stores)
            for name, adapter in adapters.items()
        }

    async def run(self) -> None:
        """Answer until cancelled.

        Raises:
            AdapterError: a chat service cannot be connected to.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._desk.run())
                for name, adapter in self._adapters.items():
                    watching = Watching(name, adapter, self._desk, self._stores.hearing)
                    group.create_task(self._serve(name, watching))
                    group.create_task(watching.catch_up())
                group.create_task(self._keep_clean())
                group.create_task(self._note_rollbacks())
        except* CitewellError as errors:
            raise _first(errors) from errors

    async def _serve(self, name: str, watching: Watching) -> None:
        """Serve one service; what ends it ends the others only if none is left.

        Raises:
            AdapterError: the service cannot be connected to, or the last one was lost.
        """
        try:
            self._lost[name] = await watching.serve(self.hosts[name])
            if self._lost.keys() == self._adapters.keys():
                raise AdapterError("\n".join(self._lost.values()))
        except CitewellError:
            # What runs in other services may come to its end all the same.
            await self.drain()
            raise

    async def drain(self) -> None:
        """Begin with nothing more, and let what runs come to its end, for a bounded time."""
        await self._desk.close(self._serving.settings.chat.drain_s)

    async def is_idle(self) -> bool:
        """Tell whether every question that came in has its outcome."""
        return not await blocking.call(self._stores.inbox.waiting)

    def status(self) -> Status:
        """Return how it does; blocking."""
        problems = [
            self._lost.get(name, f"{name} is not connected")
            for name, adapter in self._adapters.items()
            if not adapter.is_connected
        ]
        gauges = {
            "connected": {name: float(one.is_connected) for name, one in self._adapters.items()}
        }
        gauges["given_up"] = {"": float(self._desk.given_up)}
        try:
            depths = self._stores.inbox.depths()
        except CitewellError as error:
            problems.append(str(error))
        else:
            gauges["questions"] = {
                **{state.value: float(count) for state, count in depths.rows.items()},
                "turned away": float(depths.turned_away),
            }
            gauges["oldest_question_seconds"] = {"": depths.oldest_s}
        return Status(tuple(problems), gauges)

    async def _note_rollbacks(self) -> None:
        """Note in the audit which models on trial were taken back, and why."""
        while True:
            rollback = await self._serving.trials.rollbacks.get()
            detail = {"profile": rollback.profile, "model": rollback.model, "why": rollback.reason}
            try:
                await blocking.call(
                    partial(self._stores.audit.add, "rolled back", actor="citewell", detail=detail)
                )
            except CitewellError as error:
                log.warning("a rollback cannot be noted in the audit: %s", error)

    async def _keep_clean(self) -> None:
        """Delete what is older than it may be, and what nothing needs any more."""
        days = self._serving.settings.chat.retention_days
        while True:
            try:
                await blocking.call(self._stores.inbox.expire)
                await blocking.call(self._stores.forgetting.catch_up)
                if days is not None:
                    await blocking.call(self._stores.forgetting.retain, days)
            except CitewellError as error:
                log.warning("what is old cannot be deleted: %s", error)
            except Exception:
                log.exception("what is old cannot be deleted")
            await asyncio.sleep(_CLEAN_S)


@asynccontextmanager
async def open_bot(
    serving: Serving, *, recording: Callable[[Recorder], Recorder] = lambda kept: kept
) -> AsyncIterator[Bot]:
    """Open the journal and every chat service of the settings; yield the bot, not yet at work.

    Args:
        serving: the components in force.
        recording: wraps where answers are kept.

    Raises:
        ConfigError: the settings name no chat service, or a secret is not there.
        PluginError: an adapter cannot be opened.
        JournalError: nor can the journal.
    """
    settings = serving.settings
    _check(settings)
    async with AsyncExitStack() as stack:
        make_folder(settings.data_dir)
        url = journal_url(settings.journal_url, settings.data_dir)
        engine = await stack.enter_async_context(
            blocking.opened(partial(open_engine, url), sa.Engine.dispose)
        )
        stores = _stores(engine, settings)
        await blocking.call_to_end(
            partial(stores.journal.take_in, Spool(settings.data_dir / "spool"))
        )
        adapters = {name: await open_adapter(stack, settings, name) for name in settings.adapters}
        files = await stack.enter_async_context(_attachments(settings))
        answering = _answering(serving, stores, recording(stores.journal), files)
        desk = Desk(
            inbox=stores.inbox, answering=answering, adapters=adapters, manner=_manner(settings)
        )
        yield Bot(serving, stores, desk, adapters)


@asynccontextmanager
async def _attachments(settings: Settings) -> AsyncIterator[Attachments]:
    """Open what reads files of questions; its process starts with the first."""
    folder = settings.data_dir / "attachments"
    async with Reader(processes=1, data_dir=folder, base_dir=settings.base_dir) as reader:
        yield Attachments(reader, loadings(settings.loaders), max_mb=settings.chat.attachment_mb)


def _check(settings: Settings) -> None:
    if not settings.adapters:
        raise ConfigError(
            f"{settings.path}: there is no [adapter.NAME], so nobody can ask; add one, like "
            '[adapter.slack] with use = "slack"'
        )
    missing = [line for one in settings.adapters.values() for line in one.missing]
    if missing:
        raise AdapterError("\n".join(missing))


def _stores(engine: sa.Engine, settings: Settings) -> Stores:
    chat = settings.chat
    limits = Limits(
        queue=chat.queue,
        user_per_minute=chat.user_per_minute,
        channel_per_minute=chat.channel_per_minute,
    )
    return Stores(
        journal=Journal(engine, keep_questions=chat.keep_questions),
        inbox=Inbox(engine, limits=limits, keep_questions=chat.keep_questions),
        hearing=Hearing(engine),
        outbox=Outbox(engine),
        conversations=Conversations(engine),
        audit=Audit(engine),
        forgetting=Forgetting(engine),
        ledger=Ledger(engine),
    )


def _manner(settings: Settings) -> Manner:
    chat = settings.chat
    return Manner(workers=chat.workers, answer_s=chat.answer_s)


def _answering(
    serving: Serving, stores: Stores, recorder: Recorder, files: Attachments
) -> Answering:
    def assistant(runtime: Runtime) -> Assistant:
        return Assistant(runtime, recorder, ledger=lambda: stores.ledger)

    def question_of(answer_id: str) -> Origin | None:
        origin = stores.conversations.question_of(answer_id)
        return None if origin is None or origin.is_withdrawn else origin

    return Answering(
        backends=serving,
        assistant=assistant,
        outbox=stores.outbox,
        conversations=stores.conversations,
        question_of=question_of,
        read_attachments=files.read,
    )


async def open_adapter(stack: AsyncExitStack, settings: Settings, name: str) -> Adapter:
    """Open the adapter of a section; nothing is connected yet.

    Raises:
        PluginError: it cannot be opened.
    """
    section = settings.adapters[name]
    spec = cast("AdapterSpec[Any]", section.spec)
    context = context_of(settings, "adapter", name)
    make_folder(context.data_dir)
    return await stack.enter_async_context(spec.build(section.config, context))


def _first(group: BaseExceptionGroup[CitewellError]) -> CitewellError:
    """Return what is to be told of several."""
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
