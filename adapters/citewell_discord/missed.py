"""What was asked while nobody listened, as far as Discord still tells."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final

import discord

from citewell import DeliveryError
from citewell.chat import Event
from citewell_discord.addresses import snowflake_at
from citewell_discord.directs import Directs
from citewell_discord.incoming import Reading

_MOST_IN_CHANNEL: Final = 200
_MOST_CHANNELS: Final = 500
_MOST_DIRECT: Final = 100


async def missed(
    client: discord.Client, reading: Reading, directs: Directs, since: float
) -> AsyncIterator[Event]:
    """Yield the questions since then, channel by channel, in each the oldest first."""
    after = discord.Object(snowflake_at(since))
    for at, channel in enumerate(_channels(client, directs, after.id)):
        if at >= _MOST_CHANNELS:
            return
        try:
            async for message in channel.history(
                after=after, limit=_MOST_IN_CHANNEL, oldest_first=True
            ):
                asked = await reading.asked(message)
                if asked is not None and (asked.text or asked.attachments):
                    yield asked
        except (discord.HTTPException, DeliveryError, OSError):
            # What cannot be read there now hinders no other channel.
            continue


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
