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

    async def note(self, place: object, user: int) -> None:
        """Note that somebody found an answer helpful; only the author of a post marks it."""
        if not isinstance(place, discord.Thread) or place.owner_id != user:
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
