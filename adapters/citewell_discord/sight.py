"""Who sees channels, and what was said in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

import discord

from citewell import DeliveryError
from citewell_discord.config import channel_of


class Channels:
    """Channels whose readers are groups, named `channel:` and an id.

    One that the bot does not see is seen by nobody.

    Args:
        client: that is connected.
        groups: their names.
    """

    def __init__(self, client: discord.Client, groups: Collection[str]) -> None:
        found = {group: client.get_channel(int(channel_of(group) or 0)) for group in groups}
        self._channels = {
            group: channel
            for group, channel in found.items()
            if isinstance(channel, discord.abc.GuildChannel)
        }

    async def fill(self, fill: Callable[[discord.Guild], Awaitable[None]]) -> None:
        """Let the members of their servers be known."""
        for guild in {channel.guild for channel in self._channels.values()}:
            await fill(guild)

    def seen(self, person: discord.Member) -> frozenset[str]:
        """Return the groups that somebody is in, as far as the members are known."""
        found = set()
        for group, channel in self._channels.items():
            guild = channel.guild
            member = person if person.guild.id == guild.id else guild.get_member(person.id)
            if member is not None and _sees(channel, member):
                found.add(group)
        return frozenset(found)

    async def seen_by(self, user: str) -> frozenset[str]:
        """Return the groups that somebody is in, asked anew.

        Raises:
            DeliveryError: Discord does not say.
        """
        members: dict[int, discord.Member | None] = {}
        found = set()
        for group, channel in self._channels.items():
            guild = channel.guild
            if guild.id not in members:
                members[guild.id] = await _member(guild, int(user))
            member = members[guild.id]
            if member is not None and _sees(channel, member):
                found.add(group)
        return frozenset(found)

    def open_to_all_in(self, place: str, *, guild: str) -> frozenset[str]:
        """Return the groups in which surely is everybody who sees a channel of a server.

        These are its own, if everybody there sees its history, and those of channels of the same
        server that are hidden from no member of it.
        """
        found = set()
        for group, channel in self._channels.items():
            is_own = str(channel.id) == place and _shows_history(channel)
            if is_own or (str(channel.guild.id) == guild and _is_open(channel)):
                found.add(group)
        return frozenset(found)

    def seen_by_all_of(self, guild: discord.Guild) -> frozenset[str]:
        """Return the groups in which is whoever is a member of a server, without any role."""
        return frozenset(
            group
            for group, channel in self._channels.items()
            if channel.guild.id == guild.id and _sees(channel, guild.default_role)
        )


def _sees(channel: discord.abc.GuildChannel, who: discord.Member | discord.Role) -> bool:
    rights = channel.permissions_for(who)
    return rights.view_channel and rights.read_message_history


def _shows_history(channel: discord.abc.GuildChannel) -> bool:
    """Tell whether the server lets everybody read what was said, and the channel forbids nobody."""
    is_forbidden = any(one.read_message_history is False for one in channel.overwrites.values())
    return channel.guild.default_role.permissions.read_message_history and not is_forbidden


def _is_open(channel: discord.abc.GuildChannel) -> bool:
    """Tell whether every member of the server sees the channel and its history."""
    denies = any(
        one.view_channel is False or one.read_message_history is False
        for one in channel.overwrites.values()
    )
    return _sees(channel, channel.guild.default_role) and not denies


async def _member(guild: discord.Guild, user: int) -> discord.Member | None:
    try:
        return await guild.fetch_member(user)
    except discord.NotFound:
        return None
    except (discord.HTTPException, discord.RateLimited, OSError) as error:
        told = f"discord does not tell of member {user}"
        passes = not isinstance(error, discord.HTTPException) or error.status in {429, *_BROKEN}
        raise DeliveryError(told, passes=passes) from error


_BROKEN = range(500, 600)
