"""Runs are folders with names that people type, each of which one process has at a time."""

import subprocess
import sys

import pytest

from citewell.errors import CitewellError
from citewell.tuning.runs.holding import Hold, is_held
from citewell.tuning.runs.store import Run
from citewell.tuning.runs.working import Work

HOLDER = """
import sys, time
from pathlib import Path
from citewell.tuning.runs.holding import Hold

hold = Hold(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


MAKER = """
import sys
from pathlib import Path
from citewell.tuning.recipes.recipe import Recipe
from citewell.tuning.recipes.tables import Deploy
from citewell.tuning.runs.store import Runs

folder = Path(sys.argv[1])
recipe = Recipe(
    file=folder, base_dir=folder, content=b"", name="tiny", base=folder, deploy=Deploy()
)
for _ in range(10):
    print(Runs(folder).new(recipe).id)
"""


@pytest.fixture
def held_elsewhere():
    """Return a function that lets another process hold a run, and returns that process."""
    started = []

    def hold(run):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(run.folder)], stdout=subprocess.PIPE
        )
        started.append(process)
        assert process.stdout.readline() == b"held\n"
        return process

    yield hold
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_who_cannot_take_a_lock_believes_what_is_written(bench):
    run, _ = bench.new()
    (run.folder / "run.lock").mkdir()

    found = [one.record().state for one in bench.runs.every()]

    assert found == ["waiting"]
    with pytest.raises(CitewellError, match=r"run\.lock cannot be locked: .*check who may write"):
        Hold(run.folder)


def test_runs_are_numbered_by_their_recipes(bench):
    names = [bench.new(name=name)[0].id for name in ("a", "b", "a")]

    bench.runs.remove(bench.runs.find("a-1"))

    assert names == ["a-1", "b-1", "a-2"]
    assert bench.new(name="a")[0].id == "a-3"
    assert [run.id for run in bench.runs.every()] == ["a-3", "a-2", "b-1"]


def test_processes_that_begin_runs_at_once_give_each_a_name_of_its_own(tmp_path):
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", MAKER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]

    made = [name for maker in makers for name in maker.communicate()[0].split()]

    assert sorted(made) == sorted(f"tiny-{number}" for number in range(1, 31))


def test_a_run_that_is_not_there_is_told_with_the_nearest(bench):
    with pytest.raises(CitewellError, match=r'^no run is called "tiny-1"; there are none$'):
        bench.runs.find("tiny-1")
    bench.new()
    with pytest.raises(CitewellError, match='"tniy-1"; did you mean "tiny-1"'):
        bench.runs.find("tniy-1")
    with pytest.raises(CitewellError, match="no run is called"):
        bench.runs.find("../data/runs/tiny-1")


def test_what_is_half_made_or_half_deleted_is_no_run(bench):
    bench.new()
    left = [bench.runs.folder / name for name in (".new-999999999", ".gone-tiny-7-999999999")]
    for folder in (*left, bench.runs.folder / "empty"):
        folder.mkdir()

    assert [run.id for run in bench.runs.every()] == ["tiny-1"]
    bench.new()
    assert not any(folder.exists() for folder in left)


def test_whether_a_process_is_gone_is_known_and_not_guessed(bench, held_elsewhere):
    run, _ = bench.new()

    other = held_elsewhere(run)
    while_held = run.record().state
    other.kill()
    other.wait()

    assert while_held == "waiting"
    assert not is_held(run.folder)
    assert run.record().state == "interrupted"
    assert run.record().reason == "its process was gone while it was waiting"


def test_a_run_that_another_process_has_is_neither_worked_on_nor_deleted(bench, held_elsewhere):
    run, _ = bench.new()
    other = held_elsewhere(run)

    with pytest.raises(CitewellError, match=rf"held by process {other.pid} \(since .*runs cancel"):
        Work(run, print)
    with pytest.raises(CitewellError, match="held by process"):
        bench.runs.remove(run)

    assert run.record_file.is_file()


def test_to_look_keeps_nobody_from_a_run(bench):
    run, _ = bench.new()
    hold = Hold(run.folder)
    hold.release()

    for _ in range(20):
        assert not is_held(run.folder)
        Hold(run.folder).release()


def test_a_record_of_another_version_is_told(bench):
    run, _ = bench.new()
    run.record_file.write_text(run.record_file.read_text().replace('"schema": 1', '"schema": 2'))

    with pytest.raises(CitewellError, match="has schema 2; this Citewell reads 1"):
        run.record()


@pytest.mark.parametrize("content", ["", "{", '{"schema": 1}', "[]"])
def test_a_record_that_is_none_is_told(bench, content):
    run, _ = bench.new()
    run.record_file.write_text(content)

    with pytest.raises(CitewellError, match=r"run\.json holds no run: .*; delete its folder"):
        run.record()


def test_a_run_is_its_folder(bench):
    run, _ = bench.new()

    assert Run(bench.runs.folder / "tiny-1") == run == bench.runs.find("tiny-1")
