"""A store that Citewell fills stays whole, whatever interrupts a write, and knows its embedder."""

import asyncio
import math
import random

import filelock
import pytest

import haystacks
from citewell import IndexLocked, ModelError, StoreError, asking
from citewell.noticing import listening
from citewell.testing.asking import ALL, ids_of, search, texts_of
from citewell.testing.documents import make_document
from citewell.testing.embedding import ScriptedEmbedder
from citewell.testing.opening import _Installed
from citewell_haystack import kept as kept_module
from citewell_haystack.store import Store


@pytest.fixture
def settings(tmp_path):
    return {
        "store": "qdrant",
        "parameters": {
            "path": "qdrant",
            "embedding_dim": haystacks.DIMENSION,
            "progress_bar": False,
        },
    }


class Breaking:
    """Lets a store fail at one of its writes or deletions, as a process that is killed there."""

    def __init__(self, monkeypatch):
        self.left = None
        for name in ("write", "delete"):
            monkeypatch.setattr(Store, name, self._counted(getattr(Store, name)))

    def _counted(self, change):
        def changed(store, items):
            if self.left is not None:
                if not self.left:
                    raise StoreError("killed")
                self.left -= 1
            change(store, items)

        return changed


@pytest.mark.parametrize("step", range(5))
async def test_a_write_that_is_killed_leaves_the_old_or_the_new(
    step, settings, tmp_path, monkeypatch
):
    breaking = Breaking(monkeypatch)
    old = make_document("a", "old fox one", "old fox two", "shared fox")
    new = make_document("a", "new fox", "newer fox", version="2")

    async with haystacks.haystack(tmp_path, **settings) as retriever:
        await retriever.index([old])
        breaking.left = step
        with pytest.raises(StoreError, match="killed"):
            await retriever.index([new])
        breaking.left = None
    async with haystacks.haystack(tmp_path, **settings) as retriever:
        found = sorted(texts_of(await search(retriever, "fox")))
        version = (await retriever.versions())[old.id]
        await retriever.index([make_document("b", "dog")])
        ids = [*ids_of(old.passages), *ids_of(new.passages)]
        fetched = await retriever.fetch(ids, readable_by=ALL)

    expected = {"1": old, "2": new}[version]
    assert found == sorted(one.text for one in expected.passages)
    assert tuple(fetched) == expected.passages


async def test_what_a_killed_write_left_behind_is_cleaned_up(settings, tmp_path, monkeypatch):
    from haystack_integrations.document_stores.qdrant import QdrantDocumentStore

    breaking = Breaking(monkeypatch)
    async with haystacks.haystack(tmp_path, **settings) as retriever:
        await retriever.index([make_document("a", "old fox")])
        breaking.left = 2
        with pytest.raises(StoreError):
            await retriever.index([make_document("a", "new fox", "newer fox", version="2")])
        breaking.left = None
    async with haystacks.haystack(tmp_path, **settings) as retriever:
        await retriever.index([make_document("b", "dog")])

    parameters = settings["parameters"] | {"path": str(tmp_path / "qdrant")}
    store = QdrantDocumentStore(**parameters, use_sparse_embeddings=True)
    texts = sorted(one.content for one in store.filter_documents() if one.content)
    store.close()
    assert texts == ["dog", "old fox"]


async def test_another_process_that_writes_is_waited_for_and_then_named(
    settings, tmp_path, monkeypatch
):
    monkeypatch.setattr(kept_module, "_LOCK_WAIT_S", 0.05)

    with filelock.FileLock(tmp_path / "writer.lock"):
        async with haystacks.haystack(tmp_path, **settings) as retriever:
            with pytest.raises(IndexLocked, match=r"writer\.lock; wait until it has ended"):
                await retriever.index([make_document("a", "fox")])
            assert not await retriever.versions()


async def test_what_another_version_wrote_is_said_in_a_line(tmp_path, pgvector):
    from haystack import Document

    settings = haystacks.pgvector_settings(pgvector, "foreign") | {"filled_by": "citewell"}
    store = haystacks.pgvector_store(pgvector, "foreign")
    store.write_documents([Document(id="citewell-head", meta={"citewell_body": "{}"})])
    store.close()

    async with haystacks.haystack(tmp_path, **settings) as retriever:
        with pytest.raises(StoreError, match="as citewell-head was not written by this version"):
            await search(retriever, "fox")


def embedded(settings, **more):
    return settings | {"embedder": "scripted"} | more


def wordless(settings):
    return embedded(settings) | {
        "parameters": settings["parameters"] | {"use_sparse_embeddings": False}
    }


async def test_vectors_find_where_there_are_no_words(settings, tmp_path):
    async with haystacks.haystack(tmp_path, **wordless(settings)) as retriever:
        await retriever.index([make_document("a", "the red fox"), make_document("b", "a lazy dog")])
        found = await search(retriever, "fox")

    assert texts_of(found)[0] == "the red fox"


async def test_another_embedder_has_everything_read_again(tmp_path, pgvector):
    settings = haystacks.pgvector_settings(pgvector, "other_embedder") | {
        "filled_by": "citewell",
    }
    async with haystacks.haystack(tmp_path, **settings) as retriever:
        await retriever.index([make_document("a", "the red fox")])
        before = await retriever.versions()
    async with haystacks.haystack(tmp_path, **embedded(settings)) as retriever:
        then = await retriever.versions()
        meanwhile = texts_of(await search(retriever, "fox"))
        await retriever.index([make_document("a", "the red fox")])
        after = await retriever.versions()
        found = texts_of(await search(retriever, "fox"))

    assert before == after == {"library:a": "1"}
    assert then == {"library:a": "1 of another embedder"}
    assert meanwhile == found == ["the red fox"]


@pytest.mark.parametrize("store", ["pgvector", "qdrant"])
async def test_what_must_stay_here_is_given_to_no_embedder_and_found_by_words(
    store, settings, tmp_path, pgvector, monkeypatch
):
    given = []

    class Noting:
        def __init__(self, embedder):
            self._embedder = embedder
            self.identity = embedder.identity

        async def embed(self, texts, *, kind):
            given.extend(texts)
            return await self._embedder.embed(texts, kind=kind)

    opened = _Installed.open

    async def open_noting(self, name):
        return Noting(await opened(self, name))

    monkeypatch.setattr(_Installed, "open", open_noting)
    monkeypatch.setattr(_Installed, "withholds", lambda self, name, labels: "hr" in labels)
    if store == "pgvector":
        settings = haystacks.pgvector_settings(pgvector, "withheld") | {"filled_by": "citewell"}
    secret = make_document("s", "a secret fox", labels=["hr", "everyone"])

    async with haystacks.haystack(tmp_path, **embedded(settings)) as retriever:
        await retriever.index([secret, make_document("a", "a red fox")])
        indexed = list(given)
        found = sorted(texts_of(await search(retriever, "fox")))

    assert indexed == ["a red fox"]
    assert found == ["a red fox", "a secret fox"]


async def fails(self, texts, *, kind):
    raise ModelError("gone")


async def hangs(self, texts, *, kind):
    await asyncio.Event().wait()


async def cannot_be_opened(self, name):
    raise ModelError("its file is not there")


ALONE = "search by meaning is off at the moment; only words were looked for"


@pytest.mark.parametrize("embed", [fails, hangs])
async def test_an_embedder_that_fails_leaves_the_words(embed, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE_S", 0.1)
    async with haystacks.haystack(tmp_path, **embedded(settings)) as retriever:
        await retriever.index([make_document("a", "a red fox")])
        monkeypatch.setattr(ScriptedEmbedder, "embed", embed)
        with listening() as notices:
            found = texts_of(await search(retriever, "fox"))

    assert found == ["a red fox"]
    assert [one.text for one in notices] == [ALONE]


async def test_an_embedder_that_was_silent_is_not_waited_for_again(settings, tmp_path, monkeypatch):
    async with haystacks.haystack(tmp_path, **embedded(settings)) as retriever:
        await retriever.index([make_document("a", "a red fox")])
        monkeypatch.setattr(ScriptedEmbedder, "embed", hangs)
        monkeypatch.setattr(asking, "PATIENCE_S", 0.1)
        await search(retriever, "fox")
        monkeypatch.setattr(asking, "PATIENCE_S", 60)
        async with asyncio.timeout(20):
            found = texts_of(await search(retriever, "fox"))

    assert found == ["a red fox"]


async def test_an_embedder_that_cannot_be_opened_leaves_the_words(settings, tmp_path, monkeypatch):
    document = make_document("a", "a red fox")
    async with haystacks.haystack(tmp_path, **embedded(settings)) as retriever:
        await retriever.index([document])
    monkeypatch.setattr(_Installed, "open", cannot_be_opened)
    async with haystacks.haystack(tmp_path, **embedded(settings)) as retriever:
        with listening() as notices:
            found = texts_of(await search(retriever, "fox"))
        versions = await retriever.versions()
        await retriever.index([make_document("b", "a blue fox")])
        new = texts_of(await search(retriever, "blue"))

    assert found == ["a red fox"]
    assert new == ["a blue fox"]
    assert [one.text for one in notices] == [ALONE]
    assert versions == {document.id: "1"}, "what is indexed is not read again for nothing"


async def test_what_cannot_be_embedded_replaces_what_was_said_before(
    settings, tmp_path, monkeypatch
):
    async with haystacks.haystack(tmp_path, **embedded(settings)) as retriever:
        await retriever.index([make_document("a", "a red fox"), make_document("b", "a red dog")])
        monkeypatch.setattr(ScriptedEmbedder, "embed", fails)
        await retriever.index([
            make_document("a", "a blue fox", version="2"),
            make_document("b", "a red dog", version="2", labels=["hr"]),
        ])
        found = texts_of(await search(retriever, "red fox blue dog", limit=10))

    assert found == ["a blue fox"]


async def test_where_there_are_no_words_what_was_said_before_is_forgotten(
    settings, tmp_path, monkeypatch
):
    good = ScriptedEmbedder.embed
    async with haystacks.haystack(tmp_path, **wordless(settings)) as retriever:
        await retriever.index([make_document("a", "a red fox"), make_document("b", "a red dog")])
        monkeypatch.setattr(ScriptedEmbedder, "embed", fails)
        with pytest.raises(StoreError, match="passages cannot be embedded: gone"):
            await retriever.index([make_document("a", "a blue fox", version="2")])
        monkeypatch.setattr(ScriptedEmbedder, "embed", good)
        found = texts_of(await search(retriever, "red fox blue", limit=10))
        versions = await retriever.versions()

    assert found == ["a red dog"]
    assert set(versions) == {"library:b"}, "the next sync reads it again"


async def test_where_there_are_no_words_it_is_said_that_nothing_can_be_found(
    settings, tmp_path, monkeypatch
):
    async with haystacks.haystack(tmp_path, **wordless(settings)) as retriever:
        await retriever.index([make_document("a", "a red fox")])
        monkeypatch.setattr(ScriptedEmbedder, "embed", fails)
        with pytest.raises(StoreError, match="nothing is found by words: gone"):
            await search(retriever, "fox")


@pytest.mark.parametrize("store", ["qdrant", "in-memory"])
async def test_fewer_passages_are_the_best_of_more(store, settings, tmp_path):
    choose = random.Random(3)
    words = ["fox", "dog", "cat", "red", "blue", "den", "yard", "moon"]
    documents = [
        make_document(
            f"d{number}",
            " ".join(choose.choices(words, k=6)),
            labels=[choose.choice(["everyone", "hr"])],
        )
        for number in range(300)
    ]
    used = settings if store == "qdrant" else {"store": store}
    async with haystacks.haystack(tmp_path, **embedded(used)) as retriever:
        await retriever.index(documents)
        for text in ("fox", "red den", "blue moon dog yard"):
            found = ids_of(await search(retriever, text, limit=40))
            for limit in (1, 2, 3, 7, 15, 39):
                assert ids_of(await search(retriever, text, limit=limit)) == found[:limit]


WRONG = {
    "too few": lambda vectors: vectors[:-1],
    "too many": lambda vectors: [*vectors, vectors[0]],
    "no numbers": lambda vectors: [[math.nan] * len(one) for one in vectors],
    "no end": lambda vectors: [[math.inf] * len(one) for one in vectors],
    "no direction": lambda vectors: [[0.0] * len(one) for one in vectors],
    "nothing": lambda vectors: [[] for _ in vectors],
    "words": lambda vectors: ["fox" for _ in vectors],
    "another dimension": lambda vectors: [one[:7] for one in vectors],
}


@pytest.mark.parametrize("store", ["qdrant", "in-memory"])
@pytest.mark.parametrize("wrong", WRONG)
async def test_vectors_that_are_none_are_refused_and_spoil_nothing(
    wrong, store, settings, tmp_path, monkeypatch, caplog
):
    used = settings if store == "qdrant" else {"store": store}
    good = ScriptedEmbedder.embed

    async def embed(self, texts, *, kind):
        return WRONG[wrong](await good(self, texts, kind=kind))

    async with haystacks.haystack(tmp_path, **embedded(used)) as retriever:
        await retriever.index([make_document("a", "a red fox")])
        monkeypatch.setattr(ScriptedEmbedder, "embed", embed)
        await retriever.index([make_document("b", "a blue fox")])
        with listening() as notices:
            meanwhile = texts_of(await search(retriever, "fox"))
        monkeypatch.setattr(ScriptedEmbedder, "embed", good)
        after = texts_of(await search(retriever, "fox"))
        versions = await retriever.versions()

    assert sorted(meanwhile) == sorted(after) == ["a blue fox", "a red fox"]
    assert 'embedder "scripted" gives' in caplog.text
    assert versions["library:b"] != "1", "the next sync reads it again"
    assert [one.text for one in notices] == [ALONE]


async def test_of_a_question_that_is_a_whole_page_the_beginning_is_embedded(
    settings, tmp_path, monkeypatch
):
    from citewell.testing.embedding import ScriptedEmbedder

    asked, embed = [], ScriptedEmbedder.embed

    async def noting(self, texts, *, kind):
        asked.extend(texts)
        return await embed(self, texts, kind=kind)

    async with haystacks.haystack(tmp_path, **embedded(settings)) as retriever:
        await retriever.index([make_document("a", "a red fox")])
        monkeypatch.setattr(ScriptedEmbedder, "embed", noting)
        await search(retriever, "fox " * 10_000)

    assert [len(text) for text in asked] == [asking.ASKED_CHARS]


async def test_two_processes_see_the_same(tmp_path, pgvector):
    settings = haystacks.pgvector_settings(pgvector, "shared") | {"filled_by": "citewell"}

    async with (
        haystacks.haystack(tmp_path / "one", **settings) as writer,
        haystacks.haystack(tmp_path / "two", **settings) as reader,
    ):
        (tmp_path / "one").mkdir(exist_ok=True)
        versions = [
            make_document("a", *(f"beacon {part}" for part in range(2 + at % 5)), version=str(at))
            for at in range(12)
        ]
        whole = {frozenset(ids_of(version.passages)) for version in versions}
        await writer.index([versions[0]])

        async def write():
            for version in versions[1:]:
                await writer.index([version])

        writing = asyncio.ensure_future(write())
        seen = []
        while not writing.done():
            seen.append(frozenset(ids_of(await search(reader, "beacon", limit=50))))
        await writing

    assert seen
    assert set(seen) <= whole
