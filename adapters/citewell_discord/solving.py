"""Marks a post of a forum as solved when its author found an answer helpful."""

from __future__ import annotations

import logging
from typing import Final

import discord

from citewell_discord.config import DiscordConfig

_MAX_TAGS: Final = 5

log = logging.getLogger(__name__)


class Solving:
    """Gives posts their solved tag.

    Args:
        config: names the tags.
    """

    def __init__(self, config: DiscordConfig) -> None:
        self._config = config

    async def note(self, interaction: discord.Interaction[discord.Client]) -> None:
        """Note that somebody found an answer helpful; only the author of a post marks it."""
        place = await _post(interaction)
        if place is None or place.owner_id != interaction.user.id:
            return
        forum = self._config.forums.get(str(place.parent_id))
        if forum is None or forum.solved_tag is None:
            return
        known = (
            place.parent.available_tags if isinstance(place.parent, discord.ForumChannel) else ()
        )
        tag = next((one for one in known if forum.solved_tag in {str(one.id), one.name}), None)
        if tag is None:
            log.warning("forum %s has no tag %s", place.parent_id, forum.solved_tag)
            return
        if tag in place.applied_tags or len(place.applied_tags) >= _MAX_TAGS:
            return
        try:
            await place.edit(applied_tags=[*place.applied_tags, tag])
        except discord.HTTPException as error:
            log.warning("post %d cannot be marked as solved: %s", place.id, error)


async def _post(interaction: discord.Interaction[discord.Client]) -> discord.Thread | None:
    """Return the post in which something was pressed; the interaction tells only parts of it."""
    guild, channel = interaction.guild, interaction.channel_id
    if guild is None or channel is None or not isinstance(interaction.channel, discord.Thread):
        return None
    known = guild.get_thread(channel)
    if known is not None:
        return known
    try:
        fetched = await interaction.client.fetch_channel(channel)
    except discord.HTTPException:
        return None
    return fetched if isinstance(fetched, discord.Thread) else None
