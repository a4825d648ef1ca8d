"""Who may read a document, where its source knows it."""

import asyncio
import hashlib

import msgspec.structs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citewell import Changed, Gone, RawDocument
from citewell.library.syncing import sync
from libraries import FOR_ALL, Shelf, index, library

EVERYONE = frozenset({"everyone"})
TEAM = frozenset({"slack:C1"})
OTHERS = frozenset({"slack:C2"})


class Channels:
    """A source that says who may read what it hands over."""

    def __init__(self, folder):
        self.folder = folder
        self.documents = {}
        self.told = []

    def write(self, id_, text, labels):
        self.documents[id_] = (text, labels)

    async def changes(self, known):
        for id_ in known.keys() - self.documents.keys():
            yield Gone(id_)
        for id_, (text, labels) in self.documents.items():
            who = None if labels is None else sorted(labels)
            version = hashlib.sha256(f"{text}{who}".encode()).hexdigest()
            if known.get(id_) == version:
                continue
            path = self.folder / id_.replace("/", "-")
            path.write_text(text)
            self.told.append(id_)
            yield Changed(raw=RawDocument(id=id_, path=path, labels=labels), version=version)


@pytest.fixture
def channels(tmp_path):
    return Channels(tmp_path)


async def synced(channels, shelf, **change):
    channels.told.clear()
    labels = change.pop("labels", FOR_ALL)
    one = msgspec.structs.replace(library(channels, labels=labels), **change)
    folder = channels.folder
    return await sync([index(shelf, one)], data_dir=folder, base_dir=folder)


def readers(shelf):
    return {id_: one.passages[0].labels for id_, one in shelf.documents.items()}


async def test_what_the_source_says_holds_where_nothing_is_written(channels):
    shelf = Shelf()
    channels.write("C1/a.md", "alpha", TEAM)
    channels.write("b.md", "beta", None)

    await synced(channels, shelf)

    assert readers(shelf) == {"docs:C1/a.md": TEAM, "docs:b.md": EVERYONE}


async def test_other_readers_hold_from_the_next_sync_on_though_no_text_changed(channels):
    shelf = Shelf()
    channels.write("C1/a.md", "alpha", TEAM)
    await synced(channels, shelf)
    channels.write("C1/a.md", "alpha", OTHERS)

    report = await synced(channels, shelf)
    again = await synced(channels, shelf)

    assert readers(shelf) == {"docs:C1/a.md": OTHERS}
    assert (report.updated, again.unchanged, channels.told) == (1, 1, [])


async def test_a_pattern_that_is_written_holds_and_ends_to_hold(channels):
    shelf = Shelf()
    channels.write("C1/a.md", "alpha", TEAM)
    await synced(channels, shelf, labels={})
    closed = readers(shelf)

    await synced(channels, shelf, labels={**FOR_ALL, "C1/**": ["everyone"]})
    opened = readers(shelf)
    await synced(channels, shelf)

    assert closed == readers(shelf) == {"docs:C1/a.md": TEAM}
    assert opened == {"docs:C1/a.md": EVERYONE}


async def test_what_nobody_may_read_leaves_the_index(channels):
    shelf = Shelf()
    channels.write("C1/a.md", "alpha", TEAM)
    await synced(channels, shelf)
    channels.write("C1/a.md", "alpha", frozenset())

    report = await synced(channels, shelf)

    assert not shelf.documents
    assert report.unlabelled == [("docs", "C1/a.md")]


async def test_without_a_word_of_the_source_and_of_the_user_nobody_reads_it(channels):
    shelf = Shelf()
    channels.write("C1/a.md", "alpha", TEAM)
    await synced(channels, shelf, labels={})
    channels.write("C1/a.md", "alpha", None)

    await synced(channels, shelf, labels={})

    assert not shelf.documents


async def test_what_no_loader_reads_any_more_stays_only_with_the_same_readers(channels):
    shelf = Shelf()
    channels.write("C1/a.md", "alpha", TEAM)
    channels.write("C2/b.md", "beta", TEAM)
    await synced(channels, shelf)
    channels.write("C2/b.md", "beta", OTHERS)

    report = await synced(channels, shelf, loadings={}, off=("plugin text is broken",))

    assert readers(shelf) == {"docs:C1/a.md": TEAM}
    assert report.kept == [("docs", "C1/a.md")]


_LABELS = st.none() | st.frozensets(st.sampled_from(["slack:C1", "slack:C2", "everyone"]))
_RULES = st.dictionaries(
    st.sampled_from(["**", "C1/**", "C1/a.md"]),
    st.lists(st.sampled_from(["everyone", "slack:C2", "press"]), min_size=1, max_size=2),
)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(_LABELS, _LABELS, _RULES), min_size=1, max_size=4))
def test_an_index_that_grew_is_labelled_as_one_that_is_new(tmp_path_factory, rounds):
    channels, grown = Channels(tmp_path_factory.mktemp("channels")), Shelf()

    async def play():
        for first, second, rules in rounds:
            channels.write("C1/a.md", "alpha", first)
            channels.write("C2/b.md", "beta", second)
            await synced(channels, grown, labels=rules)
        new = Shelf()
        await synced(channels, new, labels=rounds[-1][2])
        return new

    new = asyncio.run(play())

    assert readers(grown) == readers(new)
