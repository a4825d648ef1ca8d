"""What the gateway tells a bot, and which bot asked to be told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import KEEP, IntFlag

from citewell_discord.testing.errors import Payload


class Intents(IntFlag, boundary=KEEP):
    """What a session asks to be told."""

    NONE = 0
    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_REACTIONS = 1 << 10
    GUILD_TYPING = 1 << 11
    DIRECT_MESSAGES = 1 << 12
    DIRECT_REACTIONS = 1 << 13
    DIRECT_TYPING = 1 << 14
    MESSAGE_CONTENT = 1 << 15


PRIVILEGED = Intents.GUILD_MEMBERS | Intents.PRESENCES | Intents.MESSAGE_CONTENT
"""What has to be enabled for an application before a session may ask for it."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened.

    Attributes:
        intents: a session that has none of them is not told; NONE is told to all.
        guild_id: which shard is told; None, a direct conversation, is told to the first.
        without_content: what a session without the message content intent is told instead.
    """

    name: str
    payload: Payload
    intents: Intents = Intents.NONE
    guild_id: int | None = None
    without_content: Payload | None = None

    def told(self, intents: Intents) -> Payload | None:
        """Return what a session with these intents is told; None if nothing."""
        if self.intents and not self.intents & intents:
            return None
        if self.without_content is not None and not intents & Intents.MESSAGE_CONTENT:
            return self.without_content
        return self.payload
