"""Asking a person: the question, with its answer and sources, goes to those who were named."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final
from weakref import WeakValueDictionary

from citewell import CitewellError, DeliveryError
from citewell.blocks import Actions, Block, Span, Text
from citewell.chat import Address, HandOff, Host
from citewell_slack.calls import Api, Refused
from citewell_slack.encoding import Encoder, SlackBlock, context, quotation, section, text
from citewell_slack.incoming import Workspace
from citewell_slack.listening import slack_config
from citewell_slack.settings import HandOffConfig, SlackConfig
from citewell_slack.streaming import WITHOUT_PREVIEWS, said
from citewell_slack.whispering import whisper
from citewell_slack.workspaces import Workspaces

_TOLD: Final = "Somebody will look at your question; they were sent it with this answer."
_REPEATED: Final = "They were sent this question before."
_NOBODY: Final = "There is nobody to ask: no hand_off is set."
_UNKNOWN: Final = "Nothing is known of this answer any more; ask again."
_FAILED: Final = "Nobody could be told; try again, or ask them yourself."
_MOST_QUESTION: Final = 6_000
_MOST_PIECE: Final = 3_000
_EVENT_TYPE: Final = "citewell_hand_off"
# Messages that are looked through for what was posted before.
_MOST_PAGES: Final = 3


class HandOffs:
    """Tells people of a question.

    Args:
        config: what was set when the adapter was opened.
        workspaces: with their tokens.
        host: the core.
        encoder: of blocks.
    """

    def __init__(
        self, config: SlackConfig, workspaces: Workspaces, host: Host, encoder: Encoder
    ) -> None:
        self._config = config
        self._workspaces = workspaces
        self._host = host
        self._encoder = encoder
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def tell(
        self, answer_id: str, user: str, where: Workspace, place: tuple[str, str]
    ) -> None:
        """Tell them once, and tell who pressed what came of it."""
        api = await self._workspaces.api(where.team)
        lock = self._locks.setdefault(answer_id, asyncio.Lock())
        try:
            # What a double click posts the second time, the first one has not noted yet.
            async with lock:
                outcome = await self._told(api, answer_id, user, where)
        except CitewellError:
            await whisper(api, place, user, {"text": _FAILED})
            raise
        await whisper(api, place, user, {"text": outcome})

    async def _told(self, api: Api, answer_id: str, user: str, where: Workspace) -> str:
        people = slack_config(self._host.config, self._config).hand_off
        if people is None:
            return _NOBODY
        address = Address(venue=where.venue(people.channel, ""))
        handed = await self._host.hand_off(answer_id, address)
        if handed is None:
            return _UNKNOWN
        if handed.is_repeated:
            return _REPEATED
        blocks = [one for one in handed.blocks if not isinstance(one, Actions)]
        answer = [self._encoder.encode(message) for message in self._packed(blocks)]
        messages = [await _head(api, people, handed), *answer]
        posted = await _posted(api, people.channel, answer_id, where.bot)
        for part, message in enumerate(messages):
            if part not in posted:
                thread = posted.get(0, "")
                mark = {"answer": answer_id, "part": part}
                posted[part] = await _send(api, (people.channel, thread), message, mark)
        await self._host.handed_off(answer_id, user, where.venue(people.channel, ""))
        return _TOLD

    def _packed(self, blocks: Sequence[Block]) -> list[list[Block]]:
        """Return blocks in messages that fit."""
        messages: list[list[Block]] = [[]]
        for block in (piece for one in blocks for piece in _pieces(one)):
            if messages[-1] and not self._encoder.fits([*messages[-1], block]):
                messages.append([])
            messages[-1].append(block)
        return [one for one in messages if one]


async def _send(
    api: Api, place: tuple[str, str], blocks: Sequence[SlackBlock], mark: Mapping[str, Any]
) -> str:
    channel, thread = place
    content = {**said(blocks, complete=True), "text": "A question for you"}
    posted = await api.do(
        "chat.postMessage",
        channel=channel,
        thread_ts=thread or None,
        metadata={"event_type": _EVENT_TYPE, "event_payload": mark},
        **WITHOUT_PREVIEWS,
        **content,
    )
    return str(posted["ts"])


async def _posted(api: Api, channel: str, answer_id: str, bot: str) -> dict[int, str]:
    """Return the `ts` of what was posted of an answer though nobody noted it, by its part."""
    found: dict[int, str] = {}

    async def look(method: str, **where: str) -> None:
        pages = api.pages(
            *(method, "messages"),
            most=_MOST_PAGES,
            channel=channel,
            include_all_metadata=True,
            **where,
        )
        async for message in pages:
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            is_ours = metadata.get("event_type") == _EVENT_TYPE and message.get("user") == bot
            if is_ours and payload.get("answer") == answer_id:
                found[int(payload["part"])] = str(message["ts"])

    try:
        await look("conversations.history")
        if found:
            await look("conversations.replies", ts=found[0])
    except Refused as error:
        # Where nothing may be read, it is posted.
        if error.passes:
            raise
    return found


async def _head(api: Api, people: HandOffConfig, handed: HandOff) -> list[SlackBlock]:
    """Return who asked what where, which is the only place where anybody is mentioned."""
    mention: list[SlackBlock] = []
    if people.group:
        mention = [{"type": "usergroup", "usergroup_id": people.group}, text(" ")]
    line = section([
        *mention,
        text(f"{await _name(api, handed.asker.rpartition('/')[2])} asks for a person:"),
    ])
    question = quotation([text(handed.question[:_MOST_QUESTION])])
    link = await _link(api, handed)
    rest = [section([link])] if link else []
    head: SlackBlock = {"type": "rich_text", "elements": [line, question, *rest]}
    return [head, context("What the assistant answered is in the thread.")]


async def _name(api: Api, user: str) -> str:
    """Return what people call somebody; their id mentions nobody as plain text."""
    try:
        told: Any = (await api.read("users.info", user=user)).get("user") or {}
    except DeliveryError:
        return user
    profile = told.get("profile") or {}
    return str(profile.get("display_name") or told.get("real_name") or told.get("name") or user)


async def _link(api: Api, handed: HandOff) -> SlackBlock | None:
    """Return a link to the answer, or else to the question; None where neither can be opened."""
    for ts in (*handed.posted[:1], handed.venue.thread):
        if not ts.replace(".", "").isdigit():
            continue
        try:
            told = await api.read("chat.getPermalink", channel=handed.venue.channel, message_ts=ts)
        except Refused:
            continue
        return {"type": "link", "url": str(told["permalink"]), "text": "Open the conversation"}
    return None


def _pieces(block: Block) -> list[Block]:
    """Cut what one message could not hold."""
    if not isinstance(block, Text):
        return [block]
    long = [one for one in block.inlines if isinstance(one, Span) and len(one.text) > _MOST_PIECE]
    if not long:
        return [block]
    made: list[Block] = []
    for inline in block.inlines:
        if isinstance(inline, Span):
            starts = range(0, len(inline.text), _MOST_PIECE)
            cut = [Span(inline.text[at : at + _MOST_PIECE], inline.style) for at in starts]
            made += [Text((piece,)) for piece in cut]
        else:
            made.append(Text((inline,)))
    return made
