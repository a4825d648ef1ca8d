"""Works off what came in from chat services: each question gets exactly one visible outcome."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import TypeVar

from msgspec import Struct

from citewell import blocking
from citewell.blocks import Block, Notice
from citewell.delivery.pacing import Pace
from citewell.delivery.splitting import split
from citewell.engine.assistant import Assistant, Backends, new_id, profile_of
from citewell.engine.runtime import Runtime
from citewell.errors import DeliveryError
from citewell.journal.inbox import Accepted, Hold, Inbox, Task
from citewell.journal.outbox import Outbox, ReplyRecord, Stage
from citewell.protocols import Adapter, Reply
from citewell.types.answers import Answer, Outcome
from citewell.types.chat import Event
from citewell.types.questions import Question, Turn

log = logging.getLogger(__name__)

T = TypeVar("T")
_REPEATED = "This repeats an answer that could not be changed."
_FAILED = "Something went wrong. Please ask again."


class Manner(Struct, frozen=True, kw_only=True):
    """How a desk works.

    Attributes:
        workers: questions that are answered at once.
        lease_s: seconds until a question of a process that died is anybody's.
        poll_s: seconds between two looks for questions that another process took in.
        attempts: how often a question is begun with before it fails for good.
        history: earlier questions of a conversation that an answer may lean on.
    """

    workers: int = 8
    lease_s: float = 30.0
    poll_s: float = 1.0
    attempts: int = 5
    history: int = 10


class _Superseded(Exception):
    """The question was changed, taken back or is in other hands; this answer is not the last."""


class _Stopped(Exception):
    """Nobody waits for the rest of the answer."""


class Desk:
    """Takes events in, and has workers answer the questions among them.

    Args:
        backends: the components in force.
        assistant: answers on given components.
        inbox: what came in.
        outbox: what was said.
        adapters: by platform.
        turns: returns what was said before in the conversation of a task; blocking.
        manner: how it works.
    """

    def __init__(
        self,
        *,
        backends: Backends,
        assistant: Callable[[Runtime], Assistant],
        inbox: Inbox,
        outbox: Outbox,
        adapters: Mapping[str, Adapter],
        turns: Callable[[Task, Question], tuple[Turn, ...]],
        manner: Manner | None = None,
    ) -> None:
        self._backends = backends
        self._assistant = assistant
        self._inbox = inbox
        self._outbox = outbox
        self._adapters = adapters
        self._turns = turns
        self._manner = manner or Manner()
        self._owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._woken = asyncio.Event()
        self._changed = asyncio.Condition()

    async def accept(self, event: Event) -> bool:
        """Keep an event; durable on return. False for a repetition.

        Raises:
            JournalError: it could not be kept.
        """
        accepted = await blocking.call(self._inbox.accept, event)
        self._woken.set()
        async with self._changed:
            self._changed.notify_all()
        return accepted is Accepted.NEW

    async def run(self) -> None:
        """Answer what comes, until cancelled; then what is not finished is given back."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._manner.workers):
                group.create_task(self._work())

    async def idle(self) -> None:
        """Return when no question waits for its outcome."""
        while await blocking.call(self._inbox.waiting):
            await asyncio.sleep(0.01)

    # --- a worker -------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            self._woken.clear()
            task = await self._claimed()
            if task is None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), self._manner.poll_s)
                continue
            try:
                await self._serve(task)
            except Exception:
                # The lease runs out, and the question is begun with again.
                log.exception("question %d is left for another try", task.seq)
            self._woken.set()

    async def _claimed(self) -> Task | None:
        try:
            return await blocking.call(self._claim)
        except Exception:
            log.exception("the inbox cannot be read; tried again")
            await asyncio.sleep(self._manner.poll_s)
            return None

    def _claim(self) -> Task | None:
        return self._inbox.claim(self._owner, lease_s=self._manner.lease_s)

    async def _serve(self, task: Task) -> None:
        """Give a question its outcome, or give it back."""
        try:
            await self._held(task, self._answer(task))
        except _Superseded:
            await blocking.call(self._inbox.finish, task, self._owner)
        except DeliveryError as error:
            log.warning("question %d: %s", task.seq, error)
            if error.passes and task.attempts < self._manner.attempts:
                await asyncio.sleep(min(2.0**task.attempts, self._manner.lease_s / 2))
                await blocking.call(self._inbox.release, task, self._owner)
            else:
                await blocking.call(self._inbox.finish, task, self._owner)
        except asyncio.CancelledError:
            await asyncio.shield(blocking.call(self._inbox.release, task, self._owner))
            raise
        else:
            await blocking.call(self._inbox.finish, task, self._owner)

    async def _held(self, task: Task, work: Awaitable[T]) -> T:
        """Do something while the question is held; stop when it is no longer the same.

        Raises:
            _Superseded: it was changed, or is lost.
        """
        working = asyncio.ensure_future(work)
        watching = asyncio.create_task(self._watch(task))
        try:
            await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            raise _Superseded
        finally:
            for one in (working, watching):
                one.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def _watch(self, task: Task) -> None:
        """Renew the lease until the question is not to be answered like this any more."""
        while await blocking.call(self._renew, task) in {Hold.HELD}:
            async with self._changed:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), self._manner.lease_s / 3)

    def _renew(self, task: Task) -> Hold:
        return self._inbox.renew(task, self._owner, lease_s=self._manner.lease_s)

    # --- an answer ------------------------------------------------------------------------

    async def _answer(self, task: Task) -> None:
        adapter = self._adapters[task.asked.venue.platform]
        shown = await self._opened(task, adapter)
        if task.is_withdrawn:
            await shown.withdraw()
            return
        await shown.reply.status("Looking …")
        async with self._backends.lease() as runtime:
            question = await self._question(task, adapter, runtime)
            profile = runtime.settings.profiles[question.profile or ""]
            formatter = await runtime.formatter(profile.formatter)
            pace = Pace(shown.grow, adapter.pace_s)
            answer: Answer | None = None
            try:
                async with aclosing(self._assistant(runtime).ask(question)) as growing:
                    async for answer in growing:
                        blocks = formatter.render(answer)
                        if not answer.complete and blocks:
                            pace.offer(shown.messages(blocks))
            finally:
                await pace.stop()
        if answer is None or not blocks:
            blocks = [Notice(_FAILED)]
        await shown.finish(blocks, None if answer is None else answer.id)

    async def _opened(self, task: Task, adapter: Adapter) -> _Shown:
        address = task.asked.address
        record, was_there = await blocking.call(self._outbox.open, task, address)
        reply: Reply | None = None
        if was_there:
            reply = await adapter.find_reply(address, record.key, record.posted)
        repeats = reply is None and bool(record.posted)
        if reply is None:
            reply = await adapter.open_reply(address, record.key)
        return _Shown(self._outbox, task, adapter, reply, record, repeats=repeats)

    async def _question(self, task: Task, adapter: Adapter, runtime: Runtime) -> Question:
        asked = task.asked
        question = Question(
            id=new_id(),
            text=task.text,
            audience=await adapter.audience(asked.address),
            asker=asked.user,
            channel=asked.venue.channel,
        )
        named = profile_of(question, runtime.settings)
        history = await blocking.call(self._turns, task, question)
        return Question(
            id=question.id,
            text=question.text,
            audience=question.audience,
            history=history,
            profile=named,
            asker=question.asker,
            channel=question.channel,
        )


class _Shown:
    """A reply, and what the outbox knows of it.

    Args:
        outbox: what was said.
        task: the question.
        adapter: of the reply.
        reply: as the service shows it.
        record: of the reply.
        repeats: what was posted before cannot be changed, so this one says that it is a repeat.
    """

    def __init__(
        self,
        outbox: Outbox,
        task: Task,
        adapter: Adapter,
        reply: Reply,
        record: ReplyRecord,
        *,
        repeats: bool,
    ) -> None:
        self.reply = reply
        self._outbox = outbox
        self._task = task
        self._adapter = adapter
        self._posted = record.posted
        self._repeats = repeats

    def messages(self, blocks: list[Block] | tuple[Block, ...] | object) -> list[list[Block]]:
        """Cut blocks into messages of this platform."""
        address = self._task.asked.address
        told = [*([Notice(_REPEATED)] if self._repeats else []), *blocks]  # type: ignore[misc]
        return split(told, lambda part: self._adapter.fits(part, address))

    async def grow(self, messages: object) -> None:
        """Show what there is so far."""
        await self.reply.show(messages, complete=False)  # type: ignore[arg-type]
        await self._note(Stage.STREAMING)

    async def finish(self, blocks: object, answer: str | None) -> None:
        """Show everything, for good."""
        await self.reply.show(self.messages(blocks), complete=True)
        await self._note(Stage.FINAL, answer, always=True)

    async def withdraw(self) -> None:
        """Take back what was shown."""
        await self.reply.withdraw()
        await self._note(Stage.WITHDRAWN, always=True)

    async def _note(self, stage: Stage, answer: str | None = None, *, always: bool = False) -> None:
        if self.reply.posted == self._posted and not always:
            return
        repeated = self._repeats and self.reply.posted != self._posted
        self._posted = self.reply.posted
        await blocking.call(self._keep, stage, answer, repeated)

    def _keep(self, stage: Stage, answer: str | None, repeated: bool) -> None:
        self._outbox.note(
            self._task, posted=self._posted, stage=stage, answer=answer, repeated=repeated
        )
