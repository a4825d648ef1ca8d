"""How well rankings serve questions, and how sure a difference is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from msgspec import Struct

from citewell.errors import MissingExtra

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ir_measures.measures import Measure

DEPTH = 10
"""A reader looks no further: nDCG@10."""

_RESAMPLES = 9_999
_MISSED = "(found by nothing)"


class Interval(Struct, frozen=True):
    """A mean with the bounds of its 95% interval."""

    mean: float
    low: float
    high: float


class Ranking(Struct, frozen=True):
    """What was found for one question, best first, and what is to be found."""

    found: Sequence[str]
    relevant: frozenset[str]


def need_statistics(what: str) -> None:
    """Make sure that the packages of the extra `eval` are there.

    Raises:
        MissingExtra: they are not.
    """
    from importlib.util import find_spec

    for module, package in (
        ("ir_measures", "ir-measures"),
        ("regex", "regex"),
        ("scipy", "scipy"),
    ):
        if find_spec(module) is None:
            raise MissingExtra(what, package=package, extra="eval")


class Quality(Struct, frozen=True):
    """How well one ranking serves its question; each from 0 to 1.

    Attributes:
        hit_1: something right stands first.
        hit_3: something right stands among the first 3.
        hit_10: something right stands among the first 10.
        reciprocal_rank: 1 for a right one in the first place, 1/2 in the second, and so on.
        ndcg_10: how near the order of the first 10 is to the best one.
    """

    hit_1: float
    hit_3: float
    hit_10: float
    reciprocal_rank: float
    ndcg_10: float


def qualities(rankings: Sequence[Ranking]) -> list[Quality]:
    """Return the figures of each ranking; what nothing found counts as 0.

    Source: nDCG as in `ndcg`; the others as trec_eval computes them.
    """
    from ir_measures import RR, Success, nDCG

    measures = (Success @ 1, Success @ 3, Success @ DEPTH, RR, nDCG @ DEPTH)
    columns = _measured(rankings, measures)
    return [Quality(*row) for row in zip(*columns, strict=True)]


def ndcg(rankings: Sequence[Ranking]) -> list[float]:
    """Return nDCG@10 of each ranking, from 0 to 1; what nothing found counts as 0.

    Source: Jarvelin and Kekalainen (2002), doi:10.1145/582415.582418, as trec_eval computes it.
    """
    from ir_measures import nDCG

    (scores,) = _measured(rankings, (nDCG @ DEPTH,))
    return scores


def _measured(rankings: Sequence[Ranking], measures: Sequence[Measure]) -> list[list[float]]:
    """Return for each measure its figures, in the order of `rankings`."""
    from ir_measures import iter_calc

    qrels = {str(at): _judged(one) for at, one in enumerate(rankings)}
    run = {str(at): _scored(one) for at, one in enumerate(rankings)}
    columns = {measure: dict.fromkeys(qrels, 0.0) for measure in measures}
    for metric in iter_calc(list(measures), qrels, run):
        columns[metric.measure][metric.query_id] = metric.value
    return [[*columns[measure].values()] for measure in measures]


def _judged(ranking: Ranking) -> Mapping[str, int]:
    return dict.fromkeys(sorted(ranking.relevant), 1) or {_MISSED: 1}


def _scored(ranking: Ranking) -> Mapping[str, float]:
    """Give the order as scores: equal ones trec_eval would order by name."""
    return {name: float(-at) for at, name in enumerate(ranking.found[:1000])}


def interval(values: Sequence[float], *, seed: int) -> Interval:
    """Return the mean of `values` with its 95% interval.

    Source: bias-corrected and accelerated bootstrap, Efron (1987), doi:10.2307/2289144.
    """
    from scipy.stats import bootstrap, tmean

    # Differences in the last digits are chance.
    values = [round(value, 9) for value in values]
    mean = fmean(values)
    if len(set(values)) == 1:
        return Interval(mean, mean, mean)
    found = bootstrap((values,), tmean, n_resamples=_RESAMPLES, rng=seed).confidence_interval
    return Interval(mean, float(found.low), float(found.high))


def differences(ours: Sequence[float], theirs: Sequence[float]) -> Iterator[float]:
    """Yield by how much each of `ours` is better."""
    return (one - other for one, other in zip(ours, theirs, strict=True))
