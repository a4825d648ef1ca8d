"""Holds a question while it is worked at: renews its lease, and sees what becomes of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from citewell import blocking
from citewell.journal.inbox import Hold, Inbox, Task
from citewell.types.chat import Venue

log = logging.getLogger(__name__)

T = TypeVar("T")


class Interrupted(Exception):
    """The question did not stay as it was.

    Attributes:
        became: what became of it.
    """

    def __init__(self, became: Hold) -> None:
        """Keep what became of it."""
        super().__init__(became)
        self.became = became


class Holding:
    """The lease of one question.

    Args:
        inbox: renews it.
        task: the question.
        owner: of the lease.
        lease_s: for how long it is renewed, each third of that time.
    """

    def __init__(self, inbox: Inbox, task: Task, owner: str, *, lease_s: float) -> None:
        self._inbox = inbox
        self._task = task
        self._owner = owner
        self._lease_s = lease_s
        self._news = asyncio.Event()
        self._renewed_at = time.time()
        loop = asyncio.get_running_loop()
        self._changed: asyncio.Future[Hold] = loop.create_future()
        self._lost: asyncio.Future[Hold] = loop.create_future()

    def concerns(self, venue: Venue) -> bool:
        """Tell whether what happens at `venue` may be about this question."""
        mine = self._task.asked.venue
        return (mine.platform, mine.team, mine.channel) == (
            venue.platform,
            venue.team,
            venue.channel,
        )

    def is_held(self) -> bool:
        """Tell whether the lease has surely not run out, by the clock that the journal goes by."""
        return time.time() - self._renewed_at < self._lease_s

    def look(self) -> None:
        """Look at once what became of the question."""
        self._news.set()

    @asynccontextmanager
    async def renewed(self) -> AsyncIterator[None]:
        """Renew the lease, for the first time at once, until the end."""
        await self._look()
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def during(self, work: Coroutine[Any, Any, T], *, to_the_end: bool = False) -> T:
        """Do something, and cancel it where it is no longer wanted.

        Args:
            work: what is done.
            to_the_end: only who has lost the question leaves off.

        Raises:
            Interrupted: it was cancelled.
        """
        ends = self._lost if to_the_end else self._changed
        working = asyncio.create_task(work)
        either: set[asyncio.Future[Any]] = {working, ends}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise Interrupted(ends.result())
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        return working.result()

    async def _watch(self) -> None:
        """Renew until the lease is lost: what is stopped or changed is held on to as well."""
        while not self._lost.done():
            await happens(self._news, within_s=self._lease_s / 3)
            self._news.clear()
            await self._look()

    async def _look(self) -> None:
        """Renew the lease once, and see what became of the question."""
        since, became = time.time(), Hold.HELD
        try:
            became = await blocking.call(self._renew)
            self._renewed_at = since
        except Exception:
            log.exception("question %d cannot be held; tried again", self._task.seq)
            if not self.is_held():
                became = Hold.LOST
        if became is not Hold.HELD and not self._changed.done():
            self._changed.set_result(became)
        if became is Hold.LOST:
            self._lost.set_result(became)

    def _renew(self) -> Hold:
        return self._inbox.renew(self._task, self._owner, lease_s=self._lease_s)


async def happens(event: asyncio.Event, *, within_s: float) -> None:
    """Wait for an event, but no longer."""
    # `asyncio.wait_for` of Python 3.11 forgets a cancellation that comes together with the event.
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
