"""Replies: messages that are made equal to what they are to say."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence

from telegram import Bot, LinkPreviewOptions, Message, ReplyParameters
from telegram.constants import ChatAction
from telegram.error import BadRequest, TelegramError

from citewell.blocks import Block
from citewell.chat import Address
from citewell_telegram.calls import told
from citewell_telegram.drafts import Draft, Drafts
from citewell_telegram.writing import GROWING, Written

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


class TelegramReply:
    """A reply in a chat of Telegram.

    Args:
        bot: the client.
        drafts: where it is kept while it grows.
        address: where it stands.
        key: names it.
        posted: its messages.
    """

    def __init__(
        self, bot: Bot, drafts: Drafts, address: Address, key: str, posted: Sequence[str]
    ) -> None:
        self.posted = tuple(posted)
        self._bot = bot
        self._drafts = drafts
        self._address = address
        self._key = key
        self._shown: dict[str, tuple[object, ...]] = {}

    async def status(self, text: str) -> None:
        """Show that the bot is typing; Telegram has no place for words."""
        del text
        try:
            await self._bot.send_chat_action(
                self._chat, ChatAction.TYPING, message_thread_id=self._topic
            )
        except TelegramError:
            return

    async def show(self, messages: Sequence[Sequence[Block]], *, complete: bool) -> None:
        """Post what is not there yet, change what differs, and delete what is too much."""
        for at, blocks in enumerate(messages):
            written = Written(blocks)
            if not complete:
                written.keyboard = None
                if at == len(messages) - 1:
                    written.line(GROWING)
            if at < len(self.posted):
                await self._change(self.posted[at], written)
            else:
                await self._post(written)
        await self._delete(self.posted[len(messages) :])
        self._know(self.posted[: len(messages)])
        if complete:
            self._drafts.drop(self._key)

    async def withdraw(self) -> None:
        """Delete what is there; what Telegram keeps, as it does after two days, stays."""
        await self._delete(self.posted)
        self.posted = ()
        self._drafts.drop(self._key)

    @property
    def _chat(self) -> int:
        return int(self._address.only_for or self._address.venue.channel)

    @property
    def _topic(self) -> int | None:
        topic = "" if self._address.only_for else self._address.venue.thread
        return int(topic) if topic else None

    async def _post(self, written: Written) -> None:
        asked = None if self.posted else self._address.data.get("message")
        answered = ReplyParameters(int(asked), allow_sending_without_reply=True) if asked else None
        sending = self._bot.send_message(
            self._chat,
            written.text,
            entities=written.entities,
            link_preview_options=_NO_PREVIEW,
            message_thread_id=self._topic,
            reply_markup=written.keyboard,
            reply_parameters=answered,
        )
        self._drafts.keep(self._key, Draft(self.posted, is_posting=True))
        with told():
            posted = await self._posted_to_end(sending)
        self._shown[posted] = _said(written)

    async def _posted_to_end(self, sending: Coroutine[object, object, Message]) -> str:
        """Post a message and keep its id, also where nobody waits for it any more."""

        async def send() -> str:
            try:
                message = await sending
            except TelegramError:
                self._know(self.posted)
                raise
            self._know((*self.posted, str(message.message_id)))
            return str(message.message_id)

        posting = asyncio.create_task(send())
        try:
            return await asyncio.shield(posting)
        except asyncio.CancelledError:
            await asyncio.wait({posting})
            raise asyncio.CancelledError from posting.exception()

    def _know(self, posted: tuple[str, ...]) -> None:
        self.posted = posted
        self._drafts.keep(self._key, Draft(posted))

    async def _change(self, message_id: str, written: Written) -> None:
        if self._shown.get(message_id) == _said(written):
            return
        with told():
            try:
                await self._bot.edit_message_text(
                    written.text,
                    self._chat,
                    int(message_id),
                    entities=written.entities,
                    link_preview_options=_NO_PREVIEW,
                    reply_markup=written.keyboard,
                )
            except BadRequest as error:
                # It says so already, as after a restart.
                if "not modified" not in error.message:
                    raise
        self._shown[message_id] = _said(written)

    async def _delete(self, surplus: Sequence[str]) -> None:
        for message_id in surplus:
            with told():
                try:
                    await self._bot.delete_message(self._chat, int(message_id))
                except BadRequest:
                    continue


def _said(written: Written) -> tuple[object, ...]:
    return written.text, tuple(written.entities), written.keyboard
