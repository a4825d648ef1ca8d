"""Secrets come from the environment or a file, and are never shown."""

import asyncio

import pytest

from citewell import ConfigError
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.engine.trust import Trust

PLUGIN = """
from contextlib import asynccontextmanager
from typing import Literal, Optional
from pydantic import Field, SecretStr, field_validator
import citewell

class Account(citewell.Config):
    user: str = "me"
    password: SecretStr

class CloudConfig(citewell.Config):
    key: SecretStr = Field(min_length=4)
    spare: SecretStr | None = None
    place: Literal["here"] | SecretStr = "here"
    account: Account | None = None
    keys: dict[str, SecretStr] = {}
    others: list[Optional[SecretStr]] = []
    region: str = "eu"

    @field_validator("region")
    @classmethod
    def known(cls, value):
        if value == "moon":
            raise KeyError("moon")
        return value

@asynccontextmanager
async def build(config, context):
    yield config

@citewell.hookimpl
def register_models():
    return [citewell.ModelSpec(name="cloud", summary="x", config=CloudConfig, build=build)]
"""

BASE = """
[plugins]
paths = ["cloud.py"]
[profile.default]
model = "cloud"
[model.cloud]
use = "cloud"
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    plugin = tmp_path / "cloud.py"
    plugin.write_text(PLUGIN)
    Trust().add(plugin, plugin.read_bytes())

    def write(text):
        path = tmp_path / "citewell.toml"
        path.write_text(BASE + text)
        return path

    return write


def cloud(path):
    return load_settings(path).models["cloud"]


def problems(path):
    with pytest.raises(ConfigError) as error:
        load_settings(path)
    return "\n".join(error.value.problems)


def test_a_secret_comes_from_the_environment(config, monkeypatch):
    monkeypatch.setenv("CLOUD_KEY", "s3cret-value")

    section = cloud(config('key = { env = "CLOUD_KEY" }'))

    assert section.config.key.get_secret_value() == "s3cret-value"
    assert section.missing == ()
    assert "s3cret" not in repr(section)


def test_a_secret_comes_from_a_file_beside_the_settings(config, tmp_path):
    (tmp_path / "key.txt").write_text("s3cret-value\n")

    section = cloud(config('key = { file = "key.txt" }'))

    assert section.config.key.get_secret_value() == "s3cret-value"


def test_secrets_may_stand_deeper(config, monkeypatch):
    monkeypatch.setenv("K", "s3cret-value")

    section = cloud(
        config("""
key = { env = "K" }
spare = { env = "K" }
account = { password = { env = "K" } }
keys = { one = { env = "K" } }
others = [{ env = "K" }]
""")
    )

    revealed = [
        section.config.spare,
        section.config.account.password,
        section.config.keys["one"],
        section.config.others[0],
    ]
    assert [one.get_secret_value() for one in revealed] == 4 * ["s3cret-value"]


def test_a_word_may_stand_in_place_of_a_secret_where_the_component_has_one(config, monkeypatch):
    monkeypatch.setenv("K", "s3cret-value")

    word = cloud(config('key = { env = "K" }\nplace = "here"'))
    secret = cloud(config('key = { env = "K" }\nplace = { env = "K" }'))

    assert word.config.place == "here"
    assert secret.config.place.get_secret_value() == "s3cret-value"


@pytest.mark.parametrize(
    "line",
    [
        'key = "s3cret-value"',
        'key = { env = "CLOUD_KEY" }\nplace = "s3cret-value"',
        "key = 424242",
        'key = { value = "s3cret-value" }',
        'key = { env = "K", file = "s3cret-value" }',
        "key = { env = 424242 }",
        "key = {}",
        'key = ["s3cret-value"]',
        'key = { env = "K" }\nkeys = { one = "s3cret-value" }',
        'key = { env = "K" }\naccount = { password = "s3cret-value" }',
        'key = { env = "K" }\naccount = { password = { env = "K" }, pasword = "s3cret-value" }',
        'kye = "s3cret-value"',
    ],
)
def test_a_secret_in_the_text_is_refused_and_never_repeated(config, monkeypatch, line):
    monkeypatch.setenv("K", "from-the-environment")

    found = problems(config(line))

    assert "model.cloud." in found
    assert "s3cret" not in found
    assert "424242" not in found
    assert "from-the-environment" not in found


def test_the_fix_is_shown(config):
    assert (
        'model.cloud.key: expected { env = "NAME" } or { file = "PATH" }: '
        "a secret never stands in the settings"
    ) in problems(config('key = "s3cret-value"'))


def test_a_secret_that_fails_a_check_is_not_repeated(config, monkeypatch):
    monkeypatch.setenv("K", "abc")

    found = problems(config('key = { env = "K" }'))

    assert "model.cloud.key: " in found
    assert "abc" not in found


def test_a_table_that_is_nested_too_deeply_does_not_show_its_secrets(config, monkeypatch):
    monkeypatch.setenv("K", "s3cret")

    found = problems(config(f'key = {{ env = "K" }}\nregion = {"[" * 300}{"]" * 300}'))

    assert "model.cloud: nested too deeply" in found
    assert "s3cret" not in found


@pytest.mark.parametrize("form", ['{ env = "GONE" }', '{ file = "gone.txt" }', '{ file = "." }'])
def test_a_missing_secret_is_no_mistake_until_it_is_needed(config, monkeypatch, form):
    monkeypatch.delenv("GONE", raising=False)
    settings = load_settings(config(f"key = {form}"))

    async def use():
        async with open_runtime(settings) as runtime:
            await runtime.model("cloud")

    assert len(settings.missing) == 1
    assert "model.cloud.key: its secret is not there: " in settings.missing[0]
    with pytest.raises(ConfigError, match=r"model\.cloud\.key: its secret is not there"):
        asyncio.run(use())


def test_a_missing_secret_of_the_journal_is_said_when_the_journal_is_needed(config, monkeypatch):
    monkeypatch.setenv("K", "s3cret-value")
    text = 'key = { env = "K" }\n[journal]\nurl = { env = "GONE" }'
    settings = load_settings(config(text))

    with pytest.raises(ConfigError, match=r"journal\.url: its secret is not there"):
        _ = settings.journal_url
    monkeypatch.setenv("GONE", "sqlite:///x")
    assert load_settings(config(text)).journal_url == "sqlite:///x"


def test_a_validator_that_raises_anything_is_contained(config, monkeypatch):
    monkeypatch.setenv("K", "s3cret-value")

    found = problems(config('key = { env = "K" }\nregion = "moon"'))

    assert 'model.cloud: "cloud" cannot check its settings: KeyError' in found
