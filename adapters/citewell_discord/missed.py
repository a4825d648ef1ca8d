"""What was asked while nobody listened, as far as Discord still tells."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Final

import aiohttp
import discord
from msgspec.structs import replace

from citewell import DeliveryError
from citewell.chat import Asked, Deleted, Edited, Event
from citewell_discord.addresses import place_of, snowflake_at
from citewell_discord.directs import Directs
from citewell_discord.incoming import Reading

_MOST_IN_CHANNEL: Final = 200
_MOST_CHANNELS: Final = 500
_MOST_DIRECT: Final = 100
_UNREACHABLE: Final = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError)


async def missed(
    client: discord.Client, reading: Reading, directs: Directs, since: float
) -> AsyncIterator[Event]:
    """Yield the questions since then, channel by channel, in each the oldest first.

    Raises:
        DeliveryError: some channels cannot be read now; what the others hold was yielded.
    """
    after = discord.Object(snowflake_at(since))
    unread = ""
    for at, channel in enumerate(_channels(client, directs, after.id)):
        if at >= _MOST_CHANNELS:
            break
        try:
            async for message in channel.history(
                after=after, limit=_MOST_IN_CHANNEL, oldest_first=True
            ):
                asked = await reading.asked(message)
                if asked is not None and (asked.text or asked.attachments):
                    yield asked
        except (discord.Forbidden, discord.NotFound):
            continue
        except (*_UNREACHABLE, DeliveryError) as error:
            # What cannot be read there now hinders no other channel.
            unread = str(error)
    if unread:
        raise DeliveryError(f"what was missed cannot be read: {unread}", passes=True)


async def changed(
    client: discord.Client, reading: Reading, asked: Asked
) -> Edited | Deleted | None:
    """Return what became of a question since, if it was a message.

    Raises:
        DeliveryError: Discord cannot be reached.
    """
    if asked.address.only_for is not None or "message" not in asked.address.data:
        return None
    try:
        message = await _message(client, asked)
    except discord.NotFound:
        return reading.gone(int(asked.key), asked.venue)
    except discord.Forbidden:
        return None
    except _UNREACHABLE as error:
        raise DeliveryError(f"discord cannot be asked: {error}", passes=True) from error
    change = await reading.edited(message, is_known=True)
    if change is None or change.text == asked.text:
        return None
    # Of a channel that is not known any more, the message does not tell where it stands.
    return replace(change, venue=asked.venue)


async def _message(client: discord.Client, asked: Asked) -> discord.Message:
    """Return a message as it is now: one that began a thread stands beside it, not in it."""
    venue = asked.address.venue
    places = [venue.channel, venue.thread] if venue.thread == asked.key else [place_of(venue)]
    for place in places[:-1]:
        # It may stand in a place that the bot may not see, though the other one is not there.
        with suppress(discord.NotFound):
            return await _channel(client, place).fetch_message(int(asked.key))
    return await _channel(client, places[-1]).fetch_message(int(asked.key))


def _channel(client: discord.Client, id_: str) -> discord.abc.Messageable:
    known = client.get_channel(int(id_))
    if isinstance(known, discord.abc.Messageable):
        return known
    return client.get_partial_messageable(int(id_))


def _channels(
    client: discord.Client, directs: Directs, after: int
) -> Iterator[discord.abc.Messageable]:
    for one in directs.ids[-_MOST_DIRECT:]:
        yield client.get_partial_messageable(one)
    for guild in client.guilds:
        readable: list[discord.TextChannel | discord.Thread] = [
            *guild.text_channels,
            *guild.threads,
        ]
        for channel in readable:
            rights = channel.permissions_for(guild.me)
            is_read = rights.view_channel and rights.read_message_history
            if is_read and (channel.last_message_id or 0) > after:
                yield channel
