"""Whether a score says the same of answers as people do, beyond what chance brings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from msgspec import Struct

from citewell.evaluation.estimating import FEWEST_DOCUMENTS, LEVEL

ENOUGH_LABELS = 30
"""Of fewer the interval is so wide that little can be said."""

RIGHT_FROM = 0.5
"""The least score that calls an answer right."""


class Judged(Struct, frozen=True, kw_only=True):
    """What two say of one answer: whether it is right.

    Attributes:
        question: that it answers; its cluster.
    """

    question: str
    people: bool
    score: bool


# One answer in each of the four cells, so that few that agree do not look certain.
# Source: Agresti and Coull (1998), doi:10.1080/00031305.1998.10480550, who add four to a share.
_IMAGINED = tuple(
    Judged(question="", people=people, score=score)
    for people, score in product((False, True), repeat=2)
)


class Agreement(Struct, frozen=True, kw_only=True):
    """How far a score agrees with people.

    Attributes:
        score: its name.
        labels: answers that people have labelled and that have the score.
        unscored: labelled answers whose score could not be computed; they are in no figure.
        share: of `labels`, on which both say the same; None without any.
        kappa: that share beyond chance, Cohen's kappa, at most 1; None where it is not defined.
        low: of its interval of 95%; -1 where nothing can be said.
        high: likewise, or 1.
        reason: why there is no kappa, or empty.
    """

    score: str
    labels: int
    unscored: int = 0
    share: float | None = None
    kappa: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    @property
    def is_of_few(self) -> bool:
        """Whether there are too few labels to say much."""
        return self.labels < ENOUGH_LABELS


def agreement(score: str, judged: Sequence[Judged], *, unscored: int = 0) -> Agreement:
    """Return how far a score agrees with people about some answers."""
    kappa = cohens_kappa(judged)
    low, high = (None, None) if kappa is None else _interval(judged, kappa)
    return Agreement(
        score=score,
        labels=len(judged),
        unscored=unscored,
        share=_mean([one.people == one.score for one in judged]) if judged else None,
        kappa=kappa,
        low=low,
        high=high,
        reason=_reason(judged) if kappa is None else "",
    )


def cohens_kappa(judged: Sequence[Judged]) -> float | None:
    """Return Cohen's kappa; None where both say the same of every answer, or there is none.

    Source: Cohen (1960), doi:10.1177/001316446002000104.
    """
    people, score = {one.people for one in judged}, {one.score for one in judged}
    if not judged or (people == score and len(people) == 1):
        return None
    return _Table.of(judged).kappa


def _reason(judged: Sequence[Judged]) -> str:
    if not judged:
        return "no labelled answer has this score"
    said = "right" if judged[0].people else "wrong"
    return f"people and the score find every labelled answer {said}, and chance would do the same"


class _Table(Struct, frozen=True):
    """Shares of some answers.

    Attributes:
        people: that people call right.
        score: that the score calls right.
        same: of which both say the same.
    """

    people: float
    score: float
    same: float

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> _Table:
        return cls(
            people=_mean([one.people for one in judged]),
            score=_mean([one.score for one in judged]),
            same=_mean([one.people == one.score for one in judged]),
        )

    @property
    def chance(self) -> float:
        """Share of which both would say the same if neither looked."""
        return self.people * self.score + (1 - self.people) * (1 - self.score)

    @property
    def kappa(self) -> float:
        return (self.same - self.chance) / (1 - self.chance)

    def pull(self, one: Judged) -> float:
        """Return how far an answer pulls kappa away from where it is: its derivative."""
        beyond = 1 - self.chance
        by_chance = (2 * self.score - 1) * (one.people - self.people)
        by_chance += (2 * self.people - 1) * (one.score - self.score)
        is_same = one.people == one.score
        return (is_same - self.same) / beyond - (1 - self.same) / beyond**2 * by_chance


def _interval(judged: Sequence[Judged], kappa: float) -> tuple[float, float]:
    """Return a t-interval around kappa, from errors that are clustered by question.

    Two answers to one question are judged by the same expectation, so they are not independent.

    Source: delta method of Fleiss, Cohen and Everitt (1969), doi:10.1037/h0028106, summed within
    clusters as by Yang and Zhou (2015), Computational Statistics and Data Analysis 82, 1-18, with
    the small-sample factor G / (G - 1) of G clusters.
    """
    if len({one.question for one in judged}) < FEWEST_DOCUMENTS:
        return -1.0, 1.0
    from scipy.special import stdtrit

    table = _Table.of([*judged, *_IMAGINED])
    pulls: dict[str, list[float]] = {}
    for one in judged:
        pulls.setdefault(one.question, []).append(table.pull(one))
    sums = [*map(math.fsum, pulls.values()), *map(table.pull, _IMAGINED)]
    clusters = len(pulls)
    squares = clusters / (clusters - 1) * math.fsum(one**2 for one in sums)
    error = math.sqrt(squares) / (len(judged) + len(_IMAGINED))
    reach = float(stdtrit(clusters - 1, (1 + LEVEL) / 2)) * error
    low, high = table.kappa - reach, table.kappa + reach
    return max(-1.0, min(low, kappa)), min(1.0, max(high, kappa))


def _mean(values: Sequence[bool]) -> float:
    return sum(values) / len(values)
