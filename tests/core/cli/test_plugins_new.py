"""`citewell plugins new`: names that work are taken, nothing is written over, nobody is asked."""

import json
import subprocess
import sys
import tomllib

import pytest

from citewell.cli.main import run
from citewell.scaffolding.kinds import KINDS
from distributions import Site


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def new(*words, kind="model"):
    return run(["plugins", "new", *words, "--kind", kind])


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Notes", "expected lower-case letters and digits"),
        ("my notes", "expected lower-case letters and digits"),
        ("../notes", "expected lower-case letters and digits"),
        ("", "expected lower-case letters and digits"),
        ("notes\n", "expected lower-case letters and digits"),
        ("n" * 41, "expected 40 at most"),
        ("class", "Python keeps that word for itself"),
        ("match", "Python keeps that word for itself"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused(here, capsys, name, said):
    assert new(name) == 1

    assert said in capsys.readouterr().err
    assert files(here) == []


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("extractive", "model", "the model extractive is installed (citewell)"),
        ("lexical", "retriever", "the retriever lexical is installed (citewell)"),
        ("git", "model", "a plugin of that name is installed (citewell)"),
        ("sync", "command", "Citewell has a command of that name"),
        ("md", "loader", "its files would end with .md, which the loader markdown reads"),
    ],
)
def test_a_name_that_is_taken_is_refused(here, capsys, name, kind, said):
    assert new(name, kind=kind) == 1

    assert said in capsys.readouterr().err
    assert files(here) == []


def test_the_name_of_another_package_is_refused(here, tmp_path, monkeypatch, capsys):
    site = Site(tmp_path / "site", monkeypatch)
    site.install({"length": "length_metric"}, name="citewell-length")
    (tmp_path / "site" / "citewell_bare.py").write_text("")

    assert new("length", kind="metric") == new("bare") == 1

    said = capsys.readouterr().err
    assert "the metric length is installed (citewell-length)" in said
    assert "the package citewell_bare is installed" in said


def test_nothing_is_written_over(here, capsys):
    (here / "citewell-notes").mkdir()
    (here / "citewell-notes" / "mine.txt").write_text("mine")
    (here / "notes.py").write_text("mine")

    assert new("notes") == new("notes", "--single-file") == 1

    said = capsys.readouterr().err
    assert "citewell-notes is not empty, and nothing is written over it" in said
    assert "notes.py is there already, and nothing is written over it" in said
    assert [path.read_text() for path in files(here)] == ["mine", "mine"]


def test_a_file_in_the_place_of_the_folder_is_refused(here, capsys):
    (here / "citewell-notes").write_text("mine")

    assert new("notes") == 1

    assert "citewell-notes is there already, and is no folder" in capsys.readouterr().err


def test_an_empty_folder_is_taken(here):
    (here / "citewell-notes").mkdir()

    assert new("notes") == 0

    assert (here / "citewell-notes" / "pyproject.toml").is_file()
    assert [path.name for path in here.iterdir()] == ["citewell-notes"]


def test_without_a_terminal_nobody_is_asked(here, capsys):
    assert run(["plugins", "new", "notes"]) == 2

    said = capsys.readouterr().err
    assert "there is no terminal to ask at; give --kind, one of: retriever, model" in said
    assert files(here) == []


def test_at_a_terminal_the_kind_is_asked_for(machine, at_terminal):
    with at_terminal(machine, "plugins", "new", "notes") as terminal:
        terminal.wait_for("reads lines of text")
        terminal.wait_for("Kind:")
        terminal.type("loader\n")
        assert terminal.wait() == 0

    assert (machine.work / "citewell-notes" / "tests" / "test_loader.py").is_file()


def test_what_an_author_says_is_kept_as_it_was_said(here):
    described, author = 'finds "quotes" \\ {{ 7 * 7 }} and Umlaute: ü', 'Ada "A." Löw'

    assert new("notes", "--author", author, "--description", described) == 0

    folder = here / "citewell-notes"
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    plugin = (folder / "src" / "citewell_notes" / "plugin.py").read_text(encoding="utf-8")
    assert project["description"] == described
    assert project["authors"] == [{"name": author}]
    assert json.dumps(described, ensure_ascii=False) in plugin
    assert described in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("option", ["--author", "--description"])
def test_more_than_a_line_is_refused(here, capsys, option):
    assert new("notes", option, "one\ntwo") == 1

    assert f"{option} 'one\\ntwo': expected one line of text" in capsys.readouterr().err
    assert files(here) == []


def test_programs_get_what_was_written(here, capsys):
    assert new("notes", "--json", "--folder", "plugins") == 0

    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "citewell.plugin-new/1"
    assert found["path"] == "plugins/citewell-notes"
    assert sorted(found["files"]) == [
        path.relative_to(here).as_posix() for path in files(here / "plugins")
    ]
    assert found["next"][-2:] == ['pip install -e ".[test]"', "python -m pytest"]
    assert tomllib.loads(found["settings"])["model"] == {"main": {"use": "notes"}}


def test_without_copier_the_command_that_installs_it_is_named(here, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "copier", None)

    assert new("notes", "--folder", "plugins") == 1

    assert 'run: pip install "citewell[scaffold]"' in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_the_command_alone_imports_no_copier(here):
    code = "import sys, citewell.cli.plugins; sys.exit('copier' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == 0


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_named_in_the_help(capsys, kind):
    assert run(["plugins", "new", "--help"]) == 0

    assert kind in capsys.readouterr().out
