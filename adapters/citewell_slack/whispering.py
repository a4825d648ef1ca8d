"""Replies that one person alone sees: posted once all is known, for Slack changes them no more.

What was said through the address that came with a command cannot be replaced either:
https://github.com/slackapi/bolt-python/issues/1268
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import aiohttp

from citewell import DeliveryError
from citewell.blocks import Block
from citewell_slack.calls import Api, Refused, respond
from citewell_slack.encoding import Encoder, SlackBlock
from citewell_slack.streaming import WITHOUT_PREVIEWS, said

_EVENT_TYPE: Final = "citewell_private"
# Nobody tells what Slack calls a message that was posted through an address.
_RESPONSE: Final = "response"


class WhisperedReply:
    """Messages for one person that nothing changes any more: posted once all is known.

    Args:
        api: of the workspace.
        channel: where they are shown, with the thread or an empty text.
        user: who sees them.
        encoder: of blocks.
    """

    def __init__(self, api: Api, channel: tuple[str, str], user: str, encoder: Encoder) -> None:
        self._api = api
        self._channel, self._thread = channel
        self._user = user
        self._encoder = encoder
        self._posted: list[str] = []

    @property
    def posted(self) -> tuple[str, ...]:
        """What Slack calls them."""
        return tuple(self._posted)

    async def status(self, text: str) -> None:
        """Show nothing: everyone would see it."""

    async def show(self, messages: Sequence[Sequence[Block]], *, complete: bool) -> None:
        """Post what is complete and was not posted yet."""
        if not complete:
            return
        for blocks in messages[len(self._posted) :]:
            await self._post(self._encoder.encode(blocks))

    async def withdraw(self) -> None:
        """Leave what is there: Slack takes nothing of this back."""

    async def _post(self, blocks: list[SlackBlock]) -> None:
        shown = await whisper(
            self._api, (self._channel, self._thread), self._user, said(blocks, complete=True)
        )
        self._posted.append(shown)


class CommandReply(WhisperedReply):
    """The answer to a command: its first message comes where the bot need not be a member.

    Args:
        api: of the workspace.
        channel: where the command was used, with the thread or an empty text.
        user: who used it.
        encoder: of blocks.
        response: a session, and the address that came with the command.
    """

    def __init__(
        self,
        api: Api,
        channel: tuple[str, str],
        user: str,
        encoder: Encoder,
        *,
        response: tuple[aiohttp.ClientSession, str],
    ) -> None:
        super().__init__(api, channel, user, encoder)
        self._session, self._url = response

    async def _post(self, blocks: list[SlackBlock]) -> None:
        if self._posted or not await self._responded(said(blocks, complete=True)):
            await super()._post(blocks)
        else:
            self._posted.append(_RESPONSE)

    async def _responded(self, body: dict[str, Any]) -> bool:
        """Post through the address; False where it is used up."""
        try:
            await respond(self._session, self._url, {**body, "response_type": "ephemeral"})
        except Refused as error:
            if error.passes or error.code.startswith("invalid"):
                raise
            return False
        return True


async def whisper(api: Api, place: tuple[str, str], user: str, content: dict[str, Any]) -> str:
    """Show one person something in a channel and thread, or in their own conversation.

    Raises:
        DeliveryError: it cannot be shown.
    """
    channel, thread = place
    # Below a message that has no replies, Slack shows it to nobody.
    is_thread = bool(thread) and await _has_replies(api, channel, thread)
    try:
        shown = await api.do(
            "chat.postEphemeral",
            channel=channel,
            thread_ts=thread if is_thread else None,
            user=user,
            **content,
        )
    except Refused as error:
        if error.code not in {"user_not_in_channel", "not_in_channel", "channel_not_found"}:
            raise
        return await _post_directly(api, user, content)
    return str(shown["message_ts"])


async def _has_replies(api: Api, channel: str, ts: str) -> bool:
    try:
        found = await api.read("conversations.replies", channel=channel, ts=ts, limit=2)
    except DeliveryError:
        return False
    return len(found.get("messages") or ()) > 1


async def _post_directly(api: Api, user: str, content: dict[str, Any]) -> str:
    """Post into the conversation of one person with the bot, which nobody else reads."""
    opened = await api.do("conversations.open", users=user)
    channel = str((opened.get("channel") or {}).get("id") or "")
    if not channel:
        raise DeliveryError("slack opens no conversation with the asker", passes=False)
    posted = await api.do(
        "chat.postMessage",
        channel=channel,
        # What has no metadata is taken for a stream that was not finished.
        metadata={"event_type": _EVENT_TYPE, "event_payload": {}},
        **WITHOUT_PREVIEWS,
        **content,
    )
    return str(posted["ts"])
