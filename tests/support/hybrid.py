"""Opens the retriever `hybrid` with embedders of which a test knows everything."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

from citewell import CatchingUpRetriever, Context, Embedder, HybridRetriever, Labels, ModelError
from citewell.noticing import listening
from citewell.testing.embedding import ScriptedEmbedder
from citewell.testing.scripted import ScriptedEmbedderConfig
from citewell_embedded.plugin import HybridConfig, build_hybrid
from lexical import ALL, found

DIMENSION = 32
PLAIN = {
    "search by meaning is off at the moment; only words were looked for",
    "search by words is off at the moment; only the meaning was looked for",
    "some documents are searched by their words alone at the moment",
}
"""All that people in a chat read of what is amiss."""


class CountingEmbedder(ScriptedEmbedder):
    """Remembers what it was given, and fails while it shall.

    Attributes:
        texts: passages that it was given.
        fails: whether it fails.
        hangs: whether it never answers.
    """

    def __init__(self, seed: int = 0, *, dimension: int = DIMENSION, delay_s: float = 0) -> None:
        super().__init__(ScriptedEmbedderConfig(dimension=dimension, seed=seed, delay_s=delay_s))
        self.texts: list[str] = []
        self.fails = False
        self.hangs = False

    async def embed(
        self, texts: Sequence[str], *, kind: Literal["query", "passage"]
    ) -> Sequence[Sequence[float]]:
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise ModelError("the embedder is out of order")
        if kind == "passage":
            self.texts += texts
        return await super().embed(texts, kind=kind)


class Embedders:
    """The one embedder of a retriever, and labels of what it must not be given."""

    def __init__(self, embedder: Embedder, held_back: Iterable[str] = ()) -> None:
        self.embedder = embedder
        self.held_back = frozenset(held_back)

    async def open(self, name: str) -> Embedder:
        del name
        return self.embedder

    def withholds(self, name: str, labels: Labels) -> bool:
        del name
        return bool(self.held_back & labels)


@asynccontextmanager
async def opened_hybrid(
    folder: Path,
    embedder: Embedder | None = None,
    *,
    held_back: Iterable[str] = (),
    **config: object,
) -> AsyncIterator[HybridRetriever]:
    context = Context(
        name="main",
        log=logging.getLogger("citewell.test"),
        data_dir=folder,
        base_dir=folder,
        embedders=Embedders(embedder or CountingEmbedder(), held_back),
    )
    settings = HybridConfig.model_validate({"embedder": "scripted", **config})
    async with build_hybrid(settings, context) as retriever:
        yield retriever


async def answer(retriever, text: str, **options) -> tuple[list[str], list[str]]:
    """Return the ids of what is found, and what is said to whoever runs the assistant."""
    with listening() as notices:
        passages = await found(retriever, text, **options)
    assert {one.text for one in notices} <= PLAIN
    return [passage.id for passage in passages], [one.detail for one in notices]


async def indexed(retriever, documents) -> None:
    """Index documents, and wait for their vectors where the retriever makes some."""
    await retriever.index(documents)
    if isinstance(retriever, CatchingUpRetriever):
        await retriever.catch_up(ignore)


async def until(is_so, *, within_s: float = 60) -> None:
    """Wait until something is so that the background brings about."""
    async with asyncio.timeout(within_s):
        while not is_so():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)


async def ids_of_vectors(retriever, text: str, *, limit: int = 50, readable_by=ALL) -> list[str]:
    """Return the ids of what the vectors find."""
    from citewell import Query

    _, near = await retriever.halves(Query(text=text), limit=limit, readable_by=readable_by)
    return [passage.id for passage in near]


def ignore(done: int, total: int) -> None:
    del done, total
