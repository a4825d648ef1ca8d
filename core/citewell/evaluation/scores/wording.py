"""Whether a text says what it is to say, and nothing that it is not to say."""

from __future__ import annotations

from collections.abc import Sequence

from citewell.evaluation.scores.cases import Case
from citewell.evaluation.scores.normalising import says, spoken
from citewell.types.evaluation import Score

_AROUND_CHOICE = " .\"'"


def contains(case: Case) -> Score:
    """Return the share of `contains` that is said."""
    return _said_share(case.text, case.item.contains)


def lacks(case: Case) -> Score:
    """Return the share of `lacks` that is not said."""
    return _unsaid_share(case.text, case.item.lacks)


def glossary(case: Case) -> Score:
    """Return the share of the words of the house that is used."""
    return _said_share(case.text, case.item.glossary)


def forbidden(case: Case) -> Score:
    """Return the share of the forbidden words that is not used."""
    return _unsaid_share(case.text, case.item.forbidden)


def choice(case: Case) -> Score:
    """Return whether the whole text is the right choice, but for case, quotation and full stop."""
    if case.item.choice is None:
        return None
    chosen, right = spoken(case.text), spoken(case.item.choice)
    return float(right in {chosen, chosen.strip(_AROUND_CHOICE)} and bool(right))


def _said_share(text: str, words: Sequence[str]) -> float | None:
    return sum(says(text, one) for one in words) / len(words) if words else None


def _unsaid_share(text: str, words: Sequence[str]) -> float | None:
    said = _said_share(text, words)
    return None if said is None else 1 - said
