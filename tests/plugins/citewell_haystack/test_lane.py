"""A store that never answers, or that wants to end the process, costs its own questions alone."""

import asyncio
import logging
import subprocess
import sys
import threading

import pytest

from citewell import StoreError
from citewell_haystack import lane as lane_module
from citewell_haystack.lane import Lane

LOG = logging.getLogger("citewell.retriever.team")


async def test_calls_run_one_after_another_in_one_thread():
    lane = Lane("test", LOG)
    running, threads = [], set()

    def call(number):
        running.append(number)
        threads.add(threading.get_ident())
        assert len(running) == 1
        running.remove(number)
        return number

    results = await asyncio.gather(
        *(lane.run(lambda number=number: call(number)) for number in range(50))
    )
    await lane.close()

    assert results == list(range(50))
    assert len(threads) == 1


async def test_what_is_registered_runs_at_the_end():
    lane = Lane("test", LOG)
    done = []
    lane.at_end(lambda: done.append("closed"))
    running = asyncio.ensure_future(lane.run(lambda: done.append("asked")))
    await asyncio.sleep(0)
    await lane.close()
    await running

    assert done == ["asked", "closed"]


async def test_a_call_that_nobody_waits_for_any_more_is_not_begun():
    lane = Lane("test", LOG)
    answers, begun = threading.Event(), []
    first = asyncio.ensure_future(lane.run(answers.wait))
    second = asyncio.ensure_future(lane.run(lambda: begun.append(2)))
    await asyncio.sleep(0.05)
    second.cancel()
    await asyncio.sleep(0.05)
    answers.set()
    await first
    await lane.close()

    assert begun == []


async def test_closing_does_not_wait_for_ever(monkeypatch, caplog):
    monkeypatch.setattr(lane_module, "_ENDING_S", 0.1)
    lane = Lane("test", LOG)
    answers = threading.Event()
    asking = asyncio.ensure_future(lane.run(answers.wait))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        await lane.close()
    answers.set()
    await asking

    assert "the store does not answer; it is not waited for any longer" in caplog.text


async def test_what_wants_to_end_the_process_is_an_error():
    lane = Lane("test", LOG)
    with pytest.raises(StoreError, match="wants to end the process: SystemExit"):
        await lane.run(lambda: sys.exit(3))
    assert await lane.run(lambda: "still here") == "still here"
    await lane.close()


HANGS = """
import asyncio, logging, time
from citewell_haystack import lane
lane._ENDING_S = 0.1

async def main():
    one = lane.Lane("test", logging.getLogger("test"))
    asyncio.ensure_future(one.run(lambda: time.sleep(60)))
    await asyncio.sleep(0.1)
    await one.close()

asyncio.run(main())
"""


def test_a_store_that_hangs_does_not_keep_the_process():
    subprocess.run([sys.executable, "-c", HANGS], check=True, timeout=30)
