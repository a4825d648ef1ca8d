"""Hits by words and hits by vectors, made one list.

Which way and which weight are best differs between documents, so both are settings, to be fitted
on questions of one's own: `citewell fit`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

from pydantic import Field

from citewell.configs import Config

K = TypeVar("K")

_RANK_OFFSET = 60
"""Source: Cormack, Clarke and Buettcher (2009), doi:10.1145/1571941.1572114."""

_LEAST = 1e-9
"""A half without weight still orders what the other one leaves equal."""


class Fusion(Config):
    """How the two lists become one."""

    method: Literal["ranks", "scores"] = Field(
        default="ranks",
        description="whether the places of a passage in the two lists count, or its scores",
    )
    words: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="weight of the words; the vectors have the rest; find it with: citewell fit",
    )


def fused(
    by_words: Mapping[K, float], by_vectors: Mapping[K, float], fusion: Fusion
) -> dict[K, float]:
    """Return a score for each key of either list, higher is better.

    With scores, what the words do not find has none of their weight, and what stands in the list
    of the vectors no more is taken to be as near as its last. With ranks, either counts nothing.

    Args:
        by_words: scores of which 0 is the lowest possible, like BM25's.
        by_vectors: cosines, from -1 to 1.
        fusion: how.

    Source: the scores are brought to one scale by their lowest possible and their highest actual
    value, as Bruch, Gai and Ingber (2023), doi:10.1145/3596512, found best.
    """
    if fusion.method == "ranks":
        words, vectors = _by_rank(by_words), _by_rank(by_vectors)
        farthest = 0.0
    else:
        words, vectors = _scaled(by_words, lowest=0.0), _scaled(by_vectors, lowest=-1.0)
        farthest = min(vectors.values(), default=0.0)
    weight = min(max(fusion.words, _LEAST), 1 - _LEAST)
    return {
        key: weight * words.get(key, 0.0) + (1 - weight) * vectors.get(key, farthest)
        for key in {**by_words, **by_vectors}
    }


def _by_rank(scores: Mapping[K, float]) -> dict[K, float]:
    order = sorted(scores, key=lambda key: -scores[key])
    return {key: 1 / (_RANK_OFFSET + rank) for rank, key in enumerate(order, 1)}


def _scaled(scores: Mapping[K, float], *, lowest: float) -> dict[K, float]:
    highest = max(scores.values(), default=lowest)
    if highest <= lowest:
        return dict.fromkeys(scores, 0.0)
    return {key: (score - lowest) / (highest - lowest) for key, score in scores.items()}
