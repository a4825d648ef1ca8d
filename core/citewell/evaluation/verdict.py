"""Which arm to take: the cheapest that is not shown to be worse than the best.

Two questions are kept apart. `recommended` says what to do with what is known now; `settled` says
whether more questions could change it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

from msgspec import Struct

from citewell.evaluation.estimating import (
    FEWEST_DOCUMENTS,
    LEVEL,
    Estimate,
    Values,
    difference,
    holm,
    mean,
)

_ROUNDED = 10
_LEAST_GAP = 0.25
"""Of the margin: a smaller gap is nobody's concern, and would ask for too many questions."""
_LEAST_MARGIN = 0.02


class Measured(Struct, frozen=True, kw_only=True):
    """Scores of all arms on the same questions.

    Attributes:
        scores: by arm, the cheapest first.
        documents: what each question is about.
    """

    scores: Mapping[str, Values]
    documents: Sequence[str]


class Bounds(Struct, frozen=True, kw_only=True):
    """What is asked of an arm.

    Attributes:
        margin: by how much an arm may be worse than the best and still do.
        adequate: the least mean with which an arm is of any use.
    """

    margin: float = 0.05
    adequate: float = 0.0


class Comparison(Struct, frozen=True, kw_only=True):
    """How much better `better` is than `other`.

    Attributes:
        p: of "not better by more than the margin", adjusted for the comparisons with the best.
    """

    better: str
    other: str
    gain: Estimate
    p: float

    @property
    def is_shown(self) -> bool:
        """Whether it is better by more than the margin, and not by chance."""
        return self.p <= 1 - LEVEL


class Verdict(Struct, frozen=True, kw_only=True):
    """What to take.

    Attributes:
        recommended: an arm; None when none is adequate.
        best: the arm with the highest mean.
        settled: whether more questions would hardly change what is recommended.
        ask_more: about how many more questions would settle it; 0 when it is settled.
        against: the best beside each other arm.
        doubts: why it is not settled, a line each.
    """

    recommended: str | None
    best: str
    settled: bool
    ask_more: int
    against: tuple[Comparison, ...]
    doubts: tuple[str, ...] = ()


def judge(measured: Measured, bounds: Bounds) -> Verdict:
    """Choose the cheapest arm that is not shown to be worse than the best by the margin.

    Non-inferiority with a margin, one-sided at 5%, adjusted by Holm over the comparisons with the
    arm that has the highest mean.

    Raises:
        ValueError: there is no arm, or none has a score.
    """
    means = {
        name: found
        for name, values in measured.scores.items()
        if (found := mean(values, measured.documents)).questions
    }
    if not means:
        raise ValueError("no arm has a score")
    best = max(means, key=lambda name: means[name].mean or 0.0)
    against = _beside(best, [name for name in means if name != best], measured, bounds)
    recommended = _chosen(means, against, bounds)
    doubts = _doubts(recommended, means, measured, bounds)
    return Verdict(
        recommended=recommended,
        best=best,
        settled=not doubts,
        ask_more=_more(doubts, len(measured.documents)),
        against=against,
        doubts=tuple(doubt.line for doubt in doubts),
    )


def pairs(measured: Measured) -> list[Comparison]:
    """Return every two arms beside each other; `p` is that of "no better", adjusted by Holm."""
    found = []
    for one, other in combinations(measured.scores, 2):
        gain = difference(measured.scores[one], measured.scores[other], measured.documents)
        if gain.centre < 0:
            one, other = other, one  # noqa: PLW2901 - the better one comes first
            gain = difference(measured.scores[one], measured.scores[other], measured.documents)
        found.append((one, other, gain))
    adjusted = holm([min(1.0, 2 * gain.exceeds(0)) for *_, gain in found])
    return [
        Comparison(better=one, other=other, gain=gain, p=p)
        for (one, other, gain), p in zip(found, adjusted, strict=True)
    ]


def _beside(
    best: str, others: Sequence[str], measured: Measured, bounds: Bounds
) -> tuple[Comparison, ...]:
    gains = [
        difference(measured.scores[best], measured.scores[name], measured.documents)
        for name in others
    ]
    adjusted = holm([gain.exceeds(bounds.margin) for gain in gains])
    return tuple(
        Comparison(better=best, other=name, gain=gain, p=p)
        for name, gain, p in zip(others, gains, adjusted, strict=True)
    )


def _chosen(
    means: Mapping[str, Estimate], against: Sequence[Comparison], bounds: Bounds
) -> str | None:
    worse = {one.other for one in against if one.is_shown}
    fit = (name for name in means if name not in worse and _is_adequate(means[name], bounds))
    return next(fit, None)


def _is_adequate(mean: Estimate, bounds: Bounds) -> bool:
    return mean.mean is not None and mean.mean >= bounds.adequate


def _doubts(
    recommended: str | None, means: Mapping[str, Estimate], measured: Measured, bounds: Bounds
) -> list[_Doubt]:
    """Return why the choice could still be another one."""
    documents = len(set(measured.documents))
    if documents < FEWEST_DOCUMENTS:
        line = f"from {documents} documents nothing follows; ask about {FEWEST_DOCUMENTS} or more"
        return [_Doubt(line, FEWEST_DOCUMENTS / documents)]
    found = [_unfit(name, one, bounds) for name, one in means.items() if name != recommended]
    if recommended is None:
        return [doubt for doubt in found if doubt]
    taken = measured.scores[recommended]
    cheaper = found[: [*means].index(recommended)]
    gains = (
        _better(name, difference(measured.scores[name], taken, measured.documents), bounds)
        for name in means
        if name != recommended
    )
    doubts = (_poor(recommended, means[recommended], bounds), *cheaper, *gains)
    return [doubt for doubt in doubts if doubt]


class _Doubt(Struct, frozen=True):
    """Something that could still turn out otherwise.

    Attributes:
        line: for people.
        factor: about how many times as many questions would tell.
    """

    line: str
    factor: float


def _better(name: str, gain: Estimate, bounds: Bounds) -> _Doubt | None:
    high = _at_most(gain)
    if high <= bounds.margin:
        return None
    line = f"{name} may be better by {100 * high:.0f} points"
    return _Doubt(line, _times(gain, bounds.margin, bounds))


def _poor(name: str, mean: Estimate, bounds: Bounds) -> _Doubt | None:
    """Doubt that the arm that is taken is adequate."""
    if mean.low >= bounds.adequate:
        return None
    return _Doubt(_beside_bar(name, mean.low, bounds), _times(mean, bounds.adequate, bounds))


def _unfit(name: str, mean: Estimate, bounds: Bounds) -> _Doubt | None:
    """Doubt that an arm that is not taken is inadequate, where that is why."""
    high = _at_most(mean)
    if _is_adequate(mean, bounds) or high < bounds.adequate:
        return None
    return _Doubt(_beside_bar(name, high, bounds), _times(mean, bounds.adequate, bounds))


def _beside_bar(name: str, value: float, bounds: Bounds) -> str:
    return f"{name} may have {100 * value:.0f}%, where {100 * bounds.adequate:.0f}% are asked"


def _at_most(estimate: Estimate) -> float:
    """Return the upper bound if all that could not be scored were the best that it could be."""
    total = estimate.questions + estimate.unscored
    return (estimate.high * estimate.questions + estimate.unscored) / total


def _times(estimate: Estimate, bound: float, bounds: Bounds) -> float:
    """Return how many times as many questions would bring the interval to one side of `bound`."""
    gap = max(abs(estimate.centre - bound), _LEAST_GAP * max(bounds.margin, _LEAST_MARGIN))
    reach = max(estimate.high - estimate.centre, estimate.centre - estimate.low)
    return (reach / gap) ** 2


def _more(doubts: Sequence[_Doubt], asked: int) -> int:
    """Return how many questions to add, in tens; at least ten, where there is a doubt."""
    factor = max((doubt.factor for doubt in doubts), default=0.0)
    return math.ceil(max(asked * (factor - 1), bool(doubts)) / _ROUNDED) * _ROUNDED
