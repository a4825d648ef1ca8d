"""What every retriever must do whose passages somebody else keeps, as tests."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, cast

from msgspec import Struct
from msgspec.structs import replace

from citewell.protocols import Retriever
from citewell.specs import RetrieverSpec
from citewell.testing.asking import ALL, ids_of, search, texts_of
from citewell.testing.documents import ODD_QUERIES
from citewell.testing.opening import find, opened, run_async
from citewell.types.documents import Passage
from citewell.types.questions import EVERYONE, Audience, Query

_LABELS = ("everyone", "hr", "legal team", 'quote"d', "équipe", None)


class Entry(Struct, frozen=True, kw_only=True):
    """A piece of text in somebody else's store.

    Attributes:
        label: of those who may read it; None where nobody may.
    """

    id: str
    text: str
    title: str = "An entry"
    label: str | None = EVERYONE


class FilledRetrieverContract:
    """Subclass it, say how others fill the store, and pytest tests your retriever.

    It is for a retriever whose spec says `filled`. Its store holds entries, each a document of its
    own, and `write` plays whoever keeps them.

    Attributes:
        name: under which a plugin that is installed offers the retriever.
    """

    name: ClassVar[str]

    def config(self, root: Path) -> Mapping[str, object]:
        """Return settings that make the retriever read what `write` wrote, labels included."""
        raise NotImplementedError("say with which settings the store in this folder is read")

    def prepare(self, root: Path) -> None:
        """Make an empty store in a folder that is there."""

    def write(self, root: Path, entries: Sequence[Entry]) -> None:
        """Add entries, or replace those that have the same id."""
        raise NotImplementedError("say how somebody writes entries into the store")

    def remove(self, root: Path, ids: Sequence[str]) -> None:
        """Take entries away."""
        raise NotImplementedError("say how somebody takes entries out of the store")

    @asynccontextmanager
    async def open(self, root: Path) -> AsyncIterator[Retriever]:
        """Open the retriever; override to build it otherwise."""
        config = self.config(root)
        spec = cast("RetrieverSpec[Any]", find("retriever", self.name))
        is_filled = spec.is_filled(spec.config.model_validate(dict(config)))
        assert is_filled, "say `filled=True` in the spec, or the program wants to fill it"
        async with opened("retriever", self.name, config, root) as retriever:
            yield retriever

    @asynccontextmanager
    async def _filled(self, root: Path, entries: Sequence[Entry] = ()) -> AsyncIterator[Retriever]:
        self.prepare(root)
        self.write(root, entries)
        async with self.open(root) as retriever:
            yield retriever

    # --- what is there is found --------------------------------------------------------------

    @run_async
    async def test_an_empty_store_has_nothing(self, tmp_path: Path) -> None:
        async with self._filled(tmp_path) as retriever:
            assert dict(await retriever.versions()) == {}, "an empty store has no versions"
            assert not await search(retriever, "fox"), "an empty store must find nothing"
            assert not await retriever.fetch(["x"], readable_by=ALL), "leave out unknown ids"
            assert isinstance(await retriever.identity(), str), "the identity is text"

    @run_async
    async def test_finds_what_others_wrote(self, tmp_path: Path) -> None:
        entries = _entries("The quick brown fox.", "A lazy dog.")
        async with self._filled(tmp_path, entries) as retriever:
            (found,) = await search(retriever, "Where is the quick fox?", limit=1)

            assert found.text == entries[0].text, "find passages by their words"
            assert found.title == entries[0].title, "a passage has the title of its entry"
            versions = await retriever.versions()
            assert len(versions) == 2, "`versions` names each entry once"
            assert found.document_id in versions, "a passage names a document of `versions`"
            assert await retriever.sizes() == dict.fromkeys(versions, 1), "one passage each"

    @run_async
    async def test_a_passage_knows_its_place(self, tmp_path: Path) -> None:
        text = "R\u00e9sum\u00e9\t36,413\r\n\u6771\u4eac \U0001f98a e\u0301  end"
        async with self._filled(tmp_path, _entries(text)) as retriever:
            (found,) = await search(retriever, "r\u00e9sum\u00e9 36,413")

        assert found.text == text, "give the text as it stands in the store, to the character"
        assert found.end - found.start == len(text), "`text` is `[start, end)` of the document"
        assert found.places[0].start == found.start, "the first place holds where it starts"

    @run_async
    async def test_one_matching_word_is_enough(self, tmp_path: Path) -> None:
        async with self._filled(tmp_path, _entries("Refunds take two weeks.")) as retriever:
            found = await search(retriever, "how long do refunds usually take for customers abroad")

        assert found, "a question holds words that no passage has; match any word, not all"

    @run_async
    async def test_best_first_and_never_more_than_the_limit(self, tmp_path: Path) -> None:
        texts = [f"Filler about the weather, number {number}." for number in range(30)]
        texts[17] = "Kangaroo pouch: how the kangaroo carries its young in the pouch."
        texts[23] = "The weather at the zoo, where a kangaroo was seen once, years ago, in rain."
        async with self._filled(tmp_path, _entries(*texts)) as retriever:
            found = await search(retriever, "kangaroo pouch weather", limit=10)

            assert found[0].text == texts[17], "the passage that holds more of the words is better"
            scores = [passage.score for passage in found]
            assert scores == sorted(scores, reverse=True), "scores must fall along the result"
            for limit in (0, 1, 3):
                best = await search(retriever, "kangaroo pouch weather", limit=limit)
                assert ids_of(best) == ids_of(found[:limit]), f"limit {limit}: not the best {limit}"

    @run_async
    async def test_same_question_same_answer(self, tmp_path: Path) -> None:
        async with self._filled(tmp_path, _entries(*["equal text here"] * 40)) as retriever:
            first = ids_of(await search(retriever, "equal text", limit=7))

            for _ in range(5):
                again = ids_of(await search(retriever, "equal text", limit=7))
                assert again == first, "break ties by something stable, such as the entry's id"

    @run_async
    async def test_odd_questions_are_safe(self, tmp_path: Path) -> None:
        async with self._filled(tmp_path, _entries("fox")) as retriever:
            for text in ODD_QUERIES:
                try:
                    found = await search(retriever, text)
                except Exception as error:
                    raise AssertionError(
                        f"{text[:40]!r} raised {error!r}; a question is text, not query syntax"
                    ) from error
                assert len(found) <= 1, f"{text[:40]!r} found one passage more than once"
            assert await search(retriever, "fox", language="zz"), "an unknown language is no error"

    # --- what others change -------------------------------------------------------------------

    @run_async
    async def test_a_change_shows_at_once(self, tmp_path: Path) -> None:
        entries = _entries("old fox", "other fox")
        async with self._filled(tmp_path, entries) as retriever:
            old, versions = await search(retriever, "fox"), await retriever.versions()
            self.write(tmp_path, [replace(entries[0], text="new fox")])
            now = await retriever.versions()

            found = sorted(texts_of(await search(retriever, "fox")))
            assert found == ["new fox", "other fox"], f"found {found}; search the store as it is"
            kept = texts_of(await retriever.fetch(ids_of(old), readable_by=ALL))
            assert kept == ["other fox"], "another text has another id: what changed is absent"
            assert now.keys() == versions.keys(), "a changed entry is the same document"
            assert len(now.items() - versions.items()) == 1, "what changed has another version"

    @run_async
    async def test_what_was_removed_is_gone(self, tmp_path: Path) -> None:
        entries = _entries("fox one", "fox two")
        async with self._filled(tmp_path, entries) as retriever:
            old = await search(retriever, "fox")
            self.remove(tmp_path, [entries[0].id])

            found = texts_of(await search(retriever, "fox"))
            assert found == ["fox two"], f"found {found}; search the store as it is"
            kept = texts_of(await retriever.fetch(ids_of(old), readable_by=ALL))
            assert kept == ["fox two"], "what is gone is absent"
            assert len(await retriever.versions()) == 1, "`versions` names what is there now"

    @run_async
    async def test_identity_tells_every_change(self, tmp_path: Path) -> None:
        (entry,) = _entries("fox")
        async with self._filled(tmp_path) as retriever:
            seen = [await retriever.identity()]
            self.write(tmp_path, [entry])
            seen.append(await retriever.identity())
            self.write(tmp_path, [replace(entry, text="dog")])
            seen.append(await retriever.identity())
            self.write(tmp_path, [replace(entry, text="dog", label="hr")])
            seen.append(await retriever.identity())
            await search(retriever, "fox")
            again = await retriever.identity()

        assert len(set(seen)) == len(seen), f"a change left the identity as it was: {seen}"
        assert again == seen[-1], "reading must not change the identity"

    # --- what is there is read again ----------------------------------------------------------

    @run_async
    async def test_fetch_keeps_the_order_of_the_ids(self, tmp_path: Path) -> None:
        entries = _entries(*(f"fox {number}" for number in range(12)))
        async with self._filled(tmp_path, entries) as retriever:
            found = (await search(retriever, "fox", limit=12))[::-1]
            wanted = ids_of(found)
            fetched = await retriever.fetch([*wanted[:5], "unknown", *wanted[5:]], readable_by=ALL)

        assert len(found) == 12, "every passage has an id of its own"
        assert list(fetched) == [replace(one, score=0.0) for one in found], (
            "`fetch` gives the passages that were found, in the order of the ids, with the score 0"
        )

    @run_async
    async def test_a_part_of_a_document_is_read_again(self, tmp_path: Path) -> None:
        entries = [*_entries("fox one", "fox two"), Entry(id="90", text="fox den", label="hr")]
        async with self._filled(tmp_path, entries) as retriever:
            hr = Audience.of("hr")
            (one,) = await search(retriever, "one")
            (den,) = await retriever.retrieve(Query(text="den"), limit=1, readable_by=hr)
            end = one.end

            async def within(document: str, start: int, end: int) -> list[Passage]:
                read = retriever.within(document, start=start, end=end, readable_by=ALL)
                return list(await read)

            whole = await within(one.document_id, end - 1, end + 9)
            others = [
                *await within(one.document_id, end, end + 9),
                *await within(den.document_id, 0, 99),
                *await within("unknown", 0, 99),
            ]

        assert whole == [replace(one, score=0.0)], "`within` gives what stands in [start, end)"
        assert not others, "`within` gives nothing else, and nothing that may not be read"

    # --- nobody gets what they may not read ---------------------------------------------------

    @run_async
    async def test_nobody_gets_what_a_reader_may_not_read(self, tmp_path: Path) -> None:
        choose = random.Random(7)
        entries = [
            Entry(id=str(number), text=f"fox number {number}", label=choose.choice(_LABELS))
            for number in range(1, 121)
        ]
        names = [*filter(None, _LABELS), "unused"]
        everything: set[str] = set()
        async with self._filled(tmp_path, entries) as retriever:
            for label in filter(None, _LABELS):
                found = await retriever.retrieve(
                    Query(text="fox"), limit=len(entries), readable_by=Audience.of(label)
                )
                everything.update(ids_of(found))
            for _ in range(40):
                audience = Audience(
                    frozenset(
                        frozenset(choose.sample(names, choose.randint(0, 3)))
                        for _ in range(choose.randint(0, 3))
                    )
                )
                readable = sorted(one.text for one in entries if _may_read(audience, one))
                found = await retriever.retrieve(
                    Query(text="fox"), limit=len(entries), readable_by=audience
                )
                fetched = await retriever.fetch(sorted(everything), readable_by=audience)

                assert sorted(texts_of(found)) == readable, f"retrieve is wrong for {audience}"
                assert sorted(texts_of(fetched)) == readable, f"fetch is wrong for {audience}"

    @run_async
    async def test_unreadable_entries_take_no_place_in_the_result(self, tmp_path: Path) -> None:
        public = _entries(
            "Somewhere in this long text number 1 a fox is met.",
            "Somewhere in this long text number 2 a fox is met.",
        )
        secret = [
            Entry(id=str(100 + at), text=f"fox fox fox den {at}", label="hr") for at in range(400)
        ]
        async with self._filled(tmp_path, [*public, *secret]) as retriever:
            found = await search(retriever, "fox den", limit=2)

        expected = [one.text for one in public]
        assert sorted(texts_of(found)) == expected, "filter by reader before ranking, not after"

    @run_async
    async def test_unreadable_entries_change_no_order(self, tmp_path: Path) -> None:
        public = _entries(
            *("The zebra policy is old.", "The yak policy is new.", "The yak policy is late."),
            *(f"Lunch on day{day} is soup." for day in range(5)),
        )
        secret = [
            Entry(id=str(100 + at), text=f"The zebra plan{at} is old.", label="hr")
            for at in range(100)
        ]
        asked = [(text, limit) for text in ("zebra yak", "old policy zebra") for limit in (1, 2, 9)]
        async with self._filled(tmp_path, public) as retriever:

            async def answers() -> list[list[str]]:
                return [ids_of(await search(retriever, text, limit=limit)) for text, limit in asked]

            before = await answers()
            self.write(tmp_path, secret)
            beside = await answers()

        assert beside == before, (
            "unreadable passages changed the order of the others; weigh a word by how rare it is "
            "among the passages that the audience may read"
        )

    @run_async
    async def test_new_labels_hold_at_once(self, tmp_path: Path) -> None:
        (entry,) = _entries("fox")
        async with self._filled(tmp_path, [entry]) as retriever:
            ids = ids_of(await search(retriever, "fox"))
            self.write(tmp_path, [replace(entry, label="hr")])

            fix = "labels are those of the store now, also where the text stays"
            assert not await search(retriever, "fox"), fix
            assert not await retriever.fetch(ids, readable_by=ALL), fix


def _entries(*texts: str) -> list[Entry]:
    return [Entry(id=str(number), text=text) for number, text in enumerate(texts, 1)]


def _may_read(audience: Audience, entry: Entry) -> bool:
    return audience.may_read(frozenset({entry.label} if entry.label else ()))
