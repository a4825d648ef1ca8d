"""Words and vectors together, and either alone when the other cannot answer."""

import asyncio
import sqlite3
import threading
from contextlib import closing

import numpy as np
import pytest
from filelock import FileLock
from msgspec.structs import replace

from citewell import (
    HybridRetriever,
    MissingExtra,
    ModelError,
    PluginError,
    Query,
    StoreError,
    asking,
    following,
)
from citewell_embedded import catching_up
from citewell_embedded import hybrid as hybrid_module
from citewell_embedded import plugin as plugin_module
from citewell_embedded.plugin import HybridConfig
from citewell_embedded.vector_store import VectorStore
from citewell_embedded.writer import Writer
from hybrid import (
    CountingEmbedder,
    Embedders,
    answer,
    ids_of_vectors,
    ignore,
    indexed,
    opened_hybrid,
    until,
)
from lexical import ALL, document, found, opened, whole

# Words that every question may have, so that a search by words leaves them out.
STOPWORDS = "of the and"


async def test_it_is_a_hybrid_retriever(tmp_path):
    async with opened_hybrid(tmp_path, fusion={"words": 0.25}) as retriever:
        assert isinstance(retriever, HybridRetriever)
        assert retriever.fusion.words == 0.25


async def test_what_no_word_finds_is_found_by_vectors(tmp_path):
    async with opened_hybrid(tmp_path) as retriever:
        await indexed(retriever, [document("a", 1, text=STOPWORDS), document("b", 1, text="else")])

        question = f"zebra {STOPWORDS}"
        ids, notices = await answer(retriever, question, limit=3)
        words, near = await retriever.halves(Query(text=question), limit=3, readable_by=ALL)

    assert sorted(ids) == ["a.1.0", "a.1.1", "a.1.2"]
    assert (list(words), len(near), notices) == ([], 3, [])


async def test_the_weight_decides(tmp_path):
    async with opened_hybrid(tmp_path) as retriever:
        # By words the shorter passage is better; by vectors the one with the stopwords.
        await indexed(
            retriever,
            [
                document("a", 1, parts=1, text="zebra"),
                document(
                    "b", 1, parts=1, text=f"zebra {STOPWORDS} {STOPWORDS} here lies long grass"
                ),
            ],
        )
    question = f"zebra {STOPWORDS}"

    async with opened_hybrid(tmp_path, fusion={"words": 1.0}) as retriever:
        by_words, _ = await answer(retriever, question)
    async with opened_hybrid(tmp_path, fusion={"words": 0.0}) as retriever:
        by_vectors, _ = await answer(retriever, question)

    assert by_words == ["a.1.0", "b.1.0"]
    assert by_vectors == ["b.1.0", "a.1.0"]


async def test_nothing_is_found_for_no_question(tmp_path):
    async with opened_hybrid(tmp_path) as retriever:
        await indexed(retriever, [document("a", 1)])

        assert await answer(retriever, " \n") == ([], [])
        assert await answer(retriever, "beacon", limit=0) == ([], [])
        assert await retriever.halves(Query(text="x"), limit=0, readable_by=ALL) == ((), ())


async def test_only_what_is_new_is_embedded(tmp_path):
    embedder = CountingEmbedder()
    first = document("a", 1)
    changed = replace(first.passages[1], id="a.2.1", text="another text")
    second = replace(first, version="2", passages=(first.passages[0], changed, first.passages[2]))
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await indexed(retriever, [first])
        before = len(embedder.texts)
        await indexed(retriever, [second])

        assert len(embedder.texts) == before + 1
        assert "another text" in embedder.texts[-1]
        assert sorted(await ids_of_vectors(retriever, "x")) == ["a.1.0", "a.1.2", "a.2.1"]


async def test_the_place_of_a_passage_is_embedded_too(tmp_path):
    embedder = CountingEmbedder()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await indexed(retriever, [document("lighthouse", 1, parts=1)])

    assert embedder.texts == ["lighthouse\nbeacon lighthouse version1 part0"]


async def test_what_must_stay_is_found_by_words_alone(tmp_path):
    embedder = CountingEmbedder()
    secret = document("secret", 1)
    secret = replace(
        secret,
        passages=tuple(
            replace(one, labels=frozenset({"hr", "everyone"})) for one in secret.passages
        ),
    )
    async with opened_hybrid(tmp_path, embedder, held_back={"hr"}) as retriever:
        await indexed(retriever, [secret, document("open", 1)])

        near = await ids_of_vectors(retriever, "beacon secret")
        ids, notices = await answer(retriever, "beacon secret")
        await retriever.reindex(ignore)

    assert not any("secret" in text for text in embedder.texts)
    assert sorted(near) == ["open.1.0", "open.1.1", "open.1.2"]
    assert len(ids) == 6
    assert notices == []


async def test_what_may_leave_later_is_embedded_by_reindex(tmp_path):
    async with opened_hybrid(tmp_path, held_back={"everyone"}) as retriever:
        await indexed(retriever, [document("a", 1)])
        assert await ids_of_vectors(retriever, "beacon") == []

    async with opened_hybrid(tmp_path) as retriever:
        before = await retriever.identity()
        await retriever.reindex(ignore)

        assert len(await ids_of_vectors(retriever, "beacon")) == 3
        assert await retriever.identity() != before


# --- the embedder fails ---------------------------------------------------------------------------


async def test_an_embedder_that_fails_at_first_leaves_what_is_new_to_words(tmp_path):
    embedder = CountingEmbedder()
    embedder.fails = True
    async with opened_hybrid(tmp_path, embedder) as retriever:
        with pytest.raises(ModelError, match="out of order"):
            await indexed(retriever, [document("a", 1)])
        await retriever.delete(["library:unknown"])
        assert await whole(retriever) == {"a": "1"}
        (notice,) = (await answer(retriever, "beacon"))[1]
        assert "found by words alone: not every passage" in notice
        embedder.fails = False

        await indexed(retriever, [document("a", 2), document("b", 1)])
        assert await whole(retriever) == {"a": "2", "b": "1"}
        assert len(await ids_of_vectors(retriever, "beacon")) == 6


async def test_an_embedder_that_fails_keeps_nothing_old_in_an_index(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(following, "RETRY_S", 0.05)
    embedder = CountingEmbedder()
    mixed = document("c", 1)
    shown = ["secret.1.0", "secret.1.1", "secret.1.2"]
    secret = document("secret", 1)
    hidden = replace(
        secret,
        version="2",
        passages=tuple(replace(one, labels=frozenset({"hr"})) for one in secret.passages),
    )
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await indexed(retriever, [document("a", 1), secret])
        assert sorted((await answer(retriever, "secret"))[0])[-3:] == shown
        embedder.fails = True
        await retriever.index([document("a", 2), mixed, hidden])

        await until(
            lambda: "are found by words alone for now: the embedder is out of order" in caplog.text
        )
        ids, _ = await answer(retriever, "beacon secret")
        assert sorted(ids) == ["a.2.0", "a.2.1", "a.2.2", "c.1.0", "c.1.1", "c.1.2"]
        embedder.fails = False
        embedder.texts.clear()
        assert await healed(retriever) == sorted(ids)
        # The text of what only others may read now was embedded before.
        assert len(embedder.texts) == 6


async def test_vectors_that_could_not_be_stored_are_of_use_for_the_next_try(tmp_path, monkeypatch):
    embedder = CountingEmbedder()

    def fails(*_, **__):
        raise StoreError("the disk is full")

    async with opened_hybrid(tmp_path, embedder) as retriever:
        with monkeypatch.context() as patch:
            patch.setattr(Writer, "write", fails)
            with pytest.raises(StoreError, match="full"):
                await indexed(retriever, [document("a", 1)])
        await indexed(retriever, [document("a", 1)])

        assert len(embedder.texts) == 3
        assert len(await ids_of_vectors(retriever, "beacon")) == 3


async def test_another_model_under_the_same_name_is_said_with_the_fix(tmp_path, caplog):
    async with opened_hybrid(tmp_path, CountingEmbedder()) as retriever:
        await indexed(retriever, [document("a", 1)])
    other = CountingEmbedder(dimension=16)
    same_name = type("Other", (), {"identity": "scripted 32 0", "embed": other.embed})()

    async with opened_hybrid(tmp_path, same_name) as retriever:
        _, notices = await answer(retriever, "beacon")
        await retriever.index([document("a", 2)])

        (notice,) = notices
        assert notice == (
            'found by words alone: embedder "scripted" gives vectors of 16 numbers, where those '
            "before have 32; another model may stand behind its name: set `identity` to a name of "
            "the new one, then run citewell reindex"
        )
        await until(lambda: "for now: embedder" in caplog.text)
        assert await whole(retriever) == {"a": "2"}


async def test_what_is_embedded_when_it_fails_is_not_embedded_again(tmp_path, monkeypatch):
    monkeypatch.setattr(catching_up, "TOGETHER", 2)
    embedder = CountingEmbedder()
    embed = embedder.embed
    calls = 0

    async def fails_once(texts, *, kind):
        nonlocal calls
        calls += 1
        if calls == 3:
            raise ModelError("out of order")
        return await embed(texts, kind=kind)

    embedder.embed = fails_once
    async with opened_hybrid(tmp_path, embedder) as retriever:
        with pytest.raises(ModelError):
            await indexed(retriever, [document("a", 1, parts=6)])
        assert len(embedder.texts) == 4
        await retriever.catch_up(ignore)

    assert len(embedder.texts) == len(set(embedder.texts)) == 6


async def test_a_question_that_cannot_be_embedded_is_answered_by_words(tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE_S", 0.05)
    embedder = CountingEmbedder()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await indexed(retriever, [document("a", 1)])
        causes = {"fails": "the embedder is out of order", "hangs": "no answer in time"}
        for name, why in causes.items():
            setattr(embedder, name, True)
            ids, notices = await answer(retriever, "beacon")
            with pytest.raises(ModelError):
                await retriever.halves(Query(text="beacon"), limit=3, readable_by=ALL)
            setattr(embedder, name, False)

            assert len(ids) == 3
            assert notices == [f'found by words alone: embedder "scripted" does not answer: {why}']


async def test_of_a_page_that_is_asked_the_beginning_is_embedded(tmp_path):
    embedder = CountingEmbedder()
    embed = embedder.embed
    asked = []

    async def noting(texts, *, kind):
        if kind == "query":
            asked.extend(texts)
        return await embed(texts, kind=kind)

    embedder.embed = noting
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await indexed(retriever, [document("a", 1)])
        ids, _ = await answer(retriever, f"{'x' * 40_000} beacon")

    assert [len(text) for text in asked] == [asking.ASKED_CHARS]
    assert len(ids) == 3


async def test_an_embedder_that_opens_slowly_is_not_waited_for(tmp_path, monkeypatch):
    async with opened_hybrid(tmp_path) as retriever:
        await indexed(retriever, [document("a", 1)])
    monkeypatch.setattr(asking, "PATIENCE_S", 0.05)
    is_loaded = asyncio.Event()
    opening = Embedders.open
    begun = []

    async def slowly(self, name):
        begun.append(name)
        await is_loaded.wait()
        return await opening(self, name)

    monkeypatch.setattr(Embedders, "open", slowly)
    async with opened_hybrid(tmp_path) as retriever:
        for _ in range(2):
            assert len((await answer(retriever, "beacon"))[1]) == 1
            assert "+" not in await retriever.identity()
        is_loaded.set()

        assert (await answer(retriever, "beacon"))[1] == []
        assert "+scripted" in await retriever.identity()
    assert begun == ["scripted"]


async def test_an_embedder_that_cannot_be_opened_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(following, "RETRY_S", 0.05)
    async with opened_hybrid(tmp_path) as retriever:
        await indexed(retriever, [document("a", 1)])

    async def fails(self, name):
        raise MissingExtra(f'embedder "{name}"', package="x", extra="y")

    async with opened_hybrid(tmp_path) as retriever:
        with monkeypatch.context() as patch:
            patch.setattr(Embedders, "open", fails)
            assert len((await answer(retriever, "beacon"))[1]) == 1
            await retriever.index([document("b", 1), document("c", 1)])
            assert await whole(retriever) == {"a": "1", "b": "1", "c": "1"}
            with pytest.raises(MissingExtra):
                await retriever.reindex(ignore)

        await answer(retriever, "beacon")
        assert len(await healed(retriever)) == 9


@pytest.mark.parametrize(
    "wrong", [[[float("nan")] * 32], [[]], [], [[1.0] * 32] * 2, [["x"] * 32], [[1.0, 2.0]]]
)
async def test_what_is_no_vector_is_refused(tmp_path, wrong):
    embedder = CountingEmbedder()
    right = embedder.embed

    async def embed(texts, *, kind):
        return wrong

    async with opened_hybrid(tmp_path, embedder) as retriever:
        await indexed(retriever, [document("a", 1)])
        embedder.embed = embed
        ids, notices = await answer(retriever, "beacon")
        with pytest.raises(ModelError):
            await indexed(retriever, [document("b", 1, parts=1)])
        known, _ = await answer(retriever, "beacon")

        assert (len(ids), len(known)) == (3, 4)
        assert len(notices) == 1
        with pytest.raises((ModelError, StoreError)):
            await retriever.halves(Query(text="beacon"), limit=3, readable_by=ALL)
        embedder.embed = right
        await retriever.catch_up(ignore)
        assert len(await ids_of_vectors(retriever, "beacon")) == 4


# --- other vectors, or none -----------------------------------------------------------------------


async def test_a_store_without_vectors_is_searched_by_words_until_reindex(tmp_path):
    async with opened(tmp_path) as lexical:
        await indexed(lexical, [document("a", 1)])

    async with opened_hybrid(tmp_path) as retriever:
        ids, notices = await answer(retriever, "beacon")
        assert len(ids) == 3
        assert notices == [
            'found by words alone: "main" has no vectors yet; run: citewell reindex main'
        ]
        await retriever.index([document("b", 1)])
        with pytest.raises(StoreError, match="no vectors yet; run: citewell reindex main"):
            await retriever.catch_up(ignore)
        with pytest.raises(StoreError, match="no vectors yet; run: citewell reindex main"):
            await retriever.halves(Query(text="beacon"), limit=3, readable_by=ALL)
        before = await retriever.identity()
        told = []
        await retriever.reindex(lambda done, total: told.append((done, total)))

        assert await answer(retriever, "beacon", limit=6) == (
            ["a.1.0", "a.1.1", "a.1.2", "b.1.0", "b.1.1", "b.1.2"],
            [],
        )
        assert told[-1] == (6, 6)
        assert await retriever.identity() != before
        assert await whole(retriever) == {"a": "1", "b": "1"}


async def test_a_lexical_retriever_goes_on_with_a_store_that_has_vectors(tmp_path):
    async with opened_hybrid(tmp_path) as retriever:
        await indexed(retriever, [document("a", 1), document("b", 1)])
    async with opened(tmp_path) as lexical:
        assert await whole(lexical) == {"a": "1", "b": "1"}
        await indexed(lexical, [document("a", 2)])
        await lexical.delete(["library:b"])
        assert await whole(lexical) == {"a": "2"}

    async with opened_hybrid(tmp_path) as retriever:
        first, notices = await answer(retriever, "beacon")
        assert first == ["a.2.0", "a.2.1", "a.2.2"]
        (notice,) = notices
        assert notice == (
            'found by words alone: not every passage of "main" has a vector of scripted 32 0 yet; '
            "run: citewell reindex main"
        )
        assert await healed(retriever) == ["a.2.0", "a.2.1", "a.2.2"]


async def healed(retriever):
    """Wait until the vectors answer again."""
    async with asyncio.timeout(20):
        while True:
            try:
                return sorted(await ids_of_vectors(retriever, "beacon"))
            except StoreError:
                await asyncio.sleep(0.02)


async def test_many_missing_vectors_are_not_made_unasked(tmp_path, monkeypatch):
    monkeypatch.setattr(hybrid_module, "HEALED", 2)
    async with opened_hybrid(tmp_path) as retriever:
        await indexed(retriever, [document("a", 1)])
    async with opened(tmp_path) as lexical:
        await indexed(lexical, [document("b", 1)])

    embedder = CountingEmbedder()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await answer(retriever, "beacon")
        assert not retriever._behind.is_running
        _, notices = await answer(retriever, "beacon")
        assert embedder.texts == []
        assert "run: citewell reindex main" in notices[0]

        await retriever.reindex(ignore)
        assert len(embedder.texts) == 3
        assert len(await ids_of_vectors(retriever, "beacon")) == 6


async def test_vectors_of_another_embedder_are_refused_with_the_fix(tmp_path):
    async with opened_hybrid(tmp_path, CountingEmbedder(1)) as old:
        await indexed(old, [document("a", 1)])
        before = await old.identity()

        async with opened_hybrid(tmp_path, CountingEmbedder(2, dimension=16)) as new:
            mismatch = (
                'vectors of "main" were made by scripted 32 1, the settings name scripted 16 2; '
                "run: citewell reindex main"
            )
            ids, notices = await answer(new, "beacon")
            assert len(ids) == 3
            assert notices == [f"found by words alone: {mismatch}"]
            with pytest.raises(StoreError) as refused:
                await new.halves(Query(text="beacon"), limit=3, readable_by=ALL)
            assert str(refused.value) == mismatch

            await new.reindex(ignore)
            assert len(await ids_of_vectors(new, "beacon")) == 3
            assert (await new.identity()).endswith("+scripted 16 2")
        # The process with the older settings still answers, from its own.
        assert len(await ids_of_vectors(old, "beacon")) == 3
        assert (await old.identity()).endswith("+scripted 32 1")
        assert before.endswith("+scripted 32 1")


async def test_the_vectors_before_the_last_ones_are_kept_and_no_others(tmp_path):
    embedders = [CountingEmbedder(seed) for seed in range(3)]
    async with opened_hybrid(tmp_path, embedders[0]) as retriever:
        await indexed(retriever, [document("a", 1)])
    for embedder in embedders[1:]:
        async with opened_hybrid(tmp_path, embedder) as retriever:
            await retriever.reindex(ignore)

    assert count_of_vectors(tmp_path) == 2 * 3
    for embedder in (embedders[2], embedders[1]):
        async with opened_hybrid(tmp_path, embedder) as retriever:
            assert len(await ids_of_vectors(retriever, "beacon")) == 3
    async with opened_hybrid(tmp_path, embedders[0]) as retriever:
        _, notices = await answer(retriever, "beacon")
        assert "were made by scripted 32 2, the settings name scripted 32 0" in notices[0]


def count_of_vectors(folder):
    with closing(sqlite3.connect(folder / "passages.sqlite")) as connection:
        return connection.execute("SELECT count(*) FROM vectors").fetchone()[0]


async def test_the_vectors_of_what_is_deleted_leave_the_disk(tmp_path):
    embedder = CountingEmbedder()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await indexed(retriever, [document("a", 1), document("b", 1)])
        (vector,) = await embedder.embed(["a\nbeacon a version1 part0"], kind="passage")
        stored = np.array(vector, np.float16).tobytes()
        await retriever.delete(["library:a"])
    content = b"".join(path.read_bytes() for path in tmp_path.glob("passages.sqlite*"))

    assert count_of_vectors(tmp_path) == 3
    assert stored not in content


async def test_a_retriever_without_embedders_is_refused(tmp_path):
    from citewell import Context

    context = Context(name="main", log=None, data_dir=tmp_path, base_dir=tmp_path)
    with pytest.raises(PluginError, match='retriever "main" needs embedders'):
        hybrid_module.HybridRetriever(tmp_path, context, HybridConfig(embedder="x"))


@pytest.mark.parametrize(("package", "extra"), [("numpy", "hybrid"), ("usearch", "ann")])
async def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch, package, extra):
    def find_spec(name):
        return None if name == package else "found"

    monkeypatch.setattr(plugin_module, "find_spec", find_spec)
    with pytest.raises(MissingExtra, match=rf'"main" needs {package}.*citewell\[{extra}\]'):
        async with opened_hybrid(tmp_path, ann=True):
            pass


async def test_one_process_embeds_a_store_at_a_time(tmp_path):
    slow = CountingEmbedder(1, delay_s=0.2)
    async with opened_hybrid(tmp_path, CountingEmbedder(0)) as retriever:
        await indexed(retriever, [document("a", 1)])
    async with opened_hybrid(tmp_path, slow) as first, opened_hybrid(tmp_path, slow) as second:
        running = asyncio.ensure_future(first.reindex(ignore))
        await asyncio.sleep(0.1)
        with pytest.raises(StoreError, match='"main" are being embedded by another process; wait'):
            await second.reindex(ignore)
        await running

        assert len(await found(second, "beacon")) == 3


async def test_there_is_nothing_to_reindex_where_nothing_is(tmp_path):
    async with opened_hybrid(tmp_path / "index") as retriever:
        await retriever.reindex(ignore)

        assert await answer(retriever, "beacon") == ([], [])


async def test_changed_settings_take_the_right_to_write_over(tmp_path):
    async with opened_hybrid(tmp_path) as old, opened_hybrid(tmp_path, fusion={"words": 0}) as new:
        await indexed(old, [document("a", 1)])
        await indexed(new, [document("b", 1)])
        await asyncio.gather(old.index([document("a", 2)]), new.delete(["library:b"]))

        assert await whole(new) == await whole(old) == {"a": "2"}


async def test_an_embedder_that_does_not_answer_is_waited_for_once(tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE_S", 0.5)
    embedder = CountingEmbedder()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await indexed(retriever, [document("a", 1)])
        embedder.hangs = True
        first = await answer(retriever, "beacon")
        async with asyncio.timeout(0.4):
            second = await answer(retriever, "beacon")
        embedder.hangs = False
        retriever._embedder.silent_until = 0.0

        assert first == second
        assert first[1] == [
            'found by words alone: embedder "scripted" does not answer: no answer in time'
        ]
        assert (await answer(retriever, "beacon"))[1] == []


async def test_reindex_waits_for_an_index_that_another_process_makes(tmp_path):
    async with opened_hybrid(tmp_path, exact_up_to=2, ann=True) as retriever:
        await indexed(retriever, [document("a", 1), document("b", 1)])
        with FileLock(tmp_path / "graph.lock", thread_local=False):
            waiting = asyncio.ensure_future(retriever.reindex(ignore))
            assert not (await asyncio.wait({waiting}, timeout=0.5))[0]
        await waiting

        assert (await answer(retriever, "beacon"))[1] == []


@pytest.mark.parametrize("step", ["opened", "passage_count", "lacking", "missing"])
async def test_a_store_is_closed_once_nobody_uses_it(tmp_path, monkeypatch, step):
    """SQLite ends the process when a connection is closed while another thread uses it."""
    async with opened_hybrid(tmp_path) as retriever:
        await indexed(retriever, [document("a", 1)])
    using, go_on = threading.Event(), threading.Event()
    order = []
    real_step, real_close = getattr(VectorStore, step), VectorStore.close

    def slow(store, *arguments, **named):
        using.set()
        go_on.wait(30)
        result = real_step(store, *arguments, **named)
        order.append("used")
        return result

    def close(store):
        order.append("closed")
        real_close(store)

    monkeypatch.setattr(VectorStore, step, slow)
    monkeypatch.setattr(VectorStore, "close", close)
    async with opened_hybrid(tmp_path, embedder=CountingEmbedder(seed=9)) as retriever:
        reindexing = asyncio.ensure_future(retriever.reindex(ignore))
        await asyncio.to_thread(using.wait, 30)

        reindexing.cancel()
        await asyncio.sleep(0.05)
        before = list(order)
        go_on.set()
        await asyncio.wait({reindexing})

    assert before == []
    assert order[0] == "used"
    assert order[-1] == "closed"
    assert reindexing.cancelled()
