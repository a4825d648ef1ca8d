"""What is wrong with a settings file, said so that it can be mended."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct, field
from pydantic import BaseModel, ValidationError

from citewell.engine.nearest import did_you_mean

Key: TypeAlias = tuple[str | int, ...]
M = TypeVar("M", bound=BaseModel)

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_MAX_SHOWN = 60


class Problems(Struct):
    """Every problem of one file, in the order in which they were found."""

    file: str
    found: list[str] = field(default_factory=list)

    def add(self, key: Key, message: str) -> None:
        """Note a problem with the setting `key`."""
        self.found.append(f"{self.file}: {dotted(key)}: {message}")

    def add_unknown(self, key: Key, *, known: Iterable[str], owner: str) -> None:
        """Note that the setting `key` does not exist, and which ones `owner` has."""
        names = list(known)
        listed = f"settings of {owner}: {', '.join(names)}" if names else f"{owner} has no settings"
        self.add(key, f"unknown setting{did_you_mean(str(key[-1]), names, listed)}")

    def add_invalid(self, error: ValidationError, at: Expected) -> None:
        """Note every problem that pydantic found."""
        for one in error.errors(include_url=False):
            inner = _within(at.data, one["loc"])
            key = (*at.key, *inner)
            if one["type"] == "json_invalid":
                # Its input is the whole table as text, secrets in place.
                self.add(at.key, "nested too deeply")
            elif one["type"] == "extra_forbidden" and len(inner) <= 1:
                self.add_unknown(key, known=at.known, owner=at.owner)
            elif one["type"] == "extra_forbidden":
                self.add(key, "unknown setting")
            else:
                hidden = inner in at.hidden
                shown = "" if hidden else _shown(one["input"], one["type"])
                self.add(key, _expected(one["type"], one["msg"]) + shown)


class Expected(Struct, frozen=True, kw_only=True):
    """A table of the file and what is expected of it.

    Attributes:
        key: where the table stands.
        data: the table.
        owner: whose settings they are, for messages.
        known: names of all settings that may stand there.
        hidden: places in the table whose values are secret.
    """

    key: Key
    data: Mapping[str, Any]
    owner: str
    known: Collection[str]
    hidden: Collection[Key] = ()


def validated(model: type[M], at: Expected, problems: Problems) -> M | None:
    """Return the table as a `model`; note what is wrong and return None if it is not one."""
    try:
        # Strict JSON: a text is not taken for a number, yet paths and tuples can be written.
        return model.model_validate_json(json.dumps(at.data, default=str), strict=True)
    except ValidationError as error:
        problems.add_invalid(error, at)
    except Exception as error:  # noqa: BLE001 - a plugin's own validator may raise anything
        problems.add(at.key, f"{at.owner} cannot check its settings: {type(error).__name__}")
    return None


def dotted(key: Key) -> str:
    """Return `key` as it is written in TOML, list positions in brackets: `a."b c"[0]`."""
    text = ""
    for part in key:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{bare}" if text else bare
    return text or "the file"


def _within(data: object, loc: tuple[int | str, ...]) -> Key:
    """Return pydantic's location without the names of union members, which no user wrote."""
    key: list[int | str] = []
    for depth, part in enumerate(loc):
        is_last = depth == len(loc) - 1
        if isinstance(data, Mapping) and (part in data or is_last):
            data = data.get(part)
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            continue
        key.append(part)
    return tuple(key)


def _expected(kind: str, message: str) -> str:
    if kind == "missing":
        return "required setting is missing"
    message = message.removeprefix("Value error, ").replace("Input should be ", "expected ", 1)
    return message[:1].lower() + message[1:]


def _shown(value: object, kind: str) -> str:
    """Return `, got ...` for a value that is short enough to help."""
    if kind == "missing" or isinstance(value, dict):
        return "" if kind == "missing" else ", got a table"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f", got {text if len(text) <= _MAX_SHOWN else f'{text[: _MAX_SHOWN - 3]}...'}"
