"""Libraries are brought up beside each other: one that takes long holds up no other."""

import asyncio
import json

import msgspec
import pytest

from citewell import Changed, RawDocument, SourceError, StoreError
from citewell.library import batching, syncing
from citewell.library.batching import Batches, Room
from citewell.library.failures import Failure
from citewell.library.notes import last_note, note
from citewell.library.plans import SyncReport
from citewell.library.syncing import Synchronizer, sync
from citewell.library.watching import watch
from libraries import Shelf, folder_source, index, library

SOON_S = 30.0


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (tmp_path / "data").mkdir()
    return folder


class Slow:
    """A source of one document, which is not told before it may be.

    Attributes:
        asked: set when it is being read.
        is_closed: whether the last reading has come to an end.
    """

    reading = 0
    most = 0

    def __init__(self, root, name="slow.md", *, error=None):
        self.path = root.parent / name
        self.path.write_text(f"text of {name}")
        self.may_tell = asyncio.Event()
        self.asked = asyncio.Event()
        self.is_closed = False
        self.error = error

    async def changes(self, known):
        self.asked.set()
        self.is_closed = False
        Slow.reading += 1
        Slow.most = max(Slow.most, Slow.reading)
        try:
            await self.may_tell.wait()
            if self.error:
                raise self.error
            if known.get(self.path.name) != "1":
                yield Changed(raw=RawDocument(id=self.path.name, path=self.path), version="1")
        finally:
            Slow.reading -= 1
            self.is_closed = True


@pytest.fixture(autouse=True)
def counted():
    Slow.reading = Slow.most = 0


async def until(holds):
    async with asyncio.timeout(SOON_S):
        while not holds():  # noqa: ASYNC110 - nobody tells when that is so
            await asyncio.sleep(0.01)


def options(root):
    return {"data_dir": root.parent / "data", "base_dir": root.parent}


async def ended(task):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_library_that_takes_long_holds_up_no_other(root):
    shelf, other, slow = Shelf(), Shelf(), Slow(root)
    (root / "a.md").write_text("alpha")
    async with folder_source(root, root.parent / "data") as source:
        quick = library(source)
        indexes = [index(shelf, library(slow, "slow"), quick), index(other, quick, name="other")]
        syncing_task = asyncio.create_task(sync(indexes, **options(root)))
        await until(lambda: shelf.documents and other.documents)
        before = dict(shelf.documents)
        slow.may_tell.set()
        report = await syncing_task

    assert list(before) == ["docs:a.md"]
    assert list(other.documents) == ["docs:a.md"]
    assert sorted(shelf.documents) == ["docs:a.md", "slow:slow.md"]
    assert (report.added, report.libraries) == (3, ["slow", "docs"])


async def test_no_more_libraries_than_a_few_are_read_at_once(root, monkeypatch):
    monkeypatch.setattr(syncing, "AT_ONCE", 3)
    slow = [Slow(root, f"s{number}.md") for number in range(9)]
    shelf = Shelf()
    libraries = [library(one, f"l{number}") for number, one in enumerate(slow)]
    syncing_task = asyncio.create_task(sync([index(shelf, *libraries)], **options(root)))
    await until(lambda: Slow.reading == 3)
    await asyncio.sleep(0.05)
    for one in slow:
        one.may_tell.set()
    report = await syncing_task

    assert Slow.most == 3
    assert (report.added, len(shelf.documents)) == (9, 9)


async def test_a_source_of_two_indexes_is_read_for_one_after_the_other(root):
    slow = Slow(root)
    one, two = Shelf(), Shelf()
    indexes = [
        index(shelf, library(slow), name=name) for name, shelf in zip("ab", (one, two), strict=True)
    ]
    syncing_task = asyncio.create_task(sync(indexes, **options(root)))
    await slow.asked.wait()
    await asyncio.sleep(0.05)
    slow.may_tell.set()
    await syncing_task

    assert Slow.most == 1
    assert list(one.documents) == list(two.documents) == ["docs:slow.md"]


async def test_a_sync_that_is_cancelled_ends_the_reading_of_every_source(root):
    slow = [Slow(root, f"s{number}.md") for number in range(4)]
    indexes = [
        index(Shelf(), library(slow[0], "l0"), library(slow[1], "l1"), name="one"),
        index(Shelf(), library(slow[2], "l2"), library(slow[3], "l3"), name="two"),
    ]
    before = asyncio.all_tasks()
    syncing_task = asyncio.create_task(sync(indexes, **options(root)))
    for one in slow:
        await one.asked.wait()
    syncing_task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await syncing_task

    assert all(one.is_closed for one in slow)
    assert asyncio.all_tasks() == before


class Full(Shelf):
    async def index(self, documents):
        if documents:
            raise StoreError("the disk is full")


async def test_an_index_that_fails_ends_its_own_reading_and_no_other(root):
    stuck, slow = Slow(root, "stuck.md"), Slow(root)
    (root / "a.md").write_text("alpha")
    shelf = Shelf()
    async with folder_source(root, root.parent / "data") as source:
        full = index(Full(), library(source), library(stuck, "stuck"), name="full")
        indexes = [full, index(shelf, library(slow, "slow"))]
        syncing_task = asyncio.create_task(sync(indexes, **options(root)))
        await stuck.asked.wait()
        await until(lambda: stuck.is_closed)
        slow.may_tell.set()
        with pytest.raises(StoreError, match="full"):
            await syncing_task

    assert list(shelf.documents) == ["slow:slow.md"]


async def test_a_report_is_in_the_order_of_the_settings_whoever_was_done_first(root):
    errors = {name: SourceError(f"{name} is away") for name in ("z", "a", "m")}
    sources = {name: Slow(root, f"{name}.md", error=error) for name, error in errors.items()}
    libraries = [library(source, name) for name, source in sources.items()]
    unlabelled = [
        library(Slow(root, f"{name}.md"), name, labels={"none/**": ["people"]}) for name in "yb"
    ]
    for one in unlabelled:
        (await one.open()).may_tell.set()
    indexes = [index(Shelf(), *libraries, *unlabelled)]
    syncing_task = asyncio.create_task(sync(indexes, **options(root)))
    for name in ("m", "a", "z"):
        await sources[name].asked.wait()
        sources[name].may_tell.set()
        await until(lambda name=name: sources[name].is_closed)
    report = await syncing_task

    assert list(report.errors) == ["z", "a", "m"]
    assert report.unlabelled == [("y", "y.md"), ("b", "b.md")]


async def test_progress_is_that_of_all_libraries_together(root):
    slow = [Slow(root, f"s{number}.md") for number in range(5)]
    libraries = [library(one, f"l{number}") for number, one in enumerate(slow)]
    seen = []
    syncing_task = asyncio.create_task(
        sync(
            [index(Shelf(), *libraries)],
            **options(root),
            progress=lambda progress: seen.append(msgspec.structs.replace(progress)),
        )
    )
    for one in reversed(slow):
        await one.asked.wait()
        one.may_tell.set()
    await syncing_task

    steps = [(one.found, one.done, one.passages) for one in seen]
    assert steps == sorted(steps)
    assert all(one.done <= one.found for one in seen)
    assert steps[-1] == (5, 5, 5)
    assert [one.is_listing for one in seen] == [True] * (len(seen) - 1) + [False]


async def test_runs_of_different_libraries_overlap_and_keep_what_failed_of_each(root):
    old = index(Shelf(), library(Slow(root), "gone"))
    (await old.libraries[0].open()).may_tell.set()
    await sync([old], **options(root))
    one, two = Slow(root, "one.md"), Slow(root, "two.md")
    one.path.write_text("")
    two.path.write_text("")
    indexes = [index(old.retriever, library(one, "one"), library(two, "two"))]
    async with Synchronizer(indexes, **options(root)) as synchronizer:
        runs = [asyncio.create_task(synchronizer.run(only={name})) for name in ("one", "two")]
        await one.asked.wait()
        await two.asked.wait()
        two.may_tell.set()
        second = await runs[1]
        one.may_tell.set()
        first = await runs[0]

    kept = json.loads((root.parent / "data" / "failures-main.json").read_text())
    assert [first.libraries, second.libraries] == [["one"], ["two"]]
    assert {failure["library"] for failure in kept} == {"one", "two"}
    # The library that is there no more was taken out once.
    assert first.removed + second.removed == 1
    assert old.retriever.documents == {}


@pytest.mark.parametrize("slow_ones", [1, 2 * syncing.AT_ONCE])
async def test_what_is_saved_is_found_while_channels_are_still_being_read(root, slow_ones):
    slow = [Slow(root, f"s{number}.md") for number in range(slow_ones)]
    names = [f"l{number}" for number in range(slow_ones)]
    shelf, told = Shelf(), []
    (root / "a.md").write_text("alpha")
    async with folder_source(root, root.parent / "data") as source:
        libraries = [*map(library, slow, names), library(source)]
        folders = {**dict.fromkeys(names, ()), "docs": [root]}
        async with Synchronizer([index(shelf, *libraries)], **options(root)) as synchronizer:
            task = asyncio.create_task(
                watch(synchronizer, folders, ignored=root.parent / "data", told=told.append)
            )
            await until(lambda: shelf.texts() == {"docs:a.md": "alpha"})
            (root / "a.md").write_text("beta")
            await until(lambda: shelf.texts() == {"docs:a.md": "beta"})
            still_read = Slow.reading
            for one in slow:
                one.may_tell.set()
            await until(lambda: len(shelf.documents) == slow_ones + 1)
            await ended(task)

    assert still_read >= 1
    assert [one.libraries for one in told[:2]] == [["docs"], ["docs"]]
    assert sorted({one.libraries[0] for one in told}) == sorted(["docs", *names])
    assert all(one.is_closed for one in slow)


async def test_an_error_of_an_index_is_told_once_though_several_libraries_meet_it(root):
    told = []
    slow = [Slow(root, f"s{number}.md") for number in range(3)]
    for one in slow:
        one.may_tell.set()
    libraries = [library(one, f"l{number}") for number, one in enumerate(slow)]
    async with Synchronizer([index(Full(), *libraries)], **options(root)) as synchronizer:
        folders = {one.name: () for one in libraries}
        task = asyncio.create_task(
            watch(synchronizer, folders, ignored=root.parent / "data", told=told.append)
        )
        await until(lambda: all(one.is_closed for one in slow))
        await until(lambda: told)
        await asyncio.sleep(0.1)
        await ended(task)

    assert [str(one) for one in told] == ["the disk is full"]


async def test_room_is_shared_and_comes_back_whatever_becomes_of_a_run(monkeypatch):
    monkeypatch.setattr(batching, "_WAITING_CHARS", 10)
    room = Room(1)
    one, two = (
        Batches(Shelf(), lambda *_: None, room=room, writing=asyncio.Lock()) for _ in range(2)
    )
    await one.reserve(8)
    waiting = asyncio.create_task(two.reserve(8))
    await asyncio.sleep(0)
    assert room.is_short
    one.close()
    await waiting

    assert not room.is_short
    cancelled = asyncio.create_task(one.reserve(8))
    await asyncio.sleep(0)
    await ended(cancelled)
    two.close()
    async with asyncio.timeout(1):
        await one.reserve(100)


def test_a_note_keeps_what_failed_of_libraries_that_were_not_synced(tmp_path):
    def failed(name):
        failure = Failure(library=name, id="a.md", reason="is empty")
        return SyncReport(libraries=[name], failed=[failure])

    for name in ("gone", "one", "two"):
        note(failed(name), tmp_path, libraries={"gone", "one", "two"})
    note(SyncReport(libraries=["one"]), tmp_path, libraries={"one", "two"})

    assert [one["library"] for one in last_note(tmp_path)["failed"]] == ["two"]
