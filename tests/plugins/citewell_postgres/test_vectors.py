import asyncio

import pytest
from msgspec.structs import replace

from citewell import Audience, ModelError, Query, StoreError, asking, following
from citewell.noticing import listening
from citewell.testing.asking import ALL
from citewell.testing.documents import make_document
from citewell.testing.embedding import ScriptedEmbedder
from citewell_postgres import reader, vector_sets, vectors
from lexical import found
from postgres_index import FAILING, FIRST, SECOND, GivenEmbedders, ignore, indexed, opened_at

FOX = make_document("fox", "The quick brown fox.")
DOG = make_document("dog", "A lazy dog.")
PLAIN = {
    "search by meaning is off at the moment; only words were looked for",
    "some documents are searched by their words alone at the moment",
}
"""All that people in a chat read of what is amiss."""


async def told(retriever, text="lazy animal"):
    """Return what is found, and what is said about it."""
    with listening() as notices:
        passages = await found(retriever, text)
    assert {one.text for one in notices} <= PLAIN
    return [one.title for one in passages], [one.detail for one in notices]


async def counted(retriever):
    """Return how many vectors each set has."""
    async with retriever._database.alone() as connection:
        return {
            one.embedder: await _count(connection, one)
            for one in await vector_sets.sets(connection)
        }


async def _count(connection, one):
    rows = await connection.execute(f"SELECT count(*) FROM vectors_{one.id}")
    return (await rows.fetchone())[0]


async def test_vectors_find_what_shares_no_word(place):
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, [FOX, DOG])

        titles, notices = await told(retriever)
        by_words, by_vectors = await retriever.halves(
            Query(text="lazy animal"), limit=5, readable_by=ALL
        )

    assert titles == ["dog", "fox"]
    assert notices == []
    assert [one.title for one in by_words] == ["dog"]
    assert [one.title for one in by_vectors] == ["dog", "fox"]
    assert -1 <= by_vectors[1].score < by_vectors[0].score <= 1.001


async def test_vectors_of_another_embedder_are_never_compared_with(place):
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, [FOX, DOG])
    async with opened_at(**place, embedders=SECOND) as retriever:
        titles, notices = await told(retriever)

        assert titles == ["dog"]
        assert len(notices) == 1
        assert "run: citewell reindex main" in notices[0]
        with pytest.raises(StoreError, match="another embedder"):
            await retriever.halves(Query(text="dog"), limit=5, readable_by=ALL)
        await indexed(retriever, [make_document("cat", "A lazy cat.")])
        assert await counted(retriever) == {"scripted 256 0": 2}


async def test_what_a_question_lacks_is_said_also_where_nothing_is_found(place):
    async with opened_at(**place, embedders=FIRST) as retriever:
        await retriever.index([FOX])
    async with opened_at(**place, embedders=SECOND) as retriever:
        titles, notices = await told(retriever, "unheard")

    assert titles == []
    assert "run: citewell reindex main" in notices[0]


async def test_an_empty_index_lacks_nothing(place):
    async with opened_at(**place, embedders=FIRST) as retriever:
        assert await told(retriever) == ([], [])


async def test_reindex_makes_the_vectors_of_the_present_embedder(place):
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, [FOX, DOG])
    async with opened_at(**place, embedders=SECOND) as retriever:
        before = await retriever.identity()
        progress = []
        await retriever.reindex(lambda done, of: progress.append((done, of)))

        assert progress[0] == (0, 2)
        assert progress[-1] == (2, 2)
        assert await told(retriever) == (["dog", "fox"], [])
        assert await counted(retriever) == {"scripted 128 1": 2, "scripted 256 0": 2}
        assert await retriever.identity() != before


async def test_reindex_goes_on_where_it_was_interrupted(place):
    many = [make_document(f"d{number}", f"fox {number}") for number in range(600)]
    async with opened_at(**place) as retriever:
        await indexed(retriever, many)
    soon = GivenEmbedders({"vectors": {"texts": 300}})
    async with opened_at(**place, embedders=soon) as retriever:
        with pytest.raises(ModelError, match="fails, as it shall"):
            await retriever.reindex(ignore)
        assert await counted(retriever) == {"scripted 256 0": 256}
        titles, notices = await told(retriever, "fox")
        assert titles
        assert "run: citewell reindex main" in notices[0]
    async with opened_at(**place, embedders=FIRST) as retriever:
        progress = []
        await retriever.reindex(lambda done, of: progress.append((done, of)))

        assert progress[0] == (256, 600)
        assert await counted(retriever) == {"scripted 256 0": 600}
        assert (await told(retriever, "fox"))[1] == []


async def test_the_vectors_before_stay_in_use_where_the_new_ones_are_refused(place):
    """As `citewell reindex --embedder` does it: the settings stay, and so must what they name."""
    async with opened_at(**place, embedders=FIRST) as before:
        await indexed(before, [FOX, DOG])
        async with opened_at(**place, embedders=SECOND) as after:
            await after.reindex(ignore)

            assert await told(after) == (["dog", "fox"], [])
            assert await told(before) == (["dog", "fox"], [])
        await indexed(before, [make_document("cat", "A lazy cat.")])
        titles, notices = await told(before)

    assert set(titles) == {"dog", "fox", "cat"}
    assert notices == []


async def test_a_set_that_is_being_filled_is_not_used(place):
    many = [make_document(f"d{number}", f"fox {number}") for number in range(200)]
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, many)
    soon = GivenEmbedders({"vectors": {"seed": 1, "dimension": 128, "texts": 100}})
    async with opened_at(**place, embedders=soon) as retriever:
        with pytest.raises(ModelError, match="fails, as it shall"):
            await retriever.reindex(ignore)

        assert (await counted(retriever))["scripted 128 1"] == 64
        assert "another embedder" in (await told(retriever, "fox"))[1][0]
    async with opened_at(**place, embedders=FIRST) as retriever:
        assert (await told(retriever, "fox"))[1] == []


async def test_vectors_that_nobody_needs_are_forgotten(place):
    third = GivenEmbedders({"vectors": {"seed": 2, "dimension": 64}})
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, [FOX, DOG])
    for embedders in (SECOND, third):
        async with opened_at(**place, embedders=embedders) as retriever:
            await retriever.reindex(ignore)
    async with opened_at(**place, embedders=SECOND) as retriever:
        assert (await told(retriever))[1] == []
        assert set(await counted(retriever)) == {"scripted 128 1", "scripted 64 2"}
        async with retriever._database.alone() as connection:
            rows = await connection.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = %s AND tablename ~ '^vectors_'",
                [place["schema"]],
            )
            assert await rows.fetchone() == (2,)


async def test_vectors_that_are_forgotten_while_they_are_looked_for_leave_the_words(
    place, monkeypatch
):
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, [FOX, DOG])
        nearest = reader.nearest

        async def forgotten_before(connection, asked, share, limit):
            async with retriever._database.alone(autocommit=True) as other:
                await vector_sets.drop(other, asked.vector_set)
            return await nearest(connection, asked, share, limit)

        monkeypatch.setattr(reader, "nearest", forgotten_before)
        titles, notices = await told(retriever)

    assert titles == ["dog"]
    assert "no embedder" in notices[0]


async def test_deletions_and_edits_do_not_wait_for_the_embedder(place, monkeypatch):
    embedders = GivenEmbedders({"vectors": {}})
    embedder = await embedders.open("vectors")
    embed, may_go_on, is_asked = embedder.embed, asyncio.Event(), asyncio.Event()

    async def slowly(texts, *, kind):
        is_asked.set()
        await may_go_on.wait()
        return await embed(texts, kind=kind)

    monkeypatch.setattr(embedder, "embed", slowly)
    async with opened_at(**place, embedders=embedders) as retriever:
        async with opened_at(**place) as by_words:
            async with asyncio.timeout(20):
                await retriever.index([FOX, DOG])
                await is_asked.wait()
                await retriever.delete([FOX.id])
                await retriever.index([make_document("dog", "A cat.", version="2")])

                assert await by_words.versions() == {"library:dog": "2"}
                assert [one.text for one in await found(by_words, "cat fox dog")] == ["A cat."]
                may_go_on.set()
                await retriever.catch_up(ignore)

        assert await told(retriever, "cat") == (["dog"], [])
        assert await counted(retriever) == {"scripted 256 0": 1}


async def test_what_a_process_that_ended_did_not_embed_is_embedded_by_the_next(place, monkeypatch):
    embedders = GivenEmbedders({"vectors": {}})
    embedder = await embedders.open("vectors")
    is_asked = asyncio.Event()

    async def never(texts, *, kind):
        is_asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(embedder, "embed", never)
    async with opened_at(**place, embedders=embedders) as retriever:
        await retriever.index([FOX, DOG])
        await is_asked.wait()
        await retriever._following.stop()
    async with opened_at(**place, embedders=FIRST) as retriever:
        titles, notices = await told(retriever)
        assert titles == ["dog"]
        assert "run: citewell reindex main" in notices[0]
        await retriever.catch_up(ignore)

        assert await told(retriever) == (["dog", "fox"], [])


async def test_a_sync_with_nothing_new_embeds_what_lacks_a_vector(place):
    async with opened_at(**place, embedders=FAILING) as retriever:
        await indexed(retriever, [FOX, DOG])
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, [])

        assert await told(retriever) == (["dog", "fox"], [])


async def test_a_batch_that_cannot_be_embedded_holds_up_no_other(place, monkeypatch):
    embedders = GivenEmbedders({"vectors": {}})
    embedder = await embedders.open("vectors")
    embed = embedder.embed

    async def fails_for_one(texts, *, kind):
        if any("poison" in text for text in texts):
            raise ModelError("it is too odd")
        return await embed(texts, kind=kind)

    monkeypatch.setattr(embedder, "embed", fails_for_one)
    many = [make_document(f"d{number}", f"fox {number}") for number in range(150)]
    async with opened_at(**place, embedders=embedders) as retriever:
        await indexed(retriever, [make_document("odd", "fox poison"), *many])

        assert await counted(retriever) == {"scripted 256 0": 151 - 64}


async def test_what_stays_as_it_was_keeps_its_vector(place, monkeypatch):
    embedders = GivenEmbedders({"vectors": {}})
    embedder = await embedders.open("vectors")
    embed, embedded = embedder.embed, []

    async def noting(texts, *, kind):
        if kind == "passage":
            embedded.extend(texts)
        return await embed(texts, kind=kind)

    monkeypatch.setattr(embedder, "embed", noting)
    old = make_document("a", "kept fox", "old fox")
    new = make_document("a", "kept fox", "new fox", version="2", labels=["everyone", "hr"])
    kept = replace(new.passages[0], id=old.passages[0].id)
    new = replace(new, passages=(kept, new.passages[1]))
    async with opened_at(**place, embedders=embedders) as retriever:
        await indexed(retriever, [old])
        embedded.clear()
        await indexed(retriever, [new])

        assert embedded == [f"{new.title}\nnew fox"]
        assert await counted(retriever) == {"scripted 256 0": 2}
        halves = await retriever.halves(Query(text="fox"), limit=5, readable_by=Audience.of("hr"))
        assert [len(half) for half in halves] == [2, 2]


async def test_vectors_of_another_length_are_refused_with_the_fix(place, monkeypatch):
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, [FOX, DOG])
    changed = GivenEmbedders({"vectors": {"dimension": 64}})
    identity = (await FIRST.open("vectors")).identity
    monkeypatch.setattr(ScriptedEmbedder, "identity", identity)
    async with opened_at(**place, embedders=changed) as retriever:
        titles, notices = await told(retriever)
        assert titles == ["dog"]
        assert "gives vectors of 64 numbers, where those before have 256" in notices[0]
        assert "set `identity`" in notices[0]
        await indexed(retriever, [make_document("cat", "A lazy cat.")])
        assert await counted(retriever) == {identity: 2}
        with pytest.raises(ModelError, match="gives vectors of 64 numbers"):
            await retriever.reindex(ignore)


@pytest.mark.parametrize("given", [[], [[]], [["x"]], [[float("nan")] * 256], None, [[1e9] * 256]])
async def test_what_is_no_vector_is_not_compared_with(place, monkeypatch, given):
    embedders = GivenEmbedders({"vectors": {}})
    embedder = await embedders.open("vectors")
    async with opened_at(**place, embedders=embedders) as retriever:
        await indexed(retriever, [FOX, DOG])

        async def odd(texts, *, kind):
            return given

        monkeypatch.setattr(embedder, "embed", odd)
        titles, notices = await told(retriever)

    assert titles == ["dog"]
    (said,) = notices
    assert said.startswith("the question could not be embedded; found by words alone: ")


@pytest.mark.parametrize("text", ["", " \n\t"])
async def test_nothing_is_near_to_no_question(place, text):
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, [FOX, DOG])

        assert await told(retriever, text) == ([], [])


async def test_an_embedder_that_failed_is_tried_again_without_being_asked(place, monkeypatch):
    monkeypatch.setattr(following, "RETRY_S", 0.05)
    embedders = GivenEmbedders({"vectors": {}})
    embedder = await embedders.open("vectors")
    embed, failures, is_embedded = embedder.embed, [], asyncio.Event()

    async def fails_at_first(texts, *, kind):
        if len(failures) < 3:
            failures.append(kind)
            raise ModelError("it is down")
        is_embedded.set()
        return await embed(texts, kind=kind)

    monkeypatch.setattr(embedder, "embed", fails_at_first)
    async with opened_at(**place, embedders=embedders) as retriever:
        await retriever.index([FOX, DOG])
        async with asyncio.timeout(20):
            await is_embedded.wait()
        # What is in its hands at that moment.
        await retriever.catch_up(ignore)

        assert await counted(retriever) == {"scripted 256 0": 2}
    assert len(failures) == 3


async def test_a_reindex_and_what_follows_do_not_get_into_each_others_way(place):
    many = [make_document(f"d{number}", f"fox {number}") for number in range(300)]
    async with (
        opened_at(**place, embedders=FIRST) as retriever,
        opened_at(**place, embedders=FIRST) as other,
    ):
        await retriever.index(many)
        await asyncio.gather(retriever.reindex(ignore), retriever.catch_up(ignore))
        await retriever.index([FOX])
        await asyncio.gather(retriever.catch_up(ignore), other.catch_up(ignore))

        assert await counted(retriever) == {"scripted 256 0": 301}
        assert (await told(other, "fox"))[1] == []


async def test_of_a_question_that_is_a_whole_page_the_beginning_is_embedded(place, monkeypatch):
    embedders = GivenEmbedders({"vectors": {}})
    embedder = await embedders.open("vectors")
    embed, asked = embedder.embed, []

    async def noting(texts, *, kind):
        if kind == "query":
            asked.extend(texts)
        return await embed(texts, kind=kind)

    monkeypatch.setattr(embedder, "embed", noting)
    async with opened_at(**place, embedders=embedders) as retriever:
        await indexed(retriever, [FOX])
        await found(retriever, "fox " * 10_000)

    assert [len(text) for text in asked] == [asking.ASKED_CHARS]


async def test_an_embedder_that_says_nothing_holds_up_no_question_for_long(place, monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE_S", 0.05)
    embedders = GivenEmbedders({"vectors": {}})
    embedder = await embedders.open("vectors")
    async with opened_at(**place, embedders=embedders) as retriever:
        await indexed(retriever, [FOX, DOG])

        async def never(texts, *, kind):
            await asyncio.Event().wait()

        monkeypatch.setattr(embedder, "embed", never)
        async with asyncio.timeout(10):
            titles, notices = await told(retriever)

    assert titles == ["dog"]
    assert notices == [
        "the question could not be embedded; found by words alone: embedder vectors: no answer"
    ]


async def test_what_is_written_during_a_reindex_is_embedded_too(place, monkeypatch):
    many = [make_document(f"d{number}", f"fox {number}") for number in range(400)]
    embedders = GivenEmbedders({"vectors": {}})
    embedder = await embedders.open("vectors")
    embed, changes = embedder.embed, []

    async def embed_and_change(texts, *, kind):
        # Between reading the passages and adding their vectors.
        if kind == "passage" and not changes:
            changes.append("made")
            await writing.delete([one.id for one in many[:100]])
            await indexed(writing, [make_document("late", "a late fox")])
        return await embed(texts, kind=kind)

    monkeypatch.setattr(embedder, "embed", embed_and_change)
    async with opened_at(**place) as writing:
        await indexed(writing, many)
        async with opened_at(**place, embedders=embedders) as making:
            await making.reindex(ignore)

            assert changes == ["made"]
            assert await counted(making) == {"scripted 256 0": 301}
            titles, notices = await told(making, "late")
            assert titles[0] == "late"
            assert notices == []


async def test_an_index_of_words_says_how_to_get_vectors(place):
    async with opened_at(**place) as retriever:
        await indexed(retriever, [FOX, DOG])
    async with opened_at(**place, embedders=FIRST) as retriever:
        titles, notices = await told(retriever)

    assert titles == ["dog"]
    assert "no embedder" in notices[0]


async def test_words_go_on_where_the_embedder_fails(place):
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, [FOX])
    async with opened_at(**place, embedders=FAILING) as retriever:
        await indexed(retriever, [DOG])
        titles, notices = await told(retriever)

        assert titles == ["dog"]
        (notice,) = notices
        assert notice == (
            "the question could not be embedded; found by words alone: the scripted embedder "
            "fails, as it shall"
        )
        with pytest.raises(ModelError, match="fails, as it shall"):
            await retriever.halves(Query(text="dog"), limit=5, readable_by=ALL)
    async with opened_at(**place, embedders=FIRST) as retriever:
        titles, notices = await told(retriever)
        assert titles == ["dog", "fox"]
        assert "some passages have no vector yet" in notices[0]
        await retriever.reindex(ignore)
        assert await told(retriever) == (["dog", "fox"], [])


async def test_what_must_stay_here_is_never_embedded(place):
    held = GivenEmbedders({"vectors": {}}, withheld=frozenset({"secret"}))
    secret = make_document("secret", "A lazy secret.", labels=["everyone", "secret"])
    async with opened_at(**place, embedders=held) as retriever:
        await indexed(retriever, [FOX, DOG, secret])
        await retriever.reindex(ignore)

        assert await counted(retriever) == {"scripted 256 0": 2}
        titles, notices = await told(retriever, "lazy")
        assert set(titles) == {"fox", "dog", "secret"}
        assert notices == []


async def test_an_index_is_made_beside_all_writing_once_it_pays(place, monkeypatch):
    monkeypatch.setattr(vectors, "EXACT_ROWS", 20)
    many = [make_document(f"d{number}", f"fox {number}") for number in range(60)]
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, many[:10])
    async with opened_at(**place, embedders=FIRST) as retriever:
        async with retriever._database.alone() as connection:
            (one,) = await vector_sets.sets(connection)
            assert not await vectors.has_index(connection, one.id)
        await indexed(retriever, many)
    async with opened_at(**place, embedders=FIRST) as retriever:
        async with retriever._database.alone() as connection:
            assert await vectors.has_index(connection, one.id)
        _, nearest = await retriever.halves(Query(text="fox 17"), limit=3, readable_by=ALL)
        assert nearest[0].title == "d17"
        assert len(nearest) == 3
