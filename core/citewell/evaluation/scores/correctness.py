"""The one score of an answer that arms are compared by."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from citewell.evaluation.scores.answering import contains_answer, is_short, token_f1
from citewell.evaluation.scores.cases import Case
from citewell.evaluation.scores.figures import figures
from citewell.evaluation.scores.forms import output_schema, pattern
from citewell.evaluation.scores.guarding import guarded
from citewell.evaluation.scores.wording import choice, contains, forbidden, lacks
from citewell.types.evaluation import Score, Unscored

# They tell a right answer; the others only what a right one does not do.
_TELLING: tuple[Callable[[Case], Score], ...] = (figures, contains, choice, pattern, output_schema)
_KEEPING: tuple[Callable[[Case], Score], ...] = (lacks, forbidden)


def correct(case: Case) -> Score:
    """Return whether all holds that the question expects of the text; 0 for a failure.

    A question that cannot be answered is to be refused, any other is not. Each expectation holds
    wholly or not at all: an answer with one wrong figure of four is wrong. Of `answers`, one stands
    in the text as it is: what is said is sentences, so a bar of F1 would measure their length. A
    long answer is told in other words, and no bar of F1 tells right from wrong: it counts only
    where nothing else tells, and then the score is the F1 itself.

    A fact that was exchanged makes the known answer wrong: `obedience` judges that.
    """
    item = case.item
    if item.swap is not None:
        return None
    if item.unanswerable:
        # The model's own text does not tell whether it is a refusal.
        return None if case.is_raw else float(case.response.refuses)
    expected = _expected(case)
    if not expected or case.has_failed:
        return 0.0 if expected else None
    if not case.text.strip() or (case.response.refuses and not case.is_raw):
        return 0.0
    unscored = [score for score in expected if isinstance(score, Unscored)]
    numbers = [score for score in expected if isinstance(score, float)]
    if any(score == 0 for score in numbers) or not unscored:
        return min(numbers)
    return unscored[0]


def _expected(case: Case) -> list[float | Unscored]:
    """Return how each expectation of the text is met."""
    telling = [_whole(guarded(partial(score, case))) for score in _TELLING]
    keeping = [_whole(guarded(partial(score, case))) for score in _KEEPING]
    if is_short(case.item.answers):
        telling.append(contains_answer(case))
    elif all(score is None for score in telling):
        telling.append(token_f1(case))
    return [score for score in (*telling, *keeping) if score is not None]


def _whole(score: Score) -> Score:
    return float(score == 1) if isinstance(score, float | int) else score
