"""Runs in processes of their own: killed, stopped, cancelled, asked about at a terminal."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import commands
import screens
import tunings

PROGRAM = str(Path(sys.executable).parent / "citewell")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return a machine on which a trainer is installed that takes as long as it is told."""
    tunings.install(tmp_path / "installed", monkeypatch)
    made = commands.Machine(tmp_path / "machine")
    packages = tmp_path / "installed" / "packages"
    made.environment["PYTHONPATH"] = os.pathsep.join([
        str(packages),
        made.environment["PYTHONPATH"],
    ])
    return made


@pytest.fixture
def begin(machine):
    """Return a function that begins a command, and returns its process."""
    started = []

    def call(*words):
        process = subprocess.Popen(
            [PROGRAM, *words],
            cwd=machine.work,
            env=machine.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()


def folder_of(machine, run="tiny-1"):
    return Path(machine.environment["XDG_DATA_HOME"]) / "citewell" / "runs" / run


def wait_for(machine, text, run="tiny-1"):
    events = folder_of(machine, run) / "events.jsonl"
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if events.exists() and text in events.read_text():
            return
        time.sleep(0.02)
    raise AssertionError(f"{text} did not happen")


def state(machine, run="tiny-1"):
    listed = json.loads(machine.citewell("runs", "list", "--json").stdout)["runs"]
    return next(one["state"] for one in listed if one["id"] == run)


def weights(machine, run="tiny-1"):
    return (folder_of(machine, run) / "adapter" / "adapter_model.safetensors").read_text()


SLOW = {
    "checking": ({}, '"checking"'),
    "estimating": ({"trainer": "estimate_s = 30"}, '"estimating"'),
    "training": ({"trainer": "step_s = 0.3\nsteps = 6"}, '"Saved","step":2'),
    "exporting": ({"export": "file_s = 30"}, '"Exporting"'),
}


@pytest.mark.parametrize(("settings", "moment"), SLOW.values(), ids=SLOW)
def test_a_run_that_was_killed_is_interrupted_and_goes_on(machine, begin, settings, moment):
    tunings.recipe(machine.work, **settings)
    process = begin("tune", "run", "tiny.toml")
    wait_for(machine, moment)

    process.send_signal(signal.SIGKILL)
    process.wait()

    assert state(machine) in {"interrupted", "done"}
    assert not [*folder_of(machine).glob("export/*.gguf")]
    # What takes long was only to be met by the kill.
    recipe = folder_of(machine) / "recipe.toml"
    quick = recipe.read_text().replace("estimate_s = 30", "").replace("file_s = 30", "")
    recipe.write_text(quick)
    done = machine.citewell("tune", "run", "--resume", "tiny-1")
    assert done.returncode == 0, done.stderr
    assert state(machine) == "done"


def test_a_training_that_was_killed_twice_ends_with_the_bytes_of_one_that_was_not(machine, begin):
    tunings.recipe(machine.work, trainer="step_s = 0.3\nsteps = 5")
    for words, moment in (
        (["tiny.toml"], '"Saved","step":1'),
        (["--resume", "tiny-1"], '"Saved","step":2'),
    ):
        process = begin("tune", "run", *words)
        wait_for(machine, moment)
        process.send_signal(signal.SIGKILL)
        process.wait()

    again = machine.citewell("tune", "run", "--resume", "tiny-1")
    whole = machine.citewell("tune", "run", "tiny.toml")

    assert (again.returncode, whole.returncode) == (0, 0)
    assert "behind step 2" in again.stderr
    assert weights(machine, "tiny-1") == weights(machine, "tiny-2")


def test_what_components_log_stays_off_the_screen(machine):
    tunings.recipe(machine.work, name="a", trainer="breaks_at = 2")

    done = machine.citewell("tune", "run", "a.toml")

    log = folder_of(machine, "a-1") / "log.txt"
    assert done.returncode == 1
    assert f"error: a-1: this should not have happened: ZeroDivisionError: a defect; see {log}" in (
        done.stderr
    )
    assert "training from step" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "training from step 0" in log.read_text()
    assert "Traceback" in log.read_text()


def test_a_run_is_cancelled_from_another_terminal(machine, begin):
    tunings.recipe(machine.work, trainer="step_s = 0.2\nsteps = 500")
    process = begin("tune", "run", "tiny.toml")
    wait_for(machine, '"Saved"')

    cancelled = machine.citewell("runs", "cancel", "tiny-1")
    out, _ = process.communicate(timeout=10)

    assert (cancelled.returncode, cancelled.stdout) == (0, "tiny-1: cancelled\n")
    assert process.returncode == 1
    assert "tiny-1: cancelled; " in out
    assert "to go on: citewell tune run --resume tiny-1" in out
    events = (folder_of(machine) / "events.jsonl").read_text().splitlines()
    asked = (folder_of(machine) / "cancel").stat().st_mtime
    assert json.loads(events[-1])["at"] - asked < 1.5


def test_a_run_of_another_process_is_left_alone(machine, begin):
    tunings.recipe(machine.work, trainer="step_s = 0.2\nsteps = 500")
    process = begin("tune", "run", "tiny.toml")
    wait_for(machine, '"Saved"')

    resumed = machine.citewell("tune", "run", "--resume", "tiny-1")
    removed = machine.citewell("runs", "rm", "tiny-1")

    for done in (resumed, removed):
        assert done.returncode == 1
        assert f"run tiny-1 is held by process {process.pid} (since " in done.stderr
    assert state(machine) == "training"


def test_ctrl_c_interrupts_and_says_so(machine, begin):
    tunings.recipe(machine.work, trainer="step_s = 0.2\nsteps = 500")
    process = begin("tune", "run", "tiny.toml")
    wait_for(machine, '"Saved"')

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)

    assert process.returncode == 130
    assert "\nto go on: citewell tune run --resume tiny-1\n" in err
    assert err.splitlines()[-1] == "interrupted"
    assert state(machine) == "interrupted"
    assert "stopped from the keyboard" in machine.citewell("runs", "show", "tiny-1").stdout


@pytest.fixture
def terminal(machine):
    def call(*words):
        unset = {"NO_COLOR", "COLUMNS"}
        environment = {key: value for key, value in machine.environment.items() if key not in unset}
        return screens.terminal([PROGRAM, *words], cwd=machine.work, environment=environment)

    return call


def test_at_a_terminal_who_trains_is_asked_each_time(machine, terminal):
    tunings.recipe(machine.work, name="a", trainer="step_s = 0.2")
    tunings.recipe(machine.work, name="b")

    with terminal("tune", "run", "a.toml", "b.toml") as screen:
        end = screen.wait_for("a-1: about 1 h 0 min")
        end = screen.wait_for("Train? [Y/n] ", after=end)
        screen.type("\n")
        end = screen.wait_for("tokens/s", after=end)
        end = screen.wait_for("Train? [Y/n] ", after=end)
        screen.type("n\n")
        code = screen.wait()

    assert code == 1
    assert "b-1: cancelled: not confirmed" in screen.text
    assert "error: " not in screen.text
    assert state(machine, "a-1") == "done"
    assert state(machine, "b-1") == "cancelled"


def test_with_yes_nobody_is_asked(machine, terminal):
    tunings.recipe(machine.work)

    with terminal("tune", "run", "tiny.toml", "--yes") as screen:
        code = screen.wait()

    assert code == 0
    assert "Train?" not in screen.text
    assert "tiny-1: done" in screen.text


def test_ctrl_c_at_the_question_leaves_a_run_that_can_go_on(machine, terminal):
    tunings.recipe(machine.work)

    with terminal("tune", "run", "tiny.toml") as screen:
        screen.wait_for("Train? [Y/n] ")
        screen.type("\x03")
        code = screen.wait()

    assert code == 130
    assert state(machine) == "interrupted"
    assert machine.citewell("tune", "run", "--resume", "tiny-1").returncode == 0
