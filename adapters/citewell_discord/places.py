"""Where something was said, and whether anything is answered there."""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

import discord
from msgspec import Struct

from citewell.chat import ChatConfig, Venue
from citewell_discord.config import DiscordConfig, Lists
from citewell_discord.readers import Membership

Channel: TypeAlias = (
    "discord.abc.MessageableChannel | discord.abc.GuildChannel | discord.abc.PrivateChannel"
)


class Spot(Struct, frozen=True, kw_only=True):
    """A place, as the lists of the settings see it.

    Attributes:
        roles: ids of who spoke there; None where they are to be asked for.
    """

    venue: Venue
    roles: frozenset[str] | None


def venue_of(platform: str, channel: Channel) -> Venue:
    """Return the venue of a channel, thread or direct conversation."""
    guild = getattr(channel, "guild", None)
    if guild is None:
        return Venue(platform=platform, channel=str(channel.id))
    if isinstance(channel, discord.Thread):
        return Venue(
            platform=platform,
            team=str(guild.id),
            channel=str(channel.parent_id),
            thread=str(channel.id),
        )
    return Venue(platform=platform, team=str(guild.id), channel=str(channel.id))


def roles_of(author: discord.User | discord.Member) -> frozenset[str] | None:
    """Return the roles that somebody has in the server where they spoke, or None outside one."""
    if isinstance(author, discord.Member):
        return frozenset(str(role.id) for role in author.roles)
    return None


class Doorkeeper:
    """Decides where and whom to answer.

    Args:
        config: of the adapter.
        membership: tells the roles of who writes directly.
    """

    def __init__(self, config: DiscordConfig, membership: Membership) -> None:
        self._config = config
        self._membership = membership

    async def admits(self, spot: Spot, user: str, settings: ChatConfig) -> bool:
        """Tell whether something said there by somebody is answered.

        Args:
            spot: where.
            user: who.
            settings: in force now.

        Raises:
            DeliveryError: it cannot be known which roles somebody has, or in which servers.
        """
        venue, config = spot.venue, self._config
        if not settings.channel(venue.channel).answers:
            return False
        if not venue.team:
            if not config.direct or not await self._is_of_ours(user):
                return False
        elif not self._is_open(venue):
            return False
        named = {*config.allow.roles, *config.block.roles}
        if not named:
            return True
        roles = spot.roles
        if roles is None:
            roles = await self._membership.roles_of(user, named)
        return _admits(config, roles)

    async def _is_of_ours(self, user: str) -> bool:
        """Tell whether somebody who writes directly comes from where the bot answers."""
        allow, block = self._config.allow.guilds, self._config.block.guilds
        if block and await self._membership.is_member(user, block):
            return False
        return not allow or await self._membership.is_member(user, allow)

    def _is_open(self, venue: Venue) -> bool:
        allow, block = self._config.allow, self._config.block
        places = {venue.channel, venue.thread}
        if _holds(block, venue.team, places):
            return False
        if allow.guilds and venue.team not in allow.guilds:
            return False
        return not allow.channels or bool(places & set(allow.channels))


def _holds(lists: Lists, guild: str, places: Collection[str]) -> bool:
    return guild in lists.guilds or bool(set(places) & set(lists.channels))


def _admits(config: DiscordConfig, roles: frozenset[str]) -> bool:
    if roles & set(config.block.roles):
        return False
    return not config.allow.roles or bool(roles & set(config.allow.roles))
