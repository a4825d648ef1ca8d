"""The settings are changed while questions are answered, and nobody notices."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL
from collections import Counter
from contextlib import asynccontextmanager, suppress

import pytest

import ggufs
import openai_server as api
from assistants import Kept, answers, write_handbook
from citewell import Outcome
from citewell.cli.indexing import bring_up
from citewell.engine.assistant import Assistant
from citewell.engine.serving import Serving
from citewell.engine.settings import load_settings
from llamacpp import prompt, written

SETTINGS = """
[model.tuned]
use = "llamacpp"
path = "{path}"
context = 4096

[model.cloud]
use = "litellm"
model = "openai/test"
api_base = "{url}"
api_key = {{ env = "CLOUD_KEY" }}

[model.quotes]
use = "extractive"

[model.spare]
use = "extractive"

[profile.default]
retriever = "main"
model = "{model}"
fallback = ["spare"]
"""
RUN = "from citewell.cli.main import main; main()"
BROKEN = (
    "this is no TOML [",
    '[profile.default]\nmodel = "nobody"\n',
    "[profile.default]\nmodel = 7\n",
    "[retreiver.main]\n",
    '[model.tuned]\nuse = "llamacpp"\npath = "missing.gguf"\n[profile.default]\nmodel = "tuned"\n',
)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("CLOUD_KEY", "sk-canary-0123456789")


@asynccontextmanager
async def serving(folder, text, **options):
    """Yield what serves the settings `text`, an assistant on it, its file, and what is kept."""
    config = write_handbook(folder, text)
    whole = config.read_text()
    served = Serving(load_settings(config), lambda: load_settings(config), **options)
    async with served.lease() as runtime:
        await bring_up(runtime)
    kept = Kept()
    try:
        yield served, Assistant(served, kept), config, whole, kept
    finally:
        await served.close()


async def test_two_hundred_questions_survive_fifty_changes(tmp_path):
    async with api.serving() as server:
        server.respond = api.say("Every employee has 28 days of paid leave a year [1].")
        values = {"path": ggufs.model(), "url": server.url}
        first = SETTINGS.format(**values, model="quotes")
        async with serving(tmp_path, first) as (served, assistant, config, whole, kept):
            head = whole.removesuffix(first)
            chosen = ("tuned", "cloud", "quotes")
            generations = {served.settings.generation: "quotes"}
            changed = asyncio.Semaphore(0)

            async def change():
                for number in range(50):
                    before = served.settings.generation
                    if number % 5 == 4:
                        config.write_text(head + BROKEN[number // 5 % len(BROKEN)])
                        outcome = await served.refresh()
                        assert not outcome.applied
                        assert outcome.reason
                        assert served.settings.generation == before
                    else:
                        model = chosen[number % 3]
                        config.write_text(head + SETTINGS.format(**values, model=model))
                        outcome = await served.refresh()
                        assert outcome is None or outcome.applied, outcome
                        assert served.settings.profiles["default"].model == model
                        generations[served.settings.generation] = model
                    for _ in range(4):
                        changed.release()
                    await asyncio.sleep(0.02)

            async def ask(number):
                # However long a change takes, each is followed by four questions.
                await changed.acquire()
                return (await answers(assistant, f"How many days of leave? ({number})"))[-1]

            *found, _ = await asyncio.gather(*(ask(number) for number in range(200)), change())

    assert all(answer.complete and answer.outcome is not Outcome.FAILED for answer in found)
    assert len({answer.id for answer in found}) == len(kept.records) == 200
    assert all(record.errors == () for record in kept.records)
    assert all(generations[answer.generation] == answer.model for answer in found)
    assert len(Counter(answer.model for answer in found)) == 3


async def test_a_generation_is_closed_after_its_last_answer(tmp_path):
    text = SETTINGS.format(path=ggufs.model(), url="http://127.0.0.1:9", model="tuned")
    async with serving(tmp_path, text) as (served, assistant, config, whole, _):
        async with served.lease() as old:
            process = (await old.model("tuned")).process_id
            config.write_text(whole.replace('model = "tuned"', 'model = "quotes"'))
            assert (await served.reload()).applied
            assert (await old.model("tuned")).process_id == process
            now = (await answers(assistant))[-1]
        config.write_text(whole.replace('model = "tuned"', 'model = "quotes"\nseed = 3'))
        assert (await served.reload()).applied

    assert now.model == "quotes"


async def test_a_change_of_the_plugins_needs_a_restart(tmp_path):
    text = SETTINGS.format(path=ggufs.model(), url="http://127.0.0.1:9", model="quotes")
    async with serving(tmp_path, text) as (served, _, config, whole, _):
        config.write_text(whole + '\n[plugins]\ndisabled = ["git"]\n')
        change = await served.reload()

    assert change.reason == "restart needed for plugins"


async def test_a_model_file_that_was_replaced_is_loaded_anew(tmp_path):
    path, adapter = tmp_path / "model.gguf", tmp_path / "lora.gguf"
    ggufs.write_model(path, seed=1)
    ggufs.write_adapter(adapter, seed=1)
    text = SETTINGS.format(path=path, url="http://127.0.0.1:9", model="tuned").replace(
        "context = 4096", f'context = 4096\nlora = {{ own = "{adapter}" }}'
    )
    async with serving(tmp_path, text) as (served, _, _, _, _):

        async def process_and_text():
            async with served.lease() as runtime:
                model = await runtime.model("tuned")
                return model.process_id, (await written(model, prompt()))[0]

        first = await process_and_text()
        unchanged = await served.refresh()
        ggufs.write_adapter(tmp_path / "other.gguf", seed=2)
        (tmp_path / "other.gguf").replace(adapter)
        with_adapter = await served.refresh()
        second = await process_and_text()
        ggufs.write_model(tmp_path / "other.gguf", seed=2)
        (tmp_path / "other.gguf").replace(path)
        with_model = await served.refresh()
        third = await process_and_text()
        (tmp_path / "other.gguf").write_bytes(b"GGUF, but cut short")
        (tmp_path / "other.gguf").replace(path)
        damaged = await served.refresh()
        fourth = await process_and_text()

    assert unchanged is None
    assert with_adapter.applied
    assert with_model.applied
    assert second[0] == first[0] != third[0]
    assert len({first[1], second[1], third[1]}) == 3
    assert not damaged.applied
    assert str(path) in damaged.reason
    assert fourth == third


async def test_a_secret_that_was_changed_is_taken_over(tmp_path):
    secret = tmp_path / "cloud.key"
    secret.write_text("sk-canary-first")
    async with api.serving() as server:
        text = SETTINGS.format(path=ggufs.model(), url=server.url, model="cloud").replace(
            'env = "CLOUD_KEY"', f'file = "{secret}"'
        )
        async with serving(tmp_path, text) as (served, assistant, _, _, _):
            await answers(assistant)
            secret.write_text("sk-canary-second")
            change = await served.refresh()
            await answers(assistant)

    assert change.applied
    assert [one["Authorization"] for one in server.headers] == [
        "Bearer sk-canary-first",
        "Bearer sk-canary-second",
    ]


async def test_an_edit_that_was_taken_back_changes_nothing(tmp_path):
    text = SETTINGS.format(path=ggufs.model(), url="http://127.0.0.1:9", model="quotes")
    async with serving(tmp_path, text) as (served, _, config, whole, _):
        config.write_text("this is no TOML [")
        broken = await served.refresh()
        config.write_text(whole)
        mended = await served.refresh()
        config.write_text(f"{whole}\n# only a comment\n")
        commented = await served.refresh()

    assert not broken.applied
    assert mended is None
    assert commented is None


@pytest.fixture
def two_models(tmp_path):
    """Settings whose second model does not fit beside the first."""
    other = tmp_path / "other.gguf"
    ggufs.write_model(other, seed=9)
    return f"""
[model.one]
use = "llamacpp"
path = "{ggufs.model()}"
context = 1024

[model.two]
use = "llamacpp"
path = "{other}"
context = 1024

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "one"
fallback = ["quotes"]
"""


async def test_models_that_do_not_fit_together_are_swapped(tmp_path, two_models):
    async with serving(tmp_path, two_models, memory=lambda: 0) as opened:
        served, assistant, config, whole, _ = opened
        async with served.lease() as runtime:
            first = (await runtime.model("one")).process_id
        before = (await answers(assistant))[-1]
        config.write_text(whole.replace('model = "one"', 'model = "two"'))
        changing = asyncio.create_task(served.reload())
        meanwhile = [(await answers(assistant))[-1] for _ in range(3)]
        change = await changing
        after = (await answers(assistant))[-1]

    assert change.applied, change.reason
    assert (before.model, after.model) == ("one", "two")
    assert all(answer.outcome is not Outcome.FAILED for answer in meanwhile)
    assert first is not None


async def test_another_adapter_fits_beside_the_base_that_is_open(tmp_path, two_models):
    """A base is one file in one process, and is counted once."""
    adapters = f'lora = {{ a = "{ggufs.adapter(1)}", b = "{ggufs.adapter(2)}" }}\nadapter = "a"\n'
    text = two_models.replace("context = 1024\n", f"context = 1024\n{adapters}", 1)
    async with serving(tmp_path, text, memory=lambda: 1_000_000) as opened:
        served, _, config, whole, _ = opened
        async with served.lease() as runtime:
            first = (await runtime.model("one")).process_id
            config.write_text(whole.replace('adapter = "a"', 'adapter = "b"'))
            # Were it a swap, it would wait for this lease.
            async with asyncio.timeout(5):
                change = await served.reload()
        async with served.lease() as runtime:
            second = (await runtime.model("one")).process_id

    assert change.applied, change.reason
    assert first == second


async def test_a_model_that_fits_in_no_way_is_refused(tmp_path, two_models):
    async with serving(tmp_path, two_models, memory=lambda: 0) as opened:
        served, assistant, config, whole, _ = opened
        larger = whole.replace('other.gguf"\ncontext = 1024', 'other.gguf"\ncontext = 32768')
        config.write_text(larger.replace('model = "one"', 'model = "two"'))
        async with served.lease() as runtime:
            await runtime.model("one")
        change = await served.reload()
        answer = (await answers(assistant))[-1]

    assert not change.applied
    assert "GB for them" in change.reason
    assert answer.model == "one"


async def test_a_model_that_cannot_be_opened_changes_nothing(tmp_path, two_models):
    async with serving(tmp_path, two_models) as (served, assistant, config, whole, _):
        (tmp_path / "other.gguf").write_bytes(b"GGUF, but cut short")
        config.write_text(whole.replace('model = "one"', 'model = "two"'))
        change = await served.reload()
        answer = (await answers(assistant))[-1]

    assert "other.gguf" in change.reason
    assert answer.model == "one"


async def test_where_a_swap_fails_the_old_model_comes_back(tmp_path, two_models):
    damaged = tmp_path / "other.gguf"
    ggufs.write_model(damaged, template="{{ raise_exception('not today') }}")
    async with serving(tmp_path, two_models, memory=lambda: 10_000) as opened:
        served, assistant, config, whole, _ = opened
        async with served.lease() as runtime:
            await runtime.model("one")
        config.write_text(whole.replace('model = "one"', 'model = "two"'))
        change = await served.reload()
        answer = (await answers(assistant))[-1]

    assert not change.applied
    assert "other.gguf" in change.reason
    assert answer.model == "one"


async def test_what_is_saved_while_the_settings_are_read_is_not_lost(tmp_path):
    text = SETTINGS.format(path=ggufs.model(), url="http://127.0.0.1:9", model="quotes")
    config = write_handbook(tmp_path, text)
    whole = config.read_text()
    edits = iter(["cloud"])

    def load():
        settings = load_settings(config)
        edit = next(edits, None)
        if edit is not None:
            config.write_text(whole.replace('model = "quotes"', f'model = "{edit}"'))
        return settings

    served = Serving(load_settings(config), load)
    try:
        config.write_text(f"{whole}# saved\n")
        await served.refresh()
        await served.refresh()
        now = served.settings.profiles["default"].model
    finally:
        await served.close()

    assert now == "cloud"


async def test_where_nothing_can_be_opened_again_it_is_said(tmp_path, two_models):
    """After a swap that failed, what answered before may be gone as well."""
    damaged = tmp_path / "other.gguf"
    ggufs.write_model(damaged, template="{{ raise_exception('not today') }}")
    first = tmp_path / "first.gguf"
    ggufs.write_model(first, seed=3)
    settings = two_models.replace(str(ggufs.model()), str(first))
    async with serving(tmp_path, settings, memory=lambda: 10_000) as opened:
        served, assistant, config, whole, _ = opened
        async with served.lease() as runtime:
            await runtime.model("one")
            changing = asyncio.create_task(use(served, config, whole, "two"))
            await asyncio.sleep(0.5)
            first.write_bytes(b"GGUF, but cut short")
        change = await changing
        answer = (await answers(assistant))[-1]

    assert not change.applied
    assert "other.gguf" in change.reason
    assert "first.gguf" in change.reason
    assert answer.model == "quotes"


async def use(served, config, whole, model):
    config.write_text(whole.replace('model = "one"', f'model = "{model}"'))
    return await served.reload()


async def test_the_command_switches_what_a_watching_process_serves(tmp_path, monkeypatch):
    """Nobody calls anything but `citewell use`, in a process of its own."""
    monkeypatch.setattr("citewell.engine.serving._POLL_S", 0.02)
    text = SETTINGS.format(path=ggufs.model(), url="http://127.0.0.1:9", model="quotes")
    async with serving(tmp_path, text) as (served, assistant, config, _, kept):
        watching = asyncio.create_task(served.watch())
        found = []
        for model in ("tuned", "spare"):
            command = ["-c", RUN, "use", "model", model, "-c", str(config)]
            using = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=DEVNULL)
            while using.returncode is None or served.settings.profiles["default"].model != model:
                found.append((await answers(assistant))[-1])
                if using.returncode is None:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.01):
                            await using.wait()
            assert using.returncode == 0
            found.append((await answers(assistant))[-1])
        watching.cancel()

    assert all(answer.outcome is not Outcome.FAILED for answer in found)
    assert all(record.errors == () for record in kept.records)
    assert {"quotes", "tuned", "spare"} == {answer.model for answer in found}
    assert found[-1].model == "spare"
