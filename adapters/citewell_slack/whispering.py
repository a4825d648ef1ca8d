"""Replies that one person alone sees.

Slack lets nobody look for them, and changes them only through the address that came with what the
person did, for half an hour and five times.
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

ORIGINAL: Final = "original"
_EVENT_TYPE: Final = "citewell_private"
# Of the five uses, some are kept for the end: for a change after it, and for taking it back.
_MOST_GROWTHS: Final = 1


class CommandReply:
    """The answer to a command: its first message is changed, as long as Slack allows.

    Args:
        rest: shows what does not fit the first message, or cannot change it any more.
        session: for the calls.
        url: that came with the command.
        encoder: of blocks.
        posted: the first message, where it was changed before.
    """

    def __init__(
        self,
        rest: WhisperedReply,
        session: aiohttp.ClientSession,
        url: str,
        *,
        encoder: Encoder,
        posted: Sequence[str] = (),
    ) -> None:
        self._rest = rest
        self._session = session
        self._url = url
        self._encoder = encoder
        self._posted = tuple(posted)
        self._shown: list[SlackBlock] | None = None
        self._growths = 0

    @property
    def posted(self) -> tuple[str, ...]:
        """The first message, and those behind it."""
        return (*self._posted, *self._rest.posted)

    async def status(self, text: str) -> None:
        """Show nothing: the acknowledgement of the command said so already."""

    async def show(self, messages: Sequence[Sequence[Block]], *, complete: bool) -> None:
        """Change the first message, and once all is known show the others."""
        if not messages or (not complete and self._growths >= _MOST_GROWTHS):
            return
        blocks = self._encoder.encode(messages[0])
        if blocks != self._shown or complete:
            self._growths += 1
            body = said(blocks, complete=complete)
            if not await self._replaced(body):
                await self._rest.show(messages, complete=complete)
                return
            self._shown, self._posted = blocks, (ORIGINAL,)
        if complete:
            await self._rest.show(messages[1:], complete=True)

    async def withdraw(self) -> None:
        """Take the first message back; others stay, for Slack allows no more."""
        try:
            await respond(self._session, self._url, {"delete_original": True})
        except Refused as error:
            if error.passes:
                raise
        self._posted = ()

    async def _replaced(self, body: dict[str, Any]) -> bool:
        """Change the first message; False where its address is used up."""
        try:
            await respond(
                self._session,
                self._url,
                {**body, "response_type": "ephemeral", "replace_original": True},
            )
        except Refused as error:
            if error.passes or error.code.startswith("invalid"):
                raise
            return False
        return True


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


async def whisper(api: Api, place: tuple[str, str], user: str, content: dict[str, Any]) -> str:
    """Show one person something in a channel and thread, or in their own conversation.

    Raises:
        DeliveryError: it cannot be shown.
    """
    channel, thread = place
    try:
        shown = await api.do(
            "chat.postEphemeral",
            channel=channel,
            thread_ts=thread or None,
            user=user,
            **content,
        )
    except Refused as error:
        if error.code not in {"user_not_in_channel", "not_in_channel", "channel_not_found"}:
            raise
        return await _post_directly(api, user, content)
    return str(shown["message_ts"])


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
