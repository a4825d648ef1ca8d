"""The embedder `onnx`: asks its process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from citewell_onnx.process import ModelProcess
from citewell_onnx.settings import EmbedderConfig

# Few enough that a question does not wait long behind the passages of a sync.
_TOGETHER = 16


class OnnxEmbedder:
    """An embedding model in a process of its own.

    Args:
        process: has the model.
        config: says what a text is preceded by.
        identity: names what decides about the vectors.

    Attributes:
        identity: as given.
    """

    def __init__(self, process: ModelProcess, config: EmbedderConfig, *, identity: str) -> None:
        self._process = process
        self._prefix = {"query": config.query_prefix, "passage": config.passage_prefix}
        self.identity = identity

    async def embed(
        self, texts: Sequence[str], *, kind: Literal["query", "passage"]
    ) -> Sequence[Sequence[float]]:
        """Return a vector of length 1 for each text; that of a long text is the mean of its parts'.

        Raises:
            ModelError: the model fails.
        """
        whole = [encodable(f"{self._prefix[kind]}{text}") for text in texts]
        vectors: list[Sequence[float]] = []
        for at in range(0, len(whole), _TOGETHER):
            vectors += await self._process.rows(whole[at : at + _TOGETHER])
        return vectors


def encodable(text: str) -> str:
    """Return `text` with its halves of characters replaced, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode()
