"""The best passages for a question by their words, of those that may be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pgvector import SparseVector
from psycopg import AsyncConnection

from citewell import Query
from citewell_postgres.choosing import ListRow, Plan
from citewell_postgres.shelves import Share
from citewell_postgres.stems import Stems
from citewell_postgres.terms import (
    DIMENSIONS,
    first_list,
    rarity,
    term_of,
)
from citewell_postgres.words import asked, configuration_for

_MAX_QUERY_TERMS = 64
_FIRST_CANDIDATES = 400
"""Entries of lists that are searched first, where that is more than a few times the limit."""

_LISTS = """
SELECT lists.key, lists.passages, ceiling
FROM unnest(%s::bigint[], %s::bigint[]) AS term (first, last)
JOIN lists ON lists.key >= term.first AND lists.key < term.last
    AND (lists.key >> 3) & 8388607 = ANY(%s::integer[])
"""

_BEST = """
SELECT passage, -(weights <#> %s) AS score FROM words
WHERE lists && %s::bigint[] AND shelf = ANY(%s::integer[])
ORDER BY score DESC, passage LIMIT %s
"""


class WordSearch:
    """Finds passages by their words."""

    def __init__(self, stems: Stems, configurations: frozenset[str]) -> None:
        self._stems = stems
        self._configurations = configurations

    async def best(
        self, connection: AsyncConnection, query: Query, share: Share, limit: int
    ) -> dict[int, float]:
        """Return the keys of the best passages with their scores (BM25), best first.

        A term weighs as much as it would if there were no passages but those of `share`.
        """
        plan, rarities = await self._plan(connection, query, share)
        wanted = max(_FIRST_CANDIDATES, 4 * limit)
        lists, rest = plan.for_candidates(wanted)
        if not lists:
            return {}
        asked_for = SparseVector(
            {term % DIMENSIONS: weight for term, weight in rarities.items()}, DIMENSIONS
        )

        async def search(lists: Sequence[int]) -> dict[int, float]:
            rows = await connection.execute(_BEST, [asked_for, lists, share.shelves, limit])
            return {key: score for key, score in await rows.fetchall() if score > 0}

        found = await search(lists)
        reached = min(found.values()) if len(found) == limit else 0.0
        if rest < reached or not rest:
            return found
        return await search(plan.above(reached))

    async def _plan(
        self, connection: AsyncConnection, query: Query, share: Share
    ) -> tuple[Plan, Mapping[int, float]]:
        """Return which lists to search, and what each term weighs; if possible in its language."""
        own: tuple[str, ...] = ()
        if query.language is not None:
            own = (configuration_for(query.language, self._configurations),)
        for configurations in (own, share.configurations):
            terms = await self._terms(connection, query.text, configurations)
            lists = await _lists(connection, terms, share)
            if lists:
                rarities = _rarities(lists, share.passages)
                return Plan(_of_rarest(lists, rarities), rarities), rarities
        return Plan((), {}), {}

    async def _terms(
        self, connection: AsyncConnection, text: str, configurations: Iterable[str]
    ) -> list[int]:
        """Return the terms of a question; stopwords where it has nothing else."""
        terms: dict[int, None] = {}
        for configuration in configurations:
            words = asked(text, configuration)
            known = await self._stems.of(connection, configuration, words)
            stems = [known[word] for word in words]
            telling = [stem for stem in stems if not stem.is_stopword]
            for stem in telling or stems:
                terms |= dict.fromkeys(stem.terms)
        return list(terms)


async def _lists(connection: AsyncConnection, terms: Sequence[int], share: Share) -> list[ListRow]:
    if not terms:
        return []
    firsts = [first_list(term) for term in terms]
    lasts = [first_list(term + 1) for term in terms]
    rows = await connection.execute(_LISTS, [firsts, lasts, share.shelves])
    return [ListRow(*row) for row in await rows.fetchall()]


def _rarities(lists: Iterable[ListRow], passages: int) -> dict[int, float]:
    """Return how much each term says, of which there are lists."""
    counts: dict[int, int] = {}
    for row in lists:
        counts[term_of(row.key)] = counts.get(term_of(row.key), 0) + row.passages
    # Bound the work for a whole page pasted as a question.
    rarest = sorted(counts, key=lambda term: (counts[term], term))[:_MAX_QUERY_TERMS]
    return {term: rarity(counts[term], of=passages) for term in rarest}


def _of_rarest(lists: Iterable[ListRow], rarities: Mapping[int, float]) -> list[ListRow]:
    return [row for row in lists if term_of(row.key) in rarities]
