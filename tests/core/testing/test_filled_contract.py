"""The contract of retrievers that somebody else fills passes a good one and notices bad ones."""

import itertools
import re
from collections import Counter
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from citewell import Passage, Place, Placed, UnknownComponent, content_hash
from citewell.testing import FilledRetrieverContract


def words(text):
    return set(re.findall(r"\w+", text.casefold()))


class ListRetriever:
    """Looks through entries that somebody else keeps."""

    def __init__(self, entries):
        self.entries = entries

    async def versions(self):
        return {f"list:{one.id}": content_hash(repr(one)) for one in self.entries.values()}

    async def sizes(self):
        return dict.fromkeys(await self.versions(), 1)

    async def identity(self):
        return content_hash(repr(await self.versions()))

    async def retrieve(self, query, *, limit, readable_by):
        asked = words(query.text)
        readable = self.readable(readable_by)
        held = Counter(itertools.chain.from_iterable(words(one.text) for one in readable))
        scored = [
            replace(one, score=sum(1 / held[word] for word in sorted(asked & words(one.text))))
            for one in readable
        ]
        best = sorted((one for one in scored if one.score), key=lambda one: (-one.score, one.id))
        return best[:limit]

    async def fetch(self, ids, *, readable_by):
        now = {one.id: one for one in self.readable(readable_by)}
        return [now[one] for one in ids if one in now]

    async def within(self, document_id, *, start, end, readable_by):
        return [
            one
            for one in self.readable(readable_by)
            if one.document_id == document_id and one.start < end and start < one.end
        ]

    def readable(self, audience):
        found = (self.passage(one) for one in self.entries.values())
        return [one for one in found if audience.may_read(one.labels)]

    def passage(self, entry):
        return Passage(
            id=f"{entry.id}@{content_hash(entry.text)}",
            document_id=f"list:{entry.id}",
            title=entry.title,
            text=entry.text,
            start=0,
            end=len(entry.text),
            places=(Placed(0, Place()),),
            labels=frozenset({entry.label} if entry.label else ()),
        )


class CopyingRetriever(ListRetriever):
    """Sees what was there when it was opened."""

    def __init__(self, entries):
        super().__init__(dict(entries))


class SteadyRetriever(ListRetriever):
    """Names a passage by its row alone."""

    def passage(self, entry):
        return replace(super().passage(entry), id=entry.id)


class OpenRetriever(ListRetriever):
    """Shows everything to everybody."""

    def readable(self, audience):
        return [self.passage(one) for one in self.entries.values()]


class CountingRetriever(ListRetriever):
    """Has another name where there is more or less."""

    async def identity(self):
        return str(len(self.entries))


class TidyRetriever(ListRetriever):
    """Takes odd blank space out of a text."""

    def passage(self, entry):
        return super().passage(replace(entry, text=" ".join(entry.text.split())))


def subject(build):
    """Return the contract of a retriever that `build` makes of the entries of each folder."""
    kept = {}

    class Subject(FilledRetrieverContract):
        name = "subject"

        def write(self, root, entries):
            kept.setdefault(root, {}).update((one.id, one) for one in entries)

        def remove(self, root, ids):
            for id_ in ids:
                del kept[root][id_]

        @asynccontextmanager
        async def open(self, root):
            yield build(kept.setdefault(root, {}))

    return Subject()


TESTS = [one for one in vars(FilledRetrieverContract) if one.startswith("test_")]


@pytest.mark.parametrize("test", TESTS)
def test_a_good_retriever_passes(test, tmp_path):
    contract = subject(ListRetriever)

    assert getattr(contract, test)(tmp_path) is None


@pytest.mark.parametrize(
    ("build", "test", "message"),
    [
        (CopyingRetriever, "test_a_change_shows_at_once", "the store as it is"),
        (CopyingRetriever, "test_what_was_removed_is_gone", "the store as it is"),
        (CopyingRetriever, "test_new_labels_hold_at_once", "labels are those of the store now"),
        (SteadyRetriever, "test_a_change_shows_at_once", "another text has another id"),
        (OpenRetriever, "test_nobody_gets_what_a_reader_may_not_read", "retrieve is wrong"),
        (OpenRetriever, "test_unreadable_entries_take_no_place_in_the_result", "before ranking"),
        (OpenRetriever, "test_unreadable_entries_change_no_order", "how rare it is"),
        (CountingRetriever, "test_identity_tells_every_change", "left the identity as it was"),
        (TidyRetriever, "test_a_passage_knows_its_place", "to the character"),
    ],
)
def test_a_bad_retriever_is_noticed(build, test, message, tmp_path):
    with pytest.raises(AssertionError, match=message):
        getattr(subject(build), test)(tmp_path)


def test_a_retriever_that_citewell_fills_is_not_meant(tmp_path):
    class Subject(FilledRetrieverContract):
        name = "lexical"

        def config(self, root):
            return {}

        def write(self, root, entries):
            assert not entries

    with pytest.raises(AssertionError, match="filled=True"):
        Subject().test_an_empty_store_has_nothing(tmp_path)


def test_a_retriever_that_nobody_offers_is_told(tmp_path):
    class Subject(FilledRetrieverContract):
        name = "nosuch"

        def config(self, root):
            return {}

        def write(self, root, entries):
            assert not entries

    with pytest.raises(UnknownComponent, match="nosuch"):
        Subject().test_an_empty_store_has_nothing(tmp_path)
