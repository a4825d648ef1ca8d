"""A setting that says how words are stored, changed once words are there."""

import asyncio

import pytest

from citewell import StoreError
from citewell.noticing import listening
from citewell.testing.documents import make_document
from citewell_postgres.writer import Writer
from lexical import found
from postgres_index import FIRST, indexed, opened_at

WALKS = make_document("walks", "She walks every day.")
GEHT = make_document("geht", "Sie lief durch die H\u00e4user.", language="de")


async def titles(retriever, text):
    """Return what is found, and what is said about it."""
    with listening() as notices:
        passages = await found(retriever, text)
    return [one.title for one in passages], [one.detail for one in notices]


@pytest.mark.parametrize("embedders", [None, FIRST])
async def test_words_are_found_as_they_were_until_a_sync_stores_them_anew(place, embedders):
    async with opened_at(**place, embedders=embedders) as retriever:
        await indexed(retriever, [WALKS, GEHT])
        assert (await titles(retriever, "walking"))[0][0] == "walks"
    async with opened_at(**place, embedders=embedders, stemming=False) as retriever:
        meanwhile, notices = await titles(retriever, "walking")
        assert meanwhile[0] == "walks"
        assert notices == [
            'words of "main" are found as before "stemming" was changed; run: citewell sync'
        ]
        before = await retriever.identity()
        # A sync that has nothing new.
        await indexed(retriever, [])

        if embedders is None:
            assert await titles(retriever, "walking") == ([], [])
        assert (await titles(retriever, "walks"))[0][0] == "walks"
        assert await retriever.identity() != before
    async with opened_at(**place, embedders=embedders) as retriever:
        await indexed(retriever, [make_document("talks", "He talks.")])

        assert (await titles(retriever, "walking"))[0][0] == "walks"
        assert (await titles(retriever, "talking"))[0][0] == "talks"
        assert (await titles(retriever, "Haus"))[0][0] == "geht"
        assert (await titles(retriever, "walking"))[1] == []


async def test_words_stored_anew_are_those_of_a_new_index(place, new_url):
    many = [
        make_document(f"d{n}", f"foxes jumped over {n} dogs", labels=[f"l{n % 3}"])
        for n in range(50)
    ]
    async with opened_at(**place) as retriever:
        await retriever.index(many)
    async with (
        opened_at(**place, stemming=False) as retriever,
        opened_at(new_url, stemming=False) as other,
    ):
        await retriever.index([])
        await other.index(many)

        assert await stored(retriever) == await stored(other)


async def stored(retriever):
    """Return all that is stored of words."""
    words = (
        "SELECT documents.id, words.shelf, lists, weights::text FROM words "
        "JOIN passages ON passages.key = passage JOIN documents ON documents.key = document"
    )
    lists = "SELECT key, passages, ceiling FROM lists"
    async with retriever._database.alone() as connection:
        return [
            sorted(await (await connection.execute(query)).fetchall()) for query in (words, lists)
        ]


async def test_who_asks_while_words_are_stored_anew_finds_by_those_before(place, monkeypatch):
    async with opened_at(**place) as retriever:
        await retriever.index([WALKS])
    stems_of, may_go_on, is_begun = Writer._stems_of, asyncio.Event(), asyncio.Event()

    async def slowly(self, passages):
        is_begun.set()
        await may_go_on.wait()
        return await stems_of(self, passages)

    async with opened_at(**place, stemming=False) as retriever:
        with monkeypatch.context() as patch:
            patch.setattr(Writer, "_stems_of", slowly)
            rewording = asyncio.ensure_future(retriever.index([]))
            await is_begun.wait()
            assert (await titles(retriever, "walking"))[0] == ["walks"]
            may_go_on.set()
            await rewording
        assert (await titles(retriever, "walking"))[0] == []


async def test_words_that_cannot_be_stored_anew_stay_as_they_were(place, monkeypatch):
    async with opened_at(**place) as retriever:
        await retriever.index([WALKS])

    async def fails(self, passages):
        raise StoreError("the server is gone")

    async with opened_at(**place, stemming=False) as retriever:
        with monkeypatch.context() as patch:
            patch.setattr(Writer, "_stems_of", fails)
            with pytest.raises(StoreError, match="is gone"):
                await retriever.index([])
        assert (await titles(retriever, "walking"))[0] == ["walks"]
        await retriever.index([])
        assert (await titles(retriever, "walking"))[0] == []


async def test_a_deletion_does_not_store_words_anew_first(place, monkeypatch):
    async with opened_at(**place) as retriever:
        await retriever.index([WALKS, GEHT])

    async def fails(self):
        raise StoreError("not now")

    monkeypatch.setattr(Writer, "reword", fails)
    async with opened_at(**place, stemming=False) as retriever:
        await retriever.delete([WALKS.id])

        assert await retriever.versions() == {GEHT.id: "1"}
        assert (await titles(retriever, "walking Haus"))[0] == ["geht"]
