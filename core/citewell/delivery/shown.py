"""A reply, and what the outbox knows of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from citewell import blocking
from citewell.blocks import Block
from citewell.chatting import Reply
from citewell.errors import DeliveryError
from citewell.journal.inbox import Task
from citewell.journal.outbox import Outbox, ReplyRecord, Stage

log = logging.getLogger(__name__)

_STATUS_S = 5.0
_SHOW_S = 120.0


class LeaseLost(Exception):
    """The question is in other hands by now."""


@asynccontextmanager
async def in_time(at_most_s: float | None = None) -> AsyncIterator[None]:
    """Let what a service does end within a time, whatever its client does.

    Raises:
        DeliveryError: it has not.
    """
    seconds = _SHOW_S if at_most_s is None else at_most_s
    within = asyncio.timeout(seconds)
    try:
        async with within:
            yield
    except TimeoutError as error:
        if not within.expired():
            raise
        raise DeliveryError(f"no reply within {seconds:g} s", passes=True) from error


class Shown:
    """A reply, made equal to what it is given, and noted.

    Args:
        outbox: what was said.
        task: the question.
        reply: as the service shows it.
        record: of the reply.
        repeats: what was posted before cannot be changed, so this one says that it is a repeat.
        is_held: tells whether the question is surely in no other hands.
    """

    def __init__(
        self,
        outbox: Outbox,
        task: Task,
        reply: Reply,
        record: ReplyRecord,
        *,
        repeats: bool,
        is_held: Callable[[], bool],
    ) -> None:
        self.repeats = repeats
        self._is_held = is_held
        self._is_lost = False
        self._reply = reply
        self._outbox = outbox
        self._task = task
        self._kept = record.posted

    async def status(self, text: str) -> None:
        """Show that somebody is at it, if that is possible; an answer needs no status."""
        try:
            async with in_time(_STATUS_S):
                await self._reply.status(text)
        except DeliveryError as error:
            log.info("question %d: no status: %s", self._task.seq, error)

    async def grow(self, messages: Sequence[Sequence[Block]]) -> None:
        """Show what there is so far.

        Raises:
            DeliveryError: the service does not take it.
            LeaseLost: the question is in other hands.
        """
        await self._show(messages, complete=False)
        if self._reply.posted != self._kept:
            await self._keep(Stage.STREAMING, None)

    async def finish(self, messages: Sequence[Sequence[Block]], answer: str | None) -> None:
        """Show everything, for good.

        Raises:
            DeliveryError: the service does not take it.
            LeaseLost: the question is in other hands.
        """
        await self._show(messages, complete=True)
        await self._keep(Stage.FINAL, answer)

    async def withdraw(self) -> None:
        """Take back what was shown.

        Raises:
            DeliveryError: the service does not let it go.
            LeaseLost: the question is in other hands.
        """
        self._check()
        async with in_time():
            await self._reply.withdraw()
        await self._keep(Stage.WITHDRAWN, None)

    async def _show(self, messages: Sequence[Sequence[Block]], *, complete: bool) -> None:
        self._check()
        async with in_time():
            await self._reply.show(messages, complete=complete)

    def _check(self) -> None:
        # A process that was stopped for a while may go on before it hears of its loss.
        if self._is_lost or not self._is_held():
            raise LeaseLost

    async def _keep(self, stage: Stage, answer: str | None) -> None:
        posted = self._reply.posted
        repeated = self.repeats and stage is Stage.FINAL

        def note() -> bool:
            return self._outbox.note(
                self._task, posted=posted, stage=stage, answer=answer, repeated=repeated
            )

        # What is kept of two states must be kept in their order.
        if not await blocking.call_to_end(note):
            self._is_lost = True
            raise LeaseLost
        self._kept = posted
