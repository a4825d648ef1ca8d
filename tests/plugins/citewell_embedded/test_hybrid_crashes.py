"""What is killed at any point is completed by what comes after it, and asked of meanwhile."""

import asyncio
import random
import shutil
import signal
import subprocess
import sys

import pytest

import hybrid_reindex
import lexical_crash
from citewell import Query, StoreError
from citewell_embedded import hybrid as hybrid_module
from citewell_embedded.index import IndexDamaged
from citewell_embedded.lock import WriterLock
from citewell_embedded.view import IndexView
from hybrid import CountingEmbedder, answer, ids_of_vectors, ignore, indexed, opened_hybrid
from lexical import ALL, document, found, opened, whole

STEPS = [
    *(("before", "StoreWriter.stage", call) for call in (1, 2)),
    *(("before", "StoreWriter.stage_vectors", call) for call in (1, 2, 3)),
    *(("after", "StoreWriter.stage_vectors", call) for call in (1, 2, 3)),
    *(("after", "IndexWriter.commit", call) for call in (1, 2, 3, 4, 5)),
    *(("after", "StoreWriter.publish", call) for call in (1, 2, 4)),
    ("before", "IndexWriter.commit", 6),
]


@pytest.mark.parametrize(("when", "step", "call"), STEPS)
async def test_killed_at_any_step_every_document_has_its_vectors(tmp_path, when, step, call):
    killed = subprocess.run(  # noqa: ASYNC221 - nothing else runs
        [sys.executable, lexical_crash.__file__, tmp_path, step, when, str(call), "hybrid"],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    noted = tmp_path / "acknowledged"
    acknowledged = int(noted.read_text()) if noted.exists() else 0

    async with opened_hybrid(tmp_path) as retriever:
        before = await whole(retriever)
        await indexed(retriever, [document("z", 9)])
        after = await whole(retriever)
        near = await ids_of_vectors(retriever, "beacon")

    assert before in lexical_crash.STATES[acknowledged : acknowledged + 2]
    assert after == before | {"z": "9"}
    assert sorted(near) == sorted(
        f"{name}.{version}.{part}" for name, version in after.items() for part in range(3)
    )


async def filled(folder, seed=0):
    async with opened_hybrid(folder, CountingEmbedder(seed)) as retriever:
        await indexed(retriever, [document(f"d{at}", 1) for at in range(12)])


def reindexed(folder, seed, *step, delay_s=0.0):
    arguments = [str(argument) for argument in (folder, seed, delay_s, *step)]
    return subprocess.Popen(
        [sys.executable, hybrid_reindex.__file__, *arguments], stdout=subprocess.PIPE
    )


@pytest.mark.parametrize(
    ("step", "when", "call"),
    [
        ("opened", "after", 1),
        *(("add", when, call) for when in ("before", "after") for call in (1, 3, 5)),
        ("complete", "before", 1),
        ("complete", "after", 1),
        ("drop", "after", 1),
        ("sweep", "before", 1),
    ],
)
async def test_a_reindex_that_is_killed_goes_on_where_it_was(
    tmp_path, monkeypatch, step, when, call
):
    # Another question must not complete it by the way.
    monkeypatch.setattr(hybrid_module, "HEALED", -1)
    await filled(tmp_path, 0)
    async with opened_hybrid(tmp_path, CountingEmbedder(1)) as retriever:
        await retriever.reindex(ignore)
    process = reindexed(tmp_path, 2, step, when, call)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL

    embedder = CountingEmbedder(2)
    async with opened_hybrid(tmp_path, embedder) as retriever:
        _, notices = await answer(retriever, "beacon")
        is_done = step in {"drop", "sweep"} or (step, when) == ("complete", "after")
        assert (notices == []) == is_done
        told = []
        await retriever.reindex(lambda done, total: told.append((done, total)))
        assert told[-1] == (36, 36)
        assert len(await ids_of_vectors(retriever, "beacon", limit=99)) == 36
    embedded = {"add": min(8 * (call - (when == "before")), 36), "opened": 0}.get(step, 36)
    assert len(embedder.texts) == 36 - embedded
    async with opened_hybrid(tmp_path, CountingEmbedder(1)) as retriever:
        assert len(await ids_of_vectors(retriever, "beacon", limit=99)) == 36
    async with opened_hybrid(tmp_path, CountingEmbedder(0)) as retriever:
        with pytest.raises(StoreError, match="were made by scripted 32 2"):
            await ids_of_vectors(retriever, "beacon")


async def ask_all_the_time(retriever, answers, stop):
    """Ask every 10 ms, and keep each answer with what was said."""
    while not stop.is_set():
        answers.append(await answer(retriever, "beacon d7 version1", limit=5))
        await asyncio.sleep(0.01)


async def test_a_reindex_killed_again_and_again_mixes_no_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(hybrid_module, "HEALED", -1)
    chooser = random.Random(5)
    await filled(tmp_path, 0)
    by_old, by_new = [], []
    stop = asyncio.Event()
    async with (
        opened_hybrid(tmp_path, CountingEmbedder(0)) as old,
        opened_hybrid(tmp_path, CountingEmbedder(1)) as new,
        opened(tmp_path) as lexical,
    ):
        before = await answer(old, "beacon d7 version1", limit=5)
        words = [one.id for one in await found(lexical, "beacon d7 version1", limit=5)]
        asking = [
            asyncio.ensure_future(ask_all_the_time(old, by_old, stop)),
            asyncio.ensure_future(ask_all_the_time(new, by_new, stop)),
        ]
        kills = 0
        while True:
            process = reindexed(tmp_path, 1, delay_s=0.1)
            await asyncio.to_thread(process.stdout.readline)
            try:
                await asyncio.to_thread(process.wait, chooser.uniform(0.05, 0.4))
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
            await asyncio.to_thread(process.communicate)
            if process.returncode == 0:
                break
        await asyncio.sleep(0.1)
        stop.set()
        await asyncio.gather(*asking)
        after = await answer(new, "beacon d7 version1", limit=5)

    assert kills > 0
    assert set(map(str, by_old)) == {str(before)}
    swapped = next(at for at, (_, notices) in enumerate(by_new) if not notices)
    assert swapped > 0
    assert {str(ids) for ids, _ in by_new[:swapped]} == {str(words)}
    assert {str(one) for one in by_new[swapped:]} == {str(after)}
    assert before[1] == after[1] == []


async def test_what_is_written_during_a_reindex_is_found_after_it(tmp_path, monkeypatch):
    monkeypatch.setattr(hybrid_module, "HEALED", -1)
    await filled(tmp_path, 0)
    async with (
        opened_hybrid(tmp_path, CountingEmbedder(0)) as old,
        opened_hybrid(tmp_path, CountingEmbedder(1)) as new,
    ):
        process = reindexed(tmp_path, 1, delay_s=0.05)
        await asyncio.to_thread(process.stdout.readline)
        version = 1
        while process.poll() is None:
            version += 1
            # First one that knows nothing of the new vectors, then one that makes them.
            writer = old if version % 2 else new
            await writer.index([document("d3", version), document(f"e{version}", version)])
            await writer.delete([f"library:e{version - 1}", "library:d5"])
            if writer is old:
                await writer.close()
            await writer.close()
        assert process.returncode == 0
        process.communicate()
        await new.reindex(ignore)

        ids = sorted(await ids_of_vectors(new, "beacon", limit=99))
        stored = await new.versions()

    assert version > 2
    assert ids == sorted(
        f"{name.removeprefix('library:')}.{known}.{part}"
        for name, known in stored.items()
        for part in range(3)
    )


# --- a damaged index of words ---------------------------------------------------------------------


def the_index(folder):
    (index,) = (path for path in folder.iterdir() if path.name.startswith("index-"))
    return index


@pytest.mark.parametrize("is_gone", [True, False])
async def test_while_the_index_of_words_is_made_again_vectors_answer(tmp_path, is_gone):
    await filled(tmp_path)
    index = the_index(tmp_path)
    if is_gone:
        shutil.rmtree(index)
    else:
        for path in index.glob("*.idx"):
            content = bytearray(path.read_bytes())
            content[len(content) // 3] ^= 1
            path.write_bytes(content)

    lock = WriterLock(tmp_path, name="main")
    async with opened_hybrid(tmp_path) as retriever:
        near = await found_by_vectors(retriever)
        for _ in range(3):
            assert await answer(retriever, "beacon d7") == (
                near[:50],
                ['the words of "main" are being indexed again; found by vectors alone'],
            )
        lock.release()
        async with asyncio.timeout(30):
            notices = ["something"]
            while notices:
                await asyncio.sleep(0.02)
                _, notices = await answer(retriever, "beacon d7")
        await indexed(retriever, [document("new", 1)])
        assert len(await whole(retriever)) == 13
    assert the_index(tmp_path) != index


async def found_by_vectors(retriever):
    embedder = CountingEmbedder()
    (vector,) = await embedder.embed(["beacon d7"], kind="query")
    from citewell_embedded.matrix import checked
    from citewell_embedded.vectors import set_identity

    halves = await asyncio.to_thread(
        lambda: retriever._hybrid_reader.halves(
            Query(text="beacon d7"),
            checked([vector], count=1)[0],
            set_identity(embedder.identity),
            limit=200,
            readable_by=ALL,
        )
    )
    return [one.id for one in halves.vectors]


async def test_an_index_of_words_that_is_made_again_in_vain_is_left(tmp_path, monkeypatch):
    await filled(tmp_path)

    def search(self, *arguments, **options):
        raise IndexDamaged(self._path, "it panicked")

    monkeypatch.setattr(IndexView, "search", search)
    async with opened_hybrid(tmp_path) as retriever:
        indexes = set()
        for _ in range(6):
            ids, notices = await answer(retriever, "beacon", limit=5)
            assert (len(ids), len(notices)) == (5, 1)
            if retriever._mending:
                await retriever._mending
            indexes.add(the_index(tmp_path).name)

    assert len(indexes) == 1


async def test_with_neither_half_the_words_are_waited_for(tmp_path):
    await filled(tmp_path)
    shutil.rmtree(the_index(tmp_path))
    embedder = CountingEmbedder()
    embedder.fails = True

    async with opened_hybrid(tmp_path, embedder) as retriever:
        ids, notices = await answer(retriever, "beacon", limit=5)

    assert len(ids) == 5
    assert notices == [
        'found by words alone: embedder "scripted" does not answer: the embedder is out of order'
    ]


async def test_vectors_that_the_disk_has_spoilt_are_left_out(tmp_path):
    import sqlite3

    await filled(tmp_path)
    connection = sqlite3.connect(tmp_path / "passages.sqlite")
    connection.execute("UPDATE vectors SET vector = ? WHERE key % 3 = 0", (b"\xff" * 64,))
    connection.commit()
    connection.close()

    async with opened_hybrid(tmp_path) as retriever:
        assert len(await ids_of_vectors(retriever, "beacon")) == 24
        assert len(await whole(retriever)) == 12

    connection = sqlite3.connect(tmp_path / "passages.sqlite")
    connection.execute("UPDATE vectors SET vector = x'00' WHERE key % 3 = 0")
    connection.commit()
    connection.close()
    async with opened_hybrid(tmp_path) as retriever:
        with pytest.raises(StoreError, match=r"vectors are of another length.*delete the folder"):
            await answer(retriever, "beacon")
