"""Whether an answer follows the passage in which a fact was exchanged, or the weights."""

from __future__ import annotations

from citewell.evaluation.scores.cases import Case
from citewell.evaluation.scores.normalising import says_beside
from citewell.types.evaluation import Score, Unscored


def obedience(case: Case) -> Score:
    """Return 1 for a text that states what the passage says now, 0 for one that states the fact.

    One that states both has the fact from elsewhere as well: 0. One that states neither, as a
    refusal, follows nothing and cannot be scored. The leak rate is one minus the mean.
    """
    swap = case.item.swap
    if swap is None:
        return None
    if says_beside(case.text, swap.fact, swap.instead):
        return 0.0
    if says_beside(case.text, swap.instead, swap.fact):
        return 1.0
    return Unscored("the text states neither the fact nor what stands instead of it")
