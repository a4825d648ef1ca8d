"""What the settings of a component are: read from its config model, for people and programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from pydantic import BaseModel, PydanticUserError

from citewell.engine.problems import dotted
from citewell.errors import PluginError

_WORDS = {"object": "table", "boolean": "true or false"}
_COUNTED = re.compile(r"^(?:string|integer|number|path|secret|table|value)\b")


class Setting(Struct, frozen=True, kw_only=True):
    """One setting.

    Attributes:
        name: as it is written; of a setting in a table, `table.setting`.
        type: what may stand there, with bounds or choices.
        default: as TOML; None where there is none.
        is_secret: it is given as `{ env = "NAME" }` or `{ file = "PATH" }`.
    """

    name: str
    type: str
    is_required: bool
    default: str | None
    is_secret: bool
    description: str


def settings_of(model: type[BaseModel]) -> tuple[Setting, ...]:
    """Return the settings of `model`; those of a table in it follow the table.

    Raises:
        PluginError: see `schema_of`.
    """
    schema = schema_of(model)
    return tuple(_settings(schema, Schema(schema), before="", around=()))


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of `model`.

    Raises:
        PluginError: a setting is of a type that no settings file can hold.
    """
    try:
        return model.model_json_schema()
    except PydanticUserError as error:
        reason = " ".join(str(error.message).split())
        raise PluginError(
            f"the config model {model.__name__} has no JSON Schema: {reason}; "
            "use types that a settings file can hold"
        ) from error


class Schema(Struct, frozen=True):
    """The JSON Schema of a config model, as pydantic writes it."""

    whole: Mapping[str, Any]

    def target(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what `part` refers to, or itself."""
        if "$ref" not in part:
            return part
        found: Mapping[str, Any] = self.whole["$defs"][part["$ref"].rpartition("/")[2]]
        return found

    def options(self, part: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return what may stand in place of `part`, but for nothing at all."""
        part = self.target(part)
        if "anyOf" not in part and "oneOf" not in part:
            return [] if part.get("type") == "null" else [part]
        return [
            option
            for inner in part.get("anyOf", part.get("oneOf", ()))
            for option in self.options(inner)
        ]


def is_secret(part: Mapping[str, Any]) -> bool:
    """Tell whether a part of a schema is a secret."""
    return part.get("format") == "password"


def toml(value: object) -> str:
    """Return `value` as TOML has it behind an equals sign; what is None in a table is left out."""
    if isinstance(value, Mapping):
        inner = [f"{dotted((key,))} = {toml(one)}" for key, one in value.items() if one is not None]
        return f"{{ {', '.join(inner)} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _settings(
    table: Mapping[str, Any], schema: Schema, *, before: str, around: tuple[object, ...]
) -> Iterator[Setting]:
    """Yield the settings of `table`, which stands in the tables `around`."""
    required = table.get("required", ())
    for name, part in table.get("properties", {}).items():
        key = dotted((name,))
        default = part.get("default")
        yield Setting(
            name=f"{before}{key}",
            type=_type(part, schema),
            is_required=name in required,
            default=None if default is None or name in required else toml(default),
            is_secret=_holds_secret(part, schema),
            description=part.get("description", ""),
        )
        for inner, path in _tables(part, schema):
            # A table can hold itself.
            if not any(inner is one for one in around):
                yield from _settings(
                    inner, schema, before=f"{before}{key}.{path}", around=(*around, inner)
                )


def _tables(part: Mapping[str, Any], schema: Schema) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Yield the tables that may stand in a setting, and what stands between their names and it."""
    for option in schema.options(part):
        if "properties" in option:
            yield option, ""
        elif isinstance(option.get("additionalProperties"), Mapping):
            for inner in schema.options(option["additionalProperties"]):
                if "properties" in inner:
                    yield inner, "NAME."


def _holds_secret(part: Mapping[str, Any], schema: Schema) -> bool:
    inner = [
        option.get(key)
        for option in schema.options(part)
        for key in ("items", "additionalProperties")
    ]
    return any(map(is_secret, schema.options(part))) or any(
        _holds_secret(one, schema) for one in inner if isinstance(one, Mapping)
    )


def _type(part: Mapping[str, Any], schema: Schema) -> str:
    return " or ".join(dict.fromkeys(_option(one, schema) for one in schema.options(part)))


def _option(part: Mapping[str, Any], schema: Schema) -> str:
    if "const" in part:
        return toml(part["const"])
    if "enum" in part:
        return f"one of {', '.join(map(toml, part['enum']))}"
    if is_secret(part):
        return "secret"
    kind = part.get("type")
    if kind == "array":
        inner = _type(part.get("items", {}), schema) or "value"
        several = _COUNTED.sub(lambda word: f"{word[0]}s", inner.removeprefix("one of "))
        return f"list of {several}{_bounds(part)}"
    values = part.get("additionalProperties")
    if kind == "object" and isinstance(values, Mapping) and "properties" not in part:
        return f"table of NAME = {_type(values, schema) or 'value'}{_bounds(part)}"
    if part.get("format") == "path":
        return "path"
    return f"{_WORDS.get(str(kind), kind or 'value')}{_bounds(part)}"


def _bounds(part: Mapping[str, Any]) -> str:
    """Return the bounds of a number, a text or a list, with a comma before each."""
    low, high = part.get("minimum"), part.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    length = part.get("minLength")
    pattern = part.get("pattern")
    named = {
        "from": low,
        "up to": high,
        "above": part.get("exclusiveMinimum"),
        "below": part.get("exclusiveMaximum"),
        "at least": part.get("minItems"),
        "at most": part.get("maxItems"),
        "length from": None if length == 1 else length,
        "length up to": part.get("maxLength"),
        "like": None if pattern is None else f"`{pattern}`",
    }
    bounds = "".join(f", {word} {bound}" for word, bound in named.items() if bound is not None)
    return f", not empty{bounds}" if length == 1 else bounds
