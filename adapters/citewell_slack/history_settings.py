"""Settings of a `[library.NAME]` that reads channels of Slack."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field, SecretStr

from citewell import ApiUrl, Config, Spelling
from citewell.conversations import HistoryConfig

ChannelId: TypeAlias = Annotated[
    str,
    Spelling(
        "^[CG][A-Z0-9]{6,}$",
        "id of a channel",
        "like C0123ABCD, which stands at the end of the channel's details",
    ),
]
SUFFIX = ".slack-thread"


class ThreadConfig(Config):
    """The loader of threads needs no settings."""


class SlackHistoryConfig(HistoryConfig):
    """Settings of the source `slack-history`."""

    channels: list[ChannelId] = Field(
        min_length=1,
        description="ids of the channels that are read; no other is",
        examples=[["C0123ABCD"]],
    )
    bot_token: SecretStr = Field(
        description="xoxb-..., given as { env = NAME } or { file = PATH }; that of the assistant",
        examples=[{"env": "SLACK_BOT_TOKEN"}],
    )
    api_url: ApiUrl | None = Field(
        default=None,
        description="address of the Web API; default: SLACK_API_URL, or else Slack's own",
    )


def label(channel: str) -> str:
    """Return the label of what is said in a channel."""
    return f"slack:{channel}"
