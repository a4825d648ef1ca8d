"""Words at once, vectors behind: nothing waits for an embedder, and nothing is forgotten by it."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import hybrid_behind
from citewell import Audience, CatchingUpRetriever, ModelError, Query, StoreError, following
from citewell_embedded import catching_up
from citewell_embedded import graph as graph_module
from citewell_embedded import hybrid as hybrid_module
from citewell_embedded.vector_store import VectorStore
from hybrid import CountingEmbedder, answer, ids_of_vectors, ignore, indexed, opened_hybrid, until
from lexical import ALL, document, opened, whole


class SlowEmbedder(CountingEmbedder):
    """Takes two seconds for a batch of passages, and none for a question."""

    async def embed(self, texts, *, kind):
        if kind == "passage":
            await asyncio.sleep(2)
        return await super().embed(texts, kind=kind)


class GatedEmbedder(CountingEmbedder):
    """Embeds passages while its gate is open."""

    def __init__(self):
        super().__init__()
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()

    async def embed(self, texts, *, kind):
        if kind == "passage":
            self.begun.set()
            await self.gate.wait()
        return await super().embed(texts, kind=kind)


# --- nothing waits for an embedder ----------------------------------------------------------------


async def test_it_is_a_retriever_whose_vectors_follow(tmp_path):
    async with opened_hybrid(tmp_path) as retriever, opened(tmp_path / "words") as lexical:
        assert isinstance(retriever, CatchingUpRetriever)
        assert not isinstance(lexical, CatchingUpRetriever)


async def test_changes_hold_at_the_next_question_however_slow_the_embedder_is(tmp_path):
    async with opened_hybrid(tmp_path, SlowEmbedder()) as retriever:
        await indexed(retriever, [document("secret", 1, text="zebra"), document("kept", 1)])

        async with asyncio.timeout(1.9):
            await retriever.index([document("big", 1, parts=640)])
            new, _ = await answer(retriever, "big part639", limit=1)
            await retriever.index([document("kept", 2)])
            edited, _ = await answer(retriever, "kept")
            await retriever.delete(["library:secret"])
            left, _ = await answer(retriever, "zebra secret")
            quoted = await retriever.fetch(["secret.1.0"], readable_by=ALL)

    assert new == ["big.1.639"]
    assert edited[:3] == ["kept.2.0", "kept.2.1", "kept.2.2"]
    assert "kept.1.0" not in edited
    assert not any(name.startswith("secret") for name in left)
    assert not quoted


async def test_the_first_documents_are_found_before_the_embedder_is_even_open(tmp_path):
    embedder = GatedEmbedder()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await retriever.index([document("a", 1)])
        assert await whole(retriever) == {"a": "1"}
        _, notices = await answer(retriever, "beacon")
        embedder.gate.set()
        await retriever.catch_up(ignore)

        assert len(await ids_of_vectors(retriever, "beacon")) == 3
    (notice,) = notices
    assert 'not every passage of "main" has a vector of scripted 32 0 yet' in notice


async def test_what_is_deleted_while_it_is_embedded_gets_no_vector(tmp_path):
    embedder = GatedEmbedder()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await retriever.index([document("a", 1), document("b", 1)])
        await embedder.begun.wait()
        await retriever.delete(["library:a"])
        await retriever.index([document("b", 2, parts=1)])
        embedder.gate.set()
        await retriever.catch_up(ignore)

        assert await ids_of_vectors(retriever, "beacon") == ["b.2.0"]
    assert count_of_vectors(tmp_path) == 1
    assert stored(tmp_path, "SELECT count(*) FROM vectors_lacking") == [(0,)]


def stored(folder, question):
    with closing(sqlite3.connect(folder / "passages.sqlite")) as connection:
        return connection.execute(question).fetchall()


def count_of_vectors(folder):
    return stored(folder, "SELECT count(*) FROM vectors")[0][0]


# --- when a set is in use -------------------------------------------------------------------------


async def test_a_few_passages_without_a_vector_are_found_by_words_and_that_is_said(tmp_path):
    embedder = GatedEmbedder()
    embedder.gate.set()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await indexed(retriever, [document("a", 1), document("b", 1)])
        before = await retriever.identity()
        embedder.gate.clear()
        await retriever.index([document("b", 1), document("new", 1, parts=1)])
        between = await retriever.identity()

        # The vectors of the rest answer: no word of the question is in them.
        ids, notices = await answer(retriever, "new zzz")
        assert len(ids) == 7
        assert "new.1.0" in ids
        assert notices == ['1 passage has no vector in "main" yet, found by words alone']
        assert len(await ids_of_vectors(retriever, "beacon")) == 6
        embedder.gate.set()
        await retriever.catch_up(ignore)

        assert (await answer(retriever, "new zzz"))[1] == []
        assert len(await ids_of_vectors(retriever, "beacon")) == 7
        assert len({before, between, await retriever.identity()}) == 3


async def test_a_set_that_lacks_most_does_not_rank(tmp_path):
    embedder = GatedEmbedder()
    embedder.gate.set()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await indexed(retriever, [document("a", 1)])
        embedder.gate.clear()
        await retriever.index([document("b", 1)])

        with pytest.raises(StoreError, match="not every passage"):
            await ids_of_vectors(retriever, "beacon")
        ids, notices = await answer(retriever, "part0 zzz")
        assert sorted(ids) == ["a.1.0", "b.1.0"]
        assert "found by words alone" in notices[0]


@pytest.mark.parametrize(("parts", "is_in_use"), [(5, True), (6, False), (7, False)])
async def test_a_set_is_in_use_while_more_than_half_have_a_vector(tmp_path, parts, is_in_use):
    embedder = GatedEmbedder()
    embedder.gate.set()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await indexed(retriever, [document("a", 1, parts=6)])
        embedder.gate.clear()
        await retriever.index([document("b", 1, parts=parts)])

        _, notices = await answer(retriever, "beacon")
    assert ("not every passage" in notices[0]) != is_in_use


async def test_vectors_of_a_new_embedder_are_not_used_before_every_passage_has_one(tmp_path):
    async with opened_hybrid(tmp_path, CountingEmbedder(0)) as old:
        await indexed(old, [document("a", 1, parts=60)])
    embedder = CountingEmbedder(1)
    embed = embedder.embed

    async def fails_late(texts, *, kind):
        if kind == "passage" and len(embedder.texts) >= 50:
            raise ModelError("out of order")
        return await embed(texts, kind=kind)

    embedder.embed = fails_late
    async with opened_hybrid(tmp_path, embedder) as new:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("citewell_embedded.reindexing.TOGETHER", 10)
            with pytest.raises(ModelError):
                await new.reindex(ignore)

        with pytest.raises(StoreError, match="not every passage"):
            await ids_of_vectors(new, "beacon")


# --- after a crash --------------------------------------------------------------------------------


def run(folder, *step, delay_s=0.0):
    arguments = [str(argument) for argument in (folder, delay_s, *step)]
    return subprocess.Popen(
        [sys.executable, hybrid_behind.__file__, *arguments], stdout=subprocess.PIPE
    )


@pytest.mark.parametrize(
    ("step", "when", "call", "embedded"),
    [
        ("adopted", "before", 1, 0),
        ("adopted", "after", 1, 0),
        ("waiting", "before", 1, 0),
        *(("add", "before", call, 8 * (call - 1)) for call in (1, 3, 5)),
        *(("add", "after", call, min(8 * call, 36)) for call in (1, 3, 5)),
    ],
)
async def test_killed_while_it_embeds_nothing_is_lost_and_the_rest_follows(
    tmp_path, step, when, call, embedded
):
    process = run(tmp_path, step, when, call)
    await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == -signal.SIGKILL

    embedder = CountingEmbedder()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        assert await whole(retriever) == {f"d{at}": "1" for at in range(12)}
        # What a sync does that finds nothing new.
        await retriever.index([])
        await retriever.catch_up(ignore)
        assert len(await ids_of_vectors(retriever, "beacon", limit=99)) == 36

    assert len(embedder.texts) == 36 - embedded


async def test_the_first_embedder_that_answers_names_the_vectors(tmp_path):
    failing = CountingEmbedder(1)
    failing.fails = True
    async with opened_hybrid(tmp_path, failing) as retriever:
        with pytest.raises(ModelError):
            await indexed(retriever, [document("a", 1)])

    # It said its name before it failed; another embedder's vectors must not stand under it.
    async with opened_hybrid(tmp_path, CountingEmbedder(2)) as other:
        with pytest.raises(StoreError, match=r"made by scripted 32 1.* name scripted 32 2; run"):
            await other.catch_up(ignore)
    failing.fails = False
    async with opened_hybrid(tmp_path, failing) as retriever:
        await retriever.catch_up(ignore)
        assert len(await ids_of_vectors(retriever, "beacon")) == 3
    assert stored(tmp_path, "SELECT identity FROM vector_sets") == [("1 scripted 32 1",)]


async def test_a_store_that_was_emptied_takes_the_embedder_of_now(tmp_path):
    async with opened_hybrid(tmp_path, CountingEmbedder(1)) as retriever:
        await indexed(retriever, [document("a", 1)])
        await retriever.delete(["library:a"])
    async with opened_hybrid(tmp_path, CountingEmbedder(2)) as retriever:
        await indexed(retriever, [document("b", 1)])
        assert len(await ids_of_vectors(retriever, "beacon")) == 3
    async with opened_hybrid(tmp_path, CountingEmbedder(1)) as retriever:
        await retriever.catch_up(ignore)
        assert len(await ids_of_vectors(retriever, "beacon")) == 3


async def test_a_sync_that_finds_nothing_new_resumes_in_the_background(tmp_path):
    process = run(tmp_path, "add", "after", 2)
    await asyncio.to_thread(process.communicate, timeout=60)

    async with opened_hybrid(tmp_path) as retriever:
        await retriever.index([])
        await until(lambda: count_of_vectors(tmp_path) == 36)


async def test_who_only_asks_makes_a_few_missing_vectors_and_not_many(tmp_path, monkeypatch):
    process = run(tmp_path, "add", "after", 4)
    await asyncio.to_thread(process.communicate, timeout=60)
    for most, count in ((3, 32), (4, 36)):
        monkeypatch.setattr(hybrid_module, "HEALED", most)
        async with opened_hybrid(tmp_path) as retriever:
            _, notices = await answer(retriever, "beacon")
            if retriever._behind.is_running:
                await retriever.catch_up(ignore)
        assert notices == ['4 passages have no vector in "main" yet, found by words alone']
        assert count_of_vectors(tmp_path) == count


async def test_who_waits_takes_over_from_a_process_that_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(following, "POLL_S", 0.05)
    process = run(tmp_path, delay_s=0.5)
    try:
        await asyncio.to_thread(process.stdout.readline)
        await until(lambda: count_of_vectors(tmp_path) > 0)
        async with opened_hybrid(tmp_path) as retriever:
            waiting = asyncio.ensure_future(retriever.catch_up(ignore))
            assert not (await asyncio.wait({waiting}, timeout=0.3))[0]
            process.kill()
            await waiting

            assert len(await ids_of_vectors(retriever, "beacon", limit=99)) == 36
    finally:
        process.kill()
        await asyncio.to_thread(process.communicate)


async def test_closing_waits_for_no_embedder(tmp_path):
    embedder = GatedEmbedder()
    async with asyncio.timeout(20):
        async with opened_hybrid(tmp_path, embedder) as retriever:
            await retriever.index([document("a", 1)])
            await embedder.begun.wait()
    async with opened_hybrid(tmp_path) as retriever:
        await retriever.catch_up(ignore)
        assert len(await ids_of_vectors(retriever, "beacon")) == 3


# --- an embedder that fails -----------------------------------------------------------------------


async def test_an_embedder_that_fails_is_tried_again_without_a_change(tmp_path, monkeypatch):
    monkeypatch.setattr(following, "RETRY_S", 0.05)
    embedder = CountingEmbedder()
    embedder.fails = True
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await retriever.index([document("a", 1)])
        await asyncio.sleep(0.2)
        embedder.fails = False
        await until(lambda: count_of_vectors(tmp_path) == 3)


async def test_a_text_that_no_embedder_takes_keeps_no_other_from_its_vector(tmp_path, monkeypatch):
    monkeypatch.setattr(catching_up, "TOGETHER", 2)
    embedder = PickyEmbedder()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await retriever.index([document("bad", 1, parts=1), document("good", 1, parts=9)])
        with pytest.raises(ModelError, match="bad"):
            await retriever.catch_up(ignore)

        assert len(await ids_of_vectors(retriever, "beacon")) == 8


class PickyEmbedder(CountingEmbedder):
    """Refuses batches in which something bad stands, until it is healed."""

    def __init__(self):
        super().__init__()
        self.is_healed = False

    async def embed(self, texts, *, kind):
        if kind == "passage" and not self.is_healed and any("bad" in text for text in texts):
            raise ModelError("something bad stands there")
        return await super().embed(texts, kind=kind)


async def test_progress_is_told_as_passages_get_their_vectors(tmp_path, monkeypatch):
    monkeypatch.setattr(catching_up, "TOGETHER", 4)
    told = []
    async with opened_hybrid(tmp_path) as retriever:
        await retriever.index([document("a", 1, parts=10)])
        await retriever.catch_up(lambda done, total: told.append((done, total)))

    assert told == [(4, 10), (8, 10), (10, 10)]


@pytest.mark.parametrize("step", ["sets", "adopted", "waiting", "left"])
async def test_no_store_is_closed_while_it_is_used(tmp_path, monkeypatch, step):
    """SQLite ends the process when a connection is closed while another thread uses it."""
    using, order = asyncio.Event(), []
    loop = asyncio.get_running_loop()
    real_step, real_close = getattr(VectorStore, step), VectorStore.close

    def slow(store, *arguments, **named):
        loop.call_soon_threadsafe(using.set)
        result = real_step(store, *arguments, **named)
        order.append("used")
        return result

    def close(store):
        order.append("closed")
        real_close(store)

    monkeypatch.setattr(VectorStore, step, slow)
    monkeypatch.setattr(VectorStore, "close", close)
    async with opened_hybrid(tmp_path) as retriever:
        await retriever.index([document("a", 1)])
        await using.wait()

    assert order[-1] == "closed"
    assert "used" in order


# --- a store of before ----------------------------------------------------------------------------


async def test_a_store_that_knows_no_list_gets_one(tmp_path):
    async with opened_hybrid(tmp_path) as retriever:
        await indexed(retriever, [document("a", 1), document("b", 1)])
    with closing(sqlite3.connect(tmp_path / "passages.sqlite")) as connection:
        connection.executescript(
            "DROP TABLE vectors_lacking; DROP TRIGGER vectors_made; DROP TRIGGER vectors_missing;"
            "DROP TRIGGER vectors_gone; DELETE FROM vectors WHERE key % 6 = 1;"
        )

    embedder = CountingEmbedder()
    async with opened_hybrid(tmp_path, embedder) as retriever:
        await retriever.catch_up(ignore)
        assert len(await ids_of_vectors(retriever, "beacon")) == 6
    assert len(embedder.texts) == 1


# --- whatever happens in which order --------------------------------------------------------------

LABELS = ("everyone", "hr")
NAMES = ("a", "b", "c", "d")
texts = st.lists(st.sampled_from(("red", "blue", "old", "bad")), min_size=1, max_size=2)
drawn_passages = st.lists(st.tuples(texts.map(" ".join), st.sampled_from(LABELS)), max_size=5)
steps = st.one_of(
    st.tuples(st.just("index"), st.sampled_from(NAMES), drawn_passages),
    st.tuples(st.just("delete"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("catch up"), st.none(), st.none()),
    st.tuples(st.just("heal"), st.none(), st.none()),
)
audiences = st.sampled_from((ALL, Audience.of("hr"), Audience.of("everyone", "hr")))


def drawn_document(name, version, passages):
    made = document(name, version, parts=len(passages))
    placed = [
        replace(one, text=text, labels=frozenset({label}))
        for one, (text, label) in zip(made.passages, passages, strict=True)
    ]
    return replace(made, passages=tuple(placed))


def expected(folder, audience):
    """Return who has a vector and may be read; None where too few have."""
    rows = stored(
        folder,
        "SELECT passages.id, passages.labels, vectors.vector IS NOT NULL FROM passages "
        "JOIN documents ON documents.key = passages.document AND visible "
        "LEFT JOIN vectors ON vectors.key = (1 << 40) | row",
    )
    lacking = sum(not has_vector for _, _, has_vector in rows)
    if lacking and 2 * lacking >= len(rows):
        return None
    return sorted(
        name
        for name, labels, has_vector in rows
        if has_vector and any(f'"{label}"' in labels for label in LABELS if may(audience, label))
    )


def may(audience, label):
    return audience.may_read(frozenset({label}))


async def seen(retriever, audience):
    while True:
        try:
            near = await ids_of_vectors(retriever, "red old", limit=99, readable_by=audience)
        except StoreError as error:
            if "is being made" not in str(error):
                return None
            await retriever._built()
            continue
        await retriever._built()
        return sorted(near)


async def played(folder, drawn, audience, **config):
    embedder = PickyEmbedder()
    asking = CountingEmbedder()
    async with (
        opened_hybrid(folder, embedder, **config) as writing,
        opened_hybrid(folder, asking, **config) as reading,
    ):
        for version, (step, name, passages) in enumerate(drawn):
            match step:
                case "index":
                    # Nothing follows in the background: the steps decide.
                    await writing.index([drawn_document(name, version, passages)])
                    await writing._behind.stop()
                case "delete":
                    await writing.delete([f"library:{name}"])
                case "heal":
                    embedder.is_healed = not embedder.is_healed
                case "catch up":
                    try:
                        await writing.catch_up(ignore)
                    except ModelError:
                        assert not embedder.is_healed
            async with opened_hybrid(folder, asking, **config) as fresh:
                should = expected(folder, audience) if (folder / "passages.sqlite").exists() else []
                for retriever in (reading, fresh):
                    assert await seen(retriever, audience) == should, (version, step)
                    words = await retriever.retrieve(
                        Query(text="red blue old bad"), limit=99, readable_by=audience
                    )
                    assert {one.id for one in words} == readable(folder, audience)


def readable(folder, audience):
    if not (folder / "passages.sqlite").exists():
        return set()
    rows = stored(
        folder,
        "SELECT passages.id, labels FROM passages JOIN documents ON documents.key = document "
        "WHERE visible",
    )
    return {
        name
        for name, labels in rows
        if any(f'"{label}"' in labels for label in LABELS if may(audience, label))
    }


@pytest.mark.parametrize("config", [{}, {"exact_up_to": 0, "ann": True}], ids=["each", "graph"])
@given(drawn=st.lists(steps, min_size=3, max_size=12), audience=audiences)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_reader_finds_what_has_a_vector_and_every_word(config, drawn, audience):
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(catching_up, "TOGETHER", 2)
        patch.setattr(hybrid_module, "HEALED", -1)
        patch.setattr(graph_module, "FEW", 0)
        asyncio.run(played(Path(folder), drawn, audience, **config))
