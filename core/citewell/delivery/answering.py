"""One question on its way to one reply: asked, shown while it grows, and kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import cast

from msgspec.structs import replace

from citewell import blocking
from citewell.blocks import Block, Notice
from citewell.chatting import Adapter, Reply
from citewell.configs import ChatConfig
from citewell.delivery.access import audience
from citewell.delivery.pacing import Pace
from citewell.delivery.splitting import split
from citewell.engine.assistant import Assistant, Backends, new_id, profile_of
from citewell.engine.runtime import Runtime
from citewell.journal.conversations import Conversations
from citewell.journal.inbox import Task
from citewell.journal.outbox import Outbox, ReplyRecord, Stage
from citewell.types.questions import Question

_LOOKING = "Looking …"
_STOPPED = "Stopped."
_FAILED = "Something went wrong, and this question cannot be answered"
_REPEATED = "This repeats an answer that could not be changed."


class Answering:
    """Answers questions on the components in force.

    Args:
        backends: these components.
        assistant: makes an assistant on given ones.
        outbox: what was said.
        conversations: what was said before.
    """

    def __init__(
        self,
        *,
        backends: Backends,
        assistant: Callable[[Runtime], Assistant],
        outbox: Outbox,
        conversations: Conversations,
    ) -> None:
        self.backends = backends
        self.assistant = assistant
        self.outbox = outbox
        self.conversations = conversations

    @asynccontextmanager
    async def opened(self, task: Task, adapter: Adapter) -> AsyncIterator[Course]:
        """Yield the way of one question: with a new reply, or the one of before a crash."""
        address = task.asked.address
        record, was_there = await blocking.call(self.outbox.open, task, address)
        found: Reply | None = None
        if was_there:
            found = await adapter.find_reply(address, record.key, record.posted)
        reply = found or await adapter.open_reply(address, record.key)
        repeats = found is None and bool(record.posted)
        yield Course(self, task, adapter, _Shown(self.outbox, task, reply, record, repeats=repeats))


class Course:
    """The way of one question.

    Args:
        answering: how questions are answered.
        task: the question.
        adapter: of its platform.
        shown: its reply.
    """

    def __init__(self, answering: Answering, task: Task, adapter: Adapter, shown: _Shown) -> None:
        self._answering = answering
        self._task = task
        self._adapter = adapter
        self._shown = shown
        self._blocks: Sequence[Block] = ()

    async def run(self) -> None:
        """Show the answer as it grows, and to its end; or take it back with its question.

        Raises:
            DeliveryError: the service does not take it.
        """
        if self._task.is_withdrawn:
            await self._shown.withdraw()
            return
        await self._shown.reply.status(_LOOKING)
        pace = Pace(self._shown.grow, self._adapter.pace_s)
        answer_id = ""
        async with self._answering.backends.lease() as runtime:
            question = await self._question(runtime)
            profile = runtime.settings.profiles[question.profile or ""]
            formatter = await runtime.formatter(profile.formatter)
            asking = self._answering.assistant(runtime).ask(question)
            try:
                async with aclosing(asking) as growing:
                    async for answer in growing:
                        answer_id, self._blocks = answer.id, formatter.render(answer)
                        if not answer.complete and self._blocks:
                            pace.offer(self._messages(self._blocks))
            finally:
                await pace.stop()
        await self._shown.finish(self._messages(self._blocks), answer_id)

    async def stop(self) -> None:
        """Leave the answer as far as it came, and say so."""
        await self._shown.finish(self._messages([*self._blocks, Notice(_STOPPED)]), None)

    async def fail(self) -> None:
        """Say that there will be no answer, with a reference to ask about."""
        told = f"{_FAILED} (reference {self._task.seq})"
        await self._shown.finish(self._messages([Notice(told)]), None)

    async def _question(self, runtime: Runtime) -> Question:
        task, asked = self._task, self._task.asked
        section = runtime.settings.adapters[asked.venue.platform]
        config = cast("ChatConfig", section.config)
        readers = await audience(self._adapter, config, asked.address)
        question = Question(
            id=new_id(),
            text=task.text,
            audience=readers,
            profile=config.channel(asked.venue.channel).profile or config.profile,
            asker=asked.user,
            channel=asked.venue.channel,
        )
        name = profile_of(question, runtime.settings)
        limit = runtime.settings.profiles[name].history_turns

        def earlier() -> Question:
            turns = self._answering.conversations.turns(task, readers, limit=limit)
            return replace(question, profile=name, history=turns)

        return await blocking.call(earlier)

    def _messages(self, blocks: Sequence[Block]) -> list[list[Block]]:
        told = [Notice(_REPEATED), *blocks] if self._shown.repeats else blocks
        address = self._task.asked.address
        return split(told, lambda part: self._adapter.fits(part, address))


class _Shown:
    """A reply, and what the outbox knows of it.

    Args:
        outbox: what was said.
        task: the question.
        reply: as the service shows it.
        record: of the reply.
        repeats: what was posted before cannot be changed, so this one says that it is a repeat.
    """

    def __init__(
        self, outbox: Outbox, task: Task, reply: Reply, record: ReplyRecord, *, repeats: bool
    ) -> None:
        self.reply = reply
        self.repeats = repeats
        self._outbox = outbox
        self._task = task
        self._kept = record.posted

    async def grow(self, messages: Sequence[Sequence[Block]]) -> None:
        """Show what there is so far."""
        await self.reply.show(messages, complete=False)
        if self.reply.posted != self._kept:
            await self._keep(Stage.STREAMING, None)

    async def finish(self, messages: Sequence[Sequence[Block]], answer: str | None) -> None:
        """Show everything, for good."""
        await self.reply.show(messages, complete=True)
        await self._keep(Stage.FINAL, answer)

    async def withdraw(self) -> None:
        """Take back what was shown."""
        await self.reply.withdraw()
        await self._keep(Stage.WITHDRAWN, None)

    async def _keep(self, stage: Stage, answer: str | None) -> None:
        posted = self.reply.posted
        repeated = self.repeats and stage is Stage.FINAL

        def note() -> None:
            self._outbox.note(
                self._task, posted=posted, stage=stage, answer=answer, repeated=repeated
            )

        await blocking.call(note)
        self._kept = posted
