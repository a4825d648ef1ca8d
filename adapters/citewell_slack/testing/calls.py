"""Calls of the Web API: what was asked, and what was answered."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiohttp import web

from citewell_slack.testing.wire import JsonObject, Refusal, decoded, decoded_object, flag, objects

# Form fields and query parameters in which Slack expects JSON.
_NESTED = {"blocks", "chunks", "files", "metadata", "prompts", "loading_messages", "view"}


@dataclass
class Call:
    """One call.

    Attributes:
        token: without "Bearer"; empty where there was none.
        at: by Slack's clock.
        status: of the HTTP answer; 0 while there is none, or where it was lost.
    """

    method: str
    token: str
    arguments: Mapping[str, Any]
    at: float
    status: int = 0
    answer: JsonObject = field(default_factory=dict)
    scopes: frozenset[str] = frozenset()

    @property
    def error(self) -> str:
        """Slack's code for what was wrong, or nothing."""
        return str(self.answer.get("error", ""))

    def text(self, name: str, default: str | None = None) -> str:
        """Return an argument as text.

        Raises:
            Refusal: it is missing, and there is no default.
        """
        value = self.arguments.get(name)
        if value is None or value == "":
            if default is None:
                raise Refusal.of_arguments(f"[ERROR] missing required field: {name}")
            return default
        return str(value)

    def maybe(self, name: str) -> str | None:
        """Return an argument as text, or None."""
        return self.text(name, "") or None

    def number(self, name: str, default: int) -> int:
        """Return an argument as a number."""
        try:
            return int(self.text(name, str(default)))
        except ValueError as error:
            raise Refusal.of_arguments(f"[ERROR] must be a number: {name}") from error

    def flag(self, name: str) -> bool | None:
        """Return an argument as true, false, or None where it is missing."""
        return flag(self.arguments.get(name))

    def object(self, name: str) -> JsonObject | None:
        """Return an argument that is an object."""
        value = self.arguments.get(name)
        return {**value} if isinstance(value, Mapping) else None

    def objects(self, name: str) -> list[JsonObject]:
        """Return the objects of an argument that is a list."""
        return objects(self.arguments.get(name))

    def texts(self, name: str) -> list[str]:
        """Return an argument that is a list of texts, or texts with commas between them."""
        value = self.arguments.get(name)
        if isinstance(value, str):
            return [one.strip() for one in value.split(",") if one.strip()]
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise Refusal.of_arguments(f"[ERROR] must be a list of strings: {name}")
        return [*value]

    def needs(self, *scopes: str) -> None:
        """Go on only if the token was granted one of the scopes.

        Raises:
            Refusal: it was granted none of them.
        """
        if not self.scopes.intersection(scopes):
            extra = {"needed": scopes[0], "provided": ",".join(sorted(self.scopes))}
            raise Refusal("missing_scope", extra=extra)


Answer: TypeAlias = Callable[[Call], JsonObject]


@dataclass(frozen=True)
class Method:
    """A method of the Web API.

    Attributes:
        answer: does it; raises `Refusal`.
        scope: what every call needs; others are checked by what it is about.
        tier: calls a minute, by Slack's tiers 1 to 4; 0 is posting, limited by channel.
        token: which token it takes; "none" where the app is not yet installed.
    """

    name: str
    answer: Answer
    scope: str = ""
    tier: int = 3
    token: str = "bot"  # noqa: S105 - a kind of token, not one


async def read_arguments(request: web.Request) -> JsonObject:
    """Return the arguments, from wherever the client put them: body, form or query."""
    # slack_sdk sends most arguments as JSON, some by query, and empty bodies that claim to be JSON.
    arguments: JsonObject = dict(request.query)
    body = await request.read()
    if request.content_type == "application/json" and body.strip():
        given = decoded_object(body)
        if given is None:
            raise Refusal("invalid_json")
        arguments |= given
    elif request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        arguments |= dict(await request.post())
    for name in _NESTED & arguments.keys():
        if isinstance(arguments[name], str):
            arguments[name] = decoded(arguments[name]) or arguments[name]
    return arguments


def read_token(request: web.Request, arguments: JsonObject) -> str:
    """Return the token, which is then no longer among the arguments."""
    given = str(arguments.pop("token", ""))
    authorization = request.headers.get("Authorization", "")
    # How slack_sdk shows who the app is, while it has no token.
    if authorization.startswith("Basic "):
        client = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        arguments["client_id"], _, arguments["client_secret"] = client.partition(":")
        return ""
    return authorization.removeprefix("Bearer ").strip() or given
