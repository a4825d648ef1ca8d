"""`citewell use`: one line of the settings changes, and nothing else."""

import tomllib

import pytest

from citewell.cli.main import run

SETTINGS = """\
# mine
[model.a]
use = "extractive"   # keep
[model.b]
use = "scripted"

[profile.default]   # here
model = "a"  # now
fallback = ["b"]

[profile.other]
model = "b"
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "citewell.toml"
    path.write_text(SETTINGS)
    path.chmod(0o640)
    return path


def test_the_model_is_changed_and_the_rest_stays(file, capsys):
    assert run(["use", "model", "b"]) == 0

    assert capsys.readouterr().out == "profile default: b answers instead of a\n"
    text = file.read_text()
    assert text == SETTINGS.replace('"a"  # now\nfallback = ["b"]', '"b"  # now\nfallback = ["a"]')
    assert file.stat().st_mode & 0o777 == 0o640


def test_another_profile_is_changed_by_name(file, capsys):
    assert run(["use", "model", "a", "--profile", "other"]) == 0

    assert tomllib.loads(file.read_text())["profile"]["other"] == {"model": "a"}
    assert "profile other" in capsys.readouterr().out


def test_nothing_is_changed_twice(file, capsys):
    assert run(["use", "model", "a"]) == 0

    assert capsys.readouterr().out == "profile default: a answers already\n"
    assert file.read_text() == SETTINGS


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["c"], "there is no [model.c]"),
        (["b", "-p", "othr"], 'did you mean "other"?'),
    ],
)
def test_what_is_wrong_changes_nothing(file, capsys, words, problem):
    assert run(["use", "model", *words]) == 1

    assert problem in capsys.readouterr().err
    assert file.read_text() == SETTINGS
    assert [path.name for path in file.parent.iterdir()] == ["citewell.toml"]


def test_a_file_without_profiles_gets_one(file):
    library = '[library.docs]\nuse = "files"\npath = "."\n[retriever.main]\nuse = "lexical"\n'
    file.write_text(f'{library}[model.a]\nuse = "extractive"\n')

    assert run(["use", "model", "a"]) == 0

    written = tomllib.loads(file.read_text())["profile"]
    assert written == {"default": {"retriever": "main", "model": "a"}}


def test_without_a_file_the_way_to_one_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert run(["use", "model", "a"]) == 1
    assert "citewell init" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    ['fallback = "b"', "model = 3", "retriever = 5", "[profile]\ndefault = 3"],
)
def test_a_file_that_is_wrong_already_is_explained(file, capsys, text):
    broken = SETTINGS.replace('fallback = ["b"]', text) if "[profile]" not in text else text
    file.write_text(broken)

    assert run(["use", "model", "b", "-p", "default"]) == 1

    told = capsys.readouterr().err
    assert "citewell.toml" in told
    assert "should not have happened" not in told
    assert file.read_text() == broken
