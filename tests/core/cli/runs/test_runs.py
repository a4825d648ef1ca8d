"""`citewell runs`: what became of trainings, told to people and to programs."""

import json

import pytest
from click.shell_completion import ShellComplete

import tunings
from citewell.cli.main import cli


@pytest.fixture
def trained(folder, said):
    """Return how to name two runs that differ."""
    tunings.recipe(folder, trainer="steps = 2")
    said("tune", "run", "tiny.toml")
    tunings.recipe(folder, trainer="steps = 3\nfails_at = 3")
    said("tune", "run", "tiny.toml")
    return "tiny-1", "tiny-2"


def test_no_runs_are_told(said):
    assert said("runs", "list") == (0, "there are no runs; run: citewell tune run RECIPE\n", "")
    assert json.loads(said("runs", "list", "--json")[1])["runs"] == []


def test_runs_are_listed_the_newest_first(trained, said):
    code, out, _ = said("runs", "list")

    rows = [[cell.strip() for cell in line.split("|")] for line in out.splitlines()]
    assert code == 0
    assert rows[0][:5] == ["run", "state", "step", "loss", "validation"]
    assert rows[2][:5] == ["tiny-2", "failed", "2 / 3", "2", "2.5"]
    assert rows[3][:5] == ["tiny-1", "done", "2 / 2", "2", "2.5"]
    listed = json.loads(said("runs", "list", "--json")[1])
    assert [one["id"] for one in listed["runs"]] == ["tiny-2", "tiny-1"]
    assert listed["schema"] == "citewell.runs/1"


def test_runs_that_began_without_settings_are_listed_with_those_of_the_settings(
    trained, folder, said
):
    (folder / "citewell.toml").write_text(
        'data_dir = "kept"\n[library.a]\nuse = "files"\npath = "."'
    )
    before = json.loads(said("runs", "list", "--json")[1])["runs"]
    tunings.recipe(folder)
    said("tune", "run", "tiny.toml")

    listed = json.loads(said("runs", "list", "--json")[1])["runs"]

    assert [one["id"] for one in before] == ["tiny-2", "tiny-1"]
    assert [one["id"] for one in listed] == ["tiny-3", "tiny-2", "tiny-1"]
    assert said("runs", "compare", "tiny-1", "tiny-3")[0] == 0
    assert said("runs", "rm", "tiny-1", "tiny-3")[:2] == (0, "tiny-1: deleted\ntiny-3: deleted\n")


def test_a_run_is_shown_with_what_mends_it(trained, said):
    _, done, _ = said("runs", "show", "tiny-1")
    _, failed, _ = said("runs", "show", "tiny-2")

    assert "adapter.gguf, " in done
    assert "; proven: logits 0.01, greedy 40" in done
    assert "next: citewell deploy tiny-1" in done
    assert "train      30 examples of " in done
    assert json.loads(said("runs", "show", "tiny-1", "--json")[1])["schema"] == "citewell.run/1"
    assert "tiny-2: failed\n  the loss is not a number; lower learning_rate" in failed
    assert "to go on: citewell tune run --resume tiny-2" in failed


def test_runs_are_completed_by_a_shell(trained, folder):
    completes = ShellComplete(cli, {}, "citewell", "_CITEWELL_COMPLETE").get_completions

    assert [one.value for one in completes(["runs", "show"], "ti")] == ["tiny-2", "tiny-1"]
    assert [one.value for one in completes(["deploy"], "tiny-1")] == ["tiny-1"]
    assert completes(["tune", "run", "--resume"], "other") == []


def test_a_page_is_written_where_it_is_wanted(trained, folder, said):
    code, out, err = said("runs", "show", "tiny-1", "--html", "page.html")

    assert (code, out, err) == (0, "", "written: page.html\n")
    assert "<svg" in (folder / "page.html").read_text()


def test_two_runs_are_compared(trained, said):
    code, out, _ = said("runs", "compare", *trained)
    found = json.loads(said("runs", "compare", *trained, "--json")[1])

    assert code == 0
    assert "state                | done" in out
    assert "trainer.steps         | 2      | 3" in out
    assert found["runs"] == ["tiny-1", "tiny-2"]
    assert ["trainer.fails_at", "-", "3"] in found["differences"]


def test_what_has_ended_is_not_cancelled(trained, said):
    code, _, err = said("runs", "cancel", "tiny-1")

    assert code == 1
    assert "run tiny-1 is done already; expected one that goes on" in err


def test_runs_are_deleted_with_all_that_they_made(trained, folder, said):
    kept = folder.parent / "home" / "citewell" / "runs"

    code, out, _ = said("runs", "rm", *trained)

    assert (code, out) == (0, "tiny-1: deleted\ntiny-2: deleted\n")
    assert [*kept.iterdir()] == []
    assert not [*kept.parent.glob("trainer/*"), *kept.parent.glob("exporter/*")]


def test_where_one_is_not_there_none_is_deleted(trained, said):
    code, _, err = said("runs", "rm", "tiny-1", "tiny-9")

    assert code == 1
    assert 'no run is called "tiny-9"; did you mean "tiny-' in err
    assert len(json.loads(said("runs", "list", "--json")[1])["runs"]) == 2
