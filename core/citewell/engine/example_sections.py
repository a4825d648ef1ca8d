"""A section of the settings to paste, for each component: made from its config model."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from citewell.configs import Refers
from citewell.engine.problems import Problems, dotted
from citewell.engine.setting_reference import Schema, is_secret, schema_of, toml
from citewell.engine.table_reader import NAME, TableReader
from citewell.specs import ComponentSpec

# Where the section of a kind has another name than the kind, or no name of the user's choice.
_HEADERS = {"source": "library.{name}", "trainer": "trainer", "exporter": "export"}


def example_section(kind: str, spec: ComponentSpec) -> str:
    """Return a section of TOML that uses the component `spec` of `kind`.

    What is required is filled in. Everything else stands in comments, with its default, or with an
    example where it has none; with the signs of the comments gone it is TOML as well.

    A model says by itself what is fitting: a field by `Field(examples=[...])`, several that belong
    together by `json_schema_extra={"examples": [{...}]}` in its `model_config`.
    """
    header = _HEADERS.get(kind, "{kind}.{name}").format(kind=kind, name=_section_name(spec.name))
    lines = [f"[{header}]", f"use = {toml(spec.name)}"]
    examples = _Examples(spec)
    filled = examples.filled()
    lines += [f"{dotted((name,))} = {toml(value)}" for name, value in filled.items()]
    for name, value, has_default in examples.optional():
        if name not in filled:
            note = "" if has_default else "  # an example: there is no default"
            lines.append(f"# {dotted((name,))} = {toml(value)}{note}")
    return "\n".join(lines) + "\n"


def example_problems(kind: str, spec: ComponentSpec) -> list[str]:
    """Return what the component's own config model finds wrong with its example."""
    problems = Problems("the example")
    example_config(kind, spec, problems)
    return problems.found


def example_config(kind: str, spec: ComponentSpec, problems: Problems) -> BaseModel | None:
    """Return the settings of the example; None, with the problems noted, if it is wrong."""
    section = tomllib.loads(example_section(kind, spec))
    while "use" not in section:
        (section,) = section.values()
    own = {name: value for name, value in section.items() if name != "use"}
    reader = TableReader(section, Path(), problems)
    checked = reader.checked(spec.config, (), own, owner=f'"{spec.name}"')
    return None if checked is None else checked.model


class _Examples:
    """Values for the settings of a component."""

    def __init__(self, spec: ComponentSpec) -> None:
        self._component = spec.name
        self._whole = schema_of(spec.config)
        self._schema = Schema(self._whole)
        self._refers = {
            field.alias or name: mark.kind
            for name, field in spec.config.model_fields.items()
            for mark in field.metadata
            if isinstance(mark, Refers)
        }

    def filled(self) -> dict[str, object]:
        """Return what has to be there."""
        required = self._whole.get("required", ())
        together: Mapping[str, object] = next(iter(self._whole.get("examples", ())), {})
        parts = self._whole.get("properties", {})
        return {
            name: together[name] if name in together else self._value(name, parts[name])
            for name in parts
            if name in required or name in together
        }

    def optional(self) -> Iterator[tuple[str, object, bool]]:
        """Yield the other settings, with their default where they have one."""
        required = self._whole.get("required", ())
        for name, part in self._whole.get("properties", {}).items():
            if name in required:
                continue
            default = part.get("default")
            has_default = default is not None
            yield name, default if has_default else self._value(name, part), has_default

    def _value(self, name: str, part: Mapping[str, Any]) -> object:
        """Return a value that fits what the schema says of `part`."""
        if part.get("examples"):
            return part["examples"][0]
        if name in self._refers:
            return "main"
        options = self._schema.options(part)
        return self._option(name, options[0]) if options else "..."

    def _option(self, name: str, part: Mapping[str, Any]) -> object:
        if "const" in part or "enum" in part:
            return part["const"] if "const" in part else part["enum"][0]
        if is_secret(part):
            words = f"{self._component}_{name}"
            return {"env": re.sub(r"[^A-Z0-9]+", "_", words.upper())}
        kind = part.get("type")
        if kind == "array":
            inner = self._value(name, part.get("items", {}))
            return [inner] * max(1, part.get("minItems", 1))
        if kind == "object":
            return {
                inner: self._value(inner, part["properties"][inner])
                for inner in part.get("required", ())
            }
        if kind in {"integer", "number"}:
            return _number(part)
        if kind == "boolean":
            return True
        if part.get("format") == "path":
            return f"path/to/{name}"
        return _text(part)


def _text(part: Mapping[str, Any]) -> str:
    if str(part.get("pattern", "")).startswith("^http"):
        return "https://example.com/"
    length: int = max(part.get("minLength", 0), min(3, part.get("maxLength", 3)))
    return "." * length


def _number(part: Mapping[str, Any]) -> int | float:
    """Return the smallest number that is allowed, or 1 where there is none."""
    is_whole = part["type"] == "integer"
    if "minimum" in part:
        low: int | float = part["minimum"]
        return low
    if "exclusiveMinimum" in part:
        above, high = part["exclusiveMinimum"], part.get("maximum", part.get("exclusiveMaximum"))
        if is_whole:
            return int(above) + 1
        return above + 1.0 if high is None else float((above + high) / 2)
    return 1 if is_whole else 1.0


def _section_name(component: str) -> str:
    return component if NAME.fullmatch(component) else "main"
