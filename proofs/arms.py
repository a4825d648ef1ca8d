"""Whether the verdict over four arms is right, where the truth is known because it was drawn.

Each set of questions is drawn from a known truth: twelve of them, three sizes. An arm answers a
question rightly when a latent value, which the arms share in part, lies below its true mean. Right
is the cheapest arm whose true mean is within the margin of the best; none, where the best is not
adequate.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean
from typing import TypedDict, cast

from citewell.evaluation.estimating import difference
from citewell.evaluation.verdict import Bounds, Measured, Verdict, judge
from proofs import harness

ARMS = ("base", "tuned", "rag", "both")
"""The cheapest first."""

SIZES = (30, 100, 300)
DRAWS: Mapping[harness.Size, int] = {"small": 20, "full": 500}
BOUNDS = Bounds(margin=0.05, adequate=0.5)
MOST_DEARER = 0.02
LEAST_CHEAPEST = 0.98
LEAST_RIGHT = 0.93
_CELLS = (
    "Each cell: recommended rightly / a dearer arm than needed / called settled, of {draws} sets "
    "of n questions. Arms in the order of their cost: {arms}."
)
_EQUAL = "all equal"
_BY_DOCUMENT = "rag only, ten questions a document"
_GRADED = "rag only, graded scores"
_ROUNDING = 1e-9
# How much of the latent value a question, a document, and a document in one arm have in common.
_ALONE = (0.6, 0.0, 0.0)
_CLUSTERED = (0.3, 0.15, 0.15)

TRUTHS: Mapping[str, tuple[float, float, float, float]] = {
    _EQUAL: (0.7, 0.7, 0.7, 0.7),
    "rag only": (0.45, 0.45, 0.75, 0.75),
    "tuned only": (0.45, 0.75, 0.45, 0.75),
    "both add up": (0.4, 0.58, 0.6, 0.8),
    "tuned harms": (0.6, 0.4, 0.8, 0.6),
    "rag harms": (0.55, 0.8, 0.35, 0.55),
    "tuned harms rag": (0.4, 0.55, 0.8, 0.5),
    "nothing adequate": (0.15, 0.2, 0.25, 0.3),
    "steps of 5 points": (0.6, 0.65, 0.7, 0.75),
    "large base": (0.9, 0.91, 0.92, 0.93),
    _BY_DOCUMENT: (0.45, 0.45, 0.75, 0.75),
    _GRADED: (0.45, 0.45, 0.75, 0.75),
}


class Row(TypedDict):
    """Shares of the sets of one truth and size.

    Attributes:
        too_sure: sets that were called settled although both no difference and one of the margin
            fit an interval; a count.
    """

    right: float
    dearer: float
    settled: float
    too_sure: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """One set: its scores, and what was concluded."""

    measured: Measured
    verdict: Verdict


def run(*, size: harness.Size, seed: int) -> dict[str, object]:
    """Draw, judge, compare with the truth."""
    rows = {
        truth: {str(questions): _row(truth, questions, DRAWS[size], seed) for questions in SIZES}
        for truth in TRUTHS
    }
    return {
        "draws": DRAWS[size],
        "margin": BOUNDS.margin,
        "adequate": BOUNDS.adequate,
        "truths": {name: list(means) for name, means in TRUTHS.items()},
        "rows": rows,
    }


def check(result: Mapping[str, object]) -> list[str]:
    """Name each promise that the result breaks."""
    rows = cast("Mapping[str, Mapping[str, Row]]", result["rows"])
    broken = []
    for questions in map(str, SIZES):
        cheapest = rows[_EQUAL][questions]["right"]
        if cheapest < LEAST_CHEAPEST:
            broken.append(f"{questions} questions: the cheapest of equals in {cheapest:.1%}")
        dearer = fmean(row[questions]["dearer"] for row in rows.values())
        if dearer > MOST_DEARER:
            broken.append(f"{questions} questions: a dearer arm than needed in {dearer:.1%}")
        broken += [
            f"{questions} questions, {truth}: {row[questions]['too_sure']} settled too early"
            for truth, row in rows.items()
            if row[questions]["too_sure"]
        ]
    right = fmean(row[str(SIZES[-1])]["right"] for row in rows.values())
    if right < LEAST_RIGHT:
        broken.append(f"{SIZES[-1]} questions: right in {right:.1%}")
    return broken


def table(result: Mapping[str, object]) -> str:
    """Show the shares."""
    rows = cast("Mapping[str, Mapping[str, Row]]", result["rows"])
    truths = cast("Mapping[str, Sequence[float]]", result["truths"])
    titles = ("truth", "true means", *(f"n={questions}" for questions in SIZES))
    lines = [f"| {' | '.join(titles)} |", f"|---|---|{'---:|' * len(SIZES)}"]
    for truth, sizes in rows.items():
        means = " ".join(f"{mean:.2f}" for mean in truths[truth])
        cells = (_shown(sizes[str(questions)]) for questions in SIZES)
        lines.append(f"| {truth} | {means} | {' | '.join(cells)} |")
    means_of_all = (_mean([row[str(questions)] for row in rows.values()]) for questions in SIZES)
    lines.append(f"| mean | | {' | '.join(map(_shown, means_of_all))} |")
    return "\n".join([
        *lines,
        "",
        _CELLS.format(draws=result["draws"], arms=", ".join(ARMS)),
    ])


def _shown(row: Row) -> str:
    return f"{row['right']:.0%} / {row['dearer']:.1%} / {row['settled']:.0%}"


def _mean(rows: Sequence[Row]) -> Row:
    return {
        "right": fmean(row["right"] for row in rows),
        "dearer": fmean(row["dearer"] for row in rows),
        "settled": fmean(row["settled"] for row in rows),
        "too_sure": sum(row["too_sure"] for row in rows),
    }


def _row(truth: str, questions: int, draws: int, seed: int) -> Row:
    chosen = random.Random(f"{truth} {questions} {seed}")
    sets = [_judged(drawn(truth, questions, chosen)) for _ in range(draws)]
    right = right_arm(truth)
    return {
        "right": fmean(one.verdict.recommended == right for one in sets),
        "dearer": fmean(_is_dearer(one.verdict.recommended, right) for one in sets),
        "settled": fmean(one.verdict.settled for one in sets),
        "too_sure": sum(_is_too_sure(one) for one in sets),
    }


def _judged(measured: Measured) -> Drawn:
    return Drawn(measured, judge(measured, BOUNDS))


def right_arm(truth: str) -> str | None:
    """Return the cheapest arm within the margin of the best; None where none is adequate."""
    means = dict(zip(ARMS, TRUTHS[truth], strict=True))
    best = max(means.values())
    if best < BOUNDS.adequate:
        return None
    return next(arm for arm in ARMS if means[arm] >= best - BOUNDS.margin - _ROUNDING)


def _is_dearer(recommended: str | None, right: str | None) -> bool:
    if recommended is None:
        return False
    return right is None or ARMS.index(recommended) > ARMS.index(right)


def _is_too_sure(one: Drawn) -> bool:
    taken = one.verdict.recommended
    if not one.verdict.settled or taken is None:
        return False
    scores, documents = one.measured.scores, one.measured.documents
    gains = (difference(scores[arm], scores[taken], documents) for arm in ARMS if arm != taken)
    return any(gain.low <= 0 and gain.high >= BOUNDS.margin for gain in gains)


def drawn(truth: str, questions: int, chosen: random.Random) -> Measured:
    """Draw what four arms score on `questions` questions."""
    per_document = 10 if truth == _BY_DOCUMENT else 1
    shares = _CLUSTERED if truth == _BY_DOCUMENT else _ALONE
    rows, documents = [], []
    for number in range(questions):
        if number % per_document == 0:
            document = chosen.gauss(0, 1)
            in_arms = [chosen.gauss(0, 1) for _ in ARMS]
        question = chosen.gauss(0, 1)
        latent = [_mixed(shares, (question, document, own, chosen.gauss(0, 1))) for own in in_arms]
        rows.append([
            _score(value, mean, is_graded=truth == _GRADED)
            for value, mean in zip(latent, TRUTHS[truth], strict=True)
        ])
        documents.append(f"document {number // per_document}")
    scores = dict(zip(ARMS, map(list, zip(*rows, strict=True)), strict=True))
    return Measured(scores=scores, documents=documents)


def _mixed(shares: tuple[float, float, float], parts: Sequence[float]) -> float:
    weights = (*shares, 1 - sum(shares))
    return sum(math.sqrt(weight) * part for weight, part in zip(weights, parts, strict=True))


_NORMAL = NormalDist()


def _score(latent: float, mean: float, *, is_graded: bool) -> float:
    """Return 0 or 1, or anything between; its expected value is `mean`."""
    rank = _NORMAL.cdf(latent)
    if is_graded:
        return float(rank ** ((1 - mean) / mean))
    return float(rank < mean)
