"""The reranker `litellm` at work."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from citewell import ModelError, Passage, Query, blocking
from citewell.asking import asked_text
from citewell_litellm.connection import Connection
from citewell_litellm.failures import explained
from citewell_litellm.library import litellm
from citewell_litellm.settings import RerankerConfig
from citewell_litellm.texts import sendable


class LiteLLMReranker:
    """A reranking model behind an API.

    Args:
        config: says which.
        log: of the component.
        is_local: it counts as local, so it is reached directly or not at all.
    """

    def __init__(self, config: RerankerConfig, *, log: logging.Logger, is_local: bool) -> None:
        self._config = config
        self._connection = Connection(config, "arerank", log=log, is_local=is_local)

    async def rerank(
        self, query: Query, passages: Sequence[Passage], *, limit: int
    ) -> Sequence[Passage]:
        """Return the `limit` best of `passages`, best first, with the scores of the API.

        Raises:
            ModelError: the API fails, or gives what cannot be used.
        """
        if not passages:
            return []
        package, config = await blocking.call(litellm), self._config
        self._connection.check_key(package)
        arguments = {
            "query": sendable(asked_text(query.text)),
            "documents": [sendable(_shown(one)[: config.max_chars]) for one in passages],
            "top_n": len(passages),
            "return_documents": False,
            **config.options,
        }
        try:
            response = await self._connection.ask(package, arguments)
        except ModelError:
            raise
        except Exception as error:
            raise explained(error, package, model=config.model, may_cost=True) from error
        scores = self._scores(response, len(passages))
        scored = [replace(one, score=score) for one, score in zip(passages, scores, strict=True)]
        return sorted(scored, key=lambda passage: -passage.score)[:limit]

    async def close(self) -> None:
        """Close its connections."""
        await self._connection.close()

    def _scores(self, response: Any, count: int) -> list[float]:
        """Return the score of each passage.

        Raises:
            ModelError: some have none, or more than one, or one that is no number.
        """
        results = getattr(response, "results", None) or []
        found: dict[int, float] = {}
        for result in results:
            place, score = result.get("index"), result.get("relevance_score")
            if type(place) is not int or not 0 <= place < count:
                raise self._refused(f"scores passage {place!r}; there are 0 to {count - 1}")
            if place in found:
                raise self._refused(f"scores passage {place} more than once")
            if not isinstance(score, float | int) or not math.isfinite(score):
                raise self._refused(f"gives passage {place} a score that is no number")
            found[place] = float(score)
        if len(found) != count:
            raise self._refused(f"scores {len(found)} of {count} passages")
        return [found[place] for place in range(count)]

    def _refused(self, what: str) -> ModelError:
        return ModelError(f"{self._config.model}: its API {what}")


def _shown(passage: Passage) -> str:
    """Return a passage with what it stands below: its headings, and the header of its table."""
    headings = " > ".join(passage.place.headings)
    return "\n".join(filter(None, (headings, passage.header, passage.text)))
