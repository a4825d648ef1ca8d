"""Works off what came in from chat services: each question gets exactly one visible outcome."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Awaitable, Mapping
from contextlib import suppress

from msgspec import Struct

from citewell import blocking
from citewell.chatting import Adapter
from citewell.delivery.answering import Answering
from citewell.errors import DeliveryError
from citewell.journal.inbox import Accepted, Hold, Inbox, Task
from citewell.types.chat import Event

log = logging.getLogger(__name__)


class Manner(Struct, frozen=True, kw_only=True):
    """How a desk works.

    Attributes:
        workers: questions that are answered at once.
        lease_s: seconds until a question of a process that died is anybody's.
        poll_s: seconds between two looks for questions that another process took in.
        attempts: how often a question is begun with before it is given up.
    """

    workers: int = 8
    lease_s: float = 30.0
    poll_s: float = 1.0
    attempts: int = 5


class Desk:
    """Takes events in, and has workers answer the questions among them.

    Args:
        inbox: what came in.
        answering: answers one question.
        adapters: by platform.
        manner: how it works.
    """

    def __init__(
        self,
        *,
        inbox: Inbox,
        answering: Answering,
        adapters: Mapping[str, Adapter],
        manner: Manner | None = None,
    ) -> None:
        self._inbox = inbox
        self._answering = answering
        self._adapters = adapters
        self._manner = manner or Manner()
        self._owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._woken = asyncio.Event()
        self._news: set[asyncio.Event] = set()

    async def accept(self, event: Event) -> bool:
        """Keep an event; durable on return. False for a repetition.

        Raises:
            JournalError: it could not be kept.
        """
        accepted = await blocking.call(self._inbox.accept, event)
        self._woken.set()
        for news in self._news:
            news.set()
        return accepted is Accepted.NEW

    async def run(self) -> None:
        """Answer what comes, until cancelled; then what has no outcome is given back."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._manner.workers):
                group.create_task(self._work())

    # --- a worker -------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            self._woken.clear()
            task = await self._claimed()
            if task is None:
                await _happens(self._woken, within_s=self._manner.poll_s)
                continue
            try:
                await self._serve(task)
            except Exception:
                log.exception("question %d, try %d", task.seq, task.attempts)
                await self._stumbled(task)
            self._woken.set()

    async def _claimed(self) -> Task | None:
        def claim() -> Task | None:
            return self._inbox.claim(self._owner, lease_s=self._manner.lease_s)

        try:
            return await blocking.call(claim)
        except Exception:
            log.exception("the inbox cannot be read; tried again")
            await asyncio.sleep(self._manner.poll_s)
            return None

    async def _serve(self, task: Task) -> None:
        """Give a question its outcome, or give it back."""
        adapter = self._adapters[task.asked.venue.platform]
        try:
            async with self._answering.opened(task, adapter) as answering:
                became = await self._held(task, answering.run())
                if became is Hold.STOPPED:
                    await answering.stop()
        except DeliveryError as error:
            log.warning("question %d: %s", task.seq, error)
            if error.passes and task.attempts < self._manner.attempts:
                await asyncio.sleep(min(0.5 * 2**task.attempts, self._manner.lease_s / 2))
                await blocking.call(self._inbox.release, task, self._owner)
                return
        except asyncio.CancelledError:
            await asyncio.shield(blocking.call(self._inbox.release, task, self._owner))
            raise
        await blocking.call(self._inbox.finish, task, self._owner)

    async def _stumbled(self, task: Task) -> None:
        """Leave a question to the next try, when its lease has run out; after the last, say so."""
        if task.attempts < self._manner.attempts:
            return
        adapter = self._adapters[task.asked.venue.platform]
        try:
            async with self._answering.opened(task, adapter) as answering:
                await answering.fail()
            await blocking.call(self._inbox.finish, task, self._owner)
        except Exception:
            log.exception("question %d: not even that it failed can be shown", task.seq)

    async def _held(self, task: Task, work: Awaitable[None]) -> Hold:
        """Do something while the question is held, and tell whether it stayed as it was.

        What is no longer wanted is cancelled.
        """
        working, watching = asyncio.ensure_future(work), asyncio.create_task(self._watch(task))
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
                return Hold.HELD
            return watching.result()
        finally:
            for one in (working, watching):
                one.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def _watch(self, task: Task) -> Hold:
        """Renew the lease until the question is not to be answered like this any more."""

        def renew() -> Hold:
            return self._inbox.renew(task, self._owner, lease_s=self._manner.lease_s)

        news = asyncio.Event()
        self._news.add(news)
        try:
            while True:
                news.clear()
                became = await blocking.call(renew)
                if became is not Hold.HELD:
                    return became
                await _happens(news, within_s=self._manner.lease_s / 3)
        finally:
            self._news.discard(news)


async def _happens(event: asyncio.Event, *, within_s: float) -> None:
    """Wait for an event, but no longer."""
    # `asyncio.wait_for` of Python 3.11 forgets a cancellation that comes together with the event.
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
