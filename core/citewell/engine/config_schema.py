"""The JSON Schema of the settings file, for editors: what the core and the plugins accept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from citewell.engine.registry import Registry
from citewell.engine.table_reader import NAME
from citewell.engine.tables import COMPONENTS, NAMED, SINGLES
from citewell.specs import ComponentSpec

_SECRET = {
    "description": "where the secret is kept",
    "oneOf": [
        {
            "type": "object",
            "properties": {name: {"type": "string"}},
            "required": [name],
            "additionalProperties": False,
        }
        for name in ("env", "file")
    ],
}


def config_schema(registry: Registry) -> dict[str, Any]:
    """Return the schema of a settings file that may use everything in `registry`."""
    definitions: dict[str, Any] = {}
    properties: dict[str, Any] = {
        "data_dir": {"type": "string", "description": "folder of indexes and journal"}
    }
    for kind, core in COMPONENTS.items():
        specs = registry.components("source" if kind == "library" else kind)
        choices = [_section(kind, core, spec, definitions) for _, spec in sorted(specs.items())]
        properties[kind] = _named({"oneOf": choices} if choices else {"not": {}})
    for name, model in NAMED.items():
        properties[name] = _named(_model(name, model, definitions))
    for name, model in SINGLES.items():
        properties[name] = _model(name, model, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "citewell.toml",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }


def _named(section: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": section,
    }


def _section(
    kind: str, core: type[BaseModel], spec: ComponentSpec, definitions: dict[str, Any]
) -> dict[str, Any]:
    """Return the schema of a section that uses `spec`: the core's settings and its own."""
    ours = _model(kind, core, definitions)
    own = _model(f"{kind}.{spec.name}", spec.config, definitions)
    return {
        "title": spec.name,
        "description": spec.summary,
        "type": "object",
        "properties": {
            **own.get("properties", {}),
            **ours["properties"],
            "use": {"const": spec.name},
        },
        "required": ["use", *own.get("required", ())],
        "additionalProperties": False,
    }


def _model(name: str, model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of `model`; what it refers to is put into `definitions`."""
    schema = model.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    for inner, definition in schema.pop("$defs", {}).items():
        definitions[f"{name}.{inner}"] = _with_secrets(definition)
    found: dict[str, Any] = _with_secrets(schema)
    return found


def _with_secrets(schema: Any) -> Any:
    """Return `schema` with the two forms of a secret where it asks for one."""
    if isinstance(schema, list):
        return [_with_secrets(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "password":
        return _SECRET
    return {key: _with_secrets(value) for key, value in schema.items()}
