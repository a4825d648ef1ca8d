"""How well the built-in verdicts agree with people, and which bar of containment is best."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from citewell import Passage, Place, Placed
from citewell.engine.citing.source import Source
from citewell.engine.citing.verdicts import (
    _CHECKS,
    CONTAINMENT_BAR,
    Statement,
    _contained,
    judge,
)
from proofs import harness

PROMISED = 0.584
# Less than half of the words would not be called contained, whatever a data set prefers.
BARS = tuple(bar / 100 for bar in range(50, 100, 5))
_FOLDS = 10
_REPEATS: dict[harness.Size, int] = {"small": 5, "full": 50}
_RESAMPLES: dict[harness.Size, int] = {"small": 500, "full": 10_000}
_MARK = re.compile(r"\s*\[\d+\]")
_ADDRESS = re.compile(r"^\[\d+\]\s*\S+\n")


@dataclass(frozen=True, slots=True)
class Row:
    """One claim: what people said, and what each check says.

    Attributes:
        failing: the checks that it fails, containment left out.
        score: its containment; 1 when it has no content words.
    """

    attributable: bool
    failing: frozenset[str]
    score: float
    decided_by: str

    def passes(self, bar: float, *, without: str = "") -> bool:
        """Return the verdict with another bar, or without one of the checks."""
        return not self.failing - {without} and (without == "containment" or self.score >= bar)


def run(*, size: harness.Size, seed: int) -> dict[str, object]:
    rows = _rows()
    repeats = [_cross_validated(rows, seed + repeat) for repeat in range(_REPEATS[size])]
    chosen = Counter(bar for _, bars in repeats for bar in bars)
    low, high = _interval(rows, _RESAMPLES[size], random.Random(seed))
    predicted = [row.passes(CONTAINMENT_BAR) for row in rows]
    kept = [row.attributable for row, passed in zip(rows, predicted, strict=True) if passed]
    attributable = sum(row.attributable for row in rows)
    return {
        "claims": len(rows),
        "shipped_bar": CONTAINMENT_BAR,
        "chosen_bar": chosen.most_common(1)[0][0],
        "bars_chosen": {f"{bar:.2f}": count for bar, count in sorted(chosen.items())},
        "cross_validated_macro_f1": round(mean(score for score, _ in repeats), 3),
        "macro_f1": round(_macro_f1(rows, CONTAINMENT_BAR), 3),
        "interval_95": [round(low, 3), round(high, 3)],
        "precision": round(sum(kept) / len(kept), 3),
        "recall": round(sum(kept) / attributable, 3),
        "by_bar": {f"{bar:.2f}": round(_macro_f1(rows, bar), 3) for bar in BARS},
        "without": {
            name: round(_macro_f1(rows, CONTAINMENT_BAR, without=name), 3)
            for name in (*_CHECKS, "phrases", "containment")
        },
        "dropped_by": _dropped(rows),
    }


def check(result: dict[str, object]) -> Sequence[str]:
    broken = []
    reached = result["cross_validated_macro_f1"]
    if not isinstance(reached, float) or reached < PROMISED:
        broken.append(f"cross-validated macro-F1 is {reached}, promised is {PROMISED}")
    if result["chosen_bar"] != result["shipped_bar"]:
        broken.append(
            f"cross-validation chooses {result['chosen_bar']}, shipped is {result['shipped_bar']}"
        )
    return broken


def table(result: dict[str, object]) -> str:
    low, high = _pair(result["interval_95"])
    dropped = result["dropped_by"]
    without = result["without"]
    assert isinstance(dropped, dict)
    assert isinstance(without, dict)
    lines = [
        "| | |",
        "|---|---:|",
        f"| claims judged by people, half of them attributable | {result['claims']} |",
        f"| bar chosen by cross-validation, and shipped | {result['chosen_bar']} |",
        f"| macro-F1, ten-fold cross-validation | {result['cross_validated_macro_f1']:.3f} |",
        f"| macro-F1 at that bar | {result['macro_f1']:.3f} |",
        f"| its 95% bootstrap interval | {low:.3f} to {high:.3f} |",
        f"| of the claims called supported, attributable | {result['precision']:.1%} |",
        f"| of the attributable claims, called supported | {result['recall']:.1%} |",
        "",
        "| check | stops, rightly | stops, wrongly | macro-F1 without it |",
        "|---|---:|---:|---:|",
        *(
            f"| {name} | {counts['rightly']} | {counts['wrongly']} | {without[name]:.3f} |"
            for name, counts in dropped.items()
        ),
    ]
    return "\n".join(lines)


def _pair(value: object) -> tuple[float, float]:
    assert isinstance(value, list)
    return float(value[0]), float(value[1])


def _rows() -> list[Row]:
    path = harness.data("attribution_dev") / "claims.jsonl"
    return [_row(record) for record in harness.rows(path)]


def _row(record: dict[str, object]) -> Row:
    references = record["references"]
    assert isinstance(references, list)
    statement = Statement(
        _MARK.sub("", str(record["claim"])),
        [_source(_ADDRESS.sub("", text)) for text in references],
        str(record["question"]),
    )
    failing = {name for name, find_problem in _CHECKS.items() if find_problem(statement)}
    contained = _contained(statement, bar=0.0)
    if contained.check == "phrases":
        failing.add("phrases")
    score = contained.score if contained.score is not None else float(contained.supported)
    return Row(bool(record["attributable"]), frozenset(failing), score, judge(statement).check)


def _source(text: str) -> Source:
    return Source(
        Passage(
            id="reference",
            document_id="attribution:reference",
            title="",
            text=text,
            start=0,
            end=len(text),
            places=(Placed(0, Place()),),
        )
    )


def _macro_f1(rows: Sequence[Row], bar: float, *, without: str = "") -> float:
    return _score(rows, lambda row: row.passes(bar, without=without))


def _score(rows: Sequence[Row], predict: Callable[[Row], bool]) -> float:
    counts = Counter((predict(row), row.attributable) for row in rows)
    scores = []
    for side in (True, False):
        right = counts[side, side]
        wrong = counts[side, not side] + counts[not side, side]
        scores.append(2 * right / (2 * right + wrong) if right else 0.0)
    return mean(scores)


def _cross_validated(rows: Sequence[Row], seed: int) -> tuple[float, list[float]]:
    """Return the macro-F1 of bars chosen on nine tenths and used on the tenth, and these bars."""
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    bars = {}
    for fold in range(_FOLDS):
        train = [rows[index] for at, index in enumerate(order) if at % _FOLDS != fold]
        scores = {bar: _macro_f1(train, bar) for bar in BARS}
        bars[fold] = max(BARS, key=scores.__getitem__)
    verdicts = {id(rows[index]): rows[index].passes(bars[at % _FOLDS])
                for at, index in enumerate(order)}  # fmt: skip
    return _score(rows, lambda row: verdicts[id(row)]), list(bars.values())


def _interval(rows: Sequence[Row], resamples: int, chance: random.Random) -> tuple[float, float]:
    """Return the 95% percentile interval of macro-F1 at the shipped bar (Efron 1979)."""
    scores = sorted(
        _macro_f1(chance.choices(rows, k=len(rows)), CONTAINMENT_BAR) for _ in range(resamples)
    )
    return scores[round(0.025 * (resamples - 1))], scores[round(0.975 * (resamples - 1))]


def _dropped(rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    """Count, for each check, the claims that it was the first to stop."""
    stopped = [row for row in rows if not row.passes(CONTAINMENT_BAR)]
    return {
        name: {
            "rightly": sum(row.decided_by == name and not row.attributable for row in stopped),
            "wrongly": sum(row.decided_by == name and row.attributable for row in stopped),
        }
        for name in (*_CHECKS, "containment", "phrases")
    }
