"""`citewell init`: one approach first, valid from the start, and nothing overwritten."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from citewell.cli.main import run
from citewell.engine.settings import load_settings

PROGRAM = str(Path(sys.executable).parent / "citewell")


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def written(here):
    return load_settings(here / "citewell.toml", strict=True)


def test_facts_begin_with_retrieval(here, capsys):
    (here / "handbook").mkdir()

    assert run(["init", "--need", "facts", "--docs", "handbook"]) == 0

    settings = written(here)
    assert settings.libraries["docs"].section.config.path == Path("handbook")
    assert settings.profiles["default"].retriever == "main"
    shown = capsys.readouterr().out
    assert "later: a tuned model is worth adding when the facts are right" in shown
    assert "next: citewell sync" in shown


def test_behaviour_begins_with_a_model_alone(here, capsys):
    assert run(["init", "--need", "behaviour"]) == 0

    settings = written(here)
    assert settings.profiles["default"].retriever is None
    assert not settings.libraries
    assert "later: add documents when people ask for facts" in capsys.readouterr().out
    assert '"scripted" stands in' in (here / "citewell.toml").read_text()


def test_both_begins_with_retrieval_and_says_why(here, capsys):
    assert run(["init", "--need", "both"]) == 0

    assert written(here).profiles["default"].retriever == "main"
    assert "# You need both, so this begins with retrieval" in (here / "citewell.toml").read_text()
    assert "later: add the tuned model when your own questions show" in capsys.readouterr().out


def test_a_file_that_is_there_stays(here, capsys):
    (here / "citewell.toml").write_text("# mine\n")

    assert run(["init", "--need", "facts"]) == 1
    assert (here / "citewell.toml").read_text() == "# mine\n"
    assert "--force replaces it" in capsys.readouterr().err

    assert run(["init", "--need", "facts", "--force"]) == 0
    assert written(here)


@pytest.mark.parametrize(
    "name", ['a "quoted" folder', "back\\slash", "\u00fcn\u00ef \U0001f98a", "-x"]
)
def test_any_folder_name_is_written_rightly(here, name):
    (here / name).mkdir()

    assert run(["init", "--need", "facts", f"--docs={name}"]) == 0

    assert written(here).libraries["docs"].section.config.path == Path(name)


def test_a_folder_that_is_not_there_yet_is_noted(here, capsys):
    assert run(["init", "--need", "facts", "--docs", "later"]) == 0

    assert "the folder later is not there yet" in capsys.readouterr().err


def test_nothing_is_left_when_it_cannot_be_written(here, capsys, monkeypatch):
    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)

    assert run(["init", "--need", "facts"]) == 1

    assert "No space left" in capsys.readouterr().err
    assert list(here.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(here, capsys, monkeypatch):
    opened = Path.open

    def read_only(path, mode="r", *args, **kwargs):
        if "w" in mode:
            raise OSError(30, "Read-only file system")
        return opened(path, mode, *args, **kwargs)

    def never(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "open", read_only)
    monkeypatch.setattr(Path, "unlink", never)

    assert run(["init", "--need", "facts"]) == 1

    shown = capsys.readouterr().err
    assert shown == "error: citewell.toml cannot be written: Read-only file system\n"


def test_the_index_stays_out_of_commits(here):
    run(["init", "--need", "facts"])

    assert (here / ".citewell" / ".gitignore").read_text() == "*\n"


def test_nothing_is_asked_without_a_terminal(here):
    (here / "handbook").mkdir()

    done = subprocess.run(
        [PROGRAM, "init"], check=True, input="", capture_output=True, text=True, timeout=60
    )

    assert "What do you need" not in done.stdout
    assert written(here).libraries["docs"].section.config.path == Path("handbook")


def test_a_terminal_is_asked(here):
    """A real terminal: the program sees one, and a person types."""
    (here / "docs").mkdir()
    (here / "papers").mkdir()

    shown = _typed([PROGRAM, "init"], {"Need": "both", "Folder": "papers"})

    assert "What do you need most?" in shown
    assert "[docs]" in shown
    assert written(here).libraries["docs"].section.config.path == Path("papers")


def _typed(command, answers):
    """Run `command` in a terminal, and type each answer when its question appears."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = ""
    waiting = dict(answers)
    while select.select([ours], [], [], 30)[0]:
        try:
            shown += os.read(ours, 4096).decode()
        except OSError:
            break
        for question in [one for one in waiting if f"{one}" in shown.rpartition("\n")[2]]:
            os.write(ours, f"{waiting.pop(question)}\n".encode())
    os.close(ours)
    assert process.wait(timeout=30) == 0, shown
    return shown
