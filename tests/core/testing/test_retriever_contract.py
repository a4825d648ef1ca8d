"""The contract of retrievers passes a good one, notices bad ones and says what to change."""

import asyncio
import itertools
import re
from collections import Counter
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from citewell.testing import RetrieverContract


def words(text):
    return re.findall(r"\w+", text.casefold())


class MemoryRetriever:
    """Keeps documents in memory; a word weighs more the fewer readable passages hold it."""

    def __init__(self):
        self.documents = {}
        self.changes = 0

    async def index(self, documents):
        self.changes += 1
        self.documents.update((document.id, document) for document in documents)

    async def delete(self, document_ids):
        self.changes += 1
        for document_id in document_ids:
            self.documents.pop(document_id, None)

    async def versions(self):
        return {document.id: document.version for document in self.documents.values()}

    async def sizes(self):
        return {document.id: len(document.passages) for document in self.documents.values()}

    async def identity(self):
        return str(self.changes)

    async def retrieve(self, query, *, limit, readable_by):
        return self.ranked(query, self.passages(readable_by))[:limit]

    async def fetch(self, ids, *, readable_by):
        readable = {passage.id: passage for passage in self.passages(readable_by)}
        return [readable[one] for one in ids if one in readable]

    async def within(self, document_id, *, start, end, readable_by):
        return [
            passage
            for passage in self.passages(readable_by)
            if passage.document_id == document_id and passage.start < end and passage.end > start
        ]

    def passages(self, readable_by):
        found = (one for document in self.documents.values() for one in document.passages)
        return [passage for passage in found if readable_by.may_read(passage.labels)]

    def ranked(self, query, passages):
        asked = set(words(query.text))
        held = [asked.intersection(words(passage.text)) for passage in passages]
        weights = self.weights(held)
        found = [
            replace(passage, score=sum(weights[word] for word in sorted(matched)))
            for passage, matched in zip(passages, held, strict=True)
            if matched
        ]
        return sorted(found, key=self.rank)

    def weights(self, held):
        counts = Counter(itertools.chain.from_iterable(held))
        return {word: 1 / count for word, count in counts.items()}

    def rank(self, passage):
        return -passage.score, passage.document_id, passage.start


class BlindRetriever(MemoryRetriever):
    """Finds nothing."""

    async def retrieve(self, query, *, limit, readable_by):
        return []


class StrictRetriever(MemoryRetriever):
    """Wants every word of the question."""

    def ranked(self, query, passages):
        asked = set(words(query.text))
        return [one for one in super().ranked(query, passages) if asked <= set(words(one.text))]


class OpenRetriever(MemoryRetriever):
    """Shows everybody what it finds."""

    async def retrieve(self, query, *, limit, readable_by):
        everything = [one for each in self.documents.values() for one in each.passages]
        return self.ranked(query, everything)[:limit]


class OpenFetchRetriever(MemoryRetriever):
    """Reads everything again for everybody."""

    async def fetch(self, ids, *, readable_by):
        everything = {one.id: one for each in self.documents.values() for one in each.passages}
        return [everything[one] for one in ids if one in everything]


class LateRetriever(OpenRetriever):
    """Takes out what may not be read once the best are chosen."""

    async def retrieve(self, query, *, limit, readable_by):
        found = await super().retrieve(query, limit=limit, readable_by=readable_by)
        return [passage for passage in found if readable_by.may_read(passage.labels)]


class TellingRetriever(MemoryRetriever):
    """Weighs a word by passages that may not be read as well."""

    def weights(self, held):
        everything = [one for each in self.documents.values() for one in each.passages]
        return super().weights([set(words(passage.text)) for passage in everything])


class HoardingRetriever(MemoryRetriever):
    """Keeps the old passages of a document that is replaced."""

    async def index(self, documents):
        for document in documents:
            old = self.documents.get(document.id)
            kept = old.passages if old else ()
            passages = {one.id: one for one in (*kept, *document.passages)}
            await super().index([replace(document, passages=tuple(passages.values()))])


class KeepingRetriever(MemoryRetriever):
    """Deletes nothing."""

    async def delete(self, document_ids):
        self.changes += 1


class TextlessRetriever(MemoryRetriever):
    """Forgets documents that have no text."""

    async def versions(self):
        return {one.id: one.version for one in self.documents.values() if one.passages}


class UnstableRetriever(MemoryRetriever):
    """Orders what is equally good by chance."""

    counter = itertools.count()

    def rank(self, passage):
        return -passage.score, hash((passage.id, next(self.counter)))


class BackwardRetriever(MemoryRetriever):
    """Gives the worst first."""

    def rank(self, passage):
        return passage.score, passage.document_id, passage.start


class GenerousRetriever(MemoryRetriever):
    """Gives one more than was asked for."""

    async def retrieve(self, query, *, limit, readable_by):
        return await super().retrieve(query, limit=limit + 1, readable_by=readable_by)


class SyntaxRetriever(MemoryRetriever):
    """Takes a question for a pattern."""

    def ranked(self, query, passages):
        re.compile(query.text)
        return super().ranked(query, passages)


class LosingRetriever(MemoryRetriever):
    """Keeps no header."""

    async def index(self, documents):
        for document in documents:
            passages = tuple(replace(passage, header="") for passage in document.passages)
            await super().index([replace(document, passages=passages)])


class StillRetriever(MemoryRetriever):
    """Has the same name whatever it holds."""

    async def identity(self):
        return "main"


class SortingRetriever(MemoryRetriever):
    """Reads again in an order of its own."""

    async def fetch(self, ids, *, readable_by):
        return await super().fetch(sorted(ids), readable_by=readable_by)


class WideRetriever(MemoryRetriever):
    """Gives the whole document for any part of it."""

    async def within(self, document_id, *, start, end, readable_by):
        return await super().within(document_id, start=0, end=10**9, readable_by=readable_by)


class SlowRetriever(MemoryRetriever):
    """Replaces a document in two steps."""

    async def index(self, documents):
        for document in documents:
            await super().index([replace(document, passages=document.passages[:1])])
            await asyncio.sleep(0)
            await super().index([document])


class ForgetfulRetriever(MemoryRetriever):
    """Is empty whenever it is opened."""


def subject(build):
    """Return the contract of a retriever that `build` makes for each folder."""
    kept = {}

    class Subject(RetrieverContract):
        name = "subject"
        opened = False

        @asynccontextmanager
        async def open(self, folder):
            self.opened = True
            if folder not in kept or build is ForgetfulRetriever:
                kept[folder] = build()
            yield kept[folder]

    return Subject()


def check(build, test, tmp_path):
    contract = subject(build)
    getattr(contract, test)(tmp_path)
    assert contract.opened


@pytest.mark.parametrize(
    "test", [one for one in vars(RetrieverContract) if one.startswith("test_")]
)
def test_a_good_retriever_passes(tmp_path, test):
    check(MemoryRetriever, test, tmp_path)


def test_what_forgets_with_its_process_says_so_and_is_not_tested_for_it(tmp_path):
    contract = subject(ForgetfulRetriever)
    contract.lasts = False

    with pytest.raises(pytest.skip.Exception, match="keeps nothing after its process"):
        contract.test_what_was_indexed_outlives_the_process(tmp_path)


@pytest.mark.parametrize(
    ("build", "test", "message"),
    [
        (BlindRetriever, "test_finds_what_was_indexed", "find passages by their words"),
        (BlindRetriever, "test_one_matching_word_is_enough", "match any word"),
        (StrictRetriever, "test_one_matching_word_is_enough", "match any word"),
        (OpenRetriever, "test_nobody_gets_what_a_reader_may_not_read", "retrieve is wrong"),
        (OpenFetchRetriever, "test_nobody_gets_what_a_reader_may_not_read", "fetch is wrong"),
        (OpenRetriever, "test_new_labels_hold_at_once", "those of the last `index`"),
        (
            LateRetriever,
            "test_unreadable_passages_take_no_place_in_the_result",
            "filter by reader before ranking",
        ),
        (TellingRetriever, "test_unreadable_passages_change_no_order", "how rare it is among"),
        (HoardingRetriever, "test_replacing_leaves_nothing_of_the_old", "no passage of the old"),
        (HoardingRetriever, "test_a_passage_may_stay_the_same", "no passage of the old"),
        (HoardingRetriever, "test_a_document_may_become_empty", "no passage of the old"),
        (TextlessRetriever, "test_a_document_may_become_empty", "remember a document without"),
        (KeepingRetriever, "test_deleted_means_gone", "delete every passage"),
        (UnstableRetriever, "test_same_question_same_answer", "break ties"),
        (BackwardRetriever, "test_best_first_and_never_more_than_the_limit", "is better"),
        (GenerousRetriever, "test_best_first_and_never_more_than_the_limit", "is not the best"),
        (SyntaxRetriever, "test_odd_questions_are_safe", "not query syntax"),
        (LosingRetriever, "test_passages_come_back_exactly", "store every field"),
        (StillRetriever, "test_identity_tells_every_change", "left the identity as it was"),
        (WideRetriever, "test_a_part_of_a_document_is_read_again", "have a character in"),
        (SortingRetriever, "test_fetch_keeps_the_order_of_the_ids", "in the order of the ids"),
        (SlowRetriever, "test_readers_see_each_document_whole", "half a document"),
        (ForgetfulRetriever, "test_what_was_indexed_outlives_the_process", "keep everything"),
    ],
)
def test_a_bad_retriever_is_noticed(tmp_path, build, test, message):
    with pytest.raises(AssertionError, match=message):
        check(build, test, tmp_path)
