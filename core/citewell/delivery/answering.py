"""One question on its way to one reply: asked, shown while it grows, and kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from functools import partial

from msgspec.structs import replace

from citewell import blocking
from citewell.blocks import Actions, Block, Notice, SourceList
from citewell.chatting import Adapter, Reply
from citewell.delivery import wording
from citewell.delivery.actions import chat_actions
from citewell.delivery.asking import (
    Asking,
    Put,
    QuestionOf,
    ReadAttachments,
    nothing_kept,
    nothing_read,
)
from citewell.delivery.failing import failed_record
from citewell.delivery.pacing import Messages, Pace
from citewell.delivery.shown import Shown, in_time
from citewell.delivery.splitting import split
from citewell.engine.assistant import Assistant, Backends
from citewell.engine.runtime import Runtime
from citewell.errors import JournalError
from citewell.journal.conversations import Conversations
from citewell.journal.inbox import Task
from citewell.journal.outbox import Outbox, Stage
from citewell.noticing import Reminder, listening
from citewell.protocols import Formatter
from citewell.redaction import redact
from citewell.types.answers import Answer

log = logging.getLogger(__name__)


class Answering:
    """Answers questions on the components in force.

    Args:
        backends: these components.
        assistant: makes an assistant on given ones.
        outbox: what was said.
        conversations: what was said before.
        question_of: looks up the question of an answer that is asked again; by default none is
            known.
        read_attachments: reads what came with a question; by default nothing is.
    """

    def __init__(
        self,
        *,
        backends: Backends,
        assistant: Callable[[Runtime], Assistant],
        outbox: Outbox,
        conversations: Conversations,
        question_of: QuestionOf = nothing_kept,
        read_attachments: ReadAttachments = nothing_read,
    ) -> None:
        self.assistant = assistant
        self.outbox = outbox
        self.asking = Asking(
            conversations, question_of=question_of, read_attachments=read_attachments
        )
        self.backends = backends
        self.reminder = Reminder()

    @asynccontextmanager
    async def course(
        self, task: Task, adapter: Adapter, is_held: Callable[[], bool]
    ) -> AsyncIterator[Course]:
        """Yield the way of one question, on one generation of the settings; nothing is begun.

        Args:
            task: the question.
            adapter: of its platform.
            is_held: tells whether the question is surely in no other hands.
        """
        async with self.backends.lease() as runtime:
            yield Course(self, task, adapter, runtime, is_held)


class Course:
    """The way of one question: `open`, then `grow`, then `conclude`.

    Args:
        answering: how questions are answered.
        task: the question.
        adapter: of its platform.
        runtime: the components that answer it.
        is_held: tells whether the question is surely in no other hands.

    Attributes:
        is_over: the reply says already what is to be said.
    """

    def __init__(
        self,
        answering: Answering,
        task: Task,
        adapter: Adapter,
        runtime: Runtime,
        is_held: Callable[[], bool],
    ) -> None:
        self.is_over = False
        self._is_held = is_held
        self._answering = answering
        self._task = task
        self._adapter = adapter
        self._runtime = runtime
        self._shown: Shown | None = None
        self._put: Put | None = None
        self._formatter: Formatter | None = None
        self._answer: Answer | None = None
        self._failed: str | None = None
        self._broken_off = ""

    async def open(self) -> None:
        """Begin a reply, or find the one of before a crash.

        Raises:
            DeliveryError: the service cannot be reached.
        """
        task, adapter, outbox = self._task, self._adapter, self._answering.outbox
        address = task.asked.address
        record, was_there = await blocking.call(outbox.open, task, address)
        is_told = record.stage in {Stage.FINAL, Stage.WITHDRAWN}
        if is_told and record.revision == task.revision:
            self.is_over = True
            return
        found: Reply | None = None
        async with in_time():
            if was_there:
                found = await adapter.find_reply(address, record.key, record.posted)
            if found is None and task.is_withdrawn:
                # Nothing was posted, or nothing that can be taken back.
                self.is_over = True
                return
            reply = found or await adapter.open_reply(address, record.key)
        repeats = was_there and found is None
        self._shown = Shown(outbox, task, reply, record, repeats=repeats, is_held=self._is_held)

    async def grow(self, *, within_s: float) -> None:
        """Show the answer as it grows, but not its end. It may be cancelled at any time.

        Args:
            within_s: seconds after which it is broken off.

        Raises:
            DeliveryError: the service does not take it.
            LeaseLost: the question is in other hands.
        """
        if self.is_over or self._task.is_withdrawn or self._task.turned_away:
            return
        if self._asks_nothing:
            self._broken_off = wording.EMPTY
            return
        within = asyncio.timeout(within_s)
        try:
            async with within:
                await self._grow(within.expired)
        except TimeoutError:
            if not within.expired():
                raise
            self._broken_off = wording.late(within_s, self._reference)

    def stop(self) -> None:
        """Let the end say that the answer was stopped, unless it is whole."""
        self._broken_off = wording.STOPPED

    async def conclude(self) -> None:
        """Show the end; or take all back with the question. What is cancelled may be posted twice.

        Raises:
            DeliveryError: the service does not take it.
            LeaseLost: the question is in other hands.
        """
        task = self._task
        if self.is_over:
            return
        if task.is_withdrawn:
            await self._reply.withdraw()
        elif task.turned_away:
            told = wording.TURNED_AWAY.get(task.turned_away, wording.TURNED_AWAY["queue"])
            await self._finish([Notice(told)])
        elif self._answer is not None and self._answer.complete:
            not_read = self._put.not_read if self._put else ()
            notes = [Notice(wording.not_read(not_read))] if not_read else []
            blocks = self._blocks(self._answer)
            await self._finish([*blocks, *notes, *self._actions(stopped=False)])
        else:
            blocks = self._blocks(self._answer) if self._answer else []
            why = Notice(self._broken_off or wording.GONE)
            await self._finish([*blocks, why, *self._actions(stopped=True)])

    async def fail(self, cause: str) -> None:
        """Say that there will be no answer, with a reference to ask about.

        Args:
            cause: why, for whoever looks the reference up.

        Raises:
            DeliveryError: the service does not take it.
            LeaseLost: the question is in other hands.
        """
        if self._shown is None:
            await self.open()
        if not self.is_over:
            if self._answer is None:
                self._failed = await self._recorded(cause)
            told = Notice(wording.failed(self._reference))
            await self._finish([told, *self._actions(stopped=True)])

    async def _recorded(self, cause: str) -> str | None:
        """Keep why there is no answer, and return the reference; None where that cannot be kept."""
        record = failed_record(self._task, cause, self._runtime.settings.generation)
        try:
            await self._answering.assistant(self._runtime).keep(record)
        except JournalError as error:
            log.warning("question %d: why it failed cannot be kept: %s", self._task.seq, error)
            return None
        return record.id

    # --- growing --------------------------------------------------------------------------

    async def _grow(self, is_late: Callable[[], bool]) -> None:
        await self._reply.status(wording.LOOKING)
        put = await self._answering.asking.put(self._task, self._adapter, self._runtime)
        if put is None:
            return
        self._put = put
        profile = self._runtime.settings.profiles[put.question.profile or ""]
        self._formatter = await self._runtime.formatter(profile.formatter)
        pace = Pace(self._reply.grow, self._adapter.pace_s)
        asking = self._answering.assistant(self._runtime).ask(put.question, is_late=is_late)
        try:
            with self._logging():
                async with aclosing(asking) as growing:
                    async for answer in growing:
                        self._answer = answer
                        if not answer.complete:
                            pace.offer(partial(self._state, answer))
        finally:
            await pace.stop()

    @contextmanager
    def _logging(self) -> Iterator[None]:
        """Let the log have what people in a chat are not told of what the answer lacks."""
        with listening() as notices:
            yield
        for detail in (redact(one.detail) for one in notices if one.detail):
            if self._answering.reminder.is_due(detail):
                log.warning("%s", detail)

    def _state(self, answer: Answer) -> Messages:
        return self._messages(self._blocks(answer))

    # --- what is shown --------------------------------------------------------------------

    async def _finish(self, blocks: Sequence[Block]) -> None:
        answer = self._answer.id if self._answer else self._failed
        await self._reply.finish(self._messages(blocks), answer)

    @property
    def _reply(self) -> Shown:
        if self._shown is None:
            raise RuntimeError("open the course first")
        return self._shown

    @property
    def _asks_nothing(self) -> bool:
        """Whether a question was changed until nothing but the mention was left."""
        task, asked = self._task, self._task.asked
        comes_with = asked.attachments or asked.about or asked.again or task.lost_extra
        return not task.text.strip() and not comes_with

    @property
    def _reference(self) -> str:
        return self._answer.id if self._answer else self._failed or str(self._task.seq)

    def _blocks(self, answer: Answer) -> list[Block]:
        """Return an answer without what its formatter would have readers do.

        Nor does it have the quotes under its sources: a button shows them, in their surroundings
        and to whoever wants to see them.
        """
        if self._formatter is None:
            return []
        return [
            replace(block, quoted=False) if isinstance(block, SourceList) else block
            for block in self._formatter.render(answer)
            if not isinstance(block, Actions)
        ]

    def _actions(self, *, stopped: bool) -> list[Actions]:
        if self._answer is None or self._put is None:
            return []
        actions = chat_actions(
            self._answer,
            address=self._task.asked.address,
            hands_off=self._put.hands_off,
            reads_more=self._put.reads_more,
            stopped=stopped,
            kept=self._runtime.settings.chat.keep_questions,
        )
        return [actions] if actions else []

    def _messages(self, blocks: Sequence[Block]) -> Messages:
        told = [Notice(wording.REPEATED), *blocks] if self._reply.repeats else blocks
        address = self._task.asked.address
        return split(told, lambda part: self._adapter.fits(part, address))
