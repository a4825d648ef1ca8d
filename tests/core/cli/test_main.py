"""The program starts quickly, and says in one line what went wrong."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import click
import pytest

from citewell import CitewellError
from citewell.cli import main
from distributions import Site

PROGRAM = str(Path(sys.executable).parent / "citewell")

PLUGIN = """
import click
from citewell import CommandSpec, hookimpl

def greet():
    import greeting_work
    return greeting_work.greet

def broken():
    raise ImportError("no such module")

def odd():
    return "greet"

@hookimpl
def register_commands():
    return [
        CommandSpec(name="greet", summary="Say hello.", load=greet),
        CommandSpec(name="broken", summary="Fail.", load=broken),
        CommandSpec(name="odd", summary="Be no command.", load=odd),
        CommandSpec(name="ask", summary="Take the place of ask.", load=greet),
    ]
"""
WORK = """
import click

@click.command()
def greet():
    click.echo("hello")
"""

ACTING = """
from citewell import CommandSpec, hookimpl

def act():
    import acting_work
    return acting_work.act

@hookimpl
def register_commands():
    return [CommandSpec(name="act", summary="Do what a test wants.", load=act)]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def greeting(tmp_path, monkeypatch, here):
    site = Site(tmp_path / "site", monkeypatch)
    (tmp_path / "site" / "greeting.py").write_text(PLUGIN)
    (tmp_path / "site" / "greeting_work.py").write_text(WORK)
    monkeypatch.delitem(sys.modules, "greeting_work", raising=False)
    site.install({"greeting": "greeting"}, name="citewell-greeting")


@pytest.fixture
def acting(tmp_path, monkeypatch, here):
    """Return what gives a plugin's command `citewell act` its work."""
    site = Site(tmp_path / "site", monkeypatch)
    (tmp_path / "site" / "acting.py").write_text(ACTING)
    site.install({"acting": "acting"}, name="citewell-acting")

    def install(act):
        work = ModuleType("acting_work")
        work.act = click.Command("act", callback=act)
        monkeypatch.setitem(sys.modules, "acting_work", work)

    return install


@pytest.fixture
def raising(acting):
    """Return what makes `citewell act` raise."""

    def install(error):
        def act():
            raise error

        acting(act)

    return install


def test_help_lists_every_command_and_imports_none(here, capsys, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("citewell.cli.")]:
        if name.rpartition(".")[2] in main.COMMANDS:
            monkeypatch.delitem(sys.modules, name)

    assert main.run(["--help"]) == 0

    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in main.COMMANDS)
    assert not {f"citewell.cli.{name}" for name in main.COMMANDS} & set(sys.modules)


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_can_be_imported_and_has_help(here, capsys, name):
    assert main.run([name, "--help"]) == 0

    assert capsys.readouterr().out.startswith(f"Usage: citewell {name}")


def test_the_version_is_shown(capsys):
    assert main.run(["--version"]) == 0

    assert capsys.readouterr().out == "citewell 0.1.0\n"


def test_an_unknown_command_names_the_nearest(here, capsys):
    assert main.run(["doctr"]) == 2

    assert 'no command is called "doctr"; did you mean "doctor"?' in capsys.readouterr().err


def test_a_plugins_command_is_listed_and_loaded_when_it_is_run(greeting, capsys):
    main.run(["--help"])
    assert "Commands of plugins:" in (shown := capsys.readouterr().out)
    assert re.search(r"greet +Say hello\.", shown)
    assert "greeting_work" not in sys.modules

    assert main.run(["greet"]) == 0
    assert capsys.readouterr().out == "hello\n"


def test_a_plugin_cannot_take_the_place_of_our_own_command(greeting, capsys):
    main.run(["ask", "--help"])

    assert "Answer QUESTION" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken", 'error: command "broken" cannot be loaded: ImportError: no such module'),
        ("odd", "error: command \"odd\" is 'greet'; expected a click.Command"),
    ],
)
def test_a_plugins_command_that_cannot_be_loaded_says_so(greeting, capsys, name, message):
    assert main.run([name]) == 1

    assert message in capsys.readouterr().err


def test_an_error_is_said_without_a_traceback(raising, capsys):
    raising(CitewellError("the index is gone\nrun: citewell sync"))

    assert main.run(["act"]) == 1

    assert capsys.readouterr().err == "error: the index is gone\nerror: run: citewell sync\n"


def test_errors_of_several_tasks_are_all_said(raising, capsys):
    raising(ExceptionGroup("two", [CitewellError("one"), CitewellError("other")]))

    assert main.run(["act"]) == 1

    assert capsys.readouterr().err == "error: one\nerror: other\n"


def test_an_error_cannot_steer_the_terminal(raising, capsys):
    raising(CitewellError("no file \x1b[2J\x1b]0;owned\x07"))

    main.run(["act"])

    assert "\x1b" not in capsys.readouterr().err


def test_what_should_not_happen_asks_for_a_report(raising, capsys, monkeypatch):
    monkeypatch.delenv("CITEWELL_DEBUG", raising=False)
    raising(KeyError("lost"))

    assert main.run(["act"]) == 1

    shown = capsys.readouterr().err
    assert "error: this should not have happened: KeyError: 'lost'" in shown
    assert "CITEWELL_DEBUG=1" in shown


def test_a_file_that_cannot_be_used_is_named(raising, capsys):
    raising(PermissionError(13, "Permission denied", "failures.json"))

    assert main.run(["act"]) == 1

    assert capsys.readouterr().err == "error: failures.json cannot be used: Permission denied\n"


def test_debugging_shows_the_traceback(raising, monkeypatch):
    monkeypatch.setenv("CITEWELL_DEBUG", "1")
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)
    raising(KeyError("lost"))

    with pytest.raises(KeyError):
        main.run(["act"])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_has_its_own_exit_code(raising, capsys, error):
    raising(error)

    assert main.run(["act"]) == 130

    assert "interrupted" in capsys.readouterr().err


def test_the_number_that_a_command_returns_is_the_exit_code(acting):
    acting(lambda: 3)

    assert main.run(["act"]) == 3


def test_no_colour_where_none_is_wanted(raising, monkeypatch, capsys):
    monkeypatch.setattr("click._compat.isatty", lambda _: True)
    raising(CitewellError("gone"))

    main.run(["act"])
    assert "\x1b[31m" in capsys.readouterr().err
    monkeypatch.setenv("NO_COLOR", "1")
    main.run(["act"])
    assert capsys.readouterr().err == "error: gone\n"


@pytest.mark.parametrize("arguments", [["config", "schema"], ["--help"], ["ask", "--help"]])
def test_a_reader_that_goes_away_is_no_error(here, arguments):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as closed:
        done = subprocess.run(
            [PROGRAM, *arguments], cwd=here, check=False, stdout=closed, stderr=subprocess.PIPE
        )

    assert (done.returncode, done.stderr) == (141, b"")


def test_an_interrupt_from_the_keyboard_ends_the_program(here):
    (here / "docs").mkdir()
    (here / "citewell.toml").write_text(
        '[model.m]\nuse = "scripted"\nbehaviour = "slow"\ndelay_s = 30\n'
        '[profile.default]\nmodel = "m"\n'
    )
    process = subprocess.Popen(
        [PROGRAM, "ask", "why?"], cwd=here, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    # The model's folder is made when the model is opened, right before it is asked.
    while not (here / ".citewell" / "model" / "m").exists():
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 130
    assert b"Traceback" not in errors


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(capsys, shell):
    assert main.run(["completion", shell]) == 0

    assert "_CITEWELL_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("citewell do", "doctor"),
        ("citewell dep", "deploy"),
        ("citewell tr", "try"),
        ("citewell sl", "slack"),
        ("citewell dis", "discord"),
        ("citewell slack man", "manifest"),
        ("citewell try sl", "slack"),
        ("citewell try dis", "discord"),
    ],
)
def test_completion_names_commands_and_services(here, words, completed):
    done = subprocess.run(
        [PROGRAM],
        cwd=here,
        env=os.environ
        | {
            "_CITEWELL_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(words.count(" ")),
        },
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout == f"plain,{completed}\n"


HEAVY = {
    "sqlalchemy",
    "alembic",
    "rich",
    "tantivy",
    "lxml",
    "docutils",
    "docx",
    "openpyxl",
    "pytest",
}


def test_starting_imports_nothing_heavy(here):
    code = (
        "import sys; from citewell.engine.settings import load_registry; load_registry(None);"
        "from citewell.cli import main; main.cli.get_command(None, 'ask');"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=here, capture_output=True, text=True
    )

    assert not HEAVY & set(done.stdout.split())
