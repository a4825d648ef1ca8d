"""Messages as questions: which of them are for the bot, and what they ask."""

from __future__ import annotations

import re
import time
from typing import Final

import discord

from citewell import blocking
from citewell.chat import Address, Asked, Attachment, Deleted, Edited, Host, Venue
from citewell_discord.addresses import chained, to_message
from citewell_discord.chains import Chains, answered, is_answer
from citewell_discord.config import DiscordConfig
from citewell_discord.places import Doorkeeper, Spot, roles_of, venue_of

_SPOKEN: Final = frozenset({discord.MessageType.default, discord.MessageType.reply})
_MAX_ABOUT: Final = 4000


class Reading:
    """Reads messages.

    Args:
        chains: of replies, with the client that hears them.
        host: tells where the bot takes part.
        config: of the adapter.
        platform: name of the adapter's section.
        doorkeeper: decides where and whom to answer.
    """

    def __init__(
        self,
        chains: Chains,
        host: Host,
        config: DiscordConfig,
        platform: str,
        doorkeeper: Doorkeeper,
    ) -> None:
        self._client = chains.client
        self._host = host
        self._config = config
        self.platform = platform
        self._doorkeeper = doorkeeper
        self._chains = chains

    async def asked(self, message: discord.Message, *, is_known: bool = False) -> Asked | None:
        """Return what a message asks, or None if it is not for the bot.

        Args:
            message: as it is now.
            is_known: it was for the bot before, so that it need not name it any more.

        Raises:
            DeliveryError: it cannot be known whether its author is answered.
        """
        if not self._is_spoken(message):
            return None
        venue = venue_of(self.platform, await self._channel(message))
        if is_known and not message.content and not message.attachments:
            # Without the intent nobody knows what it says now.
            return None
        if not is_known and not await self._is_for_bot(message, venue):
            return None
        spot = Spot(venue=venue, roles=roles_of(message.author))
        if not await self._doorkeeper.admits(spot, str(message.author.id), self._host.config):
            return None
        text, about = self._words(message, venue)
        attachments = files_of(message) + self._files_about(message)
        venue, address = await self._answered_at(message, venue, text)
        return Asked(
            key=str(message.id),
            venue=venue,
            user=str(message.author.id),
            at=message.created_at.timestamp(),
            text=text,
            address=address,
            attachments=attachments,
            about=about,
        )

    async def edited(self, message: discord.Message, *, is_known: bool = False) -> Edited | None:
        """Return how a message changed, or None if it is not for the bot, or no word changed."""
        if message.edited_at is None:
            return None
        asked = await self.asked(message, is_known=is_known)
        if asked is None:
            return None
        return Edited(
            key=f"{message.id}:{int(message.edited_at.timestamp() * 1000)}",
            venue=asked.venue,
            user=asked.user,
            at=message.edited_at.timestamp(),
            of=asked.key,
            text=asked.text,
        )

    async def deleted(
        self, message_id: int, place: Venue, cached: discord.Message | None
    ) -> Deleted | None:
        """Return that a message is gone, or None if it asked nothing.

        Raises:
            JournalError: it cannot be known now.
        """
        if cached is None:
            if not await self._may_have_asked(message_id, place):
                return None
        elif await self.asked(cached) is None:
            return None
        return self.gone(message_id, place, cached)

    async def has_begun(self, message: discord.Message) -> bool:
        """Tell whether a conversation with the bot began with a message, whatever it says now."""
        if not self._is_spoken(message):
            return False
        venue = venue_of(self.platform, await self._channel(message))
        if not venue.team or venue.thread:
            return False
        return await blocking.call(self._host.takes_part, chained(venue, str(message.id)))

    async def _may_have_asked(self, message_id: int, place: Venue) -> bool:
        """Tell whether a message of which only the id is known was a question.

        Of what people delete among themselves nothing is to be kept.
        """
        if place.team and not place.thread:
            if int(place.channel) in self._chains.channels.ids:
                return True
            place = chained(place, str(message_id))
        return await blocking.call(self._host.takes_part, place)

    @staticmethod
    def gone(message_id: int, place: Venue, cached: discord.Message | None = None) -> Deleted:
        """Return that a message is gone."""
        return Deleted(
            key=f"{message_id}:deleted",
            venue=place,
            user="" if cached is None else str(cached.author.id),
            at=time.time(),
            of=str(message_id),
        )

    # --- is it for the bot -----------------------------------------------------------------

    @staticmethod
    def _is_spoken(message: discord.Message) -> bool:
        return message.type in _SPOKEN and not message.author.bot and message.webhook_id is None

    async def _channel(self, message: discord.Message) -> discord.abc.MessageableChannel:
        """Return the channel of a message, with what it belongs to."""
        channel = message.channel
        if isinstance(channel, discord.PartialMessageable) and message.guild is not None:
            known = message.guild.get_channel_or_thread(channel.id)
            try:
                found = known or await self._client.fetch_channel(channel.id)
            except (discord.NotFound, discord.Forbidden, discord.InvalidData):
                return channel
            if isinstance(found, discord.abc.Messageable):
                return found
        return channel

    async def _is_for_bot(self, message: discord.Message, venue: Venue) -> bool:
        if not venue.team or self._mentions_bot(message):
            return True
        if not message.content and not message.attachments:
            # Without the intent Discord leaves out what is not said to the bot.
            return self._is_new_post(message, venue)
        if self._is_new_post(message, venue):
            return True
        return await self._follows_up(message, venue)

    def _mentions_bot(self, message: discord.Message) -> bool:
        me = self._client.user
        if me is None:
            return False
        is_named = any(one.id == me.id for one in message.mentions)
        # Who answers a message of ours rings us, which names nobody.
        if is_named and re.search(rf"<@!?{me.id}>", message.content):
            return True
        own = None if message.guild is None else message.guild.self_role
        return own is not None and own in message.role_mentions

    def _begins_post(self, message: discord.Message, venue: Venue) -> bool:
        """Tell whether a message begins a post of a forum that is answered."""
        return venue.channel in self._config.forums and venue.thread == str(message.id)

    def _is_new_post(self, message: discord.Message, venue: Venue) -> bool:
        """Tell whether a message begins such a post, which is not solved."""
        forum = self._config.forums.get(venue.channel)
        if forum is None or not self._begins_post(message, venue):
            return False
        thread = message.channel
        solved = forum.solved_tag
        return not (
            solved is not None
            and isinstance(thread, discord.Thread)
            and any(solved in {str(tag.id), tag.name} for tag in thread.applied_tags)
        )

    async def _follows_up(self, message: discord.Message, venue: Venue) -> bool:
        """Tell whether something is said to the bot without naming it."""
        if not self._host.config.follows_up(venue.channel):
            return False
        replied_to = answered(message)
        me = self._client.user
        if replied_to is not None:
            # Who answers somebody else does not talk to the bot.
            if me is None or replied_to.author.id != me.id:
                return False
            if is_answer(replied_to):
                return True
        named = [one for one in message.mentions if me is None or one.id != me.id]
        if named or message.role_mentions or message.mention_everyone:
            return False
        return bool(venue.thread) and await blocking.call(self._host.takes_part, venue)

    # --- what it says ----------------------------------------------------------------------

    def _words(self, message: discord.Message, venue: Venue) -> tuple[str, str]:
        """Return the question, and what somebody else said that it is about."""
        text = self._without_mention(message)
        if self._begins_post(message, venue):
            title = getattr(message.channel, "name", "")
            return f"{title}\n\n{text}".strip(), ""
        replied_to = answered(message)
        me = self._client.user
        about = ""
        if replied_to is not None and me is not None and replied_to.author.id != me.id:
            about = words_of(replied_to)[:_MAX_ABOUT]
        if not text and not message.attachments:
            return about, ""
        return text, about

    def _files_about(self, message: discord.Message) -> tuple[Attachment, ...]:
        """Return the files of what somebody else said that a question is about."""
        replied_to, me = answered(message), self._client.user
        if replied_to is None or me is None or replied_to.author.id == me.id:
            return ()
        return files_of(replied_to)

    def _without_mention(self, message: discord.Message) -> str:
        me = self._client.user
        ids = [f"<@!?{me.id}>"] if me is not None else []
        own = None if message.guild is None else message.guild.self_role
        if own is not None:
            ids.append(f"<@&{own.id}>")
        text = message.content
        if ids:
            text = re.sub(rf"[ \t]*(?:{'|'.join(ids)})[ \t]*", " ", text)
        return text.strip()

    # --- where the answer goes -------------------------------------------------------------

    async def _answered_at(
        self, message: discord.Message, venue: Venue, text: str
    ) -> tuple[Venue, Address]:
        if not venue.team:
            data = {"message": str(message.id), "user": str(message.author.id)}
            return venue, Address(venue=venue, data=data)
        plain = to_message(venue, str(message.id), text, starts=False)
        if venue.thread:
            return venue, plain
        root = await self._chains.root(message)
        # The thread of a message has its id, so that it is known before it is started.
        talk = chained(venue, str(root))
        if root == message.id and self._starts_thread(message):
            return talk, to_message(talk, str(message.id), text, starts=True)
        return talk, plain

    def _starts_thread(self, message: discord.Message) -> bool:
        channel, guild = message.channel, message.guild
        if not self._config.threads or guild is None:
            return False
        if not isinstance(channel, discord.TextChannel):
            return False
        rights = channel.permissions_for(guild.me)
        return rights.create_public_threads and rights.send_messages_in_threads


def files_of(message: discord.Message) -> tuple[Attachment, ...]:
    """Return the files of a message."""
    return tuple(
        Attachment(name=one.filename, ref=one.url, size=one.size) for one in message.attachments
    )


def words_of(message: discord.Message) -> str:
    """Return what a message says, in whatever way."""
    if message.content:
        return message.content
    texts = [one for part in message.components for one in _texts(part)]
    texts += [text for one in message.embeds for text in (one.title, one.description) if text]
    return "\n\n".join(texts)


def _texts(part: object) -> list[str]:
    if isinstance(part, discord.TextDisplay):
        return [part.content]
    return [text for one in getattr(part, "children", ()) for text in _texts(one)]
