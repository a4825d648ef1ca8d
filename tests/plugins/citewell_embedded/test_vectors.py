"""Which vectors are near, compared with reckoning each by itself; and who gets to see which."""

import asyncio
import math
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from citewell import Audience, Query
from citewell_embedded import graph as graph_module
from citewell_embedded import vector_reader as vector_reader_module
from citewell_embedded.vectors import embedded_text
from hybrid import CountingEmbedder, answer, ids_of_vectors, ignore, indexed, opened_hybrid
from lexical import document, found, whole

LABELS = ("everyone", "hr", "legal", "board")
WORDS = ("red", "green", "blue", "round", "flat", "old", "new")

labels_of_passages = st.frozensets(st.sampled_from(LABELS), max_size=3)
audiences = st.builds(
    Audience,
    st.frozensets(st.frozensets(st.sampled_from((*LABELS, "unused")), max_size=3), max_size=3),
)
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)
passages = st.lists(st.tuples(texts, labels_of_passages), min_size=1, max_size=40)
quickly = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def documents_of(drawn):
    """Return a document for each three passages that were drawn."""
    made = []
    for number in range(0, len(drawn), 3):
        part = drawn[number : number + 3]
        whole = document(f"d{number:03}", 1, parts=len(part))
        placed = [
            replace(one, text=text, labels=labels)
            for one, (text, labels) in zip(whole.passages, part, strict=True)
        ]
        made.append(replace(whole, passages=tuple(placed)))
    return made


async def nearest(embedder, documents, text, audience):
    """Return ids and cosines of what may be read, nearest first, reckoned one by one."""
    (question,) = await embedder.embed([text], kind="query")
    scored = []
    for passage in (passage for one in documents for passage in one.passages):
        if audience.may_read(passage.labels):
            (vector,) = await embedder.embed([embedded_text(passage)], kind="passage")
            stored = np.array(vector, np.float16).astype(np.float64)
            near = math.fsum(stored * np.array(question, np.float32).astype(np.float64))
            scored.append((-round(near, 9), passage.document_id, passage.start, passage.id))
    return [(name, -near) for near, _, _, name in sorted(scored)]


async def compared(drawn, gone, text, audience, limit, **config):
    """Return what the vectors find and what they should find, after some documents are gone."""
    embedder = CountingEmbedder()
    documents = documents_of(drawn)
    with tempfile.TemporaryDirectory() as folder:
        async with opened_hybrid(Path(folder), embedder, **config) as retriever:
            await indexed(retriever, documents)
            await retriever.reindex(ignore)
            await answer(retriever, text)
            kept = [one for at, one in enumerate(documents) if at not in gone]
            await retriever.delete([one.id for one in documents if one not in kept])
            query = Query(text=text)
            _, near = await retriever.halves(query, limit=limit, readable_by=audience)
            everything = await retriever.retrieve(query, limit=100, readable_by=audience)
        expected = await nearest(embedder, kept, text, audience)
    assert sorted(one.id for one in everything) == sorted(name for name, _ in expected)
    return [(one.id, one.score) for one in near], expected[:limit]


@given(passages, st.frozensets(st.integers(0, 13)), texts, audiences, st.integers(1, 12))
@quickly
def test_the_nearest_that_may_be_read_are_found_in_order(drawn, gone, text, audience, limit):
    seen, expected = asyncio.run(compared(drawn, gone, text, audience, limit))

    assert [name for name, _ in seen] == [name for name, _ in expected]
    assert [near for _, near in seen] == pytest.approx([near for _, near in expected], abs=1e-8)


@given(passages, st.frozensets(st.integers(0, 13)), texts, audiences, st.integers(1, 12))
@quickly
def test_a_graph_leaks_nothing_and_crowds_nothing_out(drawn, gone, text, audience, limit):
    with pytest.MonkeyPatch.context() as patch:
        # Look around in the graph, however little there is.
        patch.setattr(graph_module, "FEW", 0)
        seen, expected = asyncio.run(
            compared(drawn, gone, text, audience, limit, exact_up_to=0, ann=True)
        )

    assert len(seen) == len(expected)
    # Ties may fall otherwise, but nothing that is found is farther than what should be.
    assert [near for _, near in seen] == pytest.approx([near for _, near in expected], abs=1e-8)


async def test_one_readable_passage_among_many_is_found_in_a_graph(tmp_path, monkeypatch):
    monkeypatch.setattr(graph_module, "FEW", 0)
    secret = document("secret", 1, parts=3000, text="beacon")
    secret = replace(
        secret,
        passages=tuple(replace(one, labels=frozenset({"hr"})) for one in secret.passages),
    )
    async with opened_hybrid(tmp_path, exact_up_to=100, ann=True) as retriever:
        await indexed(retriever, [secret, document("far", 1, parts=1, text="else")])
        await retriever.reindex(ignore)

        assert await ids_of_vectors(retriever, "beacon secret version1") == ["far.1.0"]


# --- graphs ---------------------------------------------------------------------------------------


def lists(folder):
    return sorted(folder.glob("graph-*.entries"))


async def filled(folder, count=60, **config):
    async with opened_hybrid(folder, exact_up_to=20, **config) as retriever:
        await indexed(retriever, [document("a", 1, parts=count), document("b", 1)])
        await retriever.reindex(ignore)
        assert len(lists(folder)) == 1
        return await ids_of_vectors(retriever, "beacon part7", limit=9)


async def with_graph(retriever, folder, count=1):
    """Wait until there is a graph."""
    async with asyncio.timeout(20):
        while len(lists(folder)) != count:
            await answer(retriever, "beacon")
            await asyncio.sleep(0.02)


async def test_up_to_a_number_of_passages_there_is_no_graph(tmp_path):
    async with opened_hybrid(tmp_path, exact_up_to=20) as retriever:
        await indexed(retriever, [document("a", 1, parts=20)])
        await retriever.reindex(ignore)
        await answer(retriever, "beacon")

    assert list(tmp_path.glob("graph-*")) == []


async def test_without_usearch_or_where_it_is_switched_off_each_vector_is_looked_at(tmp_path):
    async with opened_hybrid(tmp_path, exact_up_to=20, ann=False) as retriever:
        await indexed(retriever, [document("a", 1, parts=200)])
        ids, notices = await answer(retriever, "beacon part7", limit=3)

    assert len(ids) == 3
    assert notices == []
    assert list(tmp_path.glob("graph-*")) == []


async def test_until_there_is_a_graph_of_many_vectors_words_answer(tmp_path, monkeypatch):
    gate = threading.Event()
    build = graph_module.build

    def waits(*arguments, **options):
        gate.wait(20)
        return build(*arguments, **options)

    monkeypatch.setattr(graph_module, "build", waits)
    async with opened_hybrid(tmp_path, exact_up_to=20) as retriever:
        await indexed(retriever, [document("a", 1, parts=60)])
        ids, notices = await answer(retriever, "beacon", limit=5)
        assert len(ids) == 5
        (notice,) = notices
        assert notice == (
            'an index of the vectors of "main" is being made; found by words alone; to wait for '
            "it, run: citewell reindex main"
        )
        gate.set()
        await with_graph(retriever, tmp_path)
        await retriever._built()

        assert (await answer(retriever, "beacon", limit=5))[1] == []


async def test_what_is_newer_than_the_graph_is_found(tmp_path):
    await filled(tmp_path)
    first = lists(tmp_path)
    async with opened_hybrid(tmp_path, exact_up_to=20) as retriever:
        await indexed(retriever, [document("new", 1, text="zebra"), document("b", 2)])
        await retriever.delete(["library:a"])

        near = await ids_of_vectors(retriever, "zebra", limit=50)
        assert near[:3] == ["new.1.0", "new.1.1", "new.1.2"]
        assert sorted(near[3:]) == ["b.2.0", "b.2.1", "b.2.2"]

        await indexed(retriever, [document("c", 1, parts=60)])
        await answer(retriever, "beacon")
        await retriever._built()
        assert lists(tmp_path) != first
        assert len(lists(tmp_path)) == len(list(tmp_path.glob("graph-*.usearch"))) == 1
        assert len(await ids_of_vectors(retriever, "beacon", limit=99)) == 66


async def test_a_process_takes_the_graph_that_another_made(tmp_path):
    await filled(tmp_path)
    async with opened_hybrid(tmp_path, exact_up_to=20) as reading:
        await ids_of_vectors(reading, "beacon")
        async with opened_hybrid(tmp_path, exact_up_to=20) as writing:
            await indexed(writing, [document("c", 1, parts=99)])
            await writing.reindex(ignore)
        await indexed(writing, [document("d", 1)])

        assert len(await ids_of_vectors(reading, "beacon", limit=500)) == 60 + 3 + 99 + 3
        loaded = reading._hybrid_reader._vectors._loaded
        assert loaded.graph.path == lists(tmp_path)[0]


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("suffix", ["entries", "usearch"])
@pytest.mark.parametrize("damage", [Path.unlink, cut, flip, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("is_much", [True, False])
async def test_a_damaged_graph_is_made_again(
    tmp_path, monkeypatch, caplog, suffix, damage, is_much
):
    before = await filled(tmp_path)
    (file,) = tmp_path.glob(f"*.{suffix}")
    damage(file)
    if not is_much:
        monkeypatch.setattr(vector_reader_module, "_LOADED_MEANWHILE", 10)

    async with opened_hybrid(tmp_path, exact_up_to=20) as retriever:
        ids, notices = await answer(retriever, "beacon part7")
        assert len(ids) == 50
        assert len(notices) == is_much
        await retriever._built()

        assert await ids_of_vectors(retriever, "beacon part7", limit=9) == before
        assert (await answer(retriever, "beacon"))[1] == []
    assert ("index of vectors is made again" in caplog.text) == (damage is not Path.unlink)
    assert len(lists(tmp_path)) == 1


async def test_a_graph_that_cannot_be_made_is_done_without(tmp_path, monkeypatch, caplog):
    def fails(*arguments, **options):
        raise MemoryError("too large")

    monkeypatch.setattr(graph_module, "build", fails)
    async with opened_hybrid(tmp_path, exact_up_to=20) as retriever:
        await indexed(retriever, [document("a", 1, parts=60)])
        await answer(retriever, "beacon")
        await retriever._built()

        assert len(await ids_of_vectors(retriever, "beacon", limit=99)) == 60
    assert "no index of vectors can be made; each is looked at: too large" in caplog.text


async def test_a_graph_that_is_being_made_is_given_up_on_closing(tmp_path):
    async with opened_hybrid(tmp_path, exact_up_to=20) as retriever:
        await indexed(retriever, [document("a", 1, parts=60)])
        retriever._hybrid_reader.stop_building()
        await answer(retriever, "beacon")

    assert lists(tmp_path) == []


async def test_a_new_store_in_the_same_folder_is_seen(tmp_path):
    async with opened_hybrid(tmp_path) as reading:
        async with opened_hybrid(tmp_path) as writing:
            await indexed(writing, [document("a", 1), document("b", 1)])
        assert len(await ids_of_vectors(reading, "beacon")) == 6

        for path in tmp_path.glob("passages.sqlite*"):
            path.unlink()
        async with opened_hybrid(tmp_path) as writing:
            await indexed(writing, [document("c", 1)])

        assert sorted(await ids_of_vectors(reading, "beacon")) == ["c.1.0", "c.1.1", "c.1.2"]


async def test_what_is_gone_leaves_the_memory_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(vector_reader_module, "_FEW_DEAD", 10)
    async with opened_hybrid(tmp_path) as retriever:
        for version in range(12):
            await indexed(retriever, [document("a", version, parts=9)])
            assert len(await ids_of_vectors(retriever, "beacon")) == 9
        loaded = retriever._hybrid_reader._vectors._loaded

    assert loaded.table.size <= 9 + 2 * 9


async def test_answers_stay_whole_while_documents_change(tmp_path):
    async with opened_hybrid(tmp_path, exact_up_to=4) as retriever:
        await indexed(retriever, [document("a", 0), document("b", 0)])

        async def change():
            for version in range(1, 25):
                await indexed(retriever, [document("a", version)])

        changing = asyncio.ensure_future(change())
        rounds = 0
        while not changing.done():
            ids = sorted(one.id for one in await found(retriever, "beacon"))
            version = ids[0].split(".")[1]
            assert ids == [f"a.{version}.{part}" for part in range(3)] + ["b.0.0", "b.0.1", "b.0.2"]
            rounds += 1
        await changing

        assert rounds > 10
        assert await whole(retriever) == {"a": "24", "b": "0"}
