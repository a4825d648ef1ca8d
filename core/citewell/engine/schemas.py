"""JSON Schemas: whether one is right, and whether a value satisfies one. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def schema_problem(schema: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a JSON Schema, in one line, or None."""
    from jsonschema import exceptions, validators

    references = _references(schema)
    remote = next((ref for ref in references if not ref.startswith("#")), None)
    if remote is not None:
        return f'refers to "{remote}"; nothing is fetched: expected a reference that begins with #'
    try:
        validators.validator_for(schema).check_schema(dict(schema))
    except exceptions.SchemaError as error:
        return f"at {error.json_path}: {error.message}"
    lost = _lost_reference(schema, references)
    if lost is not None:
        return f'refers to "{lost}", which is not in it'
    return None


def value_problem(
    value: Any, schema: Mapping[str, Any], *, keywords: Mapping[str, Any] | None = None
) -> str | None:
    """Return where and how `value` breaks a schema that is right, in one line, or None.

    Args:
        value: as JSON gives it.
        schema: the JSON Schema.
        keywords: that are checked otherwise than usual; functions as `jsonschema` has them.
    """
    from jsonschema import exceptions, validators

    library: Any = validators
    validator = library.validator_for(schema)
    if keywords is not None:
        validator = library.extend(validator, keywords)
        # A reference to the whole would be followed with the usual keywords.
        schema = {name: part for name, part in schema.items() if name != "$schema"}
    try:
        validator(dict(schema)).validate(value)
    except exceptions.ValidationError as error:
        return f"at {error.json_path}: {error.message}"
    # The value is a model's, and the library computes with it: Infinity, or 300 lists in a list.
    except Exception as error:  # noqa: BLE001 - see above
        return f"so that it cannot be checked: {type(error).__name__}"
    return None


def _lost_reference(schema: Mapping[str, Any], references: Sequence[str]) -> str | None:
    """Return the first reference that leads nowhere."""
    from referencing import Registry, exceptions
    from referencing.jsonschema import DRAFT202012

    resource = DRAFT202012.create_resource(dict(schema))
    resolver = Registry().with_resource("", resource).resolver()
    for reference in references:
        try:
            resolver.lookup(reference)
        except exceptions.Unresolvable:
            return reference
    return None


def _references(value: object) -> list[str]:
    if isinstance(value, Mapping):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [ref for one in value.values() for ref in _references(one)]
    if isinstance(value, list):
        return [ref for one in value for ref in _references(one)]
    return []
