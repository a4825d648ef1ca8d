"""Runs Citewell's side: `python -m benchmarks.ours PASSAGES QUESTIONS ROUNDS LABELS`.

Builds an index on disk through the retriever's own protocol and asks every question ROUNDS times;
prints JSON like `peers.py`. With more than one label the passages are spread over them and the
reader holds a tenth, so that the search has to filter.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from citewell import (
    EVERYONE,
    Audience,
    Context,
    IndexedDocument,
    Passage,
    Place,
    Placed,
    Query,
    Retriever,
)
from citewell.engine.registry import Registry
from proofs.harness import rows

LIMIT = 10
BATCH = 10_000


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Retriever]:
    spec = Registry.load().retrievers["lexical"]
    context = Context(
        name="main", log=logging.getLogger("benchmark"), data_dir=folder, base_dir=folder
    )
    async with spec.build(spec.config(), context) as retriever:
        yield retriever


def document(name: str, text: str, *, label: str = EVERYONE) -> IndexedDocument:
    passage = Passage(
        id=name,
        document_id=f"library:{name}",
        title="",
        text=text,
        start=0,
        end=len(text),
        places=(Placed(0, Place(line=1)),),
        labels=frozenset({label}),
    )
    return IndexedDocument(id=passage.document_id, version="1", title="", passages=(passage,))


async def build(retriever: Retriever, documents: Sequence[IndexedDocument]) -> float:
    begin = time.perf_counter()
    for at in range(0, len(documents), BATCH):
        await retriever.index(documents[at : at + BATCH])
    return time.perf_counter() - begin


async def ask(retriever: Retriever, questions: Sequence[str], audience: Audience) -> list[float]:
    taken = []
    for question in questions:
        begin = time.perf_counter()
        found = await retriever.retrieve(Query(text=question), limit=LIMIT, readable_by=audience)
        taken.append((time.perf_counter() - begin) * 1000)
        assert len(found) <= LIMIT
    return taken


async def main(passages: Path, questions: Path, rounds: int, labels: int) -> None:
    names = [EVERYONE, *(f"team {at}" for at in range(1, labels))]
    documents = [
        document(entry["id"], entry["text"], label=names[at % labels])
        for at, entry in enumerate(rows(passages))
    ]
    asked = [entry["text"] for entry in rows(questions)]
    audience = Audience.of(*names[: max(1, labels // 10)])
    with TemporaryDirectory() as folder:
        async with opened(Path(folder)) as retriever:
            build_s = await build(retriever, documents)
            await ask(retriever, asked[:1], audience)
            taken = [await ask(retriever, asked, audience) for _ in range(rounds)]
    print(json.dumps({"build_s": build_s, "query_ms": taken}))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
