"""The embedder and the reranker `scripted`: texts that share words are near each other."""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections.abc import Sequence
from typing import Literal

from msgspec.structs import replace

from citewell import ModelError, Passage, Query
from citewell.testing.scripted import ScriptedEmbedderConfig


class ScriptedEmbedder:
    """Counts words in `dimension` drawers; a word's drawer and sign follow from its hash.

    Source: feature hashing, Weinberger et al. (2009), doi:10.1145/1553374.1553516.
    """

    def __init__(self, config: ScriptedEmbedderConfig) -> None:
        self._config = config
        self._asked = 0

    @property
    def identity(self) -> str:
        """Another one for each dimension and each seed."""
        return f"scripted {self._config.dimension} {self._config.seed}"

    async def embed(
        self, texts: Sequence[str], *, kind: Literal["query", "passage"]
    ) -> Sequence[Sequence[float]]:
        """Return a vector of length 1 for each text.

        Raises:
            ModelError: it has embedded as many texts as it shall.
        """
        del kind
        if self._config.delay_s:
            await asyncio.sleep(self._config.delay_s)
        self._asked += len(texts)
        if self._config.texts is not None and self._asked > self._config.texts:
            raise ModelError("the scripted embedder fails, as it shall")
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * self._config.dimension
        # The first drawer holds something always, so that no text is without a direction.
        vector[0] = 0.01
        for word in re.findall(r"\w+", text.casefold()):
            named = f"{self._config.seed} {word}".encode("utf-8", "replace")
            drawn = int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "big")
            vector[drawn % self._config.dimension] += 1 if drawn >> 63 else -1
        length = math.sqrt(math.fsum(value * value for value in vector))
        if not length:
            return [1.0, *([0.0] * (self._config.dimension - 1))]
        return [value / length for value in vector]


class ScriptedReranker:
    """Puts passages that share more words with the question first."""

    async def rerank(
        self, query: Query, passages: Sequence[Passage], *, limit: int
    ) -> Sequence[Passage]:
        """Return the `limit` best, scored by the share of the question's words that they have."""
        asked = set(re.findall(r"\w+", query.text.casefold()))
        scored = [replace(passage, score=_share(asked, passage.text)) for passage in passages]
        return sorted(scored, key=lambda passage: -passage.score)[:limit]


def _share(asked: set[str], text: str) -> float:
    return len(asked.intersection(re.findall(r"\w+", text.casefold()))) / max(len(asked), 1)
