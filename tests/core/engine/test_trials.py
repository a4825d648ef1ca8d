"""A model on trial answers its share, is watched, and is taken back by itself."""

import asyncio
import random
from contextlib import aclosing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants import Kept, answers, question
from citewell import ConfigError, Outcome, StoreError
from citewell.cli.indexing import bring_up
from citewell.engine.assistant import Assistant
from citewell.engine.runtime import Runtime
from citewell.engine.serving import Serving
from citewell.engine.settings import load_settings
from citewell.engine.tables import Canary
from citewell.engine.trials import Seen, Trial, Trials
from random_gguf import write_model

CONFIG = """
[library.docs]
use = "files"
path = "docs"

[retriever.main]
use = "lexical"

[model.quotes]
use = "extractive"

[model.new]
use = "scripted"
{new}

[profile.default]
retriever = "main"
model = "quotes"
canary = {{ model = "new", share = {share}, watch = 20 }}
"""


def seen(at, *, failed=False, refused=False, seconds=1.0):
    return Seen(id=str(at), failed=failed, refused=refused, seconds=seconds)


def trial(**terms):
    return Trial("default", Canary(model="new", **terms), "key")


@given(st.floats(0.01, 0.5), st.integers(0, 1000))
def test_a_question_is_always_on_the_same_side(share, number):
    one, other = trial(share=share), trial(share=share)

    assert one.takes(str(number)) == other.takes(str(number))


def test_the_share_is_kept():
    chosen = random.Random(1)
    on_trial = trial(share=0.2)

    taken = sum(on_trial.takes(str(chosen.random())) for _ in range(5000))

    assert 0.18 < taken / 5000 < 0.22


def test_it_stays_while_nothing_is_wrong():
    found = trial(watch=20)
    for at in range(100):
        found.note(seen(at), is_on_trial=at % 2 == 0)

    assert not found.problem()


def test_failures_end_it_as_soon_as_the_window_cannot_hold_more():
    found = trial(watch=40, max_failed=0.05)
    problems = []
    for at in range(3):
        found.note(seen(at, failed=True), is_on_trial=True)
        problems.append(found.problem())

    assert problems == ["", "", "3 of its last 3 answers failed"]


def test_failures_of_long_ago_are_forgiven():
    found = trial(watch=10, max_failed=0.2)
    for at in range(2):
        found.note(seen(at, failed=True), is_on_trial=True)
    for at in range(10):
        found.note(seen(at), is_on_trial=True)
    found.note(seen(99, failed=True), is_on_trial=True)

    assert not found.problem()


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        ({"refused": True}, "it refuses 100 points more of the questions"),
        ({"seconds": 5.0}, "its answers take 5.0 times as long"),
    ],
)
def test_refusals_and_times_are_compared_with_what_answers_otherwise(ours, said):
    found = trial(watch=20)
    for at in range(9):
        found.note(seen(at, **ours), is_on_trial=True)
        found.note(seen(at), is_on_trial=False)
    assert not found.problem(), "nine answers are too few to compare"

    found.note(seen(9, **ours), is_on_trial=True)
    found.note(seen(9), is_on_trial=False)

    assert found.problem() == said


def test_thumbs_down_end_it_and_a_changed_mind_counts_once(tmp_path):
    found = trial(watch=20, max_unhelpful=0.1)
    for at in range(5):
        found.note(seen(at), is_on_trial=True)
    for at in (0, 0, 1):
        found.vote(str(at), is_helpful=False)
    assert not found.problem()

    found.vote("2", is_helpful=False)
    assert found.problem() == "3 of its last 5 answers helped nobody"

    found.vote("2", is_helpful=True)
    assert not found.problem()


# --- served ----------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "leave.md").write_text("Every employee has 28 days of paid leave.")
    path = tmp_path / "citewell.toml"

    def write(*, share=0.5, new=""):
        path.write_text(CONFIG.format(share=share, new=new))
        return load_settings(path)

    return write


def end(trials, loaded):
    """Let the model of the profile "default" fail until it is taken back."""
    running = trials.of(loaded, "default")
    for at in range(2):
        trials.note(running, seen(at, failed=True), is_on_trial=True)
    return trials


async def asked(serving, count, kept):
    assistant = Assistant(serving, kept)
    return [(await answers(assistant, "How many days of leave?"))[-1] for _ in range(count)]


async def test_both_answer_and_the_one_on_trial_its_share(settings):
    loaded = settings()
    serving = Serving(loaded, lambda: loaded)
    kept = Kept()
    try:
        async with serving.lease() as runtime:
            await bring_up(runtime)
        found = await asked(serving, 40, kept)
    finally:
        await serving.close()

    models = [answer.model for answer in found]
    assert 8 <= models.count("new") <= 32
    assert models.count("new") + models.count("quotes") == 40
    on_trial = [record for record in kept.records if "new is on trial" in record.notes]
    assert {record.model for record in on_trial} == {"new"}


async def test_errors_end_the_trial_within_its_window_and_nobody_loses_an_answer(settings):
    loaded = settings(new='behaviour = "failing"\npieces = 0')
    serving = Serving(loaded, lambda: loaded)
    kept = Kept()
    try:
        async with serving.lease() as runtime:
            await bring_up(runtime)
        found = await asked(serving, 40, kept)
        rollback = serving.trials.rollbacks.get_nowait()
    finally:
        await serving.close()

    assert all(answer.outcome is Outcome.ANSWERED for answer in found)
    assert {answer.model for answer in found} == {"quotes"}
    assert sum("new is on trial" in record.notes for record in kept.records) == 2
    assert (rollback.profile, rollback.model) == ("default", "new")
    assert rollback.reason == "2 of its last 2 answers failed"


async def test_what_was_taken_back_stays_so_until_it_is_another_one(settings, tmp_path):
    loaded = settings(new='behaviour = "failing"\npieces = 0')
    beside = Trials(tmp_path / "trials")
    assert beside.of(loaded, "default") is not None
    trials = end(Trials(tmp_path / "trials"), loaded)

    assert trials.of(loaded, "default") is None
    assert beside.of(loaded, "default") is None, "another process takes it back as well"
    assert Trials(tmp_path / "trials").of(loaded, "default") is None
    assert beside.of(settings(new=""), "default") is not None


def test_what_ends_in_one_profile_goes_on_in_another(settings, tmp_path):
    settings()
    path = tmp_path / "citewell.toml"
    one = path.read_text()
    path.write_text(one + one[one.index("[profile.default]") :].replace("default", "other"))
    loaded = load_settings(path)
    trials = end(Trials(tmp_path / "trials"), loaded)

    assert trials.of(loaded, "default") is None
    assert trials.of(loaded, "other") is not None


def test_a_folder_that_cannot_be_written_ends_the_trial_for_this_process(settings, tmp_path):
    loaded = settings()
    (tmp_path / "trials").write_text("no folder")

    trials = end(Trials(tmp_path / "trials"), loaded)

    assert trials.of(loaded, "default") is None


@pytest.mark.parametrize("method", ["retrieve", "fetch"])
async def test_a_retriever_that_fails_says_nothing_of_the_model(settings, monkeypatch, method):
    loaded = settings()
    serving = Serving(loaded, lambda: loaded)
    try:
        async with serving.lease() as runtime:
            await bring_up(runtime)
            retriever = await runtime.retriever("main")
        monkeypatch.setattr(type(retriever), method, _down)
        found = await asked(serving, 40, Kept())
    finally:
        await serving.close()

    assert {answer.outcome for answer in found} == {Outcome.FAILED}
    assert serving.trials.rollbacks.empty()


async def _down(*_, **__):
    raise StoreError("the index is away")


@pytest.mark.parametrize("is_late", [True, False])
async def test_what_takes_too_long_has_failed_and_what_is_cancelled_has_not(settings, is_late):
    loaded = settings(new='behaviour = "slow"\ndelay_s = 60')
    serving = Serving(loaded, lambda: loaded)
    kept = Kept()
    assistant = Assistant(serving, kept)
    try:
        async with serving.lease() as runtime:
            await bring_up(runtime)
        for _ in range(20):
            within = asyncio.timeout(0.2)
            with suppress(TimeoutError):
                async with within:
                    growing = assistant.ask(
                        question(), is_late=within.expired if is_late else lambda: False
                    )
                    async with aclosing(growing):
                        async for _ in growing:
                            pass
    finally:
        await serving.close()

    assert serving.trials.rollbacks.empty() is not is_late
    ended = [record for record in kept.records if record.outcome == "failed"]
    assert ended[0].notes == ("new is on trial",)
    assert ended[0].errors[-1].startswith("took too long" if is_late else "cancelled by the asker")


async def test_a_model_on_trial_is_opened_before_it_is_asked(settings, monkeypatch):
    opened = []
    opening = Runtime.model

    async def noted(runtime, name, **terms):
        opened.append(name)
        return await opening(runtime, name, **terms)

    monkeypatch.setattr(Runtime, "model", noted)
    first = settings(share=0.1)
    serving = Serving(first, lambda: load_settings(first.path))
    try:
        settings(share=0.2)
        change = await serving.reload()
        opened_first = [*opened]
        end(serving.trials, serving.settings)
        opened.clear()
        path = first.path
        path.write_text(
            path.read_text().replace('retriever = "main"', 'retriever = "main"\nseed = 1')
        )
        again = await serving.reload()
    finally:
        await serving.close()

    assert (change.applied, again.applied) == (True, True)
    assert opened_first == ["quotes", "new"]
    assert opened == ["quotes"], "what was taken back is not opened again"


async def test_a_model_on_trial_that_cannot_be_opened_refuses_nothing(settings, tmp_path, caplog):
    first = settings()
    serving = Serving(first, lambda: load_settings(first.path))
    text = first.path.read_text()
    write_model(tmp_path / "broken.gguf", seed=1)
    (tmp_path / "broken.jinja").write_text("{% for %}")
    broken = 'use = "llamacpp"\npath = "broken.gguf"\nchat_template = "broken.jinja"'
    try:
        first.path.write_text(
            text.replace('[model.new]\nuse = "scripted"', f"[model.new]\n{broken}")
        )
        change = await serving.reload()
    finally:
        await serving.close()

    assert change.applied
    assert "profile default: new, on trial: " in caplog.text


async def test_a_reload_that_is_refused_forgets_nothing_of_a_trial(settings):
    first = settings()
    serving = Serving(
        first, lambda: load_settings(first.path), gate=lambda *_: asyncio.sleep(0, ["not measured"])
    )
    try:
        before = serving.trials.of(first, "default")
        settings(share=0.1)
        change = await serving.reload()
    finally:
        await serving.close()

    assert not change.applied
    assert serving.trials.of(first, "default") is before


def test_a_model_on_trial_has_to_be_there(settings, tmp_path):
    text = CONFIG.format(share=0.1, new="").replace('model = "new", share', 'model = "nw", share')
    (tmp_path / "citewell.toml").write_text(text)

    with pytest.raises(ConfigError, match=r"profile\.default\.canary\.model: there is no"):
        load_settings(tmp_path / "citewell.toml")
