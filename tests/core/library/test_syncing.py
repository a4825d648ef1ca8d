import asyncio
import json
import random

import msgspec.structs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citewell import Changed, Gone, RawDocument, SourceError, StoreError, Unreadable
from citewell.library import failures
from citewell.library.syncing import Synchronizer, sync
from libraries import FOR_ALL, Shelf, folder_source, index, library


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    return folder


async def synced(root, shelf, **settings):
    """Sync one folder into one index, as a process of its own would."""
    async with folder_source(root, root.parent / "data") as source:
        indexes = [index(shelf, library(source, **settings))]
        return await sync(indexes, data_dir=root.parent / "data", base_dir=root.parent)


def counts(report):
    return (report.added, report.updated, report.removed, report.unchanged)


def write(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_md", ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


# --- what a sync does ------------------------------------------------------------------------


async def test_an_index_that_cannot_be_written_stops_no_other(root):
    class Full(Shelf):
        async def index(self, documents):
            raise StoreError("the disk is full")

    shelf = Shelf()
    write(root, one_md="alpha")
    async with folder_source(root, root.parent / "data") as source:
        indexes = [index(Full(), library(source)), index(shelf, library(source))]
        with pytest.raises(StoreError, match="full"):
            await sync(indexes, data_dir=root.parent / "data", base_dir=root.parent)

    assert shelf.texts() == {"docs:one.md": "alpha"}


async def test_only_what_changed_is_read_and_what_is_gone_is_deleted(root):
    shelf = Shelf()
    write(root, same_md="alpha", changed_md="beta", gone_md="gamma")
    first = await synced(root, shelf)
    write(root, changed_md="BETA", new_md="delta")
    (root / "gone.md").unlink()

    second = await synced(root, shelf)
    third = await synced(root, shelf)

    assert counts(first) == (3, 0, 0, 0)
    assert counts(second) == (1, 1, 1, 1)
    assert counts(third) == (0, 0, 0, 3)
    assert (second.passages, third.passages) == (2, 0)
    assert shelf.texts() == {
        "docs:same.md": "alpha",
        "docs:changed.md": "BETA",
        "docs:new.md": "delta",
    }


async def test_a_passage_carries_library_place_labels_and_address(root):
    shelf = Shelf()
    write(root, a_md="# Title\n\nalpha\n\n## Inner\n\nbeta")

    await synced(root, shelf)

    first, second = shelf.documents["docs:a.md"].passages
    assert (first.document_id, first.title) == ("docs:a.md", "Title")
    assert (second.place.headings, second.place.line) == (("Title", "Inner"), 5)
    assert second.labels == {"everyone"}
    assert second.uri == (root / "a.md").as_uri()


async def test_the_listener_sees_each_step_and_the_end(root):
    write(root, **{f"n{number}_md": "text" for number in range(40)})
    seen = []
    async with folder_source(root, root.parent / "data") as source:
        await sync(
            [index(Shelf(), library(source))],
            data_dir=root.parent,
            base_dir=root.parent,
            progress=lambda progress: seen.append(msgspec.structs.replace(progress)),
        )

    assert [progress.done for progress in seen] == sorted(progress.done for progress in seen)
    last = seen[-1]
    assert (last.found, last.done, last.failed, last.passages) == (40, 40, 0, 40)
    assert not last.is_listing


async def test_libraries_that_are_no_longer_configured_are_deleted(root):
    shelf = Shelf()
    write(root, a_md="alpha")
    await synced(root, shelf, name="old")

    report = await synced(root, shelf, name="new")

    assert counts(report) == (1, 0, 1, 0)
    assert list(shelf.documents) == ["new:a.md"]


async def test_each_index_gets_the_libraries_that_it_names(root):
    write(root, a_md="alpha")
    one, two = Shelf(), Shelf()
    async with folder_source(root, root.parent / "data") as source:
        first, second = library(source, "first"), library(source, "second")
        indexes = [index(one, first, second, name="one"), index(two, second, name="two")]

        await sync(indexes, data_dir=root.parent, base_dir=root.parent)

    assert sorted(one.documents) == ["first:a.md", "second:a.md"]
    assert list(two.documents) == ["second:a.md"]


async def test_only_the_named_libraries_are_synced(root):
    write(root, a_md="alpha")
    shelf = Shelf()
    async with folder_source(root, root.parent / "data") as source:
        indexes = [index(shelf, library(source, "first"), library(source, "second"))]
        async with Synchronizer(indexes, data_dir=root.parent, base_dir=root.parent) as both:
            await both.run(only={"first"})
            assert list(shelf.documents) == ["first:a.md"]

            await both.run()

    assert sorted(shelf.documents) == ["first:a.md", "second:a.md"]


# --- what makes a document be read again -----------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"language": "de"},
        {"passage_chars": 300},
        {"settings": "files base_url"},
    ],
)
async def test_settings_that_shape_passages_make_documents_be_read_again(root, change):
    write(root, a_md="alpha")
    shelf = Shelf()
    await synced(root, shelf)
    async with folder_source(root, root.parent / "data") as source:
        changed = msgspec.structs.replace(library(source), **change)

        report = await sync([index(shelf, changed)], data_dir=root.parent, base_dir=root.parent)

    assert counts(report) == (0, 1, 0, 0)


async def test_relabelling_reaches_exactly_the_documents_it_concerns(root):
    shelf = Shelf()
    write(root, a_md="alpha", hr__b_md="beta")
    await synced(root, shelf)

    report = await synced(root, shelf, labels={**FOR_ALL, "hr/**": ["people"]})

    assert counts(report) == (0, 1, 0, 1)
    labels = {id_: found.passages[0].labels for id_, found in shelf.documents.items()}
    assert labels == {"docs:a.md": {"everyone"}, "docs:hr/b.md": {"people"}}


async def test_a_document_without_labels_is_read_by_nobody_and_reported(root):
    shelf = Shelf()
    write(root, a_md="alpha", hr__b_md="beta")
    await synced(root, shelf)

    report = await synced(root, shelf, labels={"hr/**": ["people"]})

    assert report.unlabelled == [("docs", "a.md")]
    assert list(shelf.documents) == ["docs:hr/b.md"]
    assert report.removed == 1


async def test_files_that_no_loader_reads_are_counted_by_suffix(root):
    shelf = Shelf()
    write(root, a_md="alpha")
    for name in ("a.png", "b.PNG", "Makefile"):
        (root / name).write_text("x")

    report = await synced(root, shelf)

    assert report.ignored == {".png": 2, "": 1}
    assert list(shelf.documents) == ["docs:a.md"]


# --- what goes wrong -------------------------------------------------------------------------


async def test_a_bad_file_is_reported_and_costs_only_itself(root):
    shelf = Shelf()
    write(root, a_md="alpha", empty_md="", blank_md=" \n\n ", big_md="x" * 2000)
    (root / "binary.md").write_bytes(bytes(range(256)) * 8)

    report = await synced(root, shelf, max_mb=0.001)

    reasons = {failure.id: failure.reason for failure in report.failed}
    assert list(shelf.documents) == ["docs:a.md"]
    assert reasons["empty.md"] == "is empty (0 bytes)"
    assert reasons["blank.md"] == "holds no text"
    assert "more than the 0.001 MB allowed" in reasons["big.md"]
    assert set(reasons) == {"empty.md", "blank.md", "big.md", "binary.md"}


async def test_a_bad_file_takes_the_old_passages_with_it_and_a_good_one_brings_new(root):
    shelf = Shelf()
    write(root, a_md="alpha")
    await synced(root, shelf)

    write(root, a_md="")
    broken = await synced(root, shelf)
    assert shelf.documents == {}
    write(root, a_md="beta")
    mended = await synced(root, shelf)

    assert (counts(broken), len(broken.failed)) == ((0, 0, 0, 0), 1)
    assert (counts(mended), mended.failed) == ((1, 0, 0, 0), [])
    assert shelf.texts() == {"docs:a.md": "beta"}


async def test_a_bad_file_leaves_also_an_index_that_was_restored(root):
    shelf = Shelf()
    write(root, a_md="alpha")
    await synced(root, shelf)
    restored = dict(shelf.documents)
    write(root, a_md="")
    await synced(root, shelf)
    shelf.documents = restored

    await synced(root, shelf)

    assert shelf.documents == {}


async def test_an_unchanged_bad_file_is_listed_again_but_not_read_again(root):
    shelf = Shelf()
    write(root, a_md="", b_md="beta")
    await synced(root, shelf)
    seen = []
    async with folder_source(root, root.parent / "data") as source:
        report = await sync(
            [index(shelf, library(source))],
            data_dir=root.parent / "data",
            base_dir=root.parent,
            progress=lambda progress: seen.append(progress.found),
        )

    assert [failure.id for failure in report.failed] == ["a.md"]
    assert seen[-1] == 0


@pytest.mark.parametrize("change", ["time", "limit", "deleted"])
async def test_a_bad_file_is_tried_again_later_or_with_other_limits(root, change, monkeypatch):
    shelf = Shelf()
    write(root, a_md="word " * 1000)
    await synced(root, shelf, max_mb=0.001)
    if change == "deleted":
        (root / "a.md").unlink()
    if change == "time":
        monkeypatch.setattr(failures, "RETRY_S", -1)

    report = await synced(root, shelf, max_mb=1 if change == "limit" else 0.001)

    assert bool(shelf.documents) == (change == "limit")
    assert len(report.failed) == (change == "time")


async def test_damaged_memory_of_failures_only_costs_another_try(root):
    shelf = Shelf()
    write(root, a_md="")
    await synced(root, shelf)
    (root.parent / "data" / "failures-main.json").write_text('[{"nonsense": 1}]')

    report = await synced(root, shelf)

    assert [failure.id for failure in report.failed] == ["a.md"]
    assert json.loads((root.parent / "data" / "failures-main.json").read_text())[0]["id"] == "a.md"


class Scripted:
    """A source that says what it was told to say."""

    def __init__(self, *changes):
        self.told = changes

    async def changes(self, known):
        for change in self.told:
            if isinstance(change, Exception):
                raise change
            yield change


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SourceError("the disk is away"), "the disk is away"),
        (ZeroDivisionError("oops"), "its source failed: ZeroDivisionError: oops"),
    ],
)
async def test_a_library_that_cannot_be_listed_stays_and_costs_only_itself(root, error, reason):
    shelf = Shelf()
    write(root, a_md="alpha")
    await synced(root, shelf, name="lost")
    async with folder_source(root, root.parent / "data") as source:
        lost, fine = library(Scripted(error), "lost"), library(source, "fine")

        report = await sync([index(shelf, lost, fine)], data_dir=root, base_dir=root)

    assert report.errors == {"lost": reason}
    assert counts(report) == (1, 0, 0, 1)
    assert sorted(shelf.documents) == ["fine:a.md", "lost:a.md"]


def changed(root, name, version):
    return Changed(raw=RawDocument(id=name, path=root / name), version=version)


async def told(root, shelf, *changes, **settings):
    """Sync what a source says."""
    indexes = [index(shelf, library(Scripted(*changes), **settings))]
    return await sync(indexes, data_dir=root.parent, base_dir=root)


async def test_what_the_source_cannot_hand_over_stays_as_it_was_and_costs_only_itself(root):
    shelf = Shelf()
    write(root, a_md="alpha", z_md="zeta")
    await told(root, shelf, changed(root, "a.md", "1"))
    bad = Unreadable("a.md", "it is damaged"), Unreadable("new.md", "it is damaged")

    broken = await told(root, shelf, *bad, changed(root, "z.md", "1"))
    mended = await told(root, shelf, changed(root, "a.md", "1"), Gone("new.md"))

    assert [(one.id, one.reason) for one in broken.failed] == [
        ("a.md", "it is damaged"),
        ("new.md", "it is damaged"),
    ]
    assert broken.withheld == [("docs", "a.md"), ("docs", "new.md")]
    assert (counts(broken), broken.errors) == ((1, 0, 0, 1), {})
    assert (counts(mended), mended.failed, mended.withheld) == ((0, 0, 0, 2), [], [])
    assert shelf.texts() == {"docs:a.md": "alpha", "docs:z.md": "zeta"}


class Asked(Scripted):
    """A source that keeps what it was told to be known."""

    async def changes(self, known):
        self.known = dict(known)
        for change in self.told:
            yield change


async def test_what_could_not_be_handed_over_is_asked_for_again(root):
    shelf = Shelf()
    write(root, a_md="alpha", b_md="beta")
    await told(root, shelf, changed(root, "a.md", "1"), changed(root, "b.md", "1"))
    await told(root, shelf, Unreadable("a.md", "away"), Unreadable("c.md", "away"))
    source = Asked()

    await sync([index(shelf, library(source))], data_dir=root.parent, base_dir=root)

    assert source.known == {"a.md": "", "b.md": "1", "c.md": ""}


BROKEN = 'plugin "log" is off'


async def without_loader(root, shelf, *, off, **settings):
    """Sync while the loader of `.txt` is off."""
    async with folder_source(root, root.parent / "data") as source:
        whole = library(source, **settings)
        loadings = {suffix: one for suffix, one in whole.loadings.items() if suffix != ".txt"}
        less = msgspec.structs.replace(whole, loadings=loadings, off=off)
        return await sync([index(shelf, less)], data_dir=root.parent / "data", base_dir=root)


@pytest.mark.parametrize("is_edited", [False, True])
async def test_a_loader_that_is_off_by_mistake_costs_no_document(root, is_edited):
    shelf = Shelf()
    write(root, a_md="alpha", **{"b.txt": "beta", "c.png": "x"})
    await synced(root, shelf)
    if is_edited:
        write(root, **{"b.txt": "BETA", "new.txt": "new"})

    report = await without_loader(root, shelf, off=(BROKEN,))
    again = await synced(root, shelf)

    assert counts(report) == (0, 0, 0, 2)
    assert report.kept == [("docs", "b.txt")]
    assert report.off == [BROKEN]
    assert report.ignored == {".png": 1, ".txt": 1 + is_edited}
    assert counts(again) == ((1, 1, 0, 1) if is_edited else (0, 0, 0, 2))
    assert (again.kept, again.off) == ([], [])


async def test_what_no_loader_reads_leaves_the_index_when_every_plugin_is_as_wished(root):
    shelf = Shelf()
    write(root, a_md="alpha", **{"b.txt": "beta"})
    await synced(root, shelf)

    report = await without_loader(root, shelf, off=())

    assert (counts(report), report.kept, report.off) == ((0, 0, 1, 1), [], [])
    assert list(shelf.documents) == ["docs:a.md"]


async def test_a_plugin_that_is_off_is_no_matter_where_every_file_is_read(root):
    shelf = Shelf()
    write(root, a_md="alpha")

    report = await without_loader(root, shelf, off=(BROKEN,))

    assert (report.off, report.kept) == ([], [])


async def test_a_removed_document_is_gone_also_while_its_loader_is_off(root):
    shelf = Shelf()
    write(root, a_md="alpha", **{"b.txt": "beta"})
    await synced(root, shelf)
    (root / "b.txt").unlink()

    report = await without_loader(root, shelf, off=(BROKEN,))

    assert (counts(report), list(shelf.documents)) == ((0, 0, 1, 1), ["docs:a.md"])


@pytest.mark.parametrize("labels", [{}, {"**": ("people",)}, {"**": ("everyone", "people")}])
@pytest.mark.parametrize("trouble", ["loader", "document", "library"])
async def test_what_is_not_read_again_never_stays_for_other_readers(root, labels, trouble):
    shelf = Shelf()
    write(root, **{"b.txt": "beta"})
    await synced(root, shelf)

    if trouble == "loader":
        report = await without_loader(root, shelf, off=(BROKEN,), labels=labels)
    else:
        said = SourceError("away") if trouble == "library" else Unreadable("b.txt", "away")
        report = await told(root, shelf, said, labels=labels)

    assert (counts(report), report.kept, shelf.documents) == ((0, 0, 1, 0), [], {})


PEOPLE = {"**": ("everyone",), "*.txt": ("people",)}


async def test_a_label_pattern_is_matched_by_what_is_there_read_or_not(root):
    shelf = Shelf()
    write(root, a_md="alpha", **{"b.txt": "beta"})

    first = await told(root, shelf, changed(root, "b.txt", "1"), labels=PEOPLE)
    unchanged = await told(root, shelf, labels=PEOPLE)
    withheld = await told(root, shelf, Gone("b.txt"), Unreadable("c.txt", "away"), labels=PEOPLE)
    known = await told(root, shelf, changed(root, "a.md", "1"), labels=PEOPLE)
    gone = await told(root, shelf, Gone("c.txt"), labels=PEOPLE)
    away = await told(root, shelf, SourceError("away"), labels=PEOPLE)
    empty = await told(root, shelf, Gone("a.md"), labels=PEOPLE)

    reports = first, unchanged, withheld, known, away, empty
    assert [report.unmatched for report in reports] == [[]] * 6
    assert gone.unmatched == [("docs", "*.txt")]


async def test_a_source_that_names_what_it_need_not_costs_nothing(root):
    shelf = Shelf()
    write(root, a_md="alpha")
    change = Changed(raw=RawDocument(id="a.md", path=root / "a.md"), version="1")
    source = Scripted(change, Gone("never-there.md"))
    indexes = [index(shelf, library(source))]

    await sync(indexes, data_dir=root.parent, base_dir=root)
    again = await sync(indexes, data_dir=root.parent, base_dir=root)

    assert counts(again) == (0, 0, 0, 1)
    assert again.passages == 0


class Full(Shelf):
    """A retriever whose disk is full."""

    async def index(self, documents):
        raise StoreError("no space left")


async def test_an_index_that_cannot_be_written_ends_the_sync_with_its_own_error(root):
    write(root, **{f"n{number}_md": "text" for number in range(300)})

    with pytest.raises(StoreError, match="no space left"):
        await synced(root, Full())


class Watched(Shelf):
    """A retriever that says when it has the first documents."""

    def __init__(self):
        super().__init__()
        self.written = asyncio.Event()

    async def index(self, documents):
        await super().index(documents)
        self.written.set()


async def test_a_cancelled_sync_leaves_whole_documents_and_the_next_completes_it(root):
    shelf = Watched()
    write(root, **{f"n{number}_md": "text\n\n" * 50 for number in range(400)})
    running = asyncio.create_task(synced(root, shelf))
    await shelf.written.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    await synced(root, shelf)

    assert len(shelf.documents) == 400


# --- any history ends where a fresh sync ends ------------------------------------------------

NAMES = ("a.md", "b.md", "hr/a.md", "hr/c.txt", "x.png")
TEXTS = ("alpha", "# Beta\n\nbeta", "", "gamma\n\n" * 400)
LABELS = (FOR_ALL, {**FOR_ALL, "hr/**": ("people",)}, {"hr/**": ("people",)}, {})
STEPS = st.one_of(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(TEXTS)),
    st.tuples(st.sampled_from(NAMES), st.none()),
    st.sampled_from(LABELS),
    st.just("sync"),
)


@pytest.fixture(scope="module")
def runner():
    with asyncio.Runner() as runner:
        yield runner


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(STEPS, max_size=12))
def test_a_sync_after_any_history_equals_a_fresh_one(steps, runner, tmp_path_factory):
    root = tmp_path_factory.mktemp("history") / "docs"
    root.mkdir()
    fresh, grown = Shelf(), Shelf()

    async def history():
        labels = FOR_ALL
        for step in steps:
            if step == "sync":
                await synced(root, grown, labels=labels)
            elif isinstance(step, dict):
                labels = step
            elif step[1] is None:
                (root / step[0]).unlink(missing_ok=True)
            else:
                (root / step[0]).parent.mkdir(exist_ok=True)
                (root / step[0]).write_text(step[1])
        report = await synced(root, grown, labels=labels)
        (root.parent / "data" / "failures-main.json").unlink(missing_ok=True)
        return report, await synced(root, fresh, labels=labels)

    report, fresh_report = runner.run(history())

    assert grown.documents == fresh.documents
    assert [f.id for f in report.failed] == [f.id for f in fresh_report.failed]
    assert report.unlabelled == fresh_report.unlabelled
    assert report.added + report.updated + report.unchanged == fresh_report.added


async def test_waiting_text_is_bounded_and_batches_grow_with_the_work(root, monkeypatch):
    chooser = random.Random(1)
    for number in range(300):
        (root / f"{number}.md").write_text("word " * chooser.randrange(1, 2000))
    monkeypatch.setattr("citewell.library.batching._WAITING_CHARS", 20_000)
    shelf = Shelf()

    report = await synced(root, shelf)

    assert (report.added, len(shelf.documents)) == (300, 300)
    assert max(shelf.batches) < 100
