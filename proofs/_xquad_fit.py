"""Fits the extractive model's confidence: `python -m proofs._xquad_fit`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

from citewell import Passage
from citewell_extractive.evidence import evidence
from proofs import harness
from proofs._asking import asking
from proofs._halves import halves, items

_ROUNDS = 50


async def signals() -> list[tuple[float, float, bool]]:
    """Return coverage, amount and answerability of the questions of the fitting half.

    Each answerable question is asked once more with its own document left out, which makes an
    unanswerable one of it.
    """
    rows: list[tuple[float, float, bool]] = []
    folder = harness.data("xquad_mini")
    fitting, _ = halves(items(folder))
    async with asking(folder / "corpus") as library:
        for item in fitting:
            found = await library.retrieve(item.question, limit=10 * library.passages)
            others = [one for one in found if one.document_id != f"docs:{item.document}.md"]
            rows.append((*_signals(item.question, found[: library.passages]), bool(item.answers)))
            if item.answers:
                rows.append((*_signals(item.question, others[: library.passages]), False))
    return rows


def _signals(question: str, passages: Sequence[Passage]) -> tuple[float, float]:
    found = evidence(question, passages)
    return (found[0].signals.coverage, found[0].signals.amount) if found else (0.0, 0.0)


def fit(rows: Sequence[tuple[float, float, bool]]) -> list[float]:
    """Return bias and two coefficients of a logistic regression, both classes weighing the same.

    Newton's method (Hastie, Tibshirani, Friedman 2009, section 4.4.1).
    """
    yes = sum(row[2] for row in rows)
    weights = {True: 0.5 / yes, False: 0.5 / (len(rows) - yes)}
    beta = [0.0, 0.0, 0.0]
    for _ in range(_ROUNDS):
        gradient = [0.0] * 3
        hessian = [[1e-9 if i == j else 0.0 for j in range(3)] for i in range(3)]
        for coverage, amount, answerable in rows:
            x = (1.0, coverage, amount)
            p = 1 / (1 + math.exp(-sum(b * v for b, v in zip(beta, x, strict=True))))
            weight = weights[answerable]
            for i in range(3):
                gradient[i] += weight * (answerable - p) * x[i]
                for j in range(3):
                    hessian[i][j] += weight * p * (1 - p) * x[i] * x[j]
        beta = [b + step for b, step in zip(beta, _solved(hessian, gradient), strict=True)]
    return beta


def _solved(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    """Solve three linear equations by Gaussian elimination."""
    rows = [[*row, value] for row, value in zip(matrix, vector, strict=True)]
    for i in range(3):
        pivot = max(range(i, 3), key=lambda j: abs(rows[j][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        rows[i] = [value / rows[i][i] for value in rows[i]]
        for j in range(3):
            if j != i:
                rows[j] = [a - rows[j][i] * b for a, b in zip(rows[j], rows[i], strict=True)]
    return [row[3] for row in rows]


if __name__ == "__main__":
    found = asyncio.run(signals())
    print("bias {:.2f}, coverage {:.2f}, amount {:.2f}".format(*fit(found)), len(found))
