"""Measures other libraries in an environment of their own.

`python -m benchmarks.peers SYSTEM PASSAGES QUESTIONS ROUNDS`, from the root of the repository. Each
is used as its documentation shows, with its own defaults but for stopwords: no engine looks for
them, because the questions come without, and each keeps them in its index as Citewell does.
LlamaIndex alone cannot be told to.
"""

# mypy: disable-error-code="import-not-found, import-untyped, no-any-return"
# The libraries are not installed where types are checked.

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.measuring import LIMIT, Answer, Make, Passage, Question, main, timed

Search: TypeAlias = Callable[[str], Sequence[str]]
"""Returns the ids of the ten best passages."""

_WORD = re.compile(r"\w+")


class InMemory:
    """An index that is built of all passages at once and lives as long as the process."""

    def __init__(self, build: Callable[[list[Passage]], Search], _folder: Path) -> None:
        self._build = build
        self._passages: list[Passage] = []
        # Importing is not indexing: a first, tiny index pays for it.
        build([{"id": str(at), "text": f"a few words {at}"} for at in range(LIMIT)])

    def add(self, passages: Sequence[Passage]) -> None:
        self._passages += passages

    def finish(self) -> None:
        self._search = self._build(self._passages)

    def ask(self, questions: Iterable[Question]) -> Iterator[Answer]:
        return timed(lambda question: self._search(question["words"]), questions)


def haystack(passages: list[Passage]) -> Search:
    from haystack import Document
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore()
    store.write_documents([Document(id=one["id"], content=one["text"]) for one in passages])
    retriever = InMemoryBM25Retriever(document_store=store, top_k=LIMIT)
    return lambda words: [found.id for found in retriever.run(query=words)["documents"]]


def langchain(passages: list[Passage]) -> Search:
    from langchain_community.retrievers import BM25Retriever
    from langchain_core.documents import Document

    documents = [Document(page_content=one["text"], metadata={"id": one["id"]}) for one in passages]
    retriever = BM25Retriever.from_documents(documents, k=LIMIT)
    return lambda words: [found.metadata["id"] for found in retriever.invoke(words)]


def llamaindex(passages: list[Passage]) -> Search:
    from llama_index.core.schema import TextNode
    from llama_index.retrievers.bm25 import BM25Retriever

    nodes = [TextNode(id_=one["id"], text=one["text"]) for one in passages]
    retriever = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=LIMIT)
    return lambda words: [found.node.id_ for found in retriever.retrieve(words)]


def bm25s(passages: list[Passage]) -> Search:
    import bm25s as library
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    tokenize = partial(library.tokenize, stopwords=None, stemmer=stemmer, show_progress=False)
    index = library.BM25(corpus=passages)
    index.index(tokenize([one["text"] for one in passages]), show_progress=False)

    def search(words: str) -> list[str]:
        found, _ = index.retrieve(tokenize(words), k=LIMIT, show_progress=False)
        return [one["id"] for one in found[0]]

    return search


def rank_bm25(passages: list[Passage]) -> Search:
    from rank_bm25 import BM25Okapi

    index = BM25Okapi([_WORD.findall(one["text"].lower()) for one in passages])
    return lambda words: [
        one["id"] for one in index.get_top_n(_WORD.findall(words), passages, n=LIMIT)
    ]


class LanceDb:
    """A LanceDB table with an index of its texts."""

    def __init__(self, folder: Path) -> None:
        import lancedb

        self._database = lancedb.connect(folder)
        self._table: Any = None

    def add(self, passages: Sequence[Passage]) -> None:
        if self._table is None:
            self._table = self._database.create_table("passages", data=list(passages))
        else:
            self._table.add(list(passages))

    def finish(self) -> None:
        self._table.create_fts_index("text", remove_stop_words=False)
        self._table.optimize()

    def ask(self, questions: Iterable[Question]) -> Iterator[Answer]:
        return timed(self._search, questions)

    def _search(self, question: Question) -> list[str]:
        search = self._table.search(question["words"], query_type="fts").limit(LIMIT)
        return [found["id"] for found in search.to_list()]


SYSTEMS: dict[str, Make] = {
    "lancedb": LanceDb,
    **{
        build.__name__: partial(InMemory, build)
        for build in (bm25s, rank_bm25, haystack, langchain, llamaindex)
    },
}

if __name__ == "__main__":
    main(SYSTEMS)
