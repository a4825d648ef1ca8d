"""What finds documents in a store, by words, by vectors or by both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from citewell import Fusion, fused
from citewell_haystack.store import Filters, Store
from citewell_haystack.words import DEPTH, drawer_of, merged, question_words

if TYPE_CHECKING:
    from haystack import Document


_DEPTH = 100
"""Documents of each list, however few are wanted: which of equals a store gives, or what a document
weighs that stands in one of the lists alone, shall not follow from how many are asked for."""

_DIGITS = 6


class Found(Struct, frozen=True):
    """A document that was found; a higher score is better."""

    document: Document
    score: float


class Finder(Struct, frozen=True, kw_only=True):
    """Searches a store. Blocking; for its thread.

    Attributes:
        words: the retriever of Haystack that finds by words; None where nothing does.
        vectors: the one that finds by vectors, likewise.
        by_word: whether each word is asked for by itself.
        sparse: whether words are found through sparse vectors.
        fusion: how the two lists become one.
    """

    store: Store
    words: Any
    vectors: Any
    by_word: bool
    sparse: bool
    fusion: Fusion

    def find(
        self,
        text: str,
        vector: Sequence[float] | None,
        *,
        filters: Filters | None,
        vector_filters: Filters | None,
        limit: int,
    ) -> list[Found]:
        """Return at most `limit` documents, best first; of equals, the one with the lower id.

        Args:
            text: in the asker's words.
            vector: of the text; None where nothing is found by vectors.
            filters: what documents must match that words find.
            vector_filters: what those must match that vectors find.
            limit: how many.
        """
        depth = max(_DEPTH, limit)
        by_words = {} if self.words is None else self._by_words(text, filters, depth)
        if vector is None or self.vectors is None:
            return _best(by_words, _scores(by_words), limit)
        by_vectors = self._by_vectors(vector, vector_filters, depth)
        scores = _scores(by_vectors)
        if self.words is not None:
            scores = fused(_scores(by_words), scores, self.fusion)
        return _best({**by_words, **by_vectors}, scores, limit)

    def _by_words(self, text: str, filters: Filters | None, limit: int) -> dict[str, Found]:
        words = question_words(text)
        if not words:
            return {}
        if not self.by_word:
            documents = self._ask(self.words, filters, limit, query=" ".join(words))
            return _by_id(documents)
        depth = max(DEPTH, limit)
        lists = [self._one_word(word, filters, depth) for word in words]
        known = {one.document.id: one for found in lists for one in found}
        scores = merged([[(one.document.id, one.score) for one in found] for found in lists])
        return {id_: Found(known[id_].document, score) for id_, score in scores.items()}

    def _one_word(self, word: str, filters: Filters | None, depth: int) -> list[Found]:
        if self.sparse:
            from haystack.dataclasses import SparseEmbedding

            vector = SparseEmbedding(indices=[drawer_of(word)], values=[1.0])
            documents = self._ask(self.words, filters, depth, query_sparse_embedding=vector)
        else:
            documents = self._ask(self.words, filters, depth, query=word)
        return list(_by_id(documents).values())

    def _by_vectors(
        self, vector: Sequence[float], filters: Filters | None, limit: int
    ) -> dict[str, Found]:
        numbers = [float(number) for number in vector]
        found = _by_id(self._ask(self.vectors, filters, limit, query_embedding=numbers))
        # Sums of the same numbers may differ in their last digits from one question to the next.
        return {id_: Found(one.document, round(one.score, _DIGITS)) for id_, one in found.items()}

    def _ask(
        self, retriever: Any, filters: Filters | None, limit: int, **question: Any
    ) -> list[Document]:
        chosen = None if filters is None else dict(filters)
        with self.store.told("searched"):
            result = retriever.run(**question, filters=chosen, top_k=limit)
        documents: list[Document] = result["documents"]
        return documents


def _by_id(documents: Sequence[Document]) -> dict[str, Found]:
    """Return documents by id, with scores that fall along the list."""
    scores = [document.score for document in documents]
    if any(score is None for score in scores) or not _falls([score or 0.0 for score in scores]):
        # Distances, or no scores at all: only the order says something.
        scores = [1 / rank for rank in range(1, len(documents) + 1)]
    return {
        document.id: Found(document, float(score or 0.0))
        for document, score in zip(documents, scores, strict=True)
    }


def _scores(found: Mapping[str, Found]) -> dict[str, float]:
    """Return the scores, best first, and of equals the lower id: their ranks may count."""
    ordered = sorted(found, key=lambda id_: (-found[id_].score, id_))
    return {id_: found[id_].score for id_ in ordered}


def _falls(scores: Sequence[float]) -> bool:
    return all(before >= after for before, after in pairwise(scores))


def _best(found: dict[str, Found], scores: dict[str, float], limit: int) -> list[Found]:
    ordered = sorted(scores, key=lambda id_: (-scores[id_], id_))[:limit]
    return [Found(found[id_].document, scores[id_]) for id_ in ordered]
