"""Who reads what is posted at a place, as the roles that decide what they may read."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from typing import Final, TypeAlias

import discord

from citewell import DeliveryError
from citewell.chat import Address
from citewell_discord.calls import Calls, Json, Refused
from citewell_discord.config import DiscordConfig, channel_of
from citewell_discord.sight import Channels

Readers: TypeAlias = frozenset[frozenset[str]]
_Place: TypeAlias = discord.abc.GuildChannel | discord.Thread

_AT_ONCE: Final = 2000
_CHUNK_S: Final = 30.0


class Membership:
    """Knows which of some roles people have.

    Of one person Discord is asked anew each time. Of the members of a server the gateway tells
    each change, which needs the intent Server Members.

    Args:
        calls: of the API.
        config: of the adapter.
    """

    def __init__(self, calls: Calls, config: DiscordConfig) -> None:
        self._calls = calls
        self._config = config

    async def readers(self, address: Address, groups: Collection[str]) -> Readers:
        """Return the roles of each distinct reader.

        Raises:
            DeliveryError: it cannot be known.
        """
        client = await self._calls.client()
        user = address.only_for or ("" if address.venue.team else address.data.get("user", ""))
        roles = [group for group in groups if channel_of(group) is None]
        channels = Channels(client, [group for group in groups if channel_of(group) is not None])
        if user:
            return frozenset({await self.roles_of(user, roles) | await channels.seen_by(user)})
        if not address.venue.team:
            raise DeliveryError("discord: nobody knows whose conversation this is", passes=False)
        if not self._config.knows_members and not roles:
            # Whoever they are: what is said there, all of them may read.
            venue = address.venue
            return frozenset({channels.open_to_all_in(venue.channel, guild=venue.team)})
        if not self._config.knows_members:
            raise DeliveryError(
                f"discord: who reads channel {address.venue.channel} is not known; set "
                "server_members = true, or say what is read there in channels",
                passes=False,
            )
        guild = client.get_guild(int(address.venue.team))
        if guild is None:
            raise DeliveryError(f"discord: server {address.venue.team} is not known", passes=True)
        await _filled(guild)
        place = await self._place(client, guild, address)
        await channels.fill(_filled)
        return await self._in_channel(guild, place, frozenset(roles), channels)

    async def roles_of(self, user: str, groups: Collection[str]) -> frozenset[str]:
        """Return which of some roles somebody has, in whatever server.

        Raises:
            DeliveryError: Discord does not say.
        """
        client = await self._calls.client()
        found: set[str] = set()
        for guild in client.guilds:
            wanted = {str(role.id) for role in guild.roles} & set(groups)
            if not wanted:
                continue
            member = await self._member(str(guild.id), user)
            if member is None:
                continue
            # Everybody has the role of the server's own id, which Discord does not list.
            found |= wanted & {*map(str, member["roles"]), str(guild.id)}
        return frozenset(found)

    async def is_member(self, user: str, guilds: Collection[str]) -> bool:
        """Tell whether somebody is a member of one of these servers, as far as the bot is.

        Raises:
            DeliveryError: Discord does not say.
        """
        client = await self._calls.client()
        for guild in client.guilds:
            if str(guild.id) in guilds and await self._member(str(guild.id), user) is not None:
                return True
        return False

    async def _member(self, guild: str, user: str) -> Json | None:
        """Return what Discord tells of a member, or None if somebody is none."""
        path = "/guilds/{guild_id}/members/{user_id}"
        try:
            member: Json = await self._calls.do("GET", path, guild_id=guild, user_id=user)
        except Refused as refusal:
            if refusal.is_gone:
                return None
            raise
        return member

    async def _place(
        self, client: discord.Client, guild: discord.Guild, address: Address
    ) -> _Place:
        """Return the channel, or the thread if it is a private one.

        A thread that is still to be started is as public as its channel.
        """
        venue = address.venue
        if venue.thread and "name" not in address.data:
            thread = guild.get_thread(int(venue.thread)) or await _fetched(client, venue.thread)
            if isinstance(thread, discord.Thread) and thread.is_private():
                return thread
        channel = guild.get_channel(int(venue.channel)) or await _fetched(client, venue.channel)
        if not isinstance(channel, discord.abc.GuildChannel):
            raise DeliveryError(f"discord: channel {venue.channel} is not known", passes=False)
        return channel

    async def _in_channel(
        self, guild: discord.Guild, place: _Place, groups: frozenset[str], channels: Channels
    ) -> Readers:
        channel = place.parent if isinstance(place, discord.Thread) else place
        if channel is None:
            raise DeliveryError(f"discord: the channel of thread {place.id} is gone", passes=False)
        inside = await _inside(place) if isinstance(place, discord.Thread) else None
        found: set[frozenset[str]] = set()
        for at, member in enumerate(list(guild.members)):
            if at % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
            if member.bot:
                continue
            rights = channel.permissions_for(member)
            is_inside = inside is None or member.id in inside or rights.manage_threads
            if rights.view_channel and is_inside:
                found.add(groups & _roles(member.roles) | channels.seen(member))
        if inside is None and channel.permissions_for(guild.default_role).view_channel:
            # Whoever comes into the server reads it, too.
            found.add(groups & _roles([guild.default_role]) | channels.seen_by_all_of(guild))
        return frozenset(found)


def _roles(roles: Iterable[discord.Role]) -> frozenset[str]:
    return frozenset(str(role.id) for role in roles)


async def _filled(guild: discord.Guild) -> None:
    """Let the gateway tell all members, once for each connection that was not resumed."""
    if guild.chunked:
        return
    try:
        async with asyncio.timeout(_CHUNK_S):
            await guild.chunk()
    except (TimeoutError, discord.DiscordException, OSError) as error:
        told = f"discord: the members of server {guild.id} are not known yet"
        raise DeliveryError(told, passes=True) from error


async def _inside(thread: discord.Thread) -> frozenset[int]:
    try:
        return frozenset(member.id for member in await thread.fetch_members())
    except discord.HTTPException as error:
        told = f"discord: the members of thread {thread.id} are not known"
        raise DeliveryError(told, passes=error.status >= 500) from error


async def _fetched(client: discord.Client, place: str) -> object:
    try:
        return await client.fetch_channel(int(place))
    except discord.NotFound as error:
        raise DeliveryError(f"discord: {place} is gone", passes=False) from error
    except discord.HTTPException as error:
        told = f"discord does not tell of channel {place}"
        raise DeliveryError(told, passes=error.status >= 500) from error
