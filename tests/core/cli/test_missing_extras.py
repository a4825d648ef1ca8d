"""What a user is told whose settings name a model that is not installed."""

import importlib.util
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
