"""Runs in the peers' environment: `python peers.py SYSTEM PASSAGES QUESTIONS ROUNDS`.

Builds the system's keyword retriever through its own framework and asks every question ROUNDS
times; prints JSON with `build_s` and, by round, the milliseconds of each question.
"""

# mypy: disable-error-code="import-not-found, no-any-return"
# The frameworks are not installed where types are checked.

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

LIMIT = 10
Search = Callable[[str], Sequence[object]]


def haystack(passages: Sequence[dict[str, str]]) -> Search:
    from haystack import Document
    from haystack.components.retrievers.in_memory import InMemoryBM25Retriever
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    store = InMemoryDocumentStore()
    store.write_documents([Document(id=one["id"], content=one["text"]) for one in passages])
    retriever = InMemoryBM25Retriever(document_store=store, top_k=LIMIT)
    return lambda question: retriever.run(query=question)["documents"]


def langchain(passages: Sequence[dict[str, str]]) -> Search:
    from langchain_community.retrievers import BM25Retriever
    from langchain_core.documents import Document

    documents = [Document(page_content=one["text"], metadata={"id": one["id"]}) for one in passages]
    retriever = BM25Retriever.from_documents(documents, k=LIMIT)
    return retriever.invoke


def llamaindex(passages: Sequence[dict[str, str]]) -> Search:
    from llama_index.core.schema import TextNode
    from llama_index.retrievers.bm25 import BM25Retriever

    nodes = [TextNode(id_=one["id"], text=one["text"]) for one in passages]
    retriever = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=LIMIT)
    return retriever.retrieve


SYSTEMS = {"haystack": haystack, "langchain": langchain, "llamaindex": llamaindex}


def main() -> None:
    system, passages_path, questions_path, rounds = sys.argv[1:]
    passages = _lines(passages_path)
    questions = [line["text"] for line in _lines(questions_path)]
    # Importing is not indexing: the first, tiny index pays for it.
    SYSTEMS[system](passages[:10])

    begin = time.perf_counter()
    search = SYSTEMS[system](passages)
    build_s = time.perf_counter() - begin
    search(questions[0])

    taken: list[list[float]] = []
    for _ in range(int(rounds)):
        taken.append([])
        for question in questions:
            begin = time.perf_counter()
            found = search(question)
            taken[-1].append((time.perf_counter() - begin) * 1000)
            assert 0 < len(found) <= LIMIT
    print(json.dumps({"build_s": build_s, "query_ms": taken}))


def _lines(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


if __name__ == "__main__":
    main()
