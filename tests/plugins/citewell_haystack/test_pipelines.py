"""A whole query pipeline is asked, within its own bounds and those of the reader."""

from itertools import count

import pytest

import haystacks
from citewell import Audience, PluginError, Query, StoreError, UntrustedPlugin, asking
from citewell.testing.asking import ALL, ids_of, search, texts_of

tables = count(1)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


@pytest.fixture
def store(pgvector, monkeypatch):
    """Return a filled store of pgvector that can be written down in YAML."""
    from haystack import Document
    from haystack.utils import Secret
    from haystack_integrations.document_stores.pgvector import PgvectorDocumentStore

    monkeypatch.setenv("PG_CONN_STR", pgvector)
    table = f"piped_{next(tables)}"
    filled = PgvectorDocumentStore(
        connection_string=Secret.from_env_var("PG_CONN_STR"),
        table_name=table,
        keyword_index_name=f"{table}_words",
        embedding_dimension=haystacks.DIMENSION,
    )
    filled.write_documents([
        Document(content="The fox is red.", meta={"team": "everyone", "state": "final"}),
        Document(content="The fox is blue.", meta={"team": "everyone", "state": "draft"}),
        Document(content="The fox is secret.", meta={"team": "hr", "state": "final"}),
    ])
    yield filled
    filled.close()


def by_words(store, **parameters):
    from haystack import Pipeline
    from haystack_integrations.components.retrievers.pgvector import PgvectorKeywordRetriever

    pipeline = Pipeline()
    pipeline.add_component("words", PgvectorKeywordRetriever(document_store=store, **parameters))
    return pipeline


def written(pipeline, folder, *, trusted=True):
    path = folder / "query.yaml"
    path.write_text(pipeline.dumps(), encoding="utf-8")
    if trusted:
        haystacks.trust(path)
    return {"pipeline": path}


LABELLED = {"meta": {"labels": "team"}}


async def test_a_pipeline_of_a_file_finds_and_is_cited(store, tmp_path):
    settings = written(by_words(store), tmp_path)

    async with haystacks.haystack(tmp_path, **settings, **LABELLED) as retriever:
        found = await search(retriever, "fox")
        fetched = await retriever.fetch(ids_of(found), readable_by=ALL)

    assert sorted(texts_of(found)) == ["The fox is blue.", "The fox is red."]
    assert [one.content_hash for one in fetched] == [one.content_hash for one in found]


async def test_its_own_filters_hold_beside_those_of_the_reader(store, tmp_path):
    final = {"field": "meta.state", "operator": "==", "value": "final"}
    settings = written(by_words(store, filters=final), tmp_path)
    both = Audience.of("everyone", "hr")

    async with haystacks.haystack(tmp_path, **settings, **LABELLED) as retriever:
        found = await search(retriever, "fox")
        for_hr = await retriever.retrieve(Query(text="fox"), limit=9, readable_by=both)

    assert texts_of(found) == ["The fox is red."]
    assert sorted(texts_of(for_hr)) == ["The fox is red.", "The fox is secret."]


async def test_the_reader_is_filtered_before_the_ranking(store, tmp_path):
    from haystack import Document

    secret = [Document(content=f"fox {at} fox fox", meta={"team": "hr"}) for at in range(50)]
    store.write_documents(secret)
    settings = written(by_words(store, top_k=2), tmp_path)

    async with haystacks.haystack(tmp_path, **settings, **LABELLED) as retriever:
        found = await search(retriever, "fox", limit=2)

    assert sorted(texts_of(found)) == ["The fox is blue.", "The fox is red."]


MADE = """
from typing import Any

from haystack import Pipeline, component
from haystack.utils import Secret
from haystack_integrations.components.retrievers.pgvector import PgvectorKeywordRetriever
from haystack_integrations.document_stores.pgvector import PgvectorDocumentStore


@component
class Newest:
    @component.output_types(filters=dict[str, Any])
    def run(self, query: str):
        return {"filters": {"field": "meta.state", "operator": "!=", "value": "old"}}


def make():
    store = PgvectorDocumentStore(
        connection_string=Secret.from_env_var("PG_CONN_STR"),
        table_name="TABLE",
        keyword_index_name="TABLE_words",
        embedding_dimension=DIMENSION,
    )
    pipeline = Pipeline()
    pipeline.add_component("words", PgvectorKeywordRetriever(document_store=store))
    pipeline.add_component("newest", Newest())
    pipeline.connect("newest.filters", "words.filters")
    return pipeline
"""


@pytest.fixture
def made(store, tmp_path):
    """Return the file of a pipeline that is made by code, and takes no filters from outside."""
    path = tmp_path / "made.py"
    code = MADE.replace("TABLE", store.table_name).replace("DIMENSION", str(haystacks.DIMENSION))
    path.write_text(code, encoding="utf-8")
    return path


async def test_a_pipeline_that_takes_no_filters_is_filtered_here(made, tmp_path, caplog):
    haystacks.trust(made)
    settings = {"python": "made.py:make", "filled_by": "others"}

    async with haystacks.haystack(tmp_path, **settings, **LABELLED) as retriever:
        found = await search(retriever, "fox", limit=5)

    assert sorted(texts_of(found)) == ["The fox is blue.", "The fox is red."]
    assert "words of the pipeline take no filters" in caplog.text


async def test_a_pipeline_cannot_be_filled(made, tmp_path):
    haystacks.trust(made)

    with pytest.raises(PluginError, match="is a pipeline, which only finds; set filled_by"):
        async with haystacks.haystack(tmp_path, python="made.py:make"):
            pass


async def test_a_file_that_nobody_trusts_is_not_even_read_as_a_pipeline(store, tmp_path):
    settings = written(by_words(store), tmp_path, trusted=False)

    with pytest.raises(UntrustedPlugin, match="run: citewell plugins trust"):
        async with haystacks.haystack(tmp_path, **settings):
            pass


async def test_a_file_that_changed_is_not_trusted_any_more(store, tmp_path):
    settings = written(by_words(store), tmp_path)
    path = settings["pipeline"]
    path.write_text(path.read_text() + "\n# changed\n")

    with pytest.raises(UntrustedPlugin, match="changed since it was trusted"):
        async with haystacks.haystack(tmp_path, **settings):
            pass


async def test_a_pipeline_that_writes_answers_is_refused(store, tmp_path):
    from haystack.components.builders import AnswerBuilder

    pipeline = by_words(store)
    pipeline.add_component("answers", AnswerBuilder())
    pipeline.connect("words.documents", "answers.documents")
    settings = written(pipeline, tmp_path)

    with pytest.raises(PluginError, match=r"writes an answer \(answers\)"):
        async with haystacks.haystack(tmp_path, **settings):
            pass


async def test_two_ends_are_refused_with_the_fix(store, tmp_path):
    from haystack_integrations.components.retrievers.pgvector import PgvectorKeywordRetriever

    pipeline = by_words(store)
    pipeline.add_component("more", PgvectorKeywordRetriever(document_store=store))
    settings = written(pipeline, tmp_path)

    with pytest.raises(
        PluginError, match=r"2 outputs called documents .*; a DocumentJoiner makes one"
    ):
        async with haystacks.haystack(tmp_path, **settings):
            pass


async def test_what_a_question_does_not_have_is_named(store, tmp_path):
    from haystack.components.rankers import MetaFieldRanker

    pipeline = by_words(store)
    pipeline.add_component("vectors", _vectors(store))
    pipeline.add_component("joined", _joiner())
    pipeline.add_component("ranked", MetaFieldRanker(meta_field="state"))
    pipeline.connect("words.documents", "joined.documents")
    pipeline.connect("vectors.documents", "joined.documents")
    pipeline.connect("joined.documents", "ranked.documents")
    settings = written(pipeline, tmp_path)

    with pytest.raises(PluginError, match=r"needs vectors\.query_embedding, which a question"):
        async with haystacks.haystack(tmp_path, **settings):
            pass


async def test_a_pipeline_of_several_parts_keeps_its_order(store, tmp_path):
    from haystack.components.rankers import MetaFieldRanker
    from haystack_integrations.components.retrievers.pgvector import PgvectorKeywordRetriever

    pipeline = by_words(store)
    pipeline.add_component("again", PgvectorKeywordRetriever(document_store=store))
    pipeline.add_component("joined", _joiner())
    ranker = MetaFieldRanker(meta_field="state", weight=1.0, sort_order="ascending")
    pipeline.add_component("ranked", ranker)
    pipeline.connect("words.documents", "joined.documents")
    pipeline.connect("again.documents", "joined.documents")
    pipeline.connect("joined.documents", "ranked.documents")
    settings = written(pipeline, tmp_path)

    async with haystacks.haystack(tmp_path, **settings, **LABELLED) as retriever:
        found = await search(retriever, "fox")

    assert texts_of(found) == ["The fox is blue.", "The fox is red."]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


async def test_a_pipeline_is_given_the_beginning_of_a_question_that_is_a_whole_page(
    store, tmp_path, monkeypatch
):
    from haystack_integrations.components.retrievers.pgvector import PgvectorKeywordRetriever

    asked, run = [], PgvectorKeywordRetriever.run

    def noting(self, query, **more):
        asked.append(query)
        return run(self, query, **more)

    settings = written(by_words(store), tmp_path)
    async with haystacks.haystack(tmp_path, **settings) as retriever:
        monkeypatch.setattr(PgvectorKeywordRetriever, "run", noting)
        await search(retriever, "fox " * 10_000)

    assert {len(query) for query in asked} == {asking.ASKED_CHARS}


async def test_a_component_that_fails_is_an_error_of_one_line(store, tmp_path):
    settings = written(by_words(store), tmp_path)

    async with haystacks.haystack(tmp_path, **settings) as retriever:
        await search(retriever, "fox")
        store.delete_table()
        with pytest.raises(StoreError) as raised:
            await search(retriever, "fox")

    assert "\n" not in str(raised.value)


def _vectors(store):
    from haystack_integrations.components.retrievers.pgvector import PgvectorEmbeddingRetriever

    return PgvectorEmbeddingRetriever(document_store=store)


def _joiner():
    from haystack.components.joiners import DocumentJoiner

    return DocumentJoiner(sort_by_score=False)


ENDING = """
from dataclasses import replace

from haystack import Document, Pipeline, component
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
from haystack.document_stores.in_memory import InMemoryDocumentStore

store = InMemoryDocumentStore()
store.write_documents([
    Document(id=team, content=f"fox of {team}", meta={"team": team}) for team in ("everyone", "hr")
])


@component
class Ending:
    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]):
        return {"documents": ENDS}


def pipeline():
    made = Pipeline()
    made.add_component("words", InMemoryBM25Retriever(document_store=store))
    made.add_component("end", Ending())
    made.connect("words.documents", "end.documents")
    return made
"""


def ending(ends, folder):
    path = folder / "ending.py"
    path.write_text(ENDING.replace("ENDS", ends), encoding="utf-8")
    haystacks.trust(path)
    return {"python": "ending.py:pipeline", "filled_by": "others", **LABELLED}


@pytest.mark.parametrize("ends", ["None", "[None]", "['fox']", "documents[0]", "{1: 2}"])
async def test_an_end_without_documents_is_said_in_a_line(ends, tmp_path):
    async with haystacks.haystack(tmp_path, **ending(ends, tmp_path)) as retriever:
        with pytest.raises(StoreError, match="ends with what are no documents") as raised:
            await search(retriever, "fox")

    assert "\n" not in str(raised.value)


async def test_a_document_that_is_given_twice_is_one_passage(tmp_path):
    async with haystacks.haystack(tmp_path, **ending("documents * 3", tmp_path)) as retriever:
        found = await search(retriever, "fox")

    assert texts_of(found) == ["fox of everyone"]


@pytest.mark.parametrize(
    "ends",
    [
        "[replace(one, meta={'team': 'everyone'}) for one in store.filter_documents()]",
        "[replace(one, meta={}) for one in store.filter_documents()]",
        "[Document(id='hr', content='fox', meta={'team': 'everyone'})]",
    ],
)
async def test_labels_are_those_of_the_store_whatever_a_pipeline_says(ends, tmp_path):
    async with haystacks.haystack(tmp_path, **ending(ends, tmp_path)) as retriever:
        found = await search(retriever, "fox")

    assert "fox of hr" not in texts_of(found)
