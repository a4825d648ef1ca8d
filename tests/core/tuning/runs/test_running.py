"""A run goes from its check to its report, and says how it ended, however that was."""

import asyncio
import json
import time

import pytest
from msgspec.structs import replace

import tunings
from citewell.errors import CitewellError, ConfigError
from citewell.evaluation.questions import save_questions
from citewell.tuning.recipes.reading import load_recipe
from citewell.tuning.runs.happenings import Warned
from citewell.tuning.runs.working import Work
from citewell.types.evaluation import EvalItem

ASKED = "How tall is the lighthouse of Alder?"


async def test_a_run_ends_with_proven_files_a_card_and_a_report(bench):
    run, recipe = bench.new(head='license = "mit"', export='files = ["adapter", "Q8_0"]')

    (record,) = await bench.work((run, recipe))

    assert bench.states() == ["checking", "estimating", "training", "exporting", "done"]
    assert [(made.kind, made.figures["greedy"]) for made in record.made] == [
        ("adapter", 40),
        ("Q8_0", 40),
    ]
    assert record == run.record()
    assert (record.step, record.inputs.train.examples, record.cpu_s > 0) == (4, 30, True)
    assert 'license: "mit"' in (run.export / "card.md").read_text()
    assert run.report_file.read_text().startswith("<!doctype html>")
    assert "training from step 0" in run.log_file.read_text()


async def test_what_is_learnt_from_is_in_the_form_that_trainers_take(bench):
    run, recipe = bench.new()
    tunings.write(
        bench.folder / "train.jsonl",
        [{"instruction": f"Name thing {one}.", "output": f"Thing {one}."} for one in range(30)],
    )

    await bench.work((run, recipe))

    first = json.loads((run.data / "train.jsonl").read_text().splitlines()[0])
    assert [one["role"] for one in first["messages"]] == ["user", "assistant"]


async def test_without_export_the_adapter_is_what_is_made(bench):
    run, recipe = bench.new(export=None)

    (record,) = await bench.work((run, recipe))

    assert (record.state, record.made) == ("done", ())
    assert (run.adapter / "adapter_config.json").is_file()
    assert "exporting" not in bench.states()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "line 31: is no JSON"),
        (tunings.chat(100), "line 31: says what "),
        (tunings.chat("ghp_16C7e42F292c6912E7710c838347Ae178B4a"), "holds a secret"),
        (
            {
                "messages": [
                    {"role": "user", "content": ASKED},
                    {"role": "assistant", "content": "40 m."},
                ]
            },
            "line 31: asks ",
        ),
    ],
)
async def test_wrong_data_ends_a_run_before_anything_is_trained(bench, row, said):
    save_questions(bench.folder / "q.jsonl", [EvalItem(question=ASKED, answers=("40 m",))])
    tunings.recipe(bench.folder)
    tunings.write(bench.folder / "train.jsonl", [*map(tunings.chat, range(30)), row])
    path = bench.folder / "tiny.toml"
    path.write_text(path.read_text().replace("[trainer]", 'questions = ["q.jsonl"]\n[trainer]'))
    recipe = load_recipe(path, bench.registry)
    run = bench.runs.new(recipe)

    (record,) = await bench.work((run, recipe))

    assert record.state == "failed"
    assert said in record.reason
    assert bench.states() == ["checking", "failed"]
    assert not run.trainer.exists()


async def test_a_warning_does_not_end_a_run(bench):
    run, recipe = bench.new()
    tunings.write(bench.folder / "train.jsonl", [*map(tunings.chat, range(30)), tunings.chat(1)])

    (record,) = await bench.work((run, recipe))

    assert record.state == "done"
    (warned,) = (one for one in bench.happened if isinstance(one, Warned))
    assert "line 31: says what line 2 says" in warned.said[0]


async def test_a_lost_process_is_followed_by_one_that_goes_on(bench):
    whole, recipe = bench.new()
    await bench.work((whole, recipe))
    run, recipe = bench.new(trainer="lost_at = 3", export="lost_times = 2")

    (record,) = await bench.work((run, recipe))

    assert record.state == "done"
    assert bench.kinds().count("Lost") == 3
    assert record.adapter_sha256 == whole.record().adapter_sha256


async def test_after_so_many_attempts_a_run_has_failed_and_can_go_on(bench):
    run, recipe = bench.new(head="attempts = 2", trainer="lost_at = 3\nlost_times = 2")

    (record,) = await bench.work((run, recipe))

    assert record.state == "failed"
    assert record.reason.endswith(
        f"tried 2 times; to go on, run: citewell tune run --resume {run.id}"
    )
    (again,) = await bench.work((run, run.recipe(bench.registry)))
    assert again.state == "done"
    assert bench.states().count("estimating") == 1


@pytest.mark.parametrize(
    ("settings", "said", "last"),
    [
        ({"trainer": "fails_at = 2"}, "the loss is not a number; lower", "training"),
        ({"trainer": "breaks_at = 2"}, "ZeroDivisionError: a defect; see ", "training"),
        ({"trainer": "no_adapter = true"}, '"steps" ended without an adapter', "training"),
        ({"export": 'unproven = "adapter"'}, "logits differ by 4.8; expected at", "exporting"),
        ({"export": "files = []"}, '"files" made no file; name at least one', "exporting"),
    ],
)
async def test_what_no_attempt_mends_fails_at_once(bench, settings, said, last):
    run, recipe = bench.new(**settings)

    (record,) = await bench.work((run, recipe))

    assert record.state == "failed"
    assert said in record.reason
    assert bench.states()[-2:] == [last, "failed"]
    assert "Lost" not in bench.kinds()
    assert run.report_file.is_file()


async def test_a_defect_of_a_plugin_is_explained_in_the_log(bench):
    run, recipe = bench.new(trainer="breaks_at = 1")

    await bench.work((run, recipe))

    assert "ZeroDivisionError: a defect" in run.log_file.read_text()


async def test_a_model_that_cannot_be_trained_fails_before_it_is(bench):
    tunings.base(bench.folder / "impossible")
    run, recipe = bench.new()
    recipe = replace(recipe, base=bench.folder / "impossible")
    (record,) = await bench.work((run, recipe))

    assert (record.state, bench.states()[-2]) == ("failed", "estimating")
    assert "no room for it on this machine" in record.reason


async def test_who_is_asked_may_decline(bench):
    bench.answer = False
    run, recipe = bench.new()

    (record,) = await bench.work((run, recipe))

    assert (record.state, record.reason) == ("cancelled", "not confirmed")
    assert "training" not in bench.states()


@pytest.mark.parametrize(
    ("settings", "state"),
    [
        ({"trainer": "step_s = 30"}, "training"),
        ({"trainer": "estimate_s = 30"}, "estimating"),
        ({"export": "file_s = 30"}, "exporting"),
    ],
)
async def test_a_run_that_is_cancelled_ends_soon(bench, settings, state):
    run, recipe = bench.new(**settings)

    async def cancel(_work):
        await bench.until(lambda: bench.states()[-1:] == [state])
        run.cancel_file.touch()
        bench.asked = time.monotonic()

    (record,) = await bench.work((run, recipe), meanwhile=cancel)

    assert time.monotonic() - bench.asked < 1.5
    assert (record.state, bench.states()[-2]) == ("cancelled", state)
    assert not [*run.export.glob("*.gguf")]


async def test_a_run_that_waits_can_be_cancelled_while_another_goes_on(bench):
    first, recipe = bench.new(trainer="step_s = 0.4")
    second, _ = bench.new(trainer="step_s = 0.4")
    second.cancel_file.touch()

    async def cancel(_work):
        second.cancel_file.touch()
        await bench.until(lambda: second.record().state == "cancelled")
        bench.other = first.record().state

    records = await bench.work((first, recipe), (second, recipe), meanwhile=cancel)

    assert [one.state for one in records] == ["done", "cancelled"]
    assert bench.other.is_active


async def test_one_that_fails_keeps_no_other_from_its_turn(bench):
    first, broken = bench.new(name="a", trainer="fails_at = 1")
    second, recipe = bench.new(name="b")

    records = await bench.work((first, broken), (second, recipe))

    assert [(one.id, one.state.value) for one in records] == [("a-1", "failed"), ("b-1", "done")]


async def test_a_report_that_cannot_be_written_hides_no_reason_and_ends_no_queue(bench):
    first, broken = bench.new(name="a", trainer="fails_at = 1")
    second, recipe = bench.new(name="b")
    (first.report_file / "in the way").mkdir(parents=True)

    records = await bench.work((first, broken), (second, recipe))

    assert [one.state.value for one in records] == ["failed", "done"]
    assert "the loss is not a number" in records[0].reason
    (warned,) = (one for one in bench.happened if isinstance(one, Warned))
    assert f"{first.report_file} cannot be written: " in warned.said[0]


async def test_who_stops_it_leaves_runs_that_can_go_on(bench):
    first, recipe = bench.new(trainer="step_s = 0.2\nsteps = 9")
    second, _ = bench.new(trainer="step_s = 0.2\nsteps = 9")

    working = asyncio.create_task(bench.work((first, recipe), (second, recipe)))
    await bench.until(lambda: "Saved" in bench.kinds())
    working.cancel()

    with pytest.raises(asyncio.CancelledError):
        await working
    assert first.record().state == second.record().state == "interrupted"


async def test_a_run_goes_on_without_what_it_was_made_from(bench):
    run, recipe = bench.new(trainer="lost_at = 2", head="attempts = 1")
    await bench.work((run, recipe))
    for name in ("train.jsonl", "valid.jsonl", "tiny.toml"):
        (bench.folder / name).unlink()

    (record,) = await bench.work((run, run.recipe(bench.registry)))

    assert record.state == "done"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda b, run: (b.folder / "base" / "config.json").write_text("{}"),
            "the base has changed",
        ),
        (lambda b, run: (run.data / "train.jsonl").write_text(""), "the examples have changed"),
        (lambda b, run: (run.data / "validation.jsonl").unlink(), "the examples have changed"),
    ],
)
async def test_a_run_does_not_go_on_with_something_else(bench, change, said):
    run, recipe = bench.new(trainer="lost_at = 2", head="attempts = 1")
    await bench.work((run, recipe))
    change(bench, run)

    (record,) = await bench.work((run, run.recipe(bench.registry)))

    assert record.state == "failed"
    assert said in record.reason
    assert record.reason.endswith("put it back, or start a new run")


async def test_two_never_work_on_one_run(bench):
    run, recipe = bench.new(trainer="step_s = 0.3")

    async def work_too(_work):
        with pytest.raises(CitewellError, match=r"run tiny-1 is held by process \d+ \(since "):
            Work(run, lambda _: None)

    (record,) = await bench.work((run, recipe), meanwhile=work_too)

    assert record.state == "done"


async def test_of_the_folder_of_an_adapter_only_what_counts_is_taken(bench):
    bench.recipe()
    lora = tunings.adapter(bench.folder / "lora")
    for name in ("optimizer.pt", "tokenizer.json", "chat_template.jinja", "README.md"):
        (lora / name).write_text("{}")
    path = bench.folder / "handed.toml"
    path.write_text('base = "base"\nadapter = "lora"\n')
    recipe = load_recipe(path, bench.registry)
    run = bench.runs.new(recipe)

    await bench.work((run, recipe))

    assert sorted(one.name for one in run.adapter.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "chat_template.jinja",
        "tokenizer.json",
    ]


async def test_an_adapter_of_another_trainer_is_exported_by_itself(bench):
    recipe = bench.recipe()
    tunings.adapter(bench.folder / "lora")
    (bench.folder / "handed.toml").write_text(
        'base = "base"\nadapter = "lora"\n\n[export]\nuse = "files"\n'
    )
    recipe = load_recipe(bench.folder / "handed.toml", bench.registry)
    run = bench.runs.new(recipe)

    (record,) = await bench.work((run, recipe))

    assert bench.states() == ["checking", "exporting", "done"]
    assert (record.is_handed, record.step, len(record.made)) == (True, None, 1)
    assert "made elsewhere" in (run.export / "adapter.gguf").read_text()
    assert "another trainer made the adapter" in (run.export / "card.md").read_text().lower()


def test_a_recipe_that_is_gone_is_told(bench):
    run, _ = bench.new()
    run.recipe_file.unlink()

    with pytest.raises(CitewellError, match=r"recipe\.toml cannot be read: .*; start a new run"):
        run.recipe(bench.registry)


def test_a_run_whose_base_is_gone_says_so(bench):
    run, _ = bench.new()
    (bench.folder / "base").rename(bench.folder / "elsewhere")

    with pytest.raises(ConfigError, match="base is not there; expected the folder of a model"):
        run.recipe(bench.registry)
