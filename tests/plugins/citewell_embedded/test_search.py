import random

import pytest
from msgspec.structs import replace

from citewell import Audience, IndexedDocument, Passage, Place, Placed, Query
from citewell_embedded import reader, view
from lexical import document, found, opened

# From a word in nearly every passage to one in hardly any.
WORDS = [f"{letter}word" for letter in "abcdefghijklmnop"]
WEIGHTS = [2.0**-rank for rank in range(len(WORDS))]


def passage(name, text, *, title="", labels=("everyone",)):
    return Passage(
        id=name,
        document_id=f"library:{name}",
        title=title,
        text=text,
        start=0,
        end=len(text),
        places=(Placed(0, Place(line=1)),),
        labels=frozenset(labels),
    )


def documents(chance, number):
    for at in range(number):
        text = " ".join(chance.choices(WORDS, WEIGHTS, k=chance.randint(1, 30)))
        title = chance.choices(WORDS, WEIGHTS)[0] if at % 3 == 0 else ""
        labels = ("team",) if at % 4 == 0 else ("everyone",)
        made = passage(f"p{at}", text, title=title, labels=labels)
        yield IndexedDocument(id=made.document_id, version="1", title=title, passages=(made,))


def ranked(passages):
    """Return ids by score; the last digits depend on the order of addition."""
    return sorted((-round(one.score, 3), one.id) for one in passages)


@pytest.fixture(params=[1, 2])
async def retriever(tmp_path, request):
    made = list(documents(random.Random(request.param), 600))
    async with opened(tmp_path) as opened_retriever:
        await opened_retriever.index(made[:450])
        await opened_retriever.index(made[450:])
        # What is deleted still counts in the statistics until the index lets go of it.
        await opened_retriever.delete([one.id for one in made[100:250]])
        yield opened_retriever


@pytest.mark.parametrize("limit", [1, 3, 40])
async def test_leaving_frequent_words_for_last_changes_no_result(retriever, monkeypatch, limit):
    """A law: the shortcut may only be faster."""
    shortcut = view.IndexView._hits_of_rare
    taken = []

    def noted(*arguments):
        hits = shortcut(*arguments)
        taken.append(hits is not None)
        return hits

    monkeypatch.setattr(view.IndexView, "_hits_of_rare", noted)
    monkeypatch.setattr(view, "_LOOK_UP", 0)
    chance = random.Random(limit)
    for turn in range(80):
        audience = Audience.of("everyone", "team") if turn % 2 else Audience.of("everyone")
        question = " ".join(chance.sample(WORDS, chance.randint(1, 6)))
        monkeypatch.setattr(view, "FREQUENT", 1)
        quick = await found(retriever, question, limit=limit, readable_by=audience)
        monkeypatch.setattr(view, "FREQUENT", 10**9)
        full = await found(retriever, question, limit=limit, readable_by=audience)
        assert ranked(quick) == ranked(full), question
    assert any(taken)


async def test_a_short_passage_on_a_frequent_word_beats_long_ones_with_a_rare_word(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(view, "FREQUENT", 10)
    monkeypatch.setattr(view, "_LOOK_UP", 0)
    filler = "filler " * 50
    made = [
        *(passage(f"short{at}", "harbour") for at in range(20)),
        *(passage(f"long{at}", f"zebra {filler * (at + 1)}") for at in range(19)),
        *(passage(f"other{at}", "nothing of that") for at in range(60)),
    ]
    async with opened(tmp_path) as retriever:
        await retriever.index([
            IndexedDocument(id=one.document_id, version="1", title="", passages=(one,))
            for one in made
        ])
        best = await found(retriever, "harbour zebra", limit=1)

    assert best[0].text == "harbour"


def even(chance, number, *, labels):
    """Return documents of equal length: what is average is then the same in every mixture."""
    weights = [chance.random() ** 3 for _ in WORDS]
    for at in range(number):
        text = " ".join(chance.choices(WORDS, weights, k=8))
        title = " ".join(chance.choices(WORDS, weights, k=2))
        made = passage(f"{min(labels)}{at}", text, title=title, labels=labels)
        yield IndexedDocument(id=made.document_id, version="1", title=title, passages=(made,))


@pytest.mark.parametrize("seed", range(3))
async def test_what_may_not_be_read_changes_no_score(tmp_path, monkeypatch, seed):
    """A law: the best passages are those of an index without the others."""
    monkeypatch.setattr(view, "FREQUENT", 40)
    monkeypatch.setattr(view, "_MAX_QUERY_TERMS", 5)
    monkeypatch.setattr(view, "_MAX_COUNTS", 8)
    monkeypatch.setattr(view, "_MAX_SHARES", 1)
    chance = random.Random(seed)
    public = list(even(chance, 120, labels=("everyone",)))
    gone = list(even(chance, 150, labels=("old",)))
    secret = list(even(chance, 300, labels=("team",)))
    team = list(even(chance, 60, labels=("everyone", "team")))
    reader = Audience.of("everyone")
    async with opened(tmp_path / "alone") as alone, opened(tmp_path / "beside") as beside:
        await alone.index([*public, *team])
        for documents_ in (gone, public, secret, team):
            await beside.index(documents_)
        await beside.delete([one.id for one in gone])
        for limit in (1, 5, 30):
            for _ in range(40):
                question = " ".join(chance.sample(WORDS, chance.randint(1, 8)))
                expected = await found(alone, question, limit=limit, readable_by=reader)
                await found(beside, question, readable_by=Audience.of("team"))
                ours = await found(beside, question, limit=limit, readable_by=reader)

                scores = [one.score for one in expected]
                assert [one.score for one in ours] == pytest.approx(scores, rel=1e-3), question


async def test_a_language_of_others_hides_nothing(tmp_path):
    secret = replace(passage("secret", "Urlaub", labels=["team"]), language="de")
    made = [replace(passage("public", "zebra leave"), language="en"), secret]
    async with opened(tmp_path) as retriever:
        await retriever.index([
            IndexedDocument(id=one.document_id, version="1", title="", passages=(one,))
            for one in made
        ])
        best = await retriever.retrieve(
            Query(text="zebra urlaub", language="de"), limit=5, readable_by=Audience.of("everyone")
        )
        theirs = await retriever.retrieve(
            Query(text="zebra urlaub", language="de"), limit=5, readable_by=Audience.of("team")
        )

    assert [one.id for one in best] == ["public"]
    assert [one.id for one in theirs] == ["secret"]


async def test_what_is_left_is_found_behind_whatever_was_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "_MAX_TIED", 40)
    small = passage("small", "a long text that mentions the beacon once among many other words")
    big = [passage(f"big{at}", "beacon beacon") for at in range(300)]
    async with opened(tmp_path) as retriever:
        await retriever.index([
            IndexedDocument(id=small.document_id, version="1", title="", passages=(small,)),
            IndexedDocument(id="library:big", version="1", title="", passages=tuple(big)),
        ])
        await retriever.delete(["library:big"])

        assert [one.id for one in await found(retriever, "beacon", limit=5)] == ["small"]


async def test_a_reader_forgets_what_the_index_has_let_go_of(tmp_path, monkeypatch):
    async with opened(tmp_path) as reading, opened(tmp_path) as writing:
        await writing.index([document("kept", 1), document("gone", 1)])
        await writing.delete(["library:gone"])
        await found(reading, "beacon")
        identity = await reading.identity()
        await writing.close()
        hits = []
        search = view.IndexView.search
        monkeypatch.setattr(
            view.IndexView,
            "search",
            lambda *one, **two: hits.append(search(*one, **two)) or hits[-1],
        )

        assert len(await found(reading, "beacon", limit=100)) == 3
        assert len(hits[-1]) == 3
        assert await reading.identity() == identity


async def test_who_is_one_of_very_many_readers_finds_their_passage(tmp_path):
    people = [f"person{at:05}@company.example" for at in range(2500)]
    made = [
        passage("gone", "beacon of yore", labels=people),
        passage("theirs", "beacon of hope", labels=people),
        passage("others", "beacon of light"),
    ]
    async with opened(tmp_path) as retriever:
        await retriever.index([
            IndexedDocument(id=one.document_id, version="1", title="", passages=(one,))
            for one in made
        ])
        await retriever.delete(["library:gone"])
        one_of_them = Audience.of(people[7])

        assert [one.id for one in await found(retriever, "beacon", readable_by=one_of_them)] == [
            "theirs"
        ]
        assert [one.id for one in await found(retriever, "beacon")] == ["others"]

        await retriever.delete(["library:theirs"])
        assert await found(retriever, "beacon", readable_by=one_of_them) == []


async def test_half_a_character_is_an_unknown_language(tmp_path):
    odd = replace(passage("odd", "zebra leave"), language="\ud800")
    async with opened(tmp_path) as retriever:
        await retriever.index([
            IndexedDocument(id=odd.document_id, version="1", title="", passages=(odd,))
        ])
        (best,) = await retriever.retrieve(
            Query(text="zebra", language="\ud800"), limit=5, readable_by=Audience.of("everyone")
        )
        (fetched,) = await retriever.fetch(["odd"], readable_by=Audience.of("everyone"))

    assert best.id == "odd"
    assert fetched == odd
