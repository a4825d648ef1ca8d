"""What the settings models of plugins are made from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from citewell.types.questions import EVERYONE


class Config(BaseModel):
    """Base of a component's settings: unknown keys are refused, values do not change."""

    # Each run builds many of these classes, and uses few.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _local(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("expected a path without a NUL character")
    try:
        path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"expected a path; {path.parts[0]} is no home on this machine") from error
    return path


LocalPath: TypeAlias = Annotated[Path, AfterValidator(_local)]
"""A path in settings: one that this machine can have. It is kept as it was written, with `~`;
`Context.resolve` tells where it leads."""

Name: TypeAlias = Annotated[str, Field(min_length=1)]


class ChannelConfig(Config):
    """What is particular to one channel of a chat service."""

    profile: Name | None = Field(default=None, description="the profile that answers there")
    reads: list[Name] | None = Field(
        default=None,
        min_length=1,
        description="labels that are read there, whoever is a member; default: what each of its "
        "members may read",
    )
    follow_up: bool | None = Field(
        default=None, description="overrides follow_up of the chat service"
    )
    answers: bool = Field(default=True, description="whether anything is answered there at all")


class ChatConfig(Config):
    """What every chat service can be told; an adapter's settings are derived from it."""

    reads: list[Name] = Field(
        default=[EVERYONE], min_length=1, description="labels that everyone there may read"
    )
    groups: Mapping[Name, list[Name]] = Field(
        default={},
        description="further labels by group of the service: what its members may read besides",
    )
    channels: Mapping[Name, ChannelConfig] = Field(
        default={}, description="what is particular to a channel, by its id"
    )
    profile: Name | None = Field(
        default=None, description="the profile that answers there; default: the usual one"
    )
    follow_up: bool = Field(
        default=True,
        description="answer what is said in a thread that the bot takes part in, unmentioned",
    )

    def channel(self, channel: str) -> ChannelConfig:
        """Return what holds in a channel."""
        return self.channels.get(channel) or ChannelConfig()

    def follows_up(self, channel: str) -> bool:
        """Tell whether a thread of a channel goes on without a mention."""
        own = self.channel(channel).follow_up
        return self.follow_up if own is None else own
