"""The reference of a component's settings says what its config model says."""

from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from pydantic import Field, SecretStr

from citewell import Config, LocalPath
from citewell.engine.setting_reference import settings_of, toml


class Inner(Config):
    depth: int = Field(default=2, ge=1, le=9, description="how deep")
    inside: "Inner | None" = Field(default=None, description="a table can hold itself")


class Mine(Config):
    path: LocalPath = Field(description="where")
    mode: Literal["fast", "good"] = Field(default="good", description="how")
    share: float | None = Field(default=None, gt=0, le=1, description="of them")
    names: list[Annotated[str, Field(min_length=1)]] = Field(default=["a"], min_length=1)
    key: SecretStr | None = Field(default=None, description="of the service")
    keys: Mapping[str, SecretStr] = {}
    url: Literal["embedded"] | SecretStr = "embedded"
    inner: Inner = Inner()
    by_name: dict[str, Inner] = {}


SETTINGS = {one.name: one for one in settings_of(Mine)}


@pytest.mark.parametrize(
    ("name", "type_", "default"),
    [
        ("path", "path", None),
        ("mode", 'one of "fast", "good"', '"good"'),
        ("share", "number, up to 1, above 0", None),
        ("names", "list of strings, not empty, at least 1", '["a"]'),
        ("key", "secret", None),
        ("url", '"embedded" or secret', '"embedded"'),
        ("inner", "table", "{ depth = 2 }"),
        ("inner.depth", "integer, 1 to 9", "2"),
        ("by_name", "table of NAME = table", "{}"),
        ("by_name.NAME.depth", "integer, 1 to 9", "2"),
    ],
)
def test_a_setting_has_its_type_its_bounds_and_its_default(name, type_, default):
    assert (SETTINGS[name].type, SETTINGS[name].default) == (type_, default)


def test_what_is_required_is_marked():
    assert [name for name, one in SETTINGS.items() if one.is_required] == ["path"]


def test_secrets_are_marked_wherever_they_stand():
    assert [name for name, one in SETTINGS.items() if one.is_secret] == ["key", "keys", "url"]


def test_a_table_that_holds_itself_is_shown_once():
    assert "inner.inside" in SETTINGS
    assert not any(name.startswith("inner.inside.") for name in SETTINGS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('a "b"\n\x7f', '"a \\"b\\"\\n\\u007f"'),
        ({"a b": [True, 1.5], "gone": None}, '{ "a b" = [true, 1.5] }'),
        ({}, "{}"),
    ],
)
def test_values_are_written_as_toml(value, text):
    assert toml(value) == text
