import asyncio
import shutil
from contextlib import asynccontextmanager

import pytest

from citewell import IndexLocked
from citewell.library import watching
from citewell.library.syncing import Synchronizer
from citewell.library.watching import watch
from libraries import Shelf, folder_source, index, library

SOON_S = 15.0
QUIET_S = 1.5
"""Longer than a watch takes to notice a change, and than it looks without one."""


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.md").write_text("alpha")
    return folder


class Told(list):
    """What a watch said."""

    def __init__(self):
        super().__init__()
        self.more = asyncio.Event()

    def __call__(self, said):
        self.append(said)
        self.more.set()


async def until(shelf, texts):
    """Wait until the index holds exactly `texts`."""
    async with asyncio.timeout(SOON_S):
        while shelf.texts() != texts:  # noqa: ASYNC110 - nobody tells when that is so
            await asyncio.sleep(0.01)


@asynccontextmanager
async def watched(root, shelf, told):
    async with folder_source(root, root.parent / "data") as source:
        indexes = [index(shelf, library(source))]
        async with Synchronizer(
            indexes, data_dir=root.parent / "data", base_dir=root.parent
        ) as synchronizer:
            watching_task = asyncio.create_task(
                watch(synchronizer, {"docs": [root]}, ignored=root.parent / "data", told=told)
            )
            try:
                await until(shelf, {"docs:a.md": "alpha"})
                yield
            finally:
                watching_task.cancel()
                await asyncio.gather(watching_task, return_exceptions=True)


async def test_what_is_saved_renamed_and_deleted_reaches_the_index(root):
    shelf, told = Shelf(), Told()
    async with watched(root, shelf, told):
        (root / "b.md").write_text("beta")
        await until(shelf, {"docs:a.md": "alpha", "docs:b.md": "beta"})
        (root / "b.md").rename(root / "c.md")
        await until(shelf, {"docs:a.md": "alpha", "docs:c.md": "beta"})
        (root / "new" / "deep").mkdir(parents=True)
        (root / "new" / "deep" / "d.md").write_text("delta")
        (root / "c.md").unlink()
        await until(shelf, {"docs:a.md": "alpha", "docs:new/deep/d.md": "delta"})

    assert told[0].added == 1


async def test_an_editor_that_saves_by_renaming_is_followed(root):
    shelf = Shelf()
    async with watched(root, shelf, Told()):
        for number in range(3):
            (root / ".a.md.swp").write_text(f"version {number}")
            (root / "a.md").rename(root / "a.md~")
            (root / ".a.md.swp").rename(root / "a.md")
            await until(shelf, {"docs:a.md": f"version {number}"})
            (root / "a.md~").unlink()

    assert shelf.texts() == {"docs:a.md": "version 2"}


async def test_a_folder_that_goes_and_comes_back_is_watched_again(root):
    shelf, told = Shelf(), Told()
    async with watched(root, shelf, told):
        shutil.rmtree(root)
        async with asyncio.timeout(SOON_S):
            while not (told and told[-1].errors):
                told.more.clear()
                await told.more.wait()
        assert shelf.texts() == {"docs:a.md": "alpha"}
        root.mkdir()
        (root / "b.md").write_text("beta")
        await until(shelf, {"docs:b.md": "beta"})
        (root / "c.md").write_text("gamma")
        await until(shelf, {"docs:b.md": "beta", "docs:c.md": "gamma"})


async def test_saves_while_a_sync_runs_are_not_lost(root):
    shelf = Shelf()
    async with watched(root, shelf, Told()):
        for number in range(200):
            (root / "a.md").write_text(f"version {number}")
            await asyncio.sleep(0.005)
        await until(shelf, {"docs:a.md": "version 199"})

    assert shelf.texts() == {"docs:a.md": "version 199"}


class CountingSource:
    """A source that counts how often it is asked for its changes."""

    def __init__(self, source):
        self.source = source
        self.asked = 0

    def changes(self, known):
        self.asked += 1
        return self.source.changes(known)


async def until_quiet(source):
    """Wait until nothing was asked of `source` for a while; return how often it was by then."""
    asked = -1
    async with asyncio.timeout(SOON_S):
        while asked != source.asked:
            asked = source.asked
            await asyncio.sleep(QUIET_S)
    return asked


async def test_our_own_files_and_unchanged_reports_say_nothing(root):
    shelf, told = Shelf(), Told()
    own = root / "data"
    own.mkdir()
    async with folder_source(root, own) as folder:
        source = CountingSource(folder)
        synchronizer = Synchronizer([index(shelf, library(source))], data_dir=own, base_dir=root)
        async with synchronizer:
            task = asyncio.create_task(
                watch(synchronizer, {"docs": [root]}, ignored=own, told=told)
            )
            await until(shelf, {"docs:a.md": "alpha"})
            before = await until_quiet(source)
            (own / "index.sqlite").write_text("ours")
            after_ours = await until_quiet(source)
            (root / "picture.png").write_text("no loader reads it")
            after_picture = await until_quiet(source)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert after_ours == before
    assert after_picture > after_ours
    assert len(told) == 1


class Locked(Shelf):
    """A retriever that another process writes, until it is free."""

    def __init__(self):
        super().__init__()
        self.is_free = False
        self.tries = 0

    async def index(self, documents):
        self.tries += 1
        if not self.is_free:
            raise IndexLocked("process 7 writes it")
        await super().index(documents)


async def test_a_locked_index_is_said_once_and_tried_until_it_is_free(root, monkeypatch):
    monkeypatch.setattr(watching, "_RETRY_S", 0.05)
    shelf, told = Locked(), Told()
    async with folder_source(root, root.parent / "data") as source:
        indexes = [index(shelf, library(source))]
        async with Synchronizer(indexes, data_dir=root.parent, base_dir=root) as synchronizer:
            task = asyncio.create_task(
                watch(synchronizer, {"docs": [root]}, ignored=root.parent, told=told)
            )
            async with asyncio.timeout(SOON_S):
                while shelf.tries < 3:  # noqa: ASYNC110 - nobody tells when that is so
                    await asyncio.sleep(0.01)
            shelf.is_free = True
            await until(shelf, {"docs:a.md": "alpha"})
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert [str(said) for said in told[:1]] == ["process 7 writes it"]
    assert sum(isinstance(said, IndexLocked) for said in told) == 1
