"""What the settings models of plugins are made from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias, get_args

from msgspec import Struct
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
)
from pydantic_core import core_schema

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


class Spelling(Struct, frozen=True):
    """Marks a text of the settings that has to be spelled in one way: `Annotated[str, Spelling()]`.

    Whoever spells it otherwise reads what to write, and not the pattern; editors get the pattern.

    Attributes:
        pattern: regular expression, searched for.
        kind: what such a text is, without article.
        expected: an example, or how it begins.
    """

    pattern: str
    kind: str
    expected: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Check what `handler` made of a text."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Tell editors the pattern."""
        return {**handler(schema), "pattern": self.pattern}

    def _checked(self, text: str) -> str:
        if re.search(self.pattern, text) is None:
            raise ValueError(f'"{text}" is no {self.kind}; expected one {self.expected}')
        return text


ApiUrl: TypeAlias = Annotated[
    str, Spelling("^https?://", "address of an API", "that begins with https://")
]
"""Where a service is asked, in place of its usual address."""


class Refers(Struct, frozen=True):
    """Marks a setting that names another section of the settings.

    Attributes:
        kind: of that section.
    """

    kind: str


EmbedderName: TypeAlias = Annotated[str, Field(min_length=1), Refers("embedder")]
"""The name of an embedder's section, or of an embedder that needs no settings;
`Context.embedders` opens it."""

ModelName: TypeAlias = Annotated[str, Field(min_length=1), Refers("model")]
"""The name of a model's section, or of a model that needs no settings; `Context.models` opens
it."""


def references(config: BaseModel) -> Mapping[str, tuple[str, str]]:
    """Return the settings of `config` that name another section: its kind and its name."""
    found = {}
    for name, field in type(config).model_fields.items():
        marks = (*field.metadata, *_marks(field.annotation))
        kinds = [mark.kind for mark in marks if isinstance(mark, Refers)]
        value = getattr(config, name)
        if kinds and isinstance(value, str):
            found[name] = kinds[0], value
    return found


def _marks(annotation: object) -> Iterator[object]:
    """Yield what stands in the `Annotated` of a type, also inside a union."""
    yield from getattr(annotation, "__metadata__", ())
    for inner in get_args(annotation):
        yield from _marks(inner)


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
        description="further labels by group of the service: what its members may read besides; "
        'members of a channel are the group "channel:ID"',
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
