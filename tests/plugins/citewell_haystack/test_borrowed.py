"""What somebody else indexed is found, cited with its places, and never written."""

import random
from itertools import count

import msgspec
import pytest

import haystacks
from citewell import EVERYONE, Audience, Place, Query, StoreError
from citewell.testing.asking import ALL, ids_of, search, texts_of

tables = count(1)


@pytest.fixture
def table():
    return f"theirs_{next(tables)}"


@pytest.fixture
def leave(pgvector, table):
    store = haystacks.pgvector_store(pgvector, table)
    store.write_documents(haystacks.split_leave())
    yield store
    store.close()


async def test_a_passage_has_the_places_that_its_meta_gives(leave, pgvector, table, tmp_path):
    settings = haystacks.pgvector_settings(pgvector, table)

    async with haystacks.haystack(tmp_path, **settings) as retriever:
        found = await search(retriever, "When do days expire that are not taken?")

    best = found[0]
    assert best.text.strip() == "Days that are not taken expire at the end of March."
    assert best.place == Place(page=2)
    assert best.title == "leave.pdf"
    assert best.uri == "https://wiki.example.org/leave"
    assert haystacks.LEAVE[best.start : best.end] == best.text
    assert best.labels == {EVERYONE}


async def test_pieces_of_one_document_are_known_as_such(leave, pgvector, table, tmp_path):
    settings = haystacks.pgvector_settings(pgvector, table)

    async with haystacks.haystack(tmp_path, **settings) as retriever:
        found = await search(retriever, "leave portal days")
        document = found[0].document_id
        around = await retriever.within(document, start=0, end=10_000, readable_by=ALL)
        none = await retriever.within(document, start=0, end=10_000, readable_by=Audience.of("hr"))
        sizes = await retriever.sizes()
        versions = await retriever.versions()

    assert "".join(texts_of(around)) == haystacks.LEAVE
    assert not none
    assert sizes == {document: len(around)}
    assert set(versions) == {document}


async def test_what_changed_or_went_is_no_longer_what_was_cited(leave, pgvector, table, tmp_path):
    from dataclasses import replace

    from haystack.document_stores.types import DuplicatePolicy

    settings = haystacks.pgvector_settings(pgvector, table)
    async with haystacks.haystack(tmp_path, **settings) as retriever:
        before = await search(retriever, "leave portal")
        changed, gone = before[0], before[1]
        theirs = {one.id: one for one in leave.filter_documents()}
        leave.write_documents(
            [replace(theirs[changed.id], content="Nobody has leave.")],
            policy=DuplicatePolicy.OVERWRITE,
        )
        leave.delete_documents([gone.id])

        after = await retriever.fetch([changed.id, gone.id], readable_by=ALL)

    assert ids_of(after) == [changed.id]
    assert after[0].content_hash != changed.content_hash


async def test_nothing_is_written(leave, pgvector, table, tmp_path):
    settings = haystacks.pgvector_settings(pgvector, table)

    async with haystacks.haystack(tmp_path, **settings) as retriever:
        for writing in (retriever.index([]), retriever.delete(["haystack:x"])):
            with pytest.raises(StoreError, match="filled by somebody else, and only read here"):
                await writing

    assert leave.count_documents() == len(haystacks.split_leave())


NAMES = ["everyone", "hr", "legal team", 'quote"d', "2026-01-01"]


def labelled(choose, *, as_list):
    from haystack import Document

    documents = []
    for number in range(60):
        names = choose.sample(NAMES, choose.randint(0, 3) if as_list else 1)
        value = names if as_list else names[0]
        documents.append(Document(content=f"fox number {number}", meta={"team": value}))
    return [*documents, Document(content="fox of nobody")]


def readable_ids(documents, audience):
    found = set()
    for document in documents:
        value = document.meta.get("team", [])
        labels = frozenset([value] if isinstance(value, str) else value)
        if audience.may_read(labels):
            found.add(document.id)
    return found


def pgvector_of_texts(url, table, folder):
    return haystacks.pgvector_store(url, table), haystacks.pgvector_settings(url, table)


def pgvector_of_lists(url, table, folder):
    settings = haystacks.pgvector_settings(url, table) | {"label_filter": "array_overlaps"}
    return haystacks.pgvector_store(url, table), settings


def pgvector_filtered_here(url, table, folder):
    settings = haystacks.pgvector_settings(url, table) | {"label_filter": "none"}
    return haystacks.pgvector_store(url, table), settings


def qdrant(url, table, folder):
    from haystack_integrations.document_stores.qdrant import QdrantDocumentStore

    parameters = {
        "path": str(folder / table),
        "embedding_dim": haystacks.DIMENSION,
        "progress_bar": False,
    }
    settings = {
        "store": "qdrant",
        "parameters": parameters,
        "filled_by": "others",
        "embedder": "scripted",
    }
    return QdrantDocumentStore(**parameters), settings


@pytest.mark.parametrize(
    ("make", "as_list"),
    [
        (pgvector_of_texts, False),
        (pgvector_of_lists, True),
        (pgvector_filtered_here, True),
        (qdrant, False),
        (qdrant, True),
    ],
)
def test_nobody_gets_what_a_reader_may_not_read(make, as_list, pgvector, table, tmp_path):
    import asyncio

    choose = random.Random(11)
    documents = haystacks.embedded(labelled(choose, as_list=as_list))
    store, settings = make(pgvector, table, tmp_path)
    store.write_documents(documents)
    store.close()

    async def check():
        async with haystacks.haystack(tmp_path, **settings, meta={"labels": "team"}) as retriever:
            for _ in range(25):
                readers = [
                    frozenset(choose.sample([*NAMES, "unused"], choose.randint(0, 3)))
                    for _ in range(choose.randint(0, 3))
                ]
                audience = Audience(frozenset(readers))
                readable = readable_ids(documents, audience)
                found = await retriever.retrieve(
                    Query(text="fox"), limit=len(documents), readable_by=audience
                )
                fetched = await retriever.fetch([one.id for one in documents], readable_by=audience)

                assert set(ids_of(found)) == readable
                assert set(ids_of(fetched)) == readable

    asyncio.run(check())


async def test_what_may_not_be_read_takes_no_place(pgvector, table, tmp_path):
    from haystack import Document

    store = haystacks.pgvector_store(pgvector, table)
    secret = [
        Document(content=f"fox fox fox den {number}", meta={"team": "hr"}) for number in range(400)
    ]
    public = Document(content="Somewhere here a fox is met.", meta={"team": "everyone"})
    store.write_documents([*secret, public])
    store.close()
    settings = haystacks.pgvector_settings(pgvector, table) | {"meta": {"labels": "team"}}

    async with haystacks.haystack(tmp_path, **settings) as retriever:
        found = await search(retriever, "fox den", limit=2)

    assert texts_of(found) == [public.content]


async def test_a_store_for_some_is_shut_for_others(leave, pgvector, table, tmp_path):
    settings = haystacks.pgvector_settings(pgvector, table) | {"labels": ["hr"]}

    async with haystacks.haystack(tmp_path, **settings) as retriever:
        nothing = await search(retriever, "leave")
        found = await retriever.retrieve(
            Query(text="leave"), limit=3, readable_by=Audience.of("hr")
        )
        mixed = Audience(frozenset({frozenset({"hr"}), frozenset({EVERYONE})}))
        together = await retriever.retrieve(Query(text="leave"), limit=3, readable_by=mixed)

    assert not nothing
    assert found
    assert not together


async def test_the_identity_tells_that_documents_came(leave, pgvector, table, tmp_path):
    from haystack import Document

    settings = haystacks.pgvector_settings(pgvector, table)
    async with haystacks.haystack(tmp_path, **settings) as retriever:
        before = await retriever.identity()
        again = await retriever.identity()
        leave.write_documents([Document(content="new")])
        after = await retriever.identity()

    assert before == again
    assert after != before


async def test_a_store_that_is_not_there_is_said_in_a_line(table, tmp_path):
    settings = haystacks.pgvector_settings("postgresql://127.0.0.1:9/none", table)

    async with haystacks.haystack(tmp_path, **settings) as retriever:
        with pytest.raises(StoreError, match=r"\(PgvectorDocumentStore\) cannot be") as raised:
            await search(retriever, "leave")

    assert "\n" not in str(raised.value)


async def test_a_password_in_what_a_client_says_is_not_said(table, tmp_path):
    from citewell.redaction import remember

    remember("postgresql//me:hunter2hunter2@db")
    settings = haystacks.pgvector_settings("postgresql//me:hunter2hunter2@db", table)

    async with haystacks.haystack(tmp_path, **settings) as retriever:
        with pytest.raises(StoreError) as raised:
            await search(retriever, "leave")

    assert "hunter2" not in str(raised.value)


async def test_a_link_that_is_no_web_address_is_no_link(pgvector, table, tmp_path):
    from haystack import Document

    store = haystacks.pgvector_store(pgvector, table)
    store.write_documents([Document(content="fox", meta={"url": "javascript:alert(1)"})])
    store.close()
    settings = haystacks.pgvector_settings(pgvector, table)

    async with haystacks.haystack(tmp_path, **settings) as retriever:
        found = await search(retriever, "fox")

    assert found[0].uri is None


ODD = """
from haystack import Document
from haystack.document_stores.in_memory import InMemoryDocumentStore

MAX = 10**400
store = InMemoryDocumentStore()
store.write_documents([
    Document(id="odd", content="fox\\0 \\ud800", meta=META | {"team": "everyone"}),
    Document(id="plain", content="fox", meta={"team": "everyone"}),
])
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


def odd(meta, folder):
    path = folder / "odd.py"
    path.write_text(ODD.replace("META", meta), encoding="utf-8")
    haystacks.trust(path)
    return {"python": "odd.py:store", "filled_by": "others", "meta": {"labels": "team"}}


@pytest.mark.parametrize(
    "meta",
    [
        "{'page_number': float('nan')}",
        "{'page_number': float('inf'), 'line': float('-inf')}",
        "{'source_id': 'x', 'split_idx_start': 1e300}",
        "{'source_id': 'x', 'split_idx_start': MAX}",
        "{'title': ['a'], 'url': {'a': 1}, 'parent_headers': 7, 'page': '3'}",
        "{'title': 'a\\0\\ud800b', 'parent_headers': ['\\ud800']}",
    ],
)
async def test_what_is_odd_in_one_document_costs_no_answer(meta, home, tmp_path):
    async with haystacks.haystack(tmp_path, **odd(meta, tmp_path)) as retriever:
        found = await search(retriever, "fox")
        fetched = await retriever.fetch(["odd", "plain"], readable_by=ALL)
        sizes = await retriever.sizes()

    assert sorted(ids_of(found)) == ids_of(fetched) == ["odd", "plain"]
    assert sum(sizes.values()) == 2
    assert all(one.place.page is None and one.start == 0 for one in found)
    assert all("\0" not in one.text and "\0" not in one.title for one in found)
    assert msgspec.json.encode(found), "it can be kept"


@pytest.mark.parametrize(
    "value", ["None", "''", "[]", "7", "True", "{'everyone': 1}", "[['everyone']]", "' everyone '"]
)
@pytest.mark.parametrize("label_filter", ["in", "none"])
async def test_labels_that_are_none_are_read_by_nobody(value, label_filter, home, tmp_path):
    settings = odd("{}", tmp_path) | {"label_filter": label_filter}
    path = tmp_path / "odd.py"
    labelled = path.read_text(encoding="utf-8")
    content = labelled.replace('{"team": "everyone"}', f'{{"team": {value}}}', 1)
    path.write_text(content, encoding="utf-8")
    haystacks.trust(path)

    async with haystacks.haystack(tmp_path, **settings) as retriever:
        found = await search(retriever, "fox")
        fetched = await retriever.fetch(["odd", "plain"], readable_by=ALL)

    assert ids_of(found) == ids_of(fetched) == ["plain"]
