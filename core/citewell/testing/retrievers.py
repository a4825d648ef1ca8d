"""What every retriever must do, as tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from citewell.protocols import Retriever
from citewell.testing.asking import ALL, ids_of, index, index_one_by_one, search, texts_of
from citewell.testing.documents import ODD_QUERIES, make_document, rich_document
from citewell.testing.opening import opened, run_async
from citewell.testing.readers import ReadersContract
from citewell.types.documents import IndexedDocument

_VERSIONS = "`versions` names each indexed document once, with its last version"
_SIZES = "`sizes` counts the passages of each indexed document"
_WHOLE = "replace a document whole: no passage of the old one stays"
_GONE = "delete every passage of a document, and nothing of the others"
_KEPT = "keep everything in `data_dir`: another process finds the same"


class RetrieverContract(ReadersContract):
    """Subclass it, set `name`, and pytest tests your retriever.

    Attributes:
        name: under which a plugin that is installed offers the retriever.
        config: its settings, as they would stand in `citewell.toml`.
        finds_by_meaning: it finds passages also that have no word of the question, behind those
            that have.
        lasts: what was indexed outlives the process. A store in memory does not claim it; whoever
            uses one must be told that each process reads everything again.
    """

    name: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}
    finds_by_meaning: ClassVar[bool] = False
    lasts: ClassVar[bool] = True

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Retriever]:
        """Open the retriever with its data in `folder`; override to build it otherwise."""
        async with opened("retriever", self.name, self.config, folder) as retriever:
            yield retriever

    def _best(self, found: list[str], number: int) -> list[str]:
        """Return what has to be right: the best `number` where others may follow, else all."""
        return found[:number] if self.finds_by_meaning else found

    # --- what was indexed is found ---------------------------------------------------------

    @run_async
    async def test_starts_empty(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as retriever:
            assert dict(await retriever.versions()) == {}, "an empty index has no versions"
            assert not await search(retriever, "fox"), "an empty index must find nothing"
            assert not await retriever.fetch(["x"], readable_by=ALL), "leave out unknown ids"
            assert isinstance(await retriever.identity(), str), "the identity is text"

    @run_async
    async def test_finds_what_was_indexed(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as retriever:
            await index(
                retriever,
                [
                    make_document("a", "The quick brown fox."),
                    make_document("b", "A lazy dog."),
                ],
            )

            found = self._best(texts_of(await search(retriever, "Where is the fox?")), 1)
            assert found == ["The quick brown fox."], f"found {found}; find passages by their words"
            assert await retriever.versions() == {"library:a": "1", "library:b": "1"}, _VERSIONS

    @run_async
    async def test_one_matching_word_is_enough(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as retriever:
            await index(retriever, [make_document("a", "Refunds take two weeks.")])

            found = await search(retriever, "how long do refunds usually take for customers abroad")
            assert found, "a question holds words that no passage has; match any word, not all"

    @run_async
    async def test_passages_come_back_exactly(self, tmp_path: Path) -> None:
        document = rich_document()
        async with self.open(tmp_path) as retriever:
            await index(retriever, [document])
            fetched = await retriever.fetch(ids_of(document.passages), readable_by=ALL)
            found = await search(retriever, "r\u00e9sum\u00e9 36,413", limit=10)

        assert tuple(fetched) == document.passages, "store every field of a passage, unchanged"
        by_id = {passage.id: passage for passage in document.passages}
        for passage in found:
            stored = by_id[passage.id]
            assert passage.text == stored.text, "what is found has the text that was indexed"
            assert passage.places == stored.places, "what is found has the places of its passage"
            assert passage.labels == stored.labels, "what is found has the labels of its passage"

    @run_async
    async def test_best_first_and_never_more_than_the_limit(self, tmp_path: Path) -> None:
        texts = [f"Filler about the weather, number {number}." for number in range(30)]
        texts[17] = "Kangaroo pouch: how the kangaroo carries its young in the pouch."
        texts[23] = "The weather at the zoo, where a kangaroo was seen once, years ago, in rain."
        async with self.open(tmp_path) as retriever:
            await index(retriever, [make_document("a", *texts)])

            found = await search(retriever, "kangaroo pouch weather", limit=10)
            assert found[0].text == texts[17], "the passage that holds more of the words is better"
            scores = [passage.score for passage in found]
            assert scores == sorted(scores, reverse=True), "scores must fall along the result"
            for limit in (0, 1, 3):
                best = await search(retriever, "kangaroo pouch weather", limit=limit)
                assert ids_of(best) == ids_of(found[:limit]), (
                    f"limit {limit} is not the best {limit}"
                )

    @run_async
    async def test_same_question_same_answer(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as retriever:
            await index(
                retriever, [make_document(f"d{number}", "equal text here") for number in range(40)]
            )

            first = await search(retriever, "equal text", limit=7)
            for _ in range(5):
                assert ids_of(await search(retriever, "equal text", limit=7)) == ids_of(first), (
                    "break ties by something stable, such as the document's id"
                )

    @run_async
    async def test_odd_questions_are_safe(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as retriever:
            await index(retriever, [make_document("a", "fox")])

            for text in ODD_QUERIES:
                try:
                    found = await search(retriever, text)
                except Exception as error:
                    raise AssertionError(
                        f"{text[:40]!r} raised {error!r}; a question is text, not query syntax"
                    ) from error
                assert len(found) <= 1, f"{text[:40]!r} found one passage more than once"
            assert await search(retriever, "fox", language="zz"), "an unknown language is no error"

    @run_async
    async def test_big_documents(self, tmp_path: Path) -> None:
        many = [f"Paragraph {number} about item{number}." for number in range(1500)]
        huge = "lorem ipsum " * 20_000 + "needle"
        async with self.open(tmp_path) as retriever:
            await index(retriever, [make_document("many", *many), make_document("huge", huge)])

            best = texts_of(await search(retriever, "item1234"))[:1]
            assert best == [many[1234]], "index every passage of a document that has many"
            found = texts_of(await search(retriever, "needle"))
            # Its vector is that of all its words, so that others may be nearer.
            is_found = huge in found if self.finds_by_meaning else found == [huge]
            assert is_found, "index a long passage to its last word"

    # --- documents are replaced and deleted as a whole --------------------------------------

    @run_async
    async def test_replacing_leaves_nothing_of_the_old(self, tmp_path: Path) -> None:
        old = make_document("a", "old fox one", "old fox two", "shared fox", version="1")
        new = make_document("a", "new fox", version="2")
        async with self.open(tmp_path) as retriever:
            await index(retriever, [old, make_document("b", "other fox")])
            await index(retriever, [new])

            found = sorted(texts_of(await search(retriever, "fox")))
            assert found == ["new fox", "other fox"], f"found {found}; {_WHOLE}"
            assert not await retriever.fetch(ids_of(old.passages), readable_by=ALL), _WHOLE
            assert await retriever.versions() == {"library:a": "2", "library:b": "1"}, _VERSIONS
            assert await retriever.sizes() == {"library:a": 1, "library:b": 1}, _SIZES

    @run_async
    async def test_a_passage_may_stay_the_same(self, tmp_path: Path) -> None:
        old = make_document("a", "kept fox", "dropped fox")
        new = IndexedDocument(id=old.id, version="2", title=old.title, passages=old.passages[:1])
        async with self.open(tmp_path) as retriever:
            await index(retriever, [old])
            await index(retriever, [new])
            await index(retriever, [new])

            found = texts_of(await search(retriever, "fox"))
            assert found == ["kept fox"], f"found {found}; {_WHOLE}"
            fetched = await retriever.fetch(ids_of(old.passages), readable_by=ALL)
            assert tuple(fetched) == new.passages, _WHOLE

    @run_async
    async def test_a_document_may_become_empty(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as retriever:
            await index(retriever, [make_document("a", "fox")])
            await index(retriever, [make_document("a", version="2")])

            assert not await search(retriever, "fox"), _WHOLE
            assert await retriever.versions() == {"library:a": "2"}, (
                "remember a document without text too, or each sync reads it again"
            )
            assert await retriever.sizes() == {"library:a": 0}, _SIZES

    @run_async
    async def test_deleted_means_gone(self, tmp_path: Path) -> None:
        gone = make_document("a", "fox one", "fox two")
        async with self.open(tmp_path) as retriever:
            await index(retriever, [gone, make_document("b", "fox three")])
            await retriever.delete([gone.id, "library:unknown"])
            await retriever.delete([])

            found = texts_of(await search(retriever, "fox"))
            assert found == ["fox three"], f"found {found}; {_GONE}"
            assert not await retriever.fetch(ids_of(gone.passages), readable_by=ALL), _GONE
            assert await retriever.versions() == {"library:b": "1"}, _VERSIONS

    @run_async
    async def test_deleted_can_come_back(self, tmp_path: Path) -> None:
        document = make_document("a", "fox")
        async with self.open(tmp_path) as retriever:
            await index(retriever, [document])
            await retriever.delete([document.id])
            await index(retriever, [document])

            found = texts_of(await search(retriever, "fox"))
            assert found == ["fox"], f"found {found}; a deleted document may be indexed again"

    @run_async
    async def test_identity_tells_every_change(self, tmp_path: Path) -> None:
        seen = []
        async with self.open(tmp_path) as retriever:
            seen.append(await retriever.identity())
            await index(retriever, [make_document("a", "fox")])
            seen.append(await retriever.identity())
            await index(retriever, [make_document("a", "dog", version="2")])
            seen.append(await retriever.identity())
            await retriever.delete(["library:a"])
            seen.append(await retriever.identity())
            await search(retriever, "fox")
            again = await retriever.identity()

        assert len(set(seen)) == len(seen), f"a change left the identity as it was: {seen}"
        assert again == seen[-1], "reading must not change the identity"

    @run_async
    async def test_what_was_indexed_outlives_the_process(self, tmp_path: Path) -> None:
        if not self.lasts:
            pytest.skip(f"not claimed: {self.name} keeps nothing after its process")
        document = rich_document()
        async with self.open(tmp_path) as retriever:
            await index(retriever, [document, make_document("b", "fox")])
            await retriever.delete(["library:b"])
            identity = await retriever.identity()
        async with self.open(tmp_path) as retriever:
            assert await retriever.identity() == identity, _KEPT
            assert await retriever.versions() == {document.id: document.version}, _KEPT
            assert await retriever.sizes() == {document.id: len(document.passages)}, _KEPT
            fetched = await retriever.fetch(ids_of(document.passages), readable_by=ALL)
            assert tuple(fetched) == document.passages, _KEPT
            assert await search(retriever, "r\u00e9sum\u00e9"), _KEPT
            await index(retriever, [make_document("c", "fox")])
            found = self._best(texts_of(await search(retriever, "fox")), 1)
            assert found == ["fox"], f"found {found}; an index that is opened again can be written"

    # --- what is there is read again ---------------------------------------------------------

    @run_async
    async def test_fetch_keeps_the_order_of_the_ids(self, tmp_path: Path) -> None:
        document = make_document("a", *(f"fox {number}" for number in range(12)))
        wanted = ids_of(document.passages)[::-1]
        async with self.open(tmp_path) as retriever:
            await index(retriever, [document])
            fetched = await retriever.fetch([*wanted[:5], "unknown", *wanted[5:]], readable_by=ALL)

        assert ids_of(fetched) == wanted, "give what is fetched in the order of the ids"
        assert all(passage.score == 0 for passage in fetched), "what is fetched has the score 0"

    @run_async
    async def test_a_part_of_a_document_is_read_again(self, tmp_path: Path) -> None:
        document = make_document("a", *(f"fox {number}" for number in range(12)))
        hidden = make_document("secret", "fox den", labels=["hr"])
        wanted = document.passages[3:6]
        start, end = wanted[0].end - 1, wanted[-1].start + 1
        async with self.open(tmp_path) as retriever:
            await index(retriever, [document, hidden, make_document("b", "fox b", "fox c")])
            found = await retriever.within(document.id, start=start, end=end, readable_by=ALL)
            between = await retriever.within(
                document.id, start=wanted[0].end, end=wanted[1].start, readable_by=ALL
            )
            unread = await retriever.within(hidden.id, start=0, end=100, readable_by=ALL)
            unknown = await retriever.within("library:unknown", start=0, end=9, readable_by=ALL)

        assert tuple(found) == wanted, (
            "`within` gives the passages of one document that have a character in [start, end), "
            "in the order of the text, with the score 0"
        )
        assert not [*between, *unread, *unknown], "`within` gives nothing else"

    # --- several at once ----------------------------------------------------------------------

    @run_async
    async def test_readers_see_each_document_whole(self, tmp_path: Path) -> None:
        versions = [
            make_document("a", *(f"beacon {part}" for part in range(2 + at % 5)), version=str(at))
            for at in range(25)
        ]
        whole = {frozenset(ids_of(version.passages)) for version in versions}
        async with self.open(tmp_path) as retriever:
            await index(retriever, [versions[0]])
            writing = asyncio.ensure_future(index_one_by_one(retriever, versions[1:]))
            seen = 0
            while not writing.done() or not seen:
                found = await search(retriever, "beacon", limit=50)
                assert frozenset(ids_of(found)) in whole, (
                    f"a reader saw {sorted(ids_of(found))}: half a document, two versions or none"
                )
                seen += 1
                # A retriever that waits for nothing would never let the writer run.
                await asyncio.sleep(0)
            await writing

            found = await search(retriever, "beacon", limit=50)
            assert set(ids_of(found)) == set(ids_of(versions[-1].passages)), _WHOLE

    @run_async
    async def test_calls_may_overlap(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as retriever:
            await asyncio.gather(
                *(retriever.index([make_document(f"d{at}", f"fox {at}")]) for at in range(12)),
                *(search(retriever, "fox") for _ in range(12)),
                retriever.delete(["library:unknown"]),
            )

            fix = "calls that overlap lose nothing"
            assert len(await retriever.versions()) == 12, fix
            assert len(await search(retriever, "fox", limit=50)) == 12, fix

    @run_async
    async def test_a_cancelled_write_leaves_no_half(self, tmp_path: Path) -> None:
        parts = [f"fox {part}" for part in range(300)]
        async with self.open(tmp_path) as retriever:
            writing = asyncio.ensure_future(retriever.index([make_document("a", *parts)]))
            await asyncio.sleep(0.005)
            writing.cancel()
            await asyncio.wait([writing])
            await index(retriever, [make_document("b", "fox b")])

            found = await search(retriever, "fox", limit=500)
            known = await retriever.versions()
            assert len(found) == (301 if "library:a" in known else 1), (
                "index a document whole or not at all, also when the call is cancelled"
            )
