"""Whether the right passages were found, and how far up."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter

from citewell.evaluation.ranking import Quality, Ranking, qualities
from citewell.evaluation.scores.cases import Case
from citewell.types.evaluation import Score


def hit_at_1(case: Case) -> Score:
    """Return whether the first passage is right."""
    return _figure(case, attrgetter("hit_1"))


def hit_at_3(case: Case) -> Score:
    """Return whether one of the first 3 passages is right."""
    return _figure(case, attrgetter("hit_3"))


def hit_at_10(case: Case) -> Score:
    """Return whether one of the first 10 passages is right."""
    return _figure(case, attrgetter("hit_10"))


def reciprocal_rank(case: Case) -> Score:
    """Return 1 divided by the place of the first right passage."""
    return _figure(case, attrgetter("reciprocal_rank"))


def ndcg_10(case: Case) -> Score:
    """Return nDCG of the first 10 passages."""
    return _figure(case, attrgetter("ndcg_10"))


def _figure(case: Case, figure: Callable[[Quality], float]) -> Score:
    if not case.item.names_passages or not case.has_searched:
        return None
    return figure(_quality(tuple(case.item.named(case.response.found)), case.relevant))


@lru_cache(maxsize=64)
def _quality(found: tuple[str, ...], relevant: frozenset[str]) -> Quality:
    """Return the figures of one ranking; five scores ask for them one after another."""
    (quality,) = qualities([Ranking(found, relevant)])
    return quality
