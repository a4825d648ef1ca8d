"""Means and differences over the same questions, and how sure they are.

Questions about one document are not independent of each other, so what varies is the document: a
cluster. Everything here is exact arithmetic on the scores; nothing is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

LEVEL = 0.95
"""Of the intervals."""

FEWEST_DOCUMENTS = 5
"""Of fewer clusters the errors come out far too small: Cameron, Gelbach and Miller (2008),
doi:10.1162/rest.90.3.414. Nothing is concluded then."""


class Estimate(Struct, frozen=True, kw_only=True):
    """A mean over questions with its 95% interval.

    Attributes:
        mean: of what was scored; None where nothing was.
        low: of the interval; the lowest possible mean where nothing can be said.
        high: likewise.
        centre: of the interval before it was cut at what a mean can be.
        error: standard error of the centre, clustered by document; None with few documents,
            of which nothing can be said.
        questions: that have a score.
        documents: that these questions are about.
        unscored: questions whose score could not be computed; they are in no mean.
    """

    mean: float | None
    low: float
    high: float
    centre: float
    error: float | None
    questions: int
    documents: int
    unscored: int = 0

    @property
    def freedom(self) -> int:
        """Degrees of freedom."""
        return max(1, self.documents - 1)

    def exceeds(self, bound: float) -> float:
        """Return the p-value of "the mean is `bound` or less", one-sided; small where it is not."""
        if self.error is None:
            return 1.0
        from scipy.special import stdtr

        return float(stdtr(self.freedom, (bound - self.centre) / self.error))


Values = Sequence[float | None]
"""Scores of one arm, question by question; None where one could not be computed."""


class _Prior(Struct, frozen=True):
    """Half-imagined questions that are added, so that few that agree do not look certain.

    Attributes:
        weights: value to the number of such questions.
    """

    weights: Mapping[float, float]


# Source: Agresti and Coull (1998), doi:10.1080/00031305.1998.10480550: two successes, two failures.
_OF_MEAN = _Prior({0.0: 2.0, 1.0: 2.0})
# Source: Agresti and Min (2005), doi:10.1002/sim.2056: half a question in each of the four cells.
_OF_DIFFERENCE = _Prior({-1.0: 0.5, 0.0: 1.0, 1.0: 0.5})
_OF_INTERACTION = _Prior({-2.0: 0.5, 0.0: 1.0, 2.0: 0.5})


def mean(values: Values, documents: Sequence[str]) -> Estimate:
    """Estimate the mean of scores in [0, 1].

    Args:
        values: of the questions.
        documents: what each of them is about; as many.
    """
    return _estimated(values, documents, _OF_MEAN)


def difference(ours: Values, theirs: Values, documents: Sequence[str]) -> Estimate:
    """Estimate by how much `ours` is better on the same questions, in [-1, 1]."""
    gaps = [_combined(((1, one), (-1, other))) for one, other in zip(ours, theirs, strict=True)]
    return _estimated(gaps, documents, _OF_DIFFERENCE)


def interaction(
    both: Values, rag: Values, tuned: Values, base: Values, documents: Sequence[str]
) -> Estimate:
    """Estimate (both - rag) - (tuned - base), in [-2, 2]: what the two do for each other."""
    gaps = [
        _combined(((1, one), (-1, two), (-1, three), (1, four)))
        for one, two, three, four in zip(both, rag, tuned, base, strict=True)
    ]
    return _estimated(gaps, documents, _OF_INTERACTION)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p-values: of several tests, each may be believed below its own level.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for place, at in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - place) * p_values[at]))
        adjusted[at] = highest
    return adjusted


def _combined(terms: Sequence[tuple[int, float | None]]) -> float | None:
    total = 0.0
    for sign, value in terms:
        if value is None:
            return None
        total += sign * value
    return total


def _estimated(values: Values, documents: Sequence[str], prior: _Prior) -> Estimate:
    """Return the mean with a t-interval from errors that are clustered by document.

    Source: Miller (2024), arXiv:2411.00640, section 2.2, with the small-sample factor G / (G - 1)
    of G clusters.
    """
    scored = [
        (value, document)
        for value, document in zip(values, documents, strict=True)
        if value is not None
    ]
    found = math.fsum(value for value, _ in scored) / len(scored) if scored else None
    lowest, highest = min(prior.weights), max(prior.weights)
    clusters = len({document for _, document in scored})
    unscored = len(values) - len(scored)
    if clusters < FEWEST_DOCUMENTS:
        return Estimate(
            mean=found,
            low=lowest,
            high=highest,
            centre=(lowest + highest) / 2 if found is None else found,
            error=None,
            questions=len(scored),
            documents=clusters,
            unscored=unscored,
        )
    from scipy.special import stdtrit

    centre, error = _centre_and_error(scored, clusters, prior)
    reach = float(stdtrit(clusters - 1, (1 + LEVEL) / 2)) * error
    return Estimate(
        mean=found,
        low=max(lowest, centre - reach),
        high=min(highest, centre + reach),
        centre=centre,
        error=error,
        questions=len(scored),
        documents=clusters,
        unscored=unscored,
    )


def _centre_and_error(
    scored: Sequence[tuple[float, str]], clusters: int, prior: _Prior
) -> tuple[float, float]:
    total = len(scored) + math.fsum(prior.weights.values())
    imagined = math.fsum(value * weight for value, weight in prior.weights.items())
    centre = (math.fsum(value for value, _ in scored) + imagined) / total
    sums: dict[str, list[float]] = {}
    for value, document in scored:
        sums.setdefault(document, []).append(value - centre)
    squares = math.fsum(math.fsum(one) ** 2 for one in sums.values())
    squares += math.fsum(weight * (value - centre) ** 2 for value, weight in prior.weights.items())
    return centre, math.sqrt(clusters / (clusters - 1) * squares) / total
