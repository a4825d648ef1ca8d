"""What a crash, a broken file or a restored copy leaves, and how the index comes out of it."""

import asyncio
import logging
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import lexical_crash
from citewell import IndexLocked, StoreError
from citewell_embedded import retriever as retriever_module
from citewell_embedded.index import IndexDamaged
from citewell_embedded.lock import WriterLock
from citewell_embedded.view import IndexView
from lexical import document, found, opened, whole

# A write goes: stage (which adds to the index as well), remove, commit, publish. The first `adding`
# and `commit` make the index, the last ones belong to the closing.
STEPS = [
    ("before", "IndexWriter.commit", 1),
    ("before", "StoreWriter.adopt_index", 1),
    ("after", "StoreWriter.adopt_index", 1),
    *(("before", "IndexWriter.adding", call) for call in (2, 3)),
    *(("before", "StoreWriter.stage", call) for call in (1, 2)),
    *(("after", "StoreWriter.stage", call) for call in (1, 2, 3, 4)),
    *(("after", "IndexWriter.commit", call) for call in (2, 3, 4, 5, 6)),
    *(("after", "StoreWriter.publish", call) for call in (1, 2, 4)),
    ("before", "IndexWriter.commit", 6),
    ("after", "StoreWriter.clear_tombstones", 1),
]


def crashed(folder, *arguments):
    return subprocess.run([sys.executable, lexical_crash.__file__, folder, *arguments], check=False)


@pytest.mark.parametrize(("when", "step", "call"), STEPS)
async def test_killed_at_any_step_every_document_is_whole(tmp_path, caplog, when, step, call):
    killed = crashed(tmp_path, step, when, str(call))
    assert killed.returncode == -signal.SIGKILL
    noted = tmp_path / "acknowledged"
    acknowledged = int(noted.read_text()) if noted.exists() else 0

    async with opened(tmp_path) as retriever:
        before = await whole(retriever)
        await retriever.index([document("z", 9)])
        after = await whole(retriever)
    async with opened(tmp_path) as retriever:
        reopened = await whole(retriever)

    assert before in lexical_crash.STATES[acknowledged : acknowledged + 2]
    assert after == before | {"z": "9"}
    assert reopened == after
    assert "made again" not in caplog.text


def garble(path):
    path.write_bytes(b"garbage")


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


def the_index(folder):
    (index,) = (path for path in folder.iterdir() if path.name.startswith("index-"))
    return index


async def filled(folder):
    async with opened(folder) as retriever:
        await retriever.index([document("a", 1), document("b", 1)])
        await retriever.index([document("a", 2)])


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        (".", shutil.rmtree),
        ("meta.json", garble),
        ("meta.json", Path.unlink),
        ("*.term", Path.unlink),
        ("*.idx", cut),
        ("*.fast", garble),
        ("*.fast", cut),
        ("*.idx", flip),
        ("*.term", flip),
        ("*.fast", flip),
        ("*.fieldnorm", flip),
    ],
)
async def test_a_broken_index_is_made_again_by_whoever_notices(
    tmp_path, caplog, capfd, pattern, damage
):
    await filled(tmp_path)
    index = the_index(tmp_path)
    for path in [index] if pattern == "." else list(index.glob(pattern)):
        damage(path)

    async with opened(tmp_path) as retriever:
        assert await whole(retriever) == {"a": "2", "b": "1"}

    assert "made again from its passages" in caplog.text
    assert the_index(tmp_path) != index
    assert capfd.readouterr().err == ""


async def test_a_damaged_index_is_made_again_before_it_is_written(tmp_path, caplog):
    await filled(tmp_path)
    index = the_index(tmp_path)
    for path in index.glob("*.idx"):
        flip(path)

    async with opened(tmp_path) as retriever:
        await retriever.index([document("c", 1)])
        assert await whole(retriever) == {"a": "2", "b": "1", "c": "1"}

    assert ".idx is damaged" in caplog.text
    assert the_index(tmp_path) != index


async def test_what_is_written_to_an_open_index_is_checked_too(tmp_path, caplog):
    async with opened(tmp_path) as writing:
        await writing.index([document("a", 1), document("b", 1)])
        async with opened(tmp_path) as reading:
            assert await whole(reading) == {"a": "1", "b": "1"}
            before = {path.name for path in the_index(tmp_path).glob("*.idx")}
            await writing.index([document("c", 1)])
            for path in the_index(tmp_path).glob("*.idx"):
                if path.name not in before:
                    flip(path)
            await writing.close()

            assert await whole(reading) == {"a": "1", "b": "1", "c": "1"}
    assert "is damaged" in caplog.text


@pytest.mark.parametrize("is_writing", [True, False])
async def test_an_index_that_fails_in_use_is_made_again_once(tmp_path, monkeypatch, is_writing):
    await filled(tmp_path)
    first = the_index(tmp_path)
    async with opened(tmp_path) as retriever:
        if is_writing:
            await retriever.index([document("b", 2)])
        with monkeypatch.context() as broken:
            broken.setattr(IndexView, "search", _failing_for(first.name))
            answers = await asyncio.gather(*(found(retriever, "beacon") for _ in range(4)))
        second = the_index(tmp_path)
        assert [len(answer) for answer in answers] == [6, 6, 6, 6]
        assert first != second

        with monkeypatch.context() as broken:
            broken.setattr(IndexView, "search", _failing_for("index"))
            for _ in range(3):
                with pytest.raises(StoreError, match=r"cannot be read.*delete the folder"):
                    await found(retriever, "beacon")
        assert the_index(tmp_path) not in {first, second}
        third = the_index(tmp_path)
        with monkeypatch.context() as broken:
            broken.setattr(IndexView, "search", _failing_for("index"))
            with pytest.raises(StoreError, match="cannot be read"):
                await found(retriever, "beacon")
        assert the_index(tmp_path) == third


def _failing_for(beginning):
    """Return a search that fails in each index whose name begins so."""
    search = IndexView.search

    def searched(self, *arguments, **options):
        if self._path.name.startswith(beginning):
            raise IndexDamaged(self._path, "it panicked")
        return search(self, *arguments, **options)

    return searched


async def test_an_older_index_is_made_again(tmp_path, caplog):
    await filled(tmp_path)
    older = the_index(tmp_path)
    shutil.copytree(older, tmp_path / "copy")
    async with opened(tmp_path) as retriever:
        await retriever.index([document("a", 3)])
    shutil.rmtree(older)
    (tmp_path / "copy").rename(older)

    async with opened(tmp_path) as retriever:
        await retriever.index([document("c", 1)])

        assert await whole(retriever) == {"a": "3", "b": "1", "c": "1"}
    assert "not of the same moment" in caplog.text


async def test_an_older_store_gets_a_new_index(tmp_path, caplog):
    await filled(tmp_path)
    store = tmp_path / "passages.sqlite"
    shutil.copy(store, tmp_path / "copy")
    async with opened(tmp_path) as retriever:
        await retriever.index([document("a", 3)])
    (tmp_path / "copy").replace(store)

    async with opened(tmp_path) as retriever:
        await retriever.index([document("c", 1)])

        assert await whole(retriever) == {"a": "2", "b": "1", "c": "1"}
    assert "not of the same moment" in caplog.text


async def test_another_setting_makes_the_index_again(tmp_path):
    async with opened(tmp_path) as retriever:
        await retriever.index([document("a", 1, text="running")])
        assert await found(retriever, "runs")

    async with opened(tmp_path, stemming=False) as retriever:
        assert not await found(retriever, "runs")
        assert await found(retriever, "running")


async def test_a_broken_index_waits_for_the_process_that_writes(tmp_path, monkeypatch):
    await filled(tmp_path)
    shutil.rmtree(the_index(tmp_path))
    lock = WriterLock(tmp_path, name="main")

    async with opened(tmp_path) as retriever:
        waiting = asyncio.ensure_future(found(retriever, "beacon"))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        lock.release()
        assert len(await waiting) == 6

        shutil.rmtree(the_index(tmp_path))
    lock = WriterLock(tmp_path, name="main")
    monkeypatch.setattr(retriever_module, "_REPAIR_WAIT_S", 0.2)
    async with opened(tmp_path) as retriever:
        with pytest.raises(StoreError, match=r'retriever "main" cannot be read.*citewell sync'):
            await found(retriever, "beacon")
    lock.release()


async def test_a_broken_store_says_what_to_do(tmp_path):
    await filled(tmp_path)
    store = tmp_path / "passages.sqlite"
    content = bytearray(store.read_bytes())
    content[100:8000] = b"x" * 7900
    store.write_bytes(content)

    async with opened(tmp_path) as retriever:
        with pytest.raises(StoreError, match=r"damaged.*delete the folder.*citewell sync"):
            await retriever.versions()
        with pytest.raises(StoreError, match="damaged"):
            await found(retriever, "beacon")
        with pytest.raises(StoreError, match="damaged"):
            await retriever.index([document("a", 4)])


async def test_a_file_that_is_no_store_is_refused(tmp_path):
    (tmp_path / "passages.sqlite").write_text("not a database, but some text instead of one")

    async with opened(tmp_path) as retriever:
        with pytest.raises(StoreError, match="damaged"):
            await retriever.versions()


async def test_a_newer_format_is_refused(tmp_path):
    await filled(tmp_path)
    connection = sqlite3.connect(tmp_path / "passages.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()

    async with opened(tmp_path) as retriever:
        with pytest.raises(StoreError, match="format 99, this citewell reads format 1; update"):
            await found(retriever, "beacon")
        with pytest.raises(StoreError, match="format 99"):
            await retriever.index([document("a", 4)])


async def test_an_index_that_was_deleted_while_open_is_seen(tmp_path):
    async with opened(tmp_path) as reading:
        await filled(tmp_path)
        assert await whole(reading) == {"a": "2", "b": "1"}

        for path in tmp_path.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert await whole(reading) == {}

        await filled(tmp_path)
        assert await whole(reading) == {"a": "2", "b": "1"}


async def test_failed_write_changes_nothing(tmp_path, monkeypatch, caplog):
    await filled(tmp_path)
    caplog.set_level(logging.INFO)

    async with opened(tmp_path) as retriever:
        with monkeypatch.context() as broken:
            broken.setattr("citewell_embedded.store.StoreWriter.publish", _raise(StoreError))
            with pytest.raises(StoreError, match="disk is full"):
                await retriever.index([document("a", 3)])
        assert await whole(retriever) == {"a": "2", "b": "1"}
        await retriever.index([document("a", 4)])
        assert await whole(retriever) == {"a": "4", "b": "1"}


def _raise(error):
    def failing(*args, **kwargs):
        raise error("disk is full")

    return failing


async def test_second_writer_is_told_who_the_first_is(tmp_path):
    async def write_too():
        async with opened(tmp_path) as second:
            await second.index([document("a", 2)])

    async with opened(tmp_path) as first:
        await first.index([document("a", 1)])

        with pytest.raises(
            IndexLocked, match=r'"main" is being written by process \d+ \(".+", since'
        ):
            await asyncio.to_thread(asyncio.run, write_too())

        assert await whole(first) == {"a": "1"}
    async with opened(tmp_path) as third:
        await third.index([document("a", 2)])


async def test_an_idle_writer_lets_others_write(tmp_path, monkeypatch):
    monkeypatch.setattr(retriever_module, "IDLE_S", 0.05)
    async with opened(tmp_path) as first, opened(tmp_path) as second:
        await first.index([document("a", 1)])
        await asyncio.sleep(0.5)
        await second.index([document("a", 2)])
        await asyncio.sleep(0.5)
        await first.index([document("a", 3)])

        assert await whole(second) == {"a": "3"}
