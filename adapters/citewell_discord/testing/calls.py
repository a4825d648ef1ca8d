"""Calls of the API: what is asked, who serves it, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from citewell_discord.testing.errors import Flaws, Payload
from citewell_discord.testing.gateway import Gateway
from citewell_discord.testing.interactions import Interactions
from citewell_discord.testing.messages import Upload
from citewell_discord.testing.posts import Posts
from citewell_discord.testing.reading import read
from citewell_discord.testing.threads import Threads
from citewell_discord.testing.world import World

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Api:
    """What a call may work on."""

    world: World
    posts: Posts
    threads: Threads
    interactions: Interactions
    gateway: Gateway


@dataclass(frozen=True, slots=True)
class Call:
    """A call that is being served.

    Attributes:
        path: what stands for the names in the template.
        body: JSON.
        uploads: the files sent with it, by number.
    """

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    uploads: Mapping[str, Upload]

    def id(self, name: str) -> int:
        """Return an id of the path.

        Raises:
            Refusal: it is none.
        """
        return _id(name, self.path[name])

    def asked_id(self, name: str) -> int | None:
        """Return an id of the query, if it is there.

        Raises:
            Refusal: it is none.
        """
        return _id(name, self.query[name]) if name in self.query else None

    def asks(self, name: str) -> bool:
        """Tell whether the query says that something is wanted."""
        return self.query.get(name, "").lower() in {"1", "true"}

    def limit(self, *, default: int, most: int) -> int:
        """Return how many are wanted.

        Raises:
            Refusal: it is no number, or too many.
        """
        text = self.query.get("limit", str(default))
        flaws = Flaws()
        if not text.isdigit() or not 1 <= int(text) <= most:
            message = f"int value should be between 1 and {most}."
            flaws.add(("limit",), "NUMBER_TYPE_RANGE", message)
        flaws.refuse()
        return int(text)

    def read(self, type_: type[T]) -> T:
        """Return the body.

        Raises:
            Refusal: it is something else.
        """
        return read(self.body or b"{}", type_)


@dataclass(frozen=True, slots=True)
class RestCall:
    """A call that was served.

    Attributes:
        route: method and template, `POST /channels/{channel_id}/messages`.
        path: as it was asked.
        query: what followed the path.
        body: as it was sent, decoded; None if there was none.
        at: in seconds since 1970.
        code: of Discord, if it was refused.
    """

    route: str
    path: str
    query: Mapping[str, str]
    body: object
    at: float
    status: int
    code: int | None = None


Answer: TypeAlias = "Payload | list[Payload] | None"
"""What a call returns; None is 204."""

Handler: TypeAlias = Callable[[Api, Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One way to call the API.

    Attributes:
        is_open: whether it is called without the bot's token, for it carries one of its own.
        status: of success; a handler that returns None answers 204.
    """

    method: str
    template: str
    handler: Handler
    is_open: bool = False
    status: int = 200

    @property
    def name(self) -> str:
        """How it is called in the log and in faults."""
        return f"{self.method} {self.template}"


def _id(name: str, text: str) -> int:
    flaws = Flaws()
    if not text.isdigit():
        message = f'Value "{text}" is not snowflake.'
        flaws.add((name,), "NUMBER_TYPE_COERCE", message)
    flaws.refuse()
    return int(text)
