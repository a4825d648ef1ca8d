"""Whether a text gives one of the answers that are known to be right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from citewell.evaluation.scores.cases import Case
from citewell.evaluation.scores.normalising import tokens
from citewell.types.evaluation import Score, Unscored

LONGEST_SHORT = 10
"""Tokens of an answer that a sentence may hold as it stands; a longer one is told in other words.

Of 473 answers of XQuAD, 97% are no longer.
"""


def exact_match(case: Case) -> Score:
    """Return whether the whole text is one of the answers.

    Source: Rajpurkar et al. (2016), section 6.1.
    """
    return _best(case, lambda said, answer: float(said == answer))


def token_f1(case: Case) -> Score:
    """Return the overlap of tokens with the nearest answer.

    Source: Rajpurkar et al. (2016), section 6.1; where one of both has no token, as the script of
    SQuAD v2.0 has it.
    """
    return _best(case, f1)


def contains_answer(case: Case) -> Score:
    """Return whether one of the answers stands in the text as it is, in whole tokens."""
    if not case.item.answers:
        return None
    answers = [*filter(None, map(tokens, case.item.answers))]
    if not answers:
        return Unscored("of no answer a token is left without punctuation and articles")
    said = tokens(case.text)
    return float(any(_stands_in(answer, said) for answer in answers))


def is_short(answers: Sequence[str]) -> bool:
    """Tell whether one of `answers` may stand in a sentence as it is."""
    return any(0 < len(tokens(answer)) <= LONGEST_SHORT for answer in answers)


def f1(said: Sequence[str], answer: Sequence[str]) -> float:
    """Return the harmonic mean of precision and recall of the tokens of `said`."""
    if not said or not answer:
        return float(said == answer)
    shared = (Counter(said) & Counter(answer)).total()
    return 2 * shared / (len(said) + len(answer))


def _best(
    case: Case, compared: Callable[[tuple[str, ...], tuple[str, ...]], float]
) -> float | None:
    said = tokens(case.text)
    return max((compared(said, tokens(answer)) for answer in case.item.answers), default=None)


def _stands_in(answer: Sequence[str], said: Sequence[str]) -> bool:
    # Blanks part tokens and stand in none.
    return f" {' '.join(answer)} " in f" {' '.join(said)} "
