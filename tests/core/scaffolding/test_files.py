"""A plugin of one file is short, and works once it is trusted."""

import json
import os
import subprocess
import sys
import tomllib

import pytest

import commands
from citewell.cli.main import run
from citewell.scaffolding.kinds import KINDS
from scaffolds import needs_checkers

FITTING = [name for name, kind in KINDS.items() if kind.fits_a_file]
STYLE = ("--isolated", "--line-length=100")
ASKED = "How many days of leave does an employee have?"


def new_file(kind, folder):
    assert run(["plugins", "new", "my-own", "--kind", kind, "--single-file", "--json"]) == 0
    return folder / "my_own.py"


@pytest.mark.parametrize("kind", FITTING)
def test_it_has_at_most_25_lines(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    lines = new_file(kind, tmp_path).read_text(encoding="utf-8").splitlines()

    assert len(lines) <= 25
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("kind", FITTING)
def test_it_works_once_it_is_trusted(kind, tmp_path):
    machine = commands.Machine(tmp_path)
    machine.handbook.rename(machine.work / "docs")
    (machine.work / "docs" / "night.myown").write_text("The server restarted at 23:02.\n")
    question = json.dumps({"question": ASKED, "answers": ["28 days"]})
    (machine.work / "questions.jsonl").write_text(question)
    made = machine.citewell("plugins", "new", "my-own", "--kind", kind, "--single-file")
    settings = made.stdout.partition("used in citewell.toml:\n\n")[2]
    (machine.work / "citewell.toml").write_text(settings)

    early = machine.citewell("plugins", "list")
    trusted = machine.citewell("plugins", "trust", "my_own.py", "--yes")
    synced = machine.citewell("sync")
    asked = machine.citewell("ask", ASKED)

    assert "untrusted" in early.stdout
    assert trusted.returncode == synced.returncode == asked.returncode == 0, asked.stderr
    assert "28 days of leave" in asked.stdout
    if kind == "loader":
        assert "23:02" in machine.citewell("ask", "When did the server restart?").stdout
    elif kind == "command":
        assert "leave.md" in machine.citewell("my-own", "docs").stdout
    elif kind == "metric":
        report = machine.citewell("eval", "run", "--json")
        assert '"length": {' in report.stdout, report.stderr


@needs_checkers
def test_it_is_typed_and_linted(tmp_path, monkeypatch):
    files = []
    for kind in FITTING:
        folder = tmp_path / kind
        folder.mkdir()
        monkeypatch.chdir(folder)
        made = new_file(kind, folder)
        files.append(made.rename(made.with_name(f"my_{kind}.py")))

    checks = [
        subprocess.run(
            [sys.executable, "-m", *words, *files],
            check=False,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={**os.environ, "HOME": str(tmp_path)},
        )
        for words in (
            ("mypy", "--strict", "--cache-dir", str(tmp_path / "mypy")),
            (
                "ruff",
                "check",
                "--no-cache",
                "--isolated",
                "--line-length=100",
                "--select=E,F,I,B,UP",
            ),
            ("ruff", "format", "--no-cache", *STYLE, "--diff"),
        )
    ]

    assert [done.returncode for done in checks] == [0, 0, 0], "".join(one.stdout for one in checks)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - set(FITTING)))
def test_a_kind_that_takes_more_says_so(kind, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert run(["plugins", "new", "my-own", "--kind", kind, "--single-file"]) == 1

    assert "leave out --single-file" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_settings_name_it_where_it_was_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    words = ["--kind", "loader", "--single-file", "--folder", "my plugins", "--json"]
    assert run(["plugins", "new", "my-own", *words]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["next"] == ["citewell plugins trust 'my plugins/my_own.py'"]
    assert tomllib.loads(told["settings"])["plugins"]["paths"] == ["my plugins/my_own.py"]


def test_it_needs_no_copier(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "copier", None)

    assert new_file("loader", tmp_path).is_file()
