"""The schema for editors knows every setting, and is current."""

import json
import tomllib
from pathlib import Path

import pytest

from citewell.engine.config_schema import config_schema
from citewell.engine.registry import Registry
from citewell.engine.tables import TOP_LEVEL

CONFIG = Path(__file__).resolve().parents[3] / "config"


@pytest.fixture(scope="module")
def schema():
    return config_schema(Registry.load(strict=True))


def test_the_file_in_the_repository_is_current(schema):
    stored = json.loads((CONFIG / "schema.json").read_text(encoding="utf-8"))

    assert stored == schema, "run: citewell config schema > config/schema.json"


def test_every_table_and_component_is_there(schema):
    assert set(schema["properties"]) == set(TOP_LEVEL)
    models = schema["properties"]["model"]["additionalProperties"]["oneOf"]
    assert {"extractive", "scripted"} <= {one["properties"]["use"]["const"] for one in models}


def test_a_secret_has_two_forms(schema):
    (url, _null) = schema["properties"]["journal"]["properties"]["url"]["anyOf"]

    assert [one["required"] for one in url["oneOf"]] == [["env"], ["file"]]


def test_every_reference_leads_somewhere(schema):
    text = json.dumps(schema)

    for part in text.split('"$ref": "')[1:]:
        name = part.partition('"')[0].removeprefix("#/$defs/")
        assert name in schema["$defs"], name


def _fits(schema, value):
    """Check `value` against the parts of JSON Schema that tell sections apart."""
    if "oneOf" in schema:
        return sum(_fits(one, value) for one in schema["oneOf"]) == 1
    if not isinstance(value, dict) or schema.get("type") != "object":
        return schema.get("const", value) == value
    properties = schema.get("properties", {})
    other = schema.get("additionalProperties", True)
    return set(schema.get("required", ())) <= set(value) and all(
        _fits(properties[key], inner)
        if key in properties
        else other is True or (other is not False and _fits(other, inner))
        for key, inner in value.items()
    )


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_fits_the_schema(schema, path):
    data = tomllib.loads(path.read_text(encoding="utf-8"))

    assert _fits(schema, data)
    assert not _fits(schema, data | {"colour": 1})
    assert not _fits(schema, data | {"model": {"a": {"use": "scripted", "colour": 1}}})
