"""What a number of questions can show, before anything is asked."""

from __future__ import annotations

import math
from statistics import NormalDist

from citewell.evaluation.estimating import LEVEL

_POWER = 0.8
_DISAGREEMENT = 0.3
"""Share of questions on which two arms differ. A guess: 300 simulated runs of two arms that answer
60% and have a latent correlation of .6 give it; the run itself measures what it is."""

_WITHIN_DOCUMENT = 0.1
"""Correlation of the differences of two questions about one document. A guess likewise."""


def smallest_gain(questions: int, *, documents: int) -> float:
    """Return the smallest gain, in [0, 1], that shows with a probability of 80%.

    Source: normal approximation of McNemar's test, Connor (1987), doi:10.2307/2531961, and the
    design effect of Kish (1965), section 5.4.

    Args:
        questions: that are asked of both arms.
        documents: that they are about.
    """
    if not questions or not documents:
        return 1.0
    return min(1.0, _reach() * math.sqrt(_DISAGREEMENT / _independent(questions, documents)))


def _independent(questions: int, documents: int) -> float:
    """Return how many independent questions say as much."""
    each = questions / documents
    return questions / (1 + (each - 1) * _WITHIN_DOCUMENT)


def _reach() -> float:
    """Return how many standard errors a gain has to be away from none."""
    normal = NormalDist()
    return normal.inv_cdf((1 + LEVEL) / 2) + normal.inv_cdf(_POWER)
