"""The embedder `llamacpp`: asks its worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from citewell_llamacpp.plugin import EmbedderConfig
from citewell_llamacpp.worker import Worker

# Few enough that a question does not wait long behind the passages of a sync.
_TOGETHER = 16


class LlamaCppEmbedder:
    """An embedding model in a worker process.

    Args:
        worker: has the model.
        config: says what a text is preceded by.
        identity: names what decides about the vectors.

    Attributes:
        identity: as given.
    """

    def __init__(self, worker: Worker, config: EmbedderConfig, *, identity: str) -> None:
        self._worker = worker
        self._prefix = {"query": config.query_prefix, "passage": config.passage_prefix}
        self.identity = identity

    async def embed(
        self, texts: Sequence[str], *, kind: Literal["query", "passage"]
    ) -> Sequence[Sequence[float]]:
        """Return a vector of length 1 for each text; that of a long text is the mean of its parts'.

        Raises:
            ModelError: the model fails.
        """
        prefix = self._prefix[kind]
        whole = [f"{prefix}{text}".encode("utf-8", "replace").decode() for text in texts]
        vectors: list[Sequence[float]] = []
        for at in range(0, len(whole), _TOGETHER):
            vectors += await self._worker.embed(whole[at : at + _TOGETHER])
        return vectors
