"""JSON as it travels, and what the Web API refuses with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

JsonObject: TypeAlias = dict[str, Any]
"""An object of Slack's JSON, whose fields no type can promise: clients may send anything."""


class Refusal(Exception):
    """The answer `ok: false`.

    Attributes:
        error: Slack's code.
        status: of the HTTP answer.
        headers: of the HTTP answer.
        extra: further fields of the answer.
    """

    def __init__(
        self,
        error: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.status = status
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})

    @classmethod
    def of_arguments(cls, *messages: str, error: str = "invalid_arguments") -> Refusal:
        """Refuse with Slack's explanations of what is wrong with the arguments."""
        return cls(error, extra={"response_metadata": {"messages": [*messages]}})

    def answer(self) -> JsonObject:
        """Return the JSON of the answer."""
        return {"ok": False, "error": self.error, **self.extra}


def decoded(data: bytes | str) -> object:
    """Return what JSON says, or None where it is no JSON."""
    try:
        value: object = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return value


def decoded_object(data: bytes | str) -> JsonObject | None:
    """Return the object that JSON holds, or None where it holds none."""
    value = decoded(data)
    return value if isinstance(value, dict) else None


def objects(value: object) -> list[JsonObject]:
    """Return the objects of a JSON list, and nothing of anything else."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [one for one in value if isinstance(one, dict)]


def flag(value: object) -> bool | None:
    """Return true or false as JSON and forms write them, or None where there is neither."""
    if value is None or isinstance(value, bool):
        return value
    return str(value).lower() in {"true", "1"}


def without_nothing(fields: Mapping[str, object]) -> JsonObject:
    """Leave out what Slack does not send: fields that are None or empty lists."""
    return {name: value for name, value in fields.items() if value is not None and value != []}
