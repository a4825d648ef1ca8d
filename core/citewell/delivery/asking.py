"""What came in from a chat service, as a question."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from msgspec import Struct
from msgspec.structs import replace

from citewell import blocking
from citewell.chatting import Adapter
from citewell.configs import ChatConfig
from citewell.delivery import wording
from citewell.delivery.access import audience
from citewell.delivery.actions import reads_more
from citewell.delivery.remembering import still_readable
from citewell.engine.assistant import new_id, profile_of
from citewell.engine.runtime import Runtime
from citewell.errors import DeliveryError
from citewell.journal.conversations import Conversations, Origin, Remembered
from citewell.journal.inbox import Task
from citewell.types.questions import Attached, Audience, Question, Turn

log = logging.getLogger(__name__)

QuestionOf: TypeAlias = Callable[[str], Origin | None]
"""Returns the question that an answer was given to; None where it is gone. Blocking."""

ReadAttachments: TypeAlias = Callable[
    [Task, Adapter], Awaitable[tuple[tuple[Attached, ...], tuple[str, ...]]]
]
"""Returns what came with a question, and the names of what was not read."""


class Put(Struct, frozen=True, kw_only=True):
    """A question, put.

    Attributes:
        not_read: names of attachments that are no part of it.
        reads_more: the asker may read what others there may not.
        hands_off: there are people who can be asked instead.
    """

    question: Question
    not_read: tuple[str, ...]
    reads_more: bool
    hands_off: bool


class _Asked(Struct, frozen=True, kw_only=True):
    text: str
    attached: tuple[Attached, ...]
    not_read: tuple[str, ...]


async def nothing_read(
    task: Task, _adapter: Adapter
) -> tuple[tuple[Attached, ...], tuple[str, ...]]:
    """Read no attachment."""
    return (), tuple(one.name for one in task.asked.attachments)


def nothing_kept(_answer_id: str) -> Origin | None:
    """Know no question."""
    return None


class Asking:
    """Makes questions of what came in.

    Args:
        conversations: what was said before.
        question_of: looks up what is asked again.
        read_attachments: reads what came with a question.
    """

    def __init__(
        self,
        conversations: Conversations,
        *,
        question_of: QuestionOf,
        read_attachments: ReadAttachments,
    ) -> None:
        self._conversations = conversations
        self._question_of = question_of
        self._read_attachments = read_attachments

    async def put(self, task: Task, adapter: Adapter, runtime: Runtime) -> Put | None:
        """Return the question as it is to be answered; None where its text is gone.

        Raises:
            DeliveryError: who reads there cannot be known, or a file cannot be had for now.
        """
        asked = task.asked
        venue = asked.venue
        config = chat_config(runtime, venue.platform)
        readers = await audience(adapter, config, asked.address)
        said = await self._asked(task, adapter)
        if said is None:
            return None
        question = Question(
            id=new_id(),
            text=said.text,
            attached=said.attached,
            event=task.seq,
            again=task.asked.again,
            audience=readers,
            profile=config.channel(venue.channel).profile or config.profile,
            asker=f"{venue.platform}/{venue.team}/{asked.user}",
            channel=f"{venue.platform}/{venue.team}/{venue.channel}",
        )
        name = profile_of(question, runtime.settings)
        history = await self._earlier(task, readers, runtime, name)
        return Put(
            question=replace(question, profile=name, history=history),
            not_read=said.not_read,
            reads_more=await _may_read_more(task, adapter, config, readers),
            hands_off=bool(getattr(config, "hand_off", None)),
        )

    async def _asked(self, task: Task, adapter: Adapter) -> _Asked | None:
        """Return what is asked, or asked again; None where that is gone."""
        asked, text, is_lost = task.asked, task.text, task.lost_extra
        if asked.again:
            origin = await blocking.call(self._question_of, asked.again)
            if origin is None or origin.text is None:
                return None
            text, is_lost = origin.text, origin.lost_extra
            asked = replace(asked, attachments=origin.attachments, about=origin.about)
        read: tuple[Attached, ...] = ()
        not_read: tuple[str, ...] = (wording.NO_LONGER_KEPT,) if is_lost else ()
        if asked.attachments:
            read, unread = await self._read_attachments(replace(task, asked=asked), adapter)
            not_read = (*not_read, *unread)
        if asked.about:
            read = (Attached(kind="message", text=asked.about), *read)
        return _Asked(text=text, attached=read, not_read=not_read)

    async def _earlier(
        self, task: Task, readers: Audience, runtime: Runtime, profile: str
    ) -> tuple[Turn, ...]:
        settings = runtime.settings.profiles[profile]

        def remember() -> tuple[Remembered, ...]:
            return self._conversations.remembered(task, readers, limit=settings.history_turns)

        remembered = await blocking.call(remember)
        retriever = None
        if remembered and settings.retriever is not None:
            retriever = await runtime.retriever(settings.retriever)
        return await still_readable(remembered, retriever, readers)


def chat_config(runtime: Runtime, platform: str) -> ChatConfig:
    """Return the settings in force of a chat service."""
    return cast("ChatConfig", runtime.settings.adapters[platform].config)


async def _may_read_more(
    task: Task, adapter: Adapter, config: ChatConfig, readers: Audience
) -> bool:
    asked = task.asked
    address = asked.address
    if address.only_for is not None or address.data.get("direct") == "1":
        return False
    alone = replace(address, only_for=asked.user)
    try:
        return reads_more(await audience(adapter, config, alone), readers)
    except DeliveryError as error:
        log.warning("question %d: what its asker may read is not known: %s", task.seq, error)
        return False
