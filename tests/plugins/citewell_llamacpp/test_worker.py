import asyncio
import os
import pathlib
import signal
import subprocess
import sys
from contextlib import aclosing
from time import perf_counter, sleep

import pytest

import ggufs
import llamacpp
from citewell import ModelError, Usage
from citewell_llamacpp import spawning
from citewell_llamacpp.wire import CHUNK

ENDLESS = {"max_output_tokens": 4000, "seed": 5}
LONG = " ".join(f"word{number}" for number in range(2_000))


async def test_eight_askers_at_once_get_what_each_would_get_alone(tmp_path):
    asked = [llamacpp.prompt(f"Question {n}?", seed=n) for n in range(8)]
    async with llamacpp.opened(tmp_path, conversations=3) as model:
        together = await asyncio.gather(*(llamacpp.written(model, one) for one in asked))
    alone = []
    for one in asked:
        async with llamacpp.opened(tmp_path) as model:
            alone.append(await llamacpp.written(model, one))

    assert [text for text, _ in together] == [text for text, _ in alone]
    assert len({text for text, _ in alone}) > 4


async def test_a_prompt_that_begins_like_an_earlier_one_is_not_computed_again(tmp_path):
    async with llamacpp.opened(tmp_path) as model:
        _, first = await llamacpp.written(model, llamacpp.prompt())
        _, again = await llamacpp.written(model, llamacpp.prompt())
        other, _ = await llamacpp.written(model, llamacpp.prompt("Another one?"))
    async with llamacpp.opened(tmp_path) as model:
        alone, _ = await llamacpp.written(model, llamacpp.prompt("Another one?"))

    assert first.reused_tokens == 0
    assert again.reused_tokens > again.input_tokens - CHUNK - 1
    assert other == alone


async def test_two_conversations_in_turn_keep_their_prompts(tmp_path):
    one, two = f"{LONG[:600]} one?", f"{LONG[600:1200]} two?"
    async with llamacpp.opened(tmp_path, conversations=2) as model:
        for question in (one, two):
            await llamacpp.written(model, llamacpp.prompt(question))
        usages = [
            (await llamacpp.written(model, llamacpp.prompt(question)))[1]
            for question in (one, two, one, two)
        ]

    assert all(usage.reused_tokens > usage.input_tokens - CHUNK - 1 for usage in usages)


async def test_an_answer_is_cancelled_while_it_is_written(tmp_path):
    async with llamacpp.opened(tmp_path) as model:
        generation = model.generate(llamacpp.prompt(**ENDLESS))
        async with aclosing(generation):
            await anext(generation)
            since = perf_counter()
        assert perf_counter() - since < 0.5
        assert (await llamacpp.written(model, llamacpp.prompt()))[0]


async def test_an_answer_is_cancelled_while_its_prompt_is_read(tmp_path):
    path = tmp_path / "slow.gguf"
    shape = ggufs.Shape(width=512, layers=8, heads=8, kv_heads=8)
    ggufs.write_model(path, shape)
    async with llamacpp.opened(tmp_path, path=path, context=32_768) as model:
        task = asyncio.create_task(llamacpp.written(model, llamacpp.prompt(LONG)))
        await asyncio.sleep(1)
        assert not task.done()
        since = perf_counter()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        took = perf_counter() - since

    assert task.cancelled()
    assert took < 0.5


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
async def test_a_process_that_dies_costs_its_answers_and_is_started_again(tmp_path, ending):
    async with llamacpp.opened(tmp_path) as model:
        generation = model.generate(llamacpp.prompt(**ENDLESS))
        async with aclosing(generation):
            await anext(generation)
            os.kill(model.process_id, ending)
            with pytest.raises(ModelError, match=ending.name):
                async for _ in generation:
                    pass
        text, usage = await llamacpp.written(model, llamacpp.prompt())

    assert text
    assert isinstance(usage, Usage)


async def test_a_process_that_keeps_dying_is_given_time(tmp_path):
    async with llamacpp.opened(tmp_path) as model:
        for _ in range(2):
            generation = model.generate(llamacpp.prompt(**ENDLESS))
            async with aclosing(generation):
                await anext(generation)
                os.kill(model.process_id, signal.SIGKILL)
                with pytest.raises(ModelError, match="SIGKILL"):
                    async for _ in generation:
                        pass
        with pytest.raises(ModelError, match=r"started again in 0\.\d s"):
            await llamacpp.written(model, llamacpp.prompt())


async def test_a_process_that_hangs_is_ended(tmp_path):
    async with llamacpp.opened(tmp_path) as model:
        generation = model.generate(llamacpp.prompt(**ENDLESS))
        async with aclosing(generation):
            await anext(generation)
            stopped = model.process_id
            os.kill(stopped, signal.SIGSTOP)
        text, _ = await llamacpp.written(model, llamacpp.prompt())

    assert text
    with pytest.raises(ProcessLookupError):
        os.kill(stopped, 0)


def test_no_process_survives_its_parent(tmp_path):
    """Not even where a process that the parent forked keeps the pipe open."""
    script = f"""
import asyncio, os, sys, time
from pathlib import Path
sys.path[:0] = {sys.path!r}
import llamacpp

async def main():
    async with llamacpp.opened(Path({str(tmp_path)!r})) as model:
        generation = model.generate(llamacpp.prompt(max_output_tokens=4000))
        await anext(generation)
        forked = os.fork()
        if not forked:
            time.sleep(60)
            os._exit(0)
        print(model.process_id, forked, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child, forked = map(int, parent.stdout.readline().split())
    parent.kill()
    parent.wait()
    parent.stdout.close()

    until = perf_counter() + 5
    while _lives(child) and perf_counter() < until:
        sleep(0.05)
    os.kill(forked, signal.SIGKILL)
    assert not _lives(child)


@pytest.fixture
def slow_to_load(tmp_path):
    """A model that takes a while to load."""
    path = tmp_path / "large.gguf"
    ggufs.write_model(path, ggufs.Shape(width=256, layers=2, vocabulary=60_000))
    return path


async def test_who_gives_up_waiting_does_not_end_the_loading(tmp_path, slow_to_load):
    async with llamacpp.opened(tmp_path, path=slow_to_load) as model:
        os.kill(model.process_id, signal.SIGKILL)
        await until(lambda: model.process_id is None)
        askers = [asyncio.create_task(llamacpp.written(model, llamacpp.prompt())) for _ in range(3)]
        await until(lambda: model.process_id is not None)
        loading = model.process_id
        askers[0].cancel()
        found = await asyncio.gather(*askers, return_exceptions=True)

        assert isinstance(found[0], asyncio.CancelledError)
        assert found[1][0] == found[2][0] != ""
        assert model.process_id == loading


@pytest.mark.parametrize("file", ["model", "adapter"])
async def test_a_file_that_was_changed_is_not_loaded_unchecked(tmp_path, file):
    """What was pinned and checked is what answers, also from a process that was started again."""
    paths = {"model": tmp_path / "model.gguf", "adapter": tmp_path / "lora.gguf"}
    ggufs.write_model(paths["model"])
    ggufs.write_adapter(paths["adapter"])
    lora = {"house": paths["adapter"]}
    async with llamacpp.opened(tmp_path, path=paths["model"], lora=lora) as model:
        await llamacpp.written(model, llamacpp.prompt())
        new = tmp_path / "new.gguf"
        (ggufs.write_model if file == "model" else ggufs.write_adapter)(new, seed=7)
        new.replace(paths[file])
        os.kill(model.process_id, signal.SIGKILL)
        await until(lambda: model.process_id is None)
        with pytest.raises(ModelError, match=f"{paths[file].name}: was changed after it was"):
            await llamacpp.written(model, llamacpp.prompt())


async def test_an_adapter_that_never_loads_is_given_up(tmp_path):
    async with llamacpp.opened(tmp_path, load_timeout_s=2) as model:
        stopped = model.process_id
        os.kill(stopped, signal.SIGSTOP)
        with pytest.raises(ModelError, match=r"lora.*: was not loaded within 2 s"):
            async with llamacpp.opened(tmp_path, load_timeout_s=2, lora={"x": ggufs.adapter(3)}):
                pass
        assert (await llamacpp.written(model, llamacpp.prompt()))[0]

    assert not _lives(stopped)


async def test_a_closed_worker_starts_no_process(tmp_path):
    async with llamacpp.opened(tmp_path) as model:
        pass
    with pytest.raises(ModelError, match="closed"):
        await llamacpp.written(model, llamacpp.prompt())
    assert model.process_id is None


async def test_the_process_knows_no_secret_and_is_in_no_terminal(tmp_path, monkeypatch):
    secrets = ("LANGFUSE_SECRET_KEY", "LANGCHAIN_API_KEY", "PATH_SECRET", "PYTHON_KEYRING_PASSWORD")
    for name in (*secrets, "OPENAI_API_KEY", "CITEWELL_TOKEN", "TZ_KEY"):
        monkeypatch.setenv(name, "canary-4711")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    async with llamacpp.opened(tmp_path, threads=1) as model:
        environment = _environment_of(model.process_id)
        session = os.getsid(model.process_id)

    assert b"canary" not in environment
    assert b"OMP_NUM_THREADS=1" in environment
    assert session != os.getsid(0)


async def test_its_threads_wait_for_each_other_only_a_moment(tmp_path, monkeypatch):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    async with llamacpp.opened(tmp_path) as model:
        assert b"GOMP_SPINCOUNT=1000\0" in _environment_of(model.process_id)

    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    async with llamacpp.opened(tmp_path) as model:
        environment = _environment_of(model.process_id)
    assert b"OMP_WAIT_POLICY=ACTIVE\0" in environment
    assert b"GOMP_SPINCOUNT" not in environment


def _environment_of(process_id: int) -> bytes:
    return pathlib.Path(f"/proc/{process_id}/environ").read_bytes()


async def until(is_so):
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)


def _lives(process_id: int) -> bool:
    try:
        with pathlib.Path(f"/proc/{process_id}/stat").open(encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_sections_over_one_file_share_a_process(tmp_path):
    adapters = {"lora": {"house": ggufs.adapter(1)}}
    async with (
        llamacpp.opened(tmp_path) as plain,
        llamacpp.opened(tmp_path, **adapters) as tuned,
        llamacpp.opened(tmp_path, lora={"other": ggufs.adapter(2)}) as other,
    ):
        assert plain.process_id == tuned.process_id == other.process_id
        texts = [
            (await llamacpp.written(model, llamacpp.prompt(seed=1)))[0]
            for model in (plain, tuned, other, plain, tuned, other)
        ]

    assert texts[:3] == texts[3:]
    assert len(set(texts)) == 3


async def test_a_cancellation_beside_a_long_prompt_is_as_fast(tmp_path):
    path = tmp_path / "slow.gguf"
    ggufs.write_model(path, ggufs.Shape(width=768, layers=6, heads=12, kv_heads=12))
    async with llamacpp.opened(tmp_path, path=path, context=2048, conversations=2) as model:
        asked = llamacpp.prompt(LONG[:1_500], max_output_tokens=2)
        reading = asyncio.create_task(llamacpp.written(model, asked))
        await asyncio.sleep(0.2)
        took = []
        for number in range(3):
            other = asyncio.create_task(llamacpp.written(model, llamacpp.prompt(f"{number}?")))
            await asyncio.sleep(0.1)
            since = perf_counter()
            other.cancel()
            await asyncio.gather(other, return_exceptions=True)
            took.append(perf_counter() - since)
        assert not reading.done(), "the prompt was read too soon to show anything"
        text, _ = await reading
    async with llamacpp.opened(tmp_path, path=path, context=2048) as model:
        alone, _ = await llamacpp.written(model, asked)

    assert max(took) < 0.5
    assert text == alone


async def test_a_process_that_falls_silent_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(spawning, "_BOOT", f"{SILENT}; {spawning._BOOT}")
    async with llamacpp.opened(tmp_path) as model:
        silent = model.process_id
        with pytest.raises(ModelError, match="fell silent"):
            async with asyncio.timeout(10):
                await llamacpp.written(model, llamacpp.prompt())

    assert not _lives(silent)


# What a hostile file may do to the process that loads it.
SILENT = (
    "import os, time, citewell_llamacpp.turns as turns; "
    "turns.Turns.add = lambda *_: (os.closerange(3, 64), time.sleep(60))"
)


def test_a_process_that_is_busy_ends_with_its_parent_too(tmp_path):
    """In one operation of Python's own, in which no other thread of it runs."""
    path = tmp_path / "busy.gguf"
    ggufs.write_model(path, template=BUSY)
    script = f"""
import asyncio, sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
import llamacpp
from citewell_llamacpp import spawning
# As on a system without this timer.
spawning._BOOT = "import signal; signal.setitimer = lambda *_: None; " + spawning._BOOT

async def main():
    asyncio.create_task(tell())
    async with llamacpp.opened(Path({str(tmp_path)!r}), path={str(path)!r}):
        pass

async def tell():
    import psutil
    while not (found := psutil.Process().children()):
        await asyncio.sleep(0.05)
    await asyncio.sleep(3)
    print(found[0].pid, flush=True)

asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert _lives(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()

    until = perf_counter() + 3
    while _lives(child) and perf_counter() < until:
        sleep(0.05)
    assert not _lives(child)


BUSY = (
    "{% set n = namespace(x=[1], y=[1]) %}{% for i in range(60) %}"
    "{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}"
)


async def test_a_template_that_notices_no_signal_is_refused_in_time(tmp_path):
    path = tmp_path / "busy.gguf"
    ggufs.write_model(path, template=BUSY)
    since = perf_counter()

    with pytest.raises(ModelError, match="its chat template computes without end"):
        async with llamacpp.opened(tmp_path, path=path):
            pass

    assert perf_counter() - since < 10
