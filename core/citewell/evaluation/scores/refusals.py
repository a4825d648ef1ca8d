"""Whether it is said that the documents do not say, where and only where they do not."""

from __future__ import annotations

from citewell.evaluation.scores.cases import Case
from citewell.types.evaluation import Score, Unscored


def refusal(case: Case) -> Score:
    """Return whether a question was refused if, and only if, it cannot be answered."""
    return refused(case) if case.item.unanswerable else answered(case)


def refused(case: Case) -> Score:
    """Return whether a question that cannot be answered was refused."""
    if not case.item.unanswerable:
        return None
    return _no_answer() if case.has_failed else float(case.response.refuses)


def answered(case: Case) -> Score:
    """Return whether a question that can be answered was not refused."""
    if case.item.unanswerable:
        return None
    return _no_answer() if case.has_failed else float(not case.response.refuses)


def _no_answer() -> Unscored:
    return Unscored("it failed, so it neither answered nor refused")
