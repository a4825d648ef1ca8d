"""What a user is told whose settings name a model that is not installed."""

import importlib.util
import sys
from importlib import metadata

import pytest

from citewell.cli.main import run

SETTINGS = """
[model.local]
use = "{use}"
{own}

[profile.default]
model = "local"
"""
MODELS = [
    ("llamacpp", 'path = "model.gguf"', "llama-cpp-python"),
    ("litellm", 'model = "openai/test"', "litellm"),
]


@pytest.fixture
def without(monkeypatch, tmp_path):
    """Let it seem that the packages of the extras are not installed."""
    monkeypatch.chdir(tmp_path)
    find_spec, version, distribution = (
        importlib.util.find_spec,
        metadata.version,
        metadata.distribution,
    )

    def missing(name):
        return name in {"llama_cpp", "llama-cpp-python", "litellm"}

    def hidden(name, *arguments):
        return None if missing(name) else find_spec(name, *arguments)

    def gone(original):
        def look(name):
            if missing(name):
                raise metadata.PackageNotFoundError(name)
            return original(name)

        return look

    monkeypatch.setattr(importlib.util, "find_spec", hidden)
    monkeypatch.setattr("citewell_llamacpp.plugin.find_spec", hidden)
    monkeypatch.setattr(metadata, "version", gone(version))
    monkeypatch.setattr(metadata, "distribution", gone(distribution))
    return tmp_path


@pytest.mark.parametrize(("use", "own", "package"), MODELS)
def test_the_install_command_is_named(without, capsys, use, own, package):
    (without / "citewell.toml").write_text(SETTINGS.format(use=use, own=own))

    assert run(["ask", "Anything?"]) == 1

    said = capsys.readouterr().err
    assert f'needs {package}, which is not installed; run: pip install "citewell[{use}]"' in said


@pytest.mark.parametrize(("use", "own", "package"), MODELS)
def test_doctor_explains_it(without, capsys, use, own, package):
    (without / "citewell.toml").write_text(SETTINGS.format(use=use, own=own))

    run(["doctor"])

    assert f'pip install "citewell[{use}]"' in capsys.readouterr().out


BOTS = [
    (
        "slack",
        'bot_token = { env = "TEST_TOKEN" }\napp_token = { env = "TEST_TOKEN" }',
        "slack-bolt",
    ),
    ("discord", 'token = { env = "TEST_TOKEN" }', "discord.py"),
]
BOT = """
[adapter.bot]
use = "{use}"
{own}

[model.quotes]
use = "extractive"

[profile.default]
model = "quotes"
"""


@pytest.fixture
def without_bots(monkeypatch, tmp_path):
    """Let it seem that the packages of chat services are not installed."""
    monkeypatch.chdir(tmp_path)
    distribution = metadata.distribution

    def hidden(name):
        if name in {"slack-bolt", "discord.py", "discord-py"}:
            raise metadata.PackageNotFoundError(name)
        return distribution(name)

    monkeypatch.setattr(metadata, "distribution", hidden)
    return tmp_path


@pytest.mark.parametrize(("use", "own"), [one[:2] for one in BOTS])
@pytest.mark.parametrize("words", [["config", "check"], ["doctor"]])
def test_what_a_bot_lacks_is_noted(without_bots, capsys, monkeypatch, use, own, words):
    monkeypatch.delenv("TEST_TOKEN", raising=False)
    (without_bots / "citewell.toml").write_text(BOT.format(use=use, own=own))

    run(words)

    said = capsys.readouterr().out
    assert (
        f"adapter.bot{': ' if 'config' in words else ' '}needs an extra; run: pip install" in said
    )
    assert f'[{use}]"' in said
    assert "TEST_TOKEN is empty or unset" in said


@pytest.mark.parametrize(("use", "own", "package"), BOTS)
def test_a_deep_check_opens_a_bot(without_bots, capsys, monkeypatch, use, own, package):
    (without_bots / "citewell.toml").write_text(BOT.format(use=use, own=own))

    monkeypatch.delenv("TEST_TOKEN", raising=False)
    unset = run(["config", "check", "--deep"]), capsys.readouterr().err
    monkeypatch.setenv("TEST_TOKEN", "x-secret")
    opened = run(["config", "check", "--deep"]), capsys.readouterr().err
    monkeypatch.setitem(sys.modules, {"slack": "slack_bolt", "discord": "discord"}[use], None)
    missing = run(["config", "check", "--deep"]), capsys.readouterr().err

    assert unset[0] == 1
    assert "its secret is not there: env TEST_TOKEN is empty or unset" in unset[1]
    assert opened == (0, "")
    assert missing[0] == 1
    assert f"needs {package}, which is not installed" in missing[1]
