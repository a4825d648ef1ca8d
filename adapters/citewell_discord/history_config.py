"""Settings of a `[library.NAME]` that reads channels of Discord."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field, SecretStr

from citewell import ApiUrl, Config, Spelling
from citewell.conversations import HistoryConfig

ChannelId: TypeAlias = Annotated[
    str,
    Spelling(
        "^[0-9]{15,20}$",
        "id of a channel",
        'like 123456789012345678, which "Copy Channel ID" gives in developer mode',
    ),
]
SUFFIX = ".discord-thread"


class ThreadConfig(Config):
    """The loader of threads needs no settings."""


class DiscordHistoryConfig(HistoryConfig):
    """Settings of the source `discord-history`."""

    channels: list[ChannelId] = Field(
        min_length=1,
        description="ids of the channels and forums that are read; no other is",
        examples=[["123456789012345678"]],
    )
    token: SecretStr = Field(
        description="of the bot, given as { env = NAME } or { file = PATH }; that of the assistant",
        examples=[{"env": "DISCORD_TOKEN"}],
    )
    api_url: ApiUrl | None = Field(
        default=None,
        description="address of a compatible API, with its version; default: Discord's own",
    )


def label(channel: str) -> str:
    """Return the label of what is said in a channel."""
    return f"discord:{channel}"
