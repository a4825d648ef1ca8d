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
from citewell_llamacpp.service import CHUNK

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
    script = f"""
import asyncio, sys
from pathlib import Path
sys.path[:0] = {sys.path!r}
import llamacpp

async def main():
    async with llamacpp.opened(Path({str(tmp_path)!r})) as model:
        generation = model.generate(llamacpp.prompt(max_output_tokens=4000))
        await anext(generation)
        print(model.process_id, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()

    until = perf_counter() + 5
    while _lives(child) and perf_counter() < until:
        sleep(0.05)
    assert not _lives(child)


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
