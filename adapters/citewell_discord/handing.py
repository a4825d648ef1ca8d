"""Questions that go on to people: told once, in the channel that the settings name."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from citewell import DeliveryError
from citewell.chat import Address, HandOff, Host, Venue
from citewell_discord.addresses import jump, nonce, place_of
from citewell_discord.calls import Calls, Refused
from citewell_discord.config import HandOffConfig
from citewell_discord.encoding import said, texts_of
from citewell_discord.markup import clipped, escaped, quoted
from citewell_discord.paging import paged

_TOLD: Final = "They were told, with your question and this answer."
_REPEATED: Final = "They were told of this before."
_UNKNOWN: Final = "Nothing is known of this answer any more. Please ask again."
_MAX_QUESTION: Final = 1500


class HandsOff:
    """Tells people of a question.

    Args:
        calls: of the API.
        config: whom; None for nobody.
        platform: name of the adapter's section.
    """

    def __init__(self, calls: Calls, config: HandOffConfig | None, platform: str) -> None:
        self.platform = platform
        self._calls = calls
        self._config = config

    async def tell(self, host: Host, answer_id: str, by: str) -> str | None:
        """Tell them once, and return what to say to who asked for it; None where nobody is named.

        Raises:
            DeliveryError: they cannot be told.
        """
        if self._config is None:
            return None
        venue = await self._venue(self._config)
        handed = await host.hand_off(answer_id, Address(venue=venue))
        if handed is None:
            return _UNKNOWN
        if handed.is_repeated:
            return _REPEATED
        where = await self._stands(handed.venue)
        await self._post(self._config, replace(handed, venue=where), answer_id)
        await host.handed_off(answer_id, by, handed.venue)
        return _TOLD

    async def _venue(self, config: HandOffConfig) -> Venue:
        client = await self._calls.client()
        channel = client.get_channel(int(config.channel)) if config.channel.isdecimal() else None
        guild = getattr(channel, "guild", None)
        if guild is None:
            told = f"hand_off.channel: {config.channel}: the bot sees no such channel"
            raise DeliveryError(told, passes=False)
        parent = getattr(channel, "parent_id", None)
        return Venue(
            platform=self.platform,
            team=str(guild.id),
            channel=str(parent or config.channel),
            thread=config.channel if parent and hasattr(channel, "archived") else "",
        )

    async def _stands(self, venue: Venue) -> Venue:
        """Return where an answer stands: what is named like a thread need not be one."""
        place = place_of(venue)
        if place == venue.channel or not place.isdecimal():
            return replace(venue, thread="")
        try:
            await self._calls.do("GET", "/channels/{channel_id}", channel_id=place)
        except Refused as refusal:
            if refusal.is_gone:
                return replace(venue, thread="")
        return replace(venue, thread=place)

    async def _post(self, config: HandOffConfig, handed: HandOff, answer_id: str) -> None:
        pages = paged(_entries(config, handed))
        for index, page in enumerate(pages):
            rings = config.ping and config.role is not None and index == 0
            await self._calls.post(
                config.channel,
                said(page),
                nonce=nonce(f"hand-off/{answer_id}", index, 0),
                roles=(config.role,) if rings and config.role else (),
            )


def _entries(config: HandOffConfig, handed: HandOff) -> list[str]:
    role = f"<@&{config.role}>: " if config.role is not None and config.role.isdecimal() else ""
    first = next(iter(handed.posted), "")
    link = f" ([where](<{jump(handed.venue, first)}>))" if first.isdecimal() else ""
    asker = f"<@{handed.asker}>" if handed.asker.isdecimal() else escaped(handed.asker)
    question = quoted(escaped(clipped(handed.question, _MAX_QUESTION)))
    return [
        f"{role}{asker} asks for a person{link}.",
        question,
        *texts_of(handed.blocks),
    ]
