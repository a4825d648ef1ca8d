"""What happens in Telegram, as events."""

from __future__ import annotations

import re

from telegram import Message, MessageEntity, Update

from citewell import blocking
from citewell.chat import Address, Asked, Attachment, Edited, Host, Venue

DIRECT = "private"
"""The kind of a chat of one person with the bot."""


class Hearing:
    """Tells questions from talk.

    Args:
        platform: name of the adapter's section.
    """

    def __init__(self, platform: str) -> None:
        self._platform = platform

    def venue(self, message: Message) -> Venue:
        """Return where a message stands; a topic of a forum is a thread."""
        topic = message.message_thread_id if message.is_topic_message else None
        return Venue(
            platform=self._platform,
            channel=str(message.chat.id),
            thread="" if topic is None else str(topic),
        )

    def address(self, message: Message, asker: int) -> Address:
        """Return where the answer to a message goes."""
        data = {"message": str(message.message_id), "asker": str(asker)}
        if message.chat.type == DIRECT:
            data["direct"] = "1"
        return Address(venue=self.venue(message), data=data)

    async def event(self, update: Update, host: Host, name: str, own: int) -> Asked | Edited | None:
        """Return what somebody asked or changed, or None for what is neither.

        Args:
            update: of Telegram.
            host: knows the settings, and which threads the bot takes part in.
            name: of the bot, as it is mentioned.
            own: id of the bot.
        """
        message = update.message or update.edited_message
        if message is None or message.from_user is None or message.from_user.is_bot:
            return None
        venue = self.venue(message)
        if not host.config.channel(venue.channel).answers:
            return None
        text = _without(name, message.text or message.caption or "")
        user = str(message.from_user.id)
        if update.edited_message is not None:
            at = (message.edit_date or message.date).timestamp()
            key, of = f"update {update.update_id}", str(message.message_id)
            return Edited(key=key, venue=venue, user=user, at=at, of=of, text=text)
        if not await self._is_asked(message, host, name, own):
            return None
        return Asked(
            key=str(message.message_id),
            venue=venue,
            user=user,
            at=message.date.timestamp(),
            text=text,
            address=self.address(message, message.from_user.id),
            attachments=_attachments(message),
            about=_about(message, own),
        )

    async def _is_asked(self, message: Message, host: Host, name: str, own: int) -> bool:
        if message.chat.type == DIRECT:
            return True
        mentions = {
            *message.parse_entities([MessageEntity.MENTION]).values(),
            *message.parse_caption_entities([MessageEntity.MENTION]).values(),
        }
        if f"@{name}".casefold() in {one.casefold() for one in mentions}:
            return True
        venue = self.venue(message)
        goes_on = _replies_to(message) == own or bool(venue.thread)
        if not goes_on or not host.config.follows_up(venue.channel):
            return False
        return await blocking.call(host.takes_part, venue)


def _without(name: str, text: str) -> str:
    return re.sub(rf"@{re.escape(name)}\b", "", text, count=1, flags=re.IGNORECASE).strip()


def _replies_to(message: Message) -> int | None:
    """Return whose message a message replies to."""
    replied = message.reply_to_message
    return None if replied is None or replied.from_user is None else replied.from_user.id


def _about(message: Message, own: int) -> str:
    """Return what somebody else wrote that a question replies to."""
    replied = message.reply_to_message
    if replied is None or _replies_to(message) in {None, own}:
        return ""
    return replied.text or replied.caption or ""


def _attachments(message: Message) -> tuple[Attachment, ...]:
    file = message.document
    if file is None:
        return ()
    name = file.file_name or file.file_unique_id
    return (Attachment(name=name, ref=file.file_id, size=file.file_size),)
