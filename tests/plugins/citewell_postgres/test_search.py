import random

import pytest

from citewell import Audience, IndexedDocument, Query
from citewell.testing.asking import ALL
from citewell.testing.documents import make_document
from citewell_postgres import search
from lexical import found
from postgres_index import opened_at

# From a word in nearly every passage to one in hardly any.
WORDS = [f"{letter}word" for letter in "abcdefghijklmnop"]
WEIGHTS = [2.0**-rank for rank in range(len(WORDS))]


def documents(chance, number):
    for at in range(number):
        text = " ".join(chance.choices(WORDS, WEIGHTS, k=chance.randint(1, 30)))
        title = chance.choices(WORDS, WEIGHTS)[0] if at % 3 == 0 else f"d{at}"
        labels = ("team",) if at % 4 == 0 else ("everyone",)
        made = make_document(f"d{at}", text, labels=labels)
        yield IndexedDocument(id=made.id, version="1", title=title, passages=made.passages)


def ranked(passages):
    return [(round(one.score, 3), one.id) for one in passages]


@pytest.mark.parametrize("limit", [1, 3, 40])
async def test_leaving_frequent_words_for_last_changes_no_result(place, monkeypatch, limit):
    """A law: the shortcut may only be faster."""
    chance = random.Random(limit)
    made = list(documents(chance, 300))
    questions = {" ".join(chance.sample(WORDS, chance.randint(1, 5))) for _ in range(40)}
    async with opened_at(**place) as retriever:
        await retriever.index(made)
        await retriever.delete([one.id for one in made[100:150]])

        results = {}
        for candidates in (1, 1_000_000):
            monkeypatch.setattr(search, "_FIRST_CANDIDATES", candidates)
            for text in questions:
                for audience in (ALL, Audience.of("everyone", "team")):
                    passages = await found(retriever, text, limit=limit, readable_by=audience)
                    results.setdefault((text, audience), []).append(ranked(passages))

    for quick, whole in results.values():
        assert quick == whole


async def test_a_word_is_met_in_its_other_forms_by_the_rules_of_its_language(place):
    async with opened_at(**place) as retriever:
        await retriever.index([
            make_document("en", "The houses were painted."),
            make_document("de", "Die H\u00e4user wurden gestrichen.", language="de"),
            make_document("fr", "Les maisons \u00e9taient d\u00e9j\u00e0 peintes.", language="fr"),
            make_document("ja", "\u6771\u4eac\u306e\u65c5\u884c", language="ja"),
        ])

        for text, names in (
            ("painting a house", ["en"]),
            ("Haus streichen gestrichene", ["de"]),
            ("maison", ["fr"]),
            ("deja peinte", ["fr"]),
            ("\u6771\u4eac", ["ja"]),
        ):
            passages = await found(retriever, text)
            assert [one.title for one in passages] == names, text


async def test_a_question_in_another_language_is_looked_for_everywhere(place):
    async with opened_at(**place) as retriever:
        await retriever.index([make_document("de", "Die Versicherung zahlt.", language="de")])

        query = Query(text="Versicherungen", language="en")
        passages = await retriever.retrieve(query, limit=5, readable_by=ALL)

    assert [one.title for one in passages] == ["de"]


async def test_words_that_say_nothing_are_dropped_unless_there_is_nothing_else(place):
    async with opened_at(**place) as retriever:
        await retriever.index([
            make_document("who", "The Who are a band."),
            make_document("plain", "Bread and butter."),
        ])

        assert [one.title for one in await found(retriever, "what about the butter")] == ["plain"]
        assert [one.title for one in await found(retriever, "who are they")] == ["who"]


async def test_numbers_are_met_with_and_without_separators(place):
    async with opened_at(**place) as retriever:
        await retriever.index([
            make_document("a", "Net sales of 36,413 million."),
            make_document("b", "Net sales of 36413 units."),
            make_document("c", "Other sales."),
        ])

        for text in ("36413", "36,413", "36'413"):
            best = [one.title for one in (await found(retriever, text))[:2]]
            assert sorted(best) == ["a", "b"]


async def test_what_postgresql_cannot_hold_comes_back_exactly(place):
    odd = "nul\0 half\ud83d pair\udc00 sub\x1a \x1a0000 end"
    document = make_document(f"odd{odd}", odd, "plain fox", version=odd, labels=[odd, "everyone"])
    async with opened_at(**place) as retriever:
        await retriever.index([document])

        ids = [one.id for one in document.passages]
        assert tuple(await retriever.fetch(ids, readable_by=ALL)) == document.passages
        assert await retriever.versions() == {document.id: odd}
        assert await retriever.sizes() == {document.id: 2}
        assert [one.text for one in await found(retriever, odd, limit=1)] == [odd]
        within = await retriever.within(document.id, start=0, end=1, readable_by=ALL)
        assert tuple(within) == document.passages[:1]
        only_odd = Audience.of(odd)
        assert len(await found(retriever, "fox", readable_by=only_odd)) == 1
        await retriever.delete([document.id])
        assert await retriever.versions() == {}


async def test_a_passage_with_more_words_than_fit_is_still_kept_and_found(place):
    text = " ".join(f"word{number}" for number in range(20_000)) + " needle needle"
    async with opened_at(**place) as retriever:
        await retriever.index([make_document("long", text)])

        assert [one.text for one in await found(retriever, "needle")] == [text]


async def test_nothing_of_a_deleted_document_stays_in_any_table(place):
    async with opened_at(**place) as retriever:
        await retriever.index([make_document("a", "fox den", "fox"), make_document("b", "fox")])
        await retriever.index([make_document("a", "badger", version="2")])
        await retriever.delete(["library:a", "library:b"])

        async with retriever._database.alone() as connection:
            for table in ("documents", "passages", "words", "lists"):
                rows = await connection.execute(f"SELECT count(*) FROM {table}")
                assert await rows.fetchone() == (0,), table
            rows = await connection.execute("SELECT sum(passages) FROM shelves")
            assert await rows.fetchone() == (0,)
