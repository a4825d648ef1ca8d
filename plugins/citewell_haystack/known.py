"""Stores that can be named by a word, and what searches them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

_CORE = "haystack.components.retrievers.in_memory"
_STORES = "haystack_integrations.document_stores"
_RETRIEVERS = "haystack_integrations.components.retrievers"


class Known(Struct, frozen=True, kw_only=True):
    """Classes of Haystack that belong together.

    Attributes:
        store: the document store.
        words: what finds in it by words; empty where nothing does.
        vectors: what finds in it by vectors.
        by_word: whether each word is asked for by itself, because the store wants all words of a
            question in a passage, or weighs a word by passages that the reader may not read.
        sparse: whether words are found through sparse vectors, which we make.
        id_field: what filters call the id.
    """

    store: str
    words: str = ""
    vectors: str
    by_word: bool = False
    sparse: bool = False
    id_field: str = "id"


KNOWN: Mapping[str, Known] = {
    "in-memory": Known(
        store="haystack.document_stores.in_memory.InMemoryDocumentStore",
        words=f"{_CORE}.InMemoryBM25Retriever",
        vectors=f"{_CORE}.InMemoryEmbeddingRetriever",
        by_word=True,
    ),
    "pgvector": Known(
        store=f"{_STORES}.pgvector.PgvectorDocumentStore",
        words=f"{_RETRIEVERS}.pgvector.PgvectorKeywordRetriever",
        vectors=f"{_RETRIEVERS}.pgvector.PgvectorEmbeddingRetriever",
        by_word=True,
    ),
    "qdrant": Known(
        store=f"{_STORES}.qdrant.QdrantDocumentStore",
        words=f"{_RETRIEVERS}.qdrant.QdrantSparseEmbeddingRetriever",
        vectors=f"{_RETRIEVERS}.qdrant.QdrantEmbeddingRetriever",
        by_word=True,
        sparse=True,
    ),
    "opensearch": Known(
        store=f"{_STORES}.opensearch.OpenSearchDocumentStore",
        words=f"{_RETRIEVERS}.opensearch.OpenSearchBM25Retriever",
        vectors=f"{_RETRIEVERS}.opensearch.OpenSearchEmbeddingRetriever",
    ),
    "elasticsearch": Known(
        store=f"{_STORES}.elasticsearch.ElasticsearchDocumentStore",
        words=f"{_RETRIEVERS}.elasticsearch.ElasticsearchBM25Retriever",
        vectors=f"{_RETRIEVERS}.elasticsearch.ElasticsearchEmbeddingRetriever",
    ),
    "weaviate": Known(
        store=f"{_STORES}.weaviate.WeaviateDocumentStore",
        words=f"{_RETRIEVERS}.weaviate.WeaviateBM25Retriever",
        vectors=f"{_RETRIEVERS}.weaviate.WeaviateEmbeddingRetriever",
        id_field="_original_id",
    ),
}


def known_store(store: object) -> Known | None:
    """Return what is known of a store; its class may stand deeper than we name it."""
    package, name = type(store).__module__, type(store).__name__
    for known in KNOWN.values():
        theirs, _, their_name = known.store.rpartition(".")
        if name == their_name and f"{package}.".startswith(f"{theirs}."):
            return known
    return None
