"""Which lists have to be searched so that no passage outside them can be among the best.

What a passage can get from the lists that are not searched is bounded by their ceilings. When the
last of the best is above that, nothing was missed. Source: MaxScore, Turtle and Flood (1995),
doi:10.1016/0306-4573(95)00020-H, on lists parted by weight as in Anh and Moffat (2006),
doi:10.1145/1148170.1148235.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heapreplace
from itertools import accumulate
from typing import NamedTuple

from citewell_postgres.terms import level_of, term_of

# The same addends in another order, in single precision.
_ROUNDING = 1.0001


class ListRow(NamedTuple):
    """A list as it is stored.

    Attributes:
        passages: how many stand in it.
        ceiling: no passage in it has a greater weight.
    """

    key: int
    passages: int
    ceiling: float


class _Level(NamedTuple):
    """Lists of one term whose passages have it at about the same weight, on every shelf."""

    keys: tuple[int, ...]
    passages: int
    bound: float


class Plan:
    """The order in which lists are taken: those first that say most about fewest passages."""

    def __init__(self, lists: Iterable[ListRow], rarities: Mapping[int, float]) -> None:
        """Plan.

        Args:
            lists: all that a question can be answered from.
            rarities: what the weight of a term is multiplied by.
        """
        self._steps = tuple(_steps(_levels(lists, rarities)))

    def for_candidates(self, wanted: int) -> tuple[list[int], float]:
        """Return lists with at least `wanted` entries, if there are, and what the rest can give."""
        keys: list[int] = []
        entries = 0
        for level, rest in self._steps:
            keys += level.keys
            entries += level.passages
            if entries >= wanted:
                return keys, rest * _ROUNDING
        return keys, 0.0

    def above(self, score: float) -> list[int]:
        """Return lists outside of which no passage can reach `score`."""
        keys: list[int] = []
        for level, rest in self._steps:
            keys += level.keys
            if rest * _ROUNDING < score:
                break
        return keys


def _levels(lists: Iterable[ListRow], rarities: Mapping[int, float]) -> Sequence[Sequence[_Level]]:
    """Return the levels of each term, those with the greatest weights first."""
    found: dict[int, dict[int, _Level]] = {}
    for row in lists:
        term = term_of(row.key)
        of_term = found.setdefault(term, {})
        known = of_term.get(level_of(row.key), _Level((), 0, 0.0))
        of_term[level_of(row.key)] = _Level(
            (*known.keys, row.key),
            known.passages + row.passages,
            max(known.bound, row.ceiling * rarities[term]),
        )
    return [
        [of_term[level] for level in sorted(of_term, reverse=True)] for of_term in found.values()
    ]


def _steps(terms: Sequence[Sequence[_Level]]) -> Iterable[tuple[_Level, float]]:
    """Yield levels in the order of the plan, each with what all later ones can give together."""
    # A ceiling stays when the passage that had it goes, so a later level may have a higher one.
    bounds = [
        [*[*accumulate((level.bound for level in reversed(levels)), max)][::-1], 0.0]
        for levels in terms
    ]
    rest = sum(bound[0] for bound in bounds)
    # Those that save most for each entry come first.
    waiting = [_waiting(terms, bounds, term, 0) for term in range(len(terms))]
    heapify(waiting)
    while waiting:
        _, term, at = waiting[0]
        rest -= bounds[term][at] - bounds[term][at + 1]
        if at + 1 < len(terms[term]):
            heapreplace(waiting, _waiting(terms, bounds, term, at + 1))
        else:
            heappop(waiting)
        yield terms[term][at], max(rest, 0.0) if waiting else 0.0


def _waiting(
    terms: Sequence[Sequence[_Level]], bounds: Sequence[Sequence[float]], term: int, at: int
) -> tuple[float, int, int]:
    saved = bounds[term][at] - bounds[term][at + 1]
    return -saved / terms[term][at].passages, term, at
