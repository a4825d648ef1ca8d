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
from citewell.journal.conversations import Conversations, Remembered
from citewell.journal.inbox import Task
from citewell.types.questions import Audience, Question, Turn

log = logging.getLogger(__name__)

QuestionOf: TypeAlias = Callable[[str], str | None]
"""Returns the text of the question that an answer was given to; None where it is gone. Blocking."""

ReadAttachments: TypeAlias = Callable[[Task, Adapter], Awaitable[tuple[str, tuple[str, ...]]]]
"""Returns the text of what came with a question, and the names of what was not read."""


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


async def nothing_read(task: Task, _adapter: Adapter) -> tuple[str, tuple[str, ...]]:
    """Read no attachment."""
    return "", tuple(one.name for one in task.asked.attachments)


def nothing_kept(_answer_id: str) -> str | None:
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
        text, not_read = await self._text(task, adapter)
        if text is None:
            return None
        question = Question(
            id=new_id(),
            text=text,
            audience=readers,
            profile=config.channel(venue.channel).profile or config.profile,
            asker=f"{venue.platform}/{venue.team}/{asked.user}",
            channel=f"{venue.platform}/{venue.team}/{venue.channel}",
        )
        name = profile_of(question, runtime.settings)
        history = await self._earlier(task, readers, runtime, name)
        return Put(
            question=replace(question, profile=name, history=history),
            not_read=not_read,
            reads_more=await _may_read_more(task, adapter, config, readers),
            hands_off=bool(getattr(config, "hand_off", None)),
        )

    async def _text(self, task: Task, adapter: Adapter) -> tuple[str | None, tuple[str, ...]]:
        asked, text = task.asked, task.text
        if asked.again:
            kept = await blocking.call(self._question_of, asked.again)
            if kept is None:
                return None, ()
            text = kept
        read = ""
        not_read: tuple[str, ...] = ()
        if asked.attachments:
            read, not_read = await self._read_attachments(task, adapter)
        about = wording.about_message(asked.about) if asked.about else ""
        return "\n\n".join(filter(None, (about, text, read))), not_read

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
