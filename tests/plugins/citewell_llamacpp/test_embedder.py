import asyncio
import logging
import os
import signal
from time import perf_counter

import psutil
import pytest

import ggufs
from citewell import Context, ModelError
from citewell.testing import EmbedderContract
from citewell_llamacpp import spawning, worker
from citewell_llamacpp.plugin import EmbedderConfig, build_embedder

LEAVE = "Every employee has 28 days of leave a year."


class TestLlamaCppEmbedder(EmbedderContract):
    name = "llamacpp"

    @property
    def config(self):
        return {"path": ggufs.model(), "context": 128}


def opened(folder, **settings):
    config = EmbedderConfig(**{"path": ggufs.model(), "context": 128, **settings})
    log = logging.getLogger("citewell.embedder.local")
    return build_embedder(config, Context(name="local", log=log, data_dir=folder, base_dir=folder))


async def test_what_decides_about_vectors_is_in_the_identity(tmp_path):
    other = tmp_path / "other" / ggufs.model().name
    other.parent.mkdir()
    ggufs.write_model(other, seed=5)
    settings = ({}, {"path": other}, {"pooling": "last"}, {"query_prefix": "query: "})
    found = []
    for one in settings:
        async with opened(tmp_path, **one) as embedder:
            (vector,) = await embedder.embed([LEAVE], kind="query")
            found.append((embedder.identity, tuple(vector)))
    async with opened(tmp_path, threads=1) as embedder:
        same = embedder.identity

    assert len({identity for identity, _ in found}) == len(settings)
    assert len({vector for _, vector in found}) == len(settings)
    assert same == found[0][0]


async def test_the_kind_chooses_the_prefix(tmp_path):
    async with opened(tmp_path, query_prefix="query: ", passage_prefix="passage: ") as embedder:
        (query,) = await embedder.embed([LEAVE], kind="query")
        (passage,) = await embedder.embed([LEAVE], kind="passage")
    async with opened(tmp_path) as embedder:
        (plain,) = await embedder.embed([f"query: {LEAVE}"], kind="passage")

    assert list(query) == list(plain)
    assert list(query) != list(passage)


async def test_a_long_text_is_more_than_its_beginning(tmp_path):
    beginning = " ".join(f"word{number}" for number in range(200))
    async with opened(tmp_path) as embedder:
        one, other = await embedder.embed(
            [f"{beginning} {ending}" for ending in ("leave", "office")], kind="passage"
        )

    assert list(one) != list(other)


async def test_threads_that_wait_leave_the_processor_to_others(tmp_path, monkeypatch):
    found = []
    for chosen in (None, "ACTIVE"):
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
        if chosen:
            monkeypatch.setenv("OMP_WAIT_POLICY", chosen)
        async with opened(tmp_path) as embedder:
            environment = psutil.Process(embedder._worker.process_id).environ()
            found.append(environment["OMP_WAIT_POLICY"])

    assert found == ["PASSIVE", "ACTIVE"]


async def test_a_worker_that_dies_is_said_and_started_again(tmp_path):
    async with opened(tmp_path) as embedder:
        (before,) = await embedder.embed([LEAVE], kind="query")
        asking = asyncio.create_task(embedder.embed([LEAVE * 50] * 200, kind="passage"))
        await asyncio.sleep(0.1)
        os.kill(embedder._worker.process_id, signal.SIGKILL)
        with pytest.raises(ModelError, match="SIGKILL"):
            await asking
        (after,) = await embedder.embed([LEAVE], kind="query")

    assert list(after) == list(before)


async def test_a_cancelled_request_does_not_hold_up_the_next(tmp_path):
    async with opened(tmp_path) as embedder:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await embedder.embed([LEAVE * 2000] * 16, kind="passage")
        async with asyncio.timeout(2):
            await embedder.embed([LEAVE], kind="query")


async def test_a_worker_that_hangs_is_ended(tmp_path):
    async with opened(tmp_path) as embedder:
        hung = embedder._worker.process_id
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await embedder.embed([LEAVE], kind="query")
        (vector,) = await embedder.embed([LEAVE], kind="query")

        assert vector
        assert embedder._worker.process_id != hung


async def test_a_long_text_is_cancelled_in_the_middle(tmp_path):
    path = tmp_path / "slow.gguf"
    ggufs.write_model(path, ggufs.Shape(width=512, layers=8, heads=8, kv_heads=8))
    async with opened(tmp_path, path=path, context=4096) as embedder:
        asking = asyncio.create_task(embedder.embed([LEAVE * 300], kind="passage"))
        await asyncio.sleep(0.5)
        assert not asking.done()
        since = perf_counter()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        took = perf_counter() - since

    assert asking.cancelled()
    assert took < 0.5


async def test_a_damaged_file_is_refused(tmp_path):
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(ggufs.model().read_bytes()[:5000])
    with pytest.raises(ModelError, match=r"damaged\.gguf"):
        async with opened(tmp_path, path=damaged):
            pass


async def test_a_worker_that_did_its_work_is_started_again_at_once(tmp_path):
    async with opened(tmp_path) as embedder:
        for _ in range(4):
            await embedder.embed([LEAVE], kind="query")
            process = embedder._worker.process_id
            os.kill(process, signal.SIGKILL)
            while embedder._worker.process_id == process:  # noqa: ASYNC110 - there is no event
                await asyncio.sleep(0.01)


async def test_a_worker_that_embeds_nothing_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "_SILENCE_S", 0.3)
    monkeypatch.setattr(worker, "_CANCEL_TIMEOUT_S", 0.3)
    async with opened(tmp_path) as embedder:
        hung = embedder._worker.process_id
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(ModelError, match=r"embedded no text within 0\.3 s"):
            await embedder.embed([LEAVE], kind="query")
        monkeypatch.undo()
        assert await embedder.embed([LEAVE], kind="query")


# A process that a hostile model has taken over; it says `TOLD` to what it is asked.
TAKEN_OVER = """
import sys
from math import nan
from struct import pack
from citewell_llamacpp.wire import *

def read():
    (length,) = LENGTH.unpack(sys.stdin.buffer.read(LENGTH.size))
    return to_child(sys.stdin.buffer.read(length))

def send(message):
    sys.stdout.buffer.write(frame(message))
    sys.stdout.buffer.flush()

read()
send(Loaded(context=128))
while True:
    id = read().id
    send(TOLD)
"""


@pytest.mark.parametrize(
    "told",
    [
        "Embedded(id=id, dimension=0, vectors=b'')",
        "Embedded(id=id, dimension=-1, vectors=b'1234')",
        "Embedded(id=id, dimension=2, vectors=pack('4f', 1, 2, 3, 4))",
        "Embedded(id=id, dimension=2, vectors=pack('2f', nan, 1))",
        "Embedded(id=id, dimension=1, vectors=b'odd')",
        "Failed(id=id, reason='\\x1b[31m' * 1000)",
    ],
)
async def test_a_worker_that_is_taken_over_is_not_believed(told, tmp_path, monkeypatch):
    monkeypatch.setattr(spawning, "_BOOT", TAKEN_OVER.replace("TOLD", told))

    with pytest.raises(ModelError) as raised:
        async with asyncio.timeout(30), opened(tmp_path) as embedder:
            await embedder.embed([LEAVE], kind="query")

    assert "\n" not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert len(str(raised.value)) < 600
