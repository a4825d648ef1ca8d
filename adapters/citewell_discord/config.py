"""The settings of the adapter `discord`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import Field, SecretStr

from citewell import ApiUrl, Config
from citewell.chat import ChatConfig

Name: TypeAlias = Annotated[str, Field(min_length=1)]


class Lists(Config):
    """Guilds, channels and roles, by their ids."""

    guilds: list[Name] = Field(default=[], description="ids of servers")
    channels: list[Name] = Field(
        default=[], description="ids of channels; one of a channel holds for its threads, too"
    )
    roles: list[Name] = Field(default=[], description="ids of roles")


class ForumConfig(Config):
    """A forum whose posts are answered."""

    solved_tag: Name | None = Field(
        default=None,
        description="name or id of the tag that a post gets when its author found the answer "
        "helpful; posts that carry it are not answered",
    )


class HandOffConfig(Config):
    """Who is asked instead of the assistant."""

    channel: Name = Field(description="id of the channel in which they are told")
    role: Name | None = Field(default=None, description="id of their role, which is named there")
    ping: bool = Field(default=False, description="whether the role is notified")


def channel_of(group: str) -> str | None:
    """Return the channel whose readers a group is; None for a role."""
    sign, _, channel = group.rpartition(":")
    return channel if sign == "channel" and channel.isdecimal() else None


class DiscordConfig(ChatConfig):
    """Settings of the adapter `discord`; groups are ids of roles, or `channel:` and an id."""

    token: SecretStr = Field(
        description="of the bot, given as { env = NAME } or { file = PATH }",
    )
    api_url: ApiUrl | None = Field(
        default=None,
        description="address of a compatible API, with its version; default: Discord's own",
    )
    gateway_url: str | None = Field(
        default=None,
        pattern="^wss?://",
        description="address of a compatible gateway; default: Discord's own",
    )
    message_content: bool = Field(
        default=False,
        description="ask for the privileged intent Message Content, which threads and forum posts "
        "without a mention need; mentions and direct messages work without it",
    )
    server_members: bool | None = Field(
        default=None,
        description="ask for the privileged intent Server Members, which tells who reads a "
        "channel; default: when there are groups of roles",
    )
    sharded: bool = Field(
        default=False, description="connect in shards, as bots in many servers have to"
    )
    direct: bool = Field(default=True, description="answer direct messages")
    threads: bool = Field(
        default=True, description="answer each question of a channel in a thread of its own"
    )
    forums: Mapping[Name, ForumConfig] = Field(
        default={}, description="forums whose new posts are answered, by id"
    )
    allow: Lists = Field(
        default=Lists(), description="where and whom to answer alone; an empty list allows all"
    )
    block: Lists = Field(default=Lists(), description="where and whom not to answer; it wins")
    hand_off: HandOffConfig | None = Field(
        default=None, description="who is told when somebody asks for a person"
    )

    @property
    def knows_members(self) -> bool:
        """Whether the gateway is asked who the members of a server are."""
        if self.server_members is not None:
            return self.server_members
        return any(channel_of(group) is None for group in self.groups)
