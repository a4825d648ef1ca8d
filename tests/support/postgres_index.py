"""Opens the retriever `postgres` on a server, with embedders of the test's choice, and fills it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from citewell import (
    Context,
    Embedder,
    IndexedDocument,
    Labels,
    ModelError,
    Retriever,
    StoreError,
)
from citewell.testing.embedding import ScriptedEmbedder
from citewell.testing.scripted import ScriptedEmbedderConfig
from citewell_postgres.hybrid import HybridPostgresRetriever
from citewell_postgres.plugin import PostgresConfig, build


class GivenEmbedders:
    """Embedders by name.

    Args:
        embedders: each with the settings of the embedder `scripted`.
        withheld: labels of passages that none of them may be given.
    """

    def __init__(
        self, embedders: Mapping[str, Mapping[str, object]], withheld: Labels = frozenset()
    ) -> None:
        self._embedders = {
            name: ScriptedEmbedder(ScriptedEmbedderConfig.model_validate(config))
            for name, config in embedders.items()
        }
        self._withheld = withheld

    async def open(self, name: str) -> Embedder:
        return self._embedders[name]

    def withholds(self, name: str, labels: Labels) -> bool:
        return bool(labels & self._withheld)


FIRST = GivenEmbedders({"vectors": {}})
SECOND = GivenEmbedders({"vectors": {"seed": 1, "dimension": 128}})
FAILING = GivenEmbedders({"vectors": {"texts": 0}})


@asynccontextmanager
async def opened_at(
    url: str, *, embedders: GivenEmbedders | None = None, **config: object
) -> AsyncIterator[Retriever]:
    """Open it, with vectors where embedders are given."""
    context = Context(
        name="main",
        log=logging.getLogger("citewell.test"),
        data_dir=Path("/nowhere"),
        base_dir=Path("/nowhere"),
        embedders=embedders,
    )
    settings = {"url": url, **config}
    if embedders is not None:
        settings["embedder"] = "vectors"
    async with build(PostgresConfig.model_validate(settings), context) as retriever:
        yield retriever


async def indexed(retriever: Retriever, documents: Sequence[IndexedDocument]) -> None:
    """Index documents, and wait until their vectors have followed, or cannot."""
    await retriever.index(documents)
    if isinstance(retriever, HybridPostgresRetriever):
        with suppress(ModelError, StoreError):
            await retriever.catch_up(ignore)


def ignore(done: int, total: int) -> None:
    """Take no notice of progress."""
