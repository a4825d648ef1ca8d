"""An index as readers see it: the best passages for a question, of those they may read."""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import tantivy
from tantivy import Occur, Query

from citewell import Audience, Labels
from citewell.storing import loaded_labels
from citewell_embedded.index import damage, schema
from citewell_embedded.rows import SHORTENED
from citewell_embedded.terms import LANGUAGES, language_key, query_terms

TITLE_BOOST = 1.0
"""Weight of a term in title and headings beside one in the text.

Source: best of 0, .2, .5, .7, 1, 1.5, 2 on the even queries of Cranfield (proofs/retrieval.py).
"""

FREQUENT = 500
"""In how many passages a term stands that a search may leave for last."""

_LOOK_UP = 8
"""How many times as long it takes to look for a passage in a list as to go on to its next."""

_SINGLE = struct.Struct("f")

_MAX_QUERY_TERMS = 64
_MAX_SHARES = 256
_MAX_COUNTS = 200_000
_MAX_TERMS = 20_000

# The same addends in another order.
_ROUNDING = 1.0001


class _Term(NamedTuple):
    """A term of a question, with its language.

    Attributes:
        passages: how many of those that may be read have it in their text, and in their title.
    """

    name: tuple[str, str]
    queries: tuple[Query, ...]
    passages: int


class _Share(NamedTuple):
    """What an audience may read.

    Attributes:
        passages: how many there are.
        labels: sets of labels, as they are stored.
        filter: None when that is everything.
        ceilings: by the name of a term, the most that a passage gets for it.
    """

    passages: int
    labels: frozenset[str]
    filter: Query | None
    ceilings: dict[tuple[str, str], float]


def _any_of(terms: Iterable[_Term]) -> Query:
    queries = [query for term in terms for query in term.queries]
    if len(queries) == 1:
        return queries[0]
    return Query.boolean_query([(Occur.Should, query) for query in queries])


def _rarity(count: int, passages: int) -> float:
    """Return what Tantivy takes for the rarity (idf) of a term that `count` of `passages` have.

    It reckons in single precision: for a term in nearly all passages that is another number.
    """
    rarity: float
    (rarity,) = _SINGLE.unpack(_SINGLE.pack(1 + (passages - count + 0.5) / (count + 0.5)))
    return math.log(rarity)


class IndexView:
    """An index as it was at one moment."""

    def __init__(
        self,
        path: Path,
        searcher: tantivy.Searcher,
        *,
        stemming: bool,
        passages: int,
        labels_of: Callable[[int], Labels | None],
    ) -> None:
        """Look at what `searcher` finds.

        Args:
            path: of the index.
            searcher: of the moment.
            stemming: whether a word matches its other forms.
            passages: how many count in its statistics.
            labels_of: returns the labels of a row, None when it is gone.
        """
        self._path = path
        self._searcher = searcher
        self._stemming = stemming
        self._passages = passages
        languages = {language for language, _ in searcher.terms_with_prefix("language", "")}
        self._languages = tuple(language for language in LANGUAGES if language in languages)
        self._label_sets = {
            term: self._labels(term, labels_of)
            for term, _ in searcher.terms_with_prefix("labels", "")
        }
        self._shares: dict[Audience, _Share] = {}
        self._counts = _Counts(searcher)
        self._known: dict[tuple[frozenset[str], str, str], _Term] = {}

    def _labels(self, term: str, labels_of: Callable[[int], Labels | None]) -> Labels:
        """Return the labels that `term` stands for; none when all passages with it are gone."""
        if not term.startswith(SHORTENED):
            return loaded_labels(term)
        query = Query.term_query(schema(), "labels", term, "basic")
        limit = 8
        while True:
            hits = self._searcher.search(query, limit, count=False).hits
            for row in self._rows(hits):
                labels = labels_of(row)
                if labels is not None:
                    return labels
            if len(hits) < limit:
                return frozenset()
            limit *= 8

    def _rows(self, hits: Iterable[Any]) -> list[int]:
        found = self._searcher.fast_field_values("row", [address for _, address in hits])
        return [int(row or 0) for row in found]

    def search(
        self, text: str, *, language: str | None, readable_by: Audience, limit: int
    ) -> list[tuple[int, float]]:
        """Return rows and scores (BM25, higher is better), best first.

        A term weighs as much as it would if there were no passages but those that may be read.
        """
        with damage(self._path):
            share = self._share(readable_by)
            terms = self._terms(text, language, share)
            if not terms:
                return []
            hits = self._hits_of_rare(terms, share, limit)
            if hits is None:
                hits = self._hits(_any_of(terms), share, limit)
            rows = self._rows(hits)
        return [(row, float(score)) for row, (score, _) in zip(rows, hits, strict=True)]

    def _hits_of_rare(self, terms: Sequence[_Term], share: _Share, limit: int) -> list[Any] | None:
        """Search passages with a rare term only; None when others might be among the best.

        What a passage gets for frequent terms alone is bounded. When all the hits are above that,
        no other passage can be one of them, and most of the lists of the frequent terms need not
        be read. Source: MaxScore, Turtle and Flood (1995), doi:10.1016/0306-4573(95)00020-H.
        """
        terms = sorted(terms, key=lambda term: -term.passages)
        reached = math.inf
        for frequent, ceiling in reversed(self._splits(terms, share, limit)):
            # The more terms are looked for, the higher is the last of the hits.
            if ceiling * _ROUNDING < reached:
                query = _any_of(terms[frequent:])
                # One by one: of several at once Tantivy would read the lists.
                for term in terms[:frequent]:
                    for optional in term.queries:
                        query = Query.boolean_query([(Occur.Must, query), (Occur.Should, optional)])
                hits = self._hits(query, share, limit)
                if len(hits) == limit:
                    reached = hits[-1][0]
                    if reached > ceiling * _ROUNDING:
                        return hits
        return None

    def _splits(
        self, terms: Sequence[_Term], share: _Share, limit: int
    ) -> Sequence[tuple[int, float]]:
        """Return how many of `terms`, most frequent first, can be frequent ones, and their ceiling.

        Left out are the splits that would save nothing.
        """
        splits = []
        ceiling = 0.0
        every = rare = sum(term.passages for term in terms)
        for frequent, term in enumerate(terms, 1):
            rare -= term.passages
            if term.passages < FREQUENT or rare < limit:
                break
            ceiling += self._ceiling(term, share)
            if rare * frequent * _LOOK_UP < every:
                splits.append((frequent, ceiling))
        return splits

    def _ceiling(self, term: _Term, share: _Share) -> float:
        """Return the most that a passage gets for `term`."""
        if term.name not in share.ceilings:
            best = self._searcher.search(_any_of([term]), 1, count=False).hits
            share.ceilings[term.name] = best[0][0] if best else 0.0
        return share.ceilings[term.name]

    def _hits(self, query: Query, share: _Share, limit: int) -> list[Any]:
        if share.filter is None:
            return self._searcher.search(query, limit, count=False).hits
        query = Query.boolean_query([(Occur.Must, query), (Occur.Must, share.filter)])
        hits = self._searcher.search(query, limit, count=False).hits
        # The last digits of a weighed score are chance: they shall not part what is equal.
        return [(float(f"{score:.5g}"), address) for score, address in hits]

    def _share(self, audience: Audience) -> _Share:
        if audience in self._shares:
            return self._shares[audience]
        labels = {term for term, labels in self._label_sets.items() if audience.may_read(labels)}
        share = _Share(self._searcher.num_docs, frozenset(labels), None, {})
        if len(labels) < len(self._label_sets):
            readable = Query.term_set_query(schema(), "labels", sorted(labels))
            share = share._replace(
                passages=_sum(self._counts.all(), share.labels),
                filter=Query.const_score_query(readable, 0.0),
            )
        if len(self._shares) >= _MAX_SHARES:
            self._shares.clear()
        self._shares[audience] = share
        return share

    def _terms(self, text: str, language: str | None, share: _Share) -> list[_Term]:
        """Return the terms of a question that can be read, if possible in its own language."""
        own = () if language is None else (language_key(language),)
        for languages in (own, self._languages):
            terms = [term for one in languages for term in self._terms_in(one, text, share)]
            if terms:
                return terms
        return []

    def _terms_in(self, language: str, text: str, share: _Share) -> list[_Term]:
        words = query_terms(text, language, stemming=self._stemming)
        terms = (self._term(language, word, share) for word in self._rarest(words, language, share))
        return [term for term in terms if term.passages]

    def _term(self, language: str, term: str, share: _Share) -> _Term:
        # Few words make up most of what is asked.
        name = share.labels, language, term
        found = self._known.get(name)
        if found is None:
            if len(self._known) >= _MAX_TERMS:
                self._known.clear()
            found = self._known[name] = self._looked_up(language, term, share)
        return found

    def _looked_up(self, language: str, term: str, share: _Share) -> _Term:
        queries = []
        passages = 0
        for field, boost in (("body", 1.0), ("title", TITLE_BOOST)):
            name = f"{field}_{language}"
            count = self._count(name, term, share)
            if count:
                query = Query.term_query(schema(), name, term, "freq")
                weight = boost * self._weight(name, term, count, share)
                queries.append(query if weight == 1 else Query.boost_query(query, weight))
                passages += count
        return _Term((language, term), tuple(queries), passages)

    def _weight(self, field: str, term: str, count: int, share: _Share) -> float:
        """Return by how much rarer the term is in `share` than in all passages."""
        if share.filter is None:
            return 1.0
        anywhere = _rarity(self._searcher.doc_freq(field, term), self._passages)
        return _rarity(count, share.passages) / anywhere if anywhere else 1.0

    def _count(self, field: str, term: str, share: _Share) -> int:
        """Return how many passages of `share` have the term."""
        count = self._searcher.doc_freq(field, term)
        if share.filter is None or not count:
            return count
        return _sum(self._counts.of(field, term), share.labels)

    def _rarest(self, terms: list[str], language: str, share: _Share) -> list[str]:
        """Bound the work for a whole page pasted as a question."""
        if len(terms) <= _MAX_QUERY_TERMS:
            return terms
        counts = {term: self._count(f"body_{language}", term, share) for term in terms}
        known = [term for term in terms if counts[term]]
        return sorted(known, key=lambda term: counts[term])[:_MAX_QUERY_TERMS]


class _Counts:
    """In how many passages of each set of labels a term stands; the same for every audience."""

    def __init__(self, searcher: tantivy.Searcher) -> None:
        self._searcher = searcher
        self._known: dict[tuple[str, str], Mapping[str, int]] = {}
        self._size = 0

    def all(self) -> Mapping[str, int]:
        """Return how many passages there are, by their labels."""
        return self._counted(Query.all_query())

    def of(self, field: str, term: str) -> Mapping[str, int]:
        """Return how many passages have `term`, by their labels."""
        found = self._known.get((field, term))
        if found is None:
            found = self._counted(Query.term_query(schema(), field, term, "basic"))
            if self._size >= _MAX_COUNTS:
                self._known, self._size = {}, 0
            self._known[field, term] = found
            self._size += len(found) + 1
        return found

    def _counted(self, query: Query) -> Mapping[str, int]:
        found = self._searcher.terms_with_prefix("labels", "", filter_query=query)
        return {sys.intern(labels): count for labels, count in found}


def _sum(counts: Mapping[str, int], labels: frozenset[str]) -> int:
    return sum(count for name, count in counts.items() if name in labels)
