"""What every retriever must do so that nobody reads what they may not, as tests."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from citewell.protocols import Retriever
from citewell.testing.asking import ALL, ids_of, index, search, texts_of
from citewell.testing.documents import make_document
from citewell.testing.opening import run_async
from citewell.types.documents import Labels
from citewell.types.questions import Audience, Query


class ReadersContract(ABC):
    """The part of `RetrieverContract` that is about readers."""

    @abstractmethod
    def open(self, folder: Path) -> AbstractAsyncContextManager[Retriever]:
        """Open the retriever with its data in `folder`."""

    @run_async
    async def test_nobody_gets_what_a_reader_may_not_read(self, tmp_path: Path) -> None:
        choose = random.Random(7)
        names = ["everyone", "hr", "legal team", "a,b", 'quote"d', "\u00e9quipe"]
        documents = [
            make_document(f"d{number}", f"fox number {number}", labels=_some(choose, names))
            for number in range(120)
        ]
        passages = [passage for document in documents for passage in document.passages]
        async with self.open(tmp_path) as retriever:
            await index(retriever, documents)
            for _ in range(40):
                readers = [_some(choose, [*names, "unused"]) for _ in range(choose.randint(0, 3))]
                audience = Audience(frozenset(readers))
                readable = {p.id for p in passages if audience.may_read(p.labels)}
                found = await retriever.retrieve(
                    Query(text="fox"), limit=len(passages), readable_by=audience
                )
                fetched = await retriever.fetch(ids_of(passages), readable_by=audience)

                assert set(ids_of(found)) == readable, f"retrieve is wrong for {audience}"
                assert set(ids_of(fetched)) == readable, f"fetch is wrong for {audience}"

    @run_async
    async def test_unreadable_passages_take_no_place_in_the_result(self, tmp_path: Path) -> None:
        secret = [f"fox fox fox den {number}" for number in range(400)]
        public = [f"Somewhere in this long text number {number} a fox is met." for number in (1, 2)]
        async with self.open(tmp_path) as retriever:
            await index(
                retriever,
                [
                    make_document("secret", *secret, labels=["hr"]),
                    make_document("public", *public),
                ],
            )

            found = await search(retriever, "fox den", limit=2)
            assert sorted(texts_of(found)) == public, "filter by reader before ranking, not after"

    @run_async
    async def test_unreadable_passages_change_no_order(self, tmp_path: Path) -> None:
        public = [
            make_document("alpha", "The zebra policy is old."),
            make_document("beta", "The yak policy is new."),
            make_document("gamma", "The yak policy is late."),
            *(make_document(f"menu{day}", f"Lunch on day{day} is soup.") for day in range(5)),
        ]
        # As long as the others: how long a passage is may weigh too.
        secret = make_document(
            "secret", *(f"The zebra plan{number} is old." for number in range(100)), labels=["hr"]
        )
        asked = [(text, limit) for text in ("zebra yak", "old policy zebra") for limit in (1, 2, 9)]

        async def answers() -> list[list[str]]:
            return [ids_of(await search(retriever, text, limit=limit)) for text, limit in asked]

        async with self.open(tmp_path) as retriever:
            await index(retriever, public)
            before = await answers()
            await index(retriever, [secret])
            beside = await answers()
            await retriever.delete([secret.id])
            after = await answers()

        fix = "weigh a word by how rare it is among the passages that the audience may read"
        assert beside == before, f"unreadable passages changed the order of the others; {fix}"
        assert after == before, f"deleted unreadable passages still change the order; {fix}"

    @run_async
    async def test_new_labels_hold_at_once(self, tmp_path: Path) -> None:
        document = make_document("a", "fox")
        closed = make_document("a", "fox", version="2", labels=["hr"])
        async with self.open(tmp_path) as retriever:
            await index(retriever, [document])
            await index(retriever, [closed])

            ids = ids_of([*document.passages, *closed.passages])
            fix = "labels are those of the last `index`, also where the text stays"
            assert not await search(retriever, "fox"), fix
            assert not await retriever.fetch(ids, readable_by=ALL), fix


def _some(choose: random.Random, names: Sequence[str]) -> Labels:
    return frozenset(choose.sample(names, choose.randint(0, 3)))
