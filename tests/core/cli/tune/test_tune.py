"""`citewell tune`: what its commands say, make, and leave alone."""

import json
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import tunings
from citewell.cli.tune.starters import TASKS
from citewell.evaluation.questions import save_questions
from citewell.types.evaluation import EvalItem

ASKED = "How tall is the lighthouse of Alder?"


def runs_of(folder):
    home = folder.parent / "home" / "citewell" / "runs"
    return sorted(path.name for path in home.iterdir()) if home.is_dir() else []


def test_two_recipes_become_two_runs_one_after_another(folder, said):
    tunings.recipe(folder, name="a")
    tunings.recipe(folder, name="b", head='name = "other"')

    code, out, err = said("tune", "run", "a.toml", "b.toml")

    assert code == 0
    assert runs_of(folder) == ["a-1", "other-1"]
    assert "a-1: done; 4 of 4 steps in " in out
    assert "proven: logits 0.01, greedy 40" in out
    assert "next: citewell deploy other-1" in out
    assert err.index("a-1: done") < err.index("other-1: checking")
    assert "about 1 h 0 min, and 2.0 GiB of memory; 2 steps were measured, 0 s each" in err


def test_what_happens_is_told_line_by_line(folder, said):
    tunings.recipe(folder, trainer="lost_at = 2")

    _, _, err = said("tune", "run", "tiny.toml")

    lines = [line.removeprefix("tiny-1: ") for line in err.splitlines()]
    assert "training" in lines
    assert "8 parameters learn on cpu behind step 1" in lines
    assert "validation after step 4: loss 1.25" in lines
    assert "adapter is made and proven" in lines
    assert any(line.startswith("step 1 of 4, loss 4, 1,000 tokens/s, 0.3 s left") for line in lines)
    assert any(line.startswith("attempt 1 of 3 was lost: the trainer was killed") for line in lines)


def test_nothing_begins_before_all_recipes_are_right(folder, said):
    tunings.recipe(folder, name="a")
    tunings.recipe(folder, name="b", trainer="stps = 3")
    tunings.recipe(folder, name="c", head="nam = 1")

    code, out, err = said("tune", "run", "a.toml", "b.toml", "c.toml")

    assert (code, out) == (1, "")
    assert 'error: b.toml: trainer.stps: unknown setting; did you mean "steps"?' in err
    assert 'error: c.toml: nam: unknown setting; did you mean "name"?' in err
    assert runs_of(folder) == []


def test_nothing_begins_before_the_data_of_all_recipes_is_right(folder, said):
    tunings.recipe(folder, name="a")
    path = tunings.recipe(folder, name="b")
    path.write_text(path.read_text().replace("train.jsonl", "broken.jsonl"))
    tunings.write(folder / "broken.jsonl", [*map(tunings.chat, range(30)), "{"])

    code, out, err = said("tune", "run", "a.toml", "b.toml")

    assert (code, out) == (1, "")
    assert "broken.jsonl: line 31: is no JSON" in err
    assert runs_of(folder) == []


def test_a_failure_is_told_when_it_happens_and_once(folder, said):
    tunings.recipe(folder, name="a", trainer="fails_at = 2")
    tunings.recipe(folder, name="b")

    _, _, err = said("tune", "run", "a.toml", "b.toml")

    assert err.index("error: a-1: the loss is not a number") < err.index("b-1: checking")
    assert err.count("the loss is not a number") == 1


def test_what_a_changed_recipe_mends_begins_anew(folder, said):
    tunings.recipe(folder, trainer="fails_at = 2")
    failed = said("tune", "run", "tiny.toml")
    same = said("tune", "run", "--resume", "tiny-1")
    tunings.recipe(folder)
    changed = said("tune", "run", "--resume", "tiny-1")

    assert f"with another recipe, begin anew: citewell tune run {folder}/tiny.toml" in failed[1]
    assert "note: " not in same[2]
    note = f"note: tiny-1 goes on with the recipe as it was, and {folder}/tiny.toml has changed"
    assert note in changed[2]
    assert changed[0] == 1


def test_the_exit_code_tells_that_a_run_failed(folder, said):
    tunings.recipe(folder, name="a", trainer="fails_at = 2")
    tunings.recipe(folder, name="b")

    code, out, err = said("tune", "run", "a.toml", "b.toml")

    assert code == 1
    assert "error: a-1: the loss is not a number; lower learning_rate" in err
    assert "a-1: failed; 1 of 4 steps" in out
    assert "to go on: citewell tune run --resume a-1" in out
    assert "b-1: done" in out


def test_a_run_that_failed_goes_on(folder, said):
    tunings.recipe(folder, head="attempts = 1", trainer="lost_at = 3")
    said("tune", "run", "tiny.toml")

    code, out, err = said("tune", "run", "--resume", "tiny-1")

    assert code == 0
    assert "behind step 2" in err
    assert "tiny-1: done" in out
    assert runs_of(folder) == ["tiny-1"]


def test_a_run_that_is_done_does_not_go_on(folder, said):
    tunings.recipe(folder)
    said("tune", "run", "tiny.toml")

    code, _, err = said("tune", "run", "--resume", "tiny-1")

    assert code == 1
    assert "run tiny-1 is done; to make its files anew: citewell tune export" in err


@pytest.mark.parametrize("words", [[], ["a.toml", "--resume", "a-1"]])
def test_recipes_or_a_run_are_named(said, words):
    code, _, err = said("tune", "run", *words)

    assert code == 2
    assert "expected recipes, or --resume RUN" in err


def test_runs_are_data_for_programs(folder, said):
    tunings.recipe(folder, head="price_per_hour = 2")

    code, out, _ = said("tune", "run", "tiny.toml", "--json")

    found = json.loads(out)
    (run,) = found["runs"]
    assert (code, found["schema"], run["state"]) == (0, "citewell.tune-run/1", "done")
    assert (run["loss"], run["validation"], run["cost"]) == (1.0, 1.25, 2.0)
    assert run["made"][0]["figures"] == {"logits": 0.01, "greedy": 40.0}


def test_the_settings_say_where_runs_are_kept(folder, said):
    tunings.recipe(folder)
    (folder / "citewell.toml").write_text(
        'data_dir = "kept"\n[library.a]\nuse = "files"\npath = "."'
    )

    said("tune", "run", "tiny.toml")

    assert [path.name for path in (folder / "kept" / "runs").iterdir()] == ["tiny-1"]
    assert runs_of(folder) == []


def test_without_its_packages_a_trainer_says_what_to_install(folder, said, monkeypatch):
    path = tunings.recipe(folder)
    path.write_text(path.read_text().replace('"steps"', '"heavy"'))
    info = next((folder.parent / "site" / "packages").glob("*.dist-info")) / "METADATA"
    info.write_text(
        f"{info.read_text()}Provides-Extra: train\n"
        'Requires-Dist: nobody-has-this>=2; extra == "train"\n'
    )

    for words in (["tune", "run"], ["tune", "estimate"]):
        code, _, err = said(*words, "tiny.toml")

        assert code == 1
        assert (
            'trainer "heavy" needs nobody-has-this, which is not installed; run: pip install '
            '"scripted-trainer[train]"'
        ) in err
    assert said("tune", "check", "tiny.toml")[0] == 0
    assert runs_of(folder) == []


def test_without_the_plugin_a_trainer_is_unknown(folder, said):
    path = tunings.recipe(folder)
    path.write_text(path.read_text().replace('"steps"', '"unsloth"'))

    code, _, err = said("tune", "check", "tiny.toml")

    assert code == 1
    assert 'trainer.use: no trainer is called "unsloth"' in err


def test_what_a_component_cannot_use_is_told_before_anything_begins(folder, said):
    tunings.recipe(folder, name="a")
    tunings.recipe(folder, name="b", export='samples = "none.jsonl"')
    later = said("tune", "run", "a.toml", "b.toml")
    (folder / "base" / "unfit").touch()
    at_base = said("tune", "check", "a.toml")
    (folder / "base" / "unfit").unlink()
    said("tune", "run", "a.toml")
    again = said("tune", "export", "a-1", "--set", "samples=none.jsonl")

    assert (later[0], at_base[0], again[0]) == (1, 1, 1)
    assert "b.toml: export.samples: none.jsonl is not there; name another" in later[2]
    assert f"a.toml: base: {folder}/base cannot learn; take another base" in at_base[2]
    assert "error: command line: samples: none.jsonl is not there; name another" in again[2]
    assert runs_of(folder) == ["a-1"]


# --- check and estimate ---------------------------------------------------------------------


def test_a_check_looks_at_the_recipe_and_its_data_and_writes_nothing(folder, said):
    tunings.recipe(folder)
    before = sorted(folder.parent.rglob("*"))

    code, out, _ = said("tune", "check", "tiny.toml")

    assert code == 0
    assert "tiny.toml: the recipe is right" in out
    assert "train.jsonl: 30 sound examples, messages; about " in out
    assert "valid.jsonl: 25 sound examples" in out
    assert sorted(folder.parent.rglob("*")) == before


def test_a_check_finds_what_is_wrong_with_the_data(folder, said):
    path = tunings.recipe(folder)
    path.write_text(path.read_text().replace("[trainer]", 'questions = ["q.jsonl"]\n[trainer]'))
    asked = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": "40 m."}]
    tunings.write(
        folder / "train.jsonl",
        [*map(tunings.chat, range(30)), "{", tunings.chat(101), {"messages": asked}],
    )
    save_questions(folder / "q.jsonl", [EvalItem(question=ASKED, answers=("40 m",))])

    code, out, _ = said("tune", "check", "tiny.toml")

    assert code == 1
    assert f"error: {folder}/train.jsonl: line 31: is no JSON" in out
    assert "line 32: says what " in out
    assert f'line 33: asks "{ASKED}", a question of ' in out
    found = json.loads(said("tune", "check", "tiny.toml", "--json")[1])
    assert found["schema"] == "citewell.tune-check/1"
    assert {one["concern"] for one in found["recipes"][0]["problems"]} == {"json", "leak"}


def test_a_check_counts_what_the_base_cannot_read_whole(folder, said):
    path = tunings.recipe(folder)
    tunings.words(folder / "base", context=64)
    long = [tunings.chat(one) for one in range(30)]
    long[3]["messages"][1]["content"] = "one and two " * 40
    tunings.write(folder / "train.jsonl", long)

    some = said("tune", "check", "tiny.toml")
    ran = said("tune", "run", "tiny.toml")
    tunings.words(folder / "base", context=4)
    every = said("tune", "check", "tiny.toml")

    assert path.is_file()
    assert (some[0], ran[0], every[0]) == (0, 0, 1)
    assert "warning: " in some[1]
    for text in (some[1], ran[2]):
        assert "expected at most 64: cut it; it is left out, as the base reads no more" in text
    assert "line 4: has " in some[1]
    assert "line 5: has " not in some[1]
    assert "error: " in every[1]


def test_an_estimate_tells_what_a_training_takes_and_leaves_nothing(folder, said):
    tunings.recipe(folder, head='price_per_hour = 2\ncurrency = "EUR"', trainer="step_s = 0.5")

    code, out, _ = said("tune", "estimate", "tiny.toml")
    found = json.loads(said("tune", "estimate", "tiny.toml", "--json")[1])["recipes"][0]

    assert code == 0
    assert "tiny: 4 steps over 30 examples of 1,077 tokens, on cpu" in out
    assert "tiny: about 1 h 0 min, 2.00 EUR, and 2.0 GiB of memory; 2 steps were measured" in out
    assert (found["seconds"], found["measured"], found["currency"]) == (3602.0, 2, "EUR")
    assert runs_of(folder) == []
    assert not [*(folder.parent / "home" / "citewell").glob(".estimate*")]


def test_wrong_data_is_told_before_anything_is_measured(folder, said):
    tunings.recipe(folder)
    (folder / "train.jsonl").write_text("{\n" * 9)

    code, out, err = said("tune", "estimate", "tiny.toml")

    assert (code, out) == (1, "")
    assert "line 1: is no JSON" in err
    assert "tiny.toml: 4 more problems; run: citewell tune check tiny.toml" in err


# --- export ---------------------------------------------------------------------------------

_FILES = ("--use", "files")


def test_the_files_of_a_run_are_made_anew_with_other_settings(folder, said):
    tunings.recipe(folder, export=None)
    said("tune", "run", "tiny.toml")

    refused = said("tune", "export", "tiny-1", *_FILES, "--set", 'files=["Q9"]')
    wanted = 'files=["merged", "Q8_0"]'
    code, out, _ = said("tune", "export", "tiny-1", *_FILES, "--set", wanted)

    assert refused[0] == 1
    assert "export.files[0]: expected 'adapter', 'merged' or 'Q8_0', got \"Q9\"" in refused[2]
    assert code == 0
    assert "error: command line: export.files[0]: " in refused[2]
    assert "  Q8_0: " in out
    run = json.loads(said("runs", "show", "tiny-1", "--json")[1])
    assert [one["kind"] for one in run["made"]] == ["merged", "Q8_0"]
    recipe = tomllib.loads(Path(run["folder"], "recipe.toml").read_text())
    assert recipe["export"] == {"use": "files", "files": ["merged", "Q8_0"]}


@pytest.mark.parametrize(
    "wanted", ['unproven = "Q8_0"', "lost_times = 9"], ids=["not proven", "lost"]
)
def test_a_run_that_is_done_stays_so_where_another_export_fails(folder, said, wanted):
    tunings.recipe(folder, export='files = ["adapter", "merged"]')
    said("tune", "run", "tiny.toml")
    before = json.loads(said("runs", "show", "tiny-1", "--json")[1])
    name, _, value = wanted.partition(" = ")

    code, out, err = said(
        *("tune", "export", "tiny-1", "--set", 'files=["adapter", "Q8_0"]'),
        *("--set", f"{name}={value}"),
    )

    assert code == 1
    assert "error: tiny-1: " in err
    assert "tiny-1: failed" in out
    assert "tiny-1 is done, as it was before" in out
    assert "--resume" not in err
    found = json.loads(said("runs", "show", "tiny-1", "--json")[1])
    assert (found["state"], found["reason"]) == ("done", "")
    assert [one["kind"] for one in found["made"]] == ["adapter", "merged"]
    assert found["recipe_sha256"] == before["recipe_sha256"]
    assert name not in Path(found["folder"], "recipe.toml").read_text()
    assert "failed" not in Path(found["folder"], "report.html").read_text()


def test_another_export_replaces_files_of_its_kinds_alone(folder, said):
    tunings.recipe(folder, export='files = ["adapter", "merged"]')
    said("tune", "run", "tiny.toml")

    said("tune", "export", "tiny-1", "--set", 'files=["Q8_0", "merged"]')

    found = json.loads(said("runs", "show", "tiny-1", "--json")[1])
    assert [one["kind"] for one in found["made"]] == ["Q8_0", "merged", "adapter"]


def test_a_note_beside_the_base_changes_no_run(folder, said):
    tunings.recipe(folder)
    said("tune", "run", "tiny.toml")
    (folder / "base" / "README.md").write_text("what it is")

    code, _, _ = said("tune", "export", "tiny-1")

    assert code == 0


def test_a_file_that_is_not_proven_is_not_kept(folder, said):
    tunings.recipe(folder, export='files = ["adapter", "Q8_0"]\nunproven = "Q8_0"')

    code, _, err = said("tune", "run", "tiny.toml")

    assert code == 1
    assert "Q8_0.gguf: logits differ by 4.8; expected at most 0.1" in err
    run = json.loads(said("runs", "show", "tiny-1", "--json")[1])
    assert [path.name for path in Path(run["folder"], "export").iterdir()] == ["adapter.gguf"]
    assert said("deploy", "tiny-1")[0] == 1


def test_what_another_trainer_made_becomes_a_run(folder, said):
    tunings.base(folder / "base")
    tunings.adapter(folder / "out" / "Lora 1")
    tunings.write(folder / "valid.jsonl", map(tunings.chat, range(20)))

    code, out, _ = said(
        *("tune", "export", "--base", "base", "--adapter", "out/Lora 1", "--license", "mit"),
        *("--samples", "valid.jsonl", *_FILES),
    )

    assert code == 0
    assert "lora-1-1: done; another trainer made the adapter" in out
    run = json.loads(said("runs", "show", "lora-1-1", "--json")[1])
    assert (run["is_handed"], run["inputs"]["train"]["examples"]) == (True, 20)
    assert "Licence of the base: mit." in Path(run["folder"], "export", "card.md").read_text()


@pytest.mark.parametrize(
    ("words", "said_so"),
    [
        (["--base", "base"], "expected RUN, or --base FOLDER and --adapter FOLDER"),
        (["tiny-1", "--base", "base", "--adapter", "out"], "expected RUN, or --base"),
        (["--base", "base", "--adapter", "none", *_FILES], "command line: adapter: "),
        (["--base", "none", "--adapter", "out", *_FILES], "command line: base: "),
        (["--base", "base", "--adapter", "out"], "there are: gguf, files; name one with --use"),
        (["--base", "base", "--adapter", "out", "--use", "fils"], 'did you mean "files"?'),
        (["--base", "base", "--adapter", "out", "--set", "files"], '"files" is no setting; expec'),
        (["tiny-1"], "run tiny-1 has no adapter yet; run: citewell tune run --resume tiny-1"),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_is_told(folder, said, words, said_so):
    tunings.recipe(folder, trainer="fails_at = 1")
    tunings.adapter(folder / "out")
    said("tune", "run", "tiny.toml")

    code, _, err = said("tune", "export", *words)

    assert code in {1, 2}
    assert said_so in err
    assert runs_of(folder) == ["tiny-1"]


# --- init -----------------------------------------------------------------------------------


@pytest.mark.parametrize("task", TASKS)
def test_a_recipe_to_begin_with_is_written_once(folder, said, task):
    first = said("tune", "init", "--task", task, "--base", 'models/"big"')
    second = said("tune", "init", "--task", task)

    assert first[0] == 0
    assert f"wrote {task}.toml; name your data in it" in first[1]
    assert second[0] == 1
    assert f"{task}.toml is there already; --force replaces it" in second[2]
    assert tomllib.loads((folder / f"{task}.toml").read_text())["base"] == 'models/"big"'


def test_the_base_is_named_as_the_recipe_finds_it(folder, said):
    tunings.recipe(folder)
    (folder / "sub dir").mkdir()

    _, out, _ = said("tune", "init", "sub dir/x.toml", "--base", "base")

    assert tomllib.loads((folder / "sub dir" / "x.toml").read_text())["base"] == "../base"
    assert out.endswith("run: citewell tune check 'sub dir/x.toml'\n")


def test_the_core_alone_is_without_torch():
    needed = [one for one in metadata.requires("citewell") or [] if "extra ==" not in one]

    assert not any(one.startswith(("torch", "transformers", "peft")) for one in needed)
