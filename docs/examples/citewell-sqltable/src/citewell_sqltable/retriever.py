"""Finds passages in a table: each row with a text is one passage, and a document of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NoReturn, TypeVar

from citewell import (
    Audience,
    IndexedDocument,
    Labels,
    Passage,
    Place,
    Placed,
    Query,
    StoreError,
    blocking,
    content_hash,
)
from citewell_sqltable.words import question_words, rarity, score_of, words_of

if TYPE_CHECKING:
    from citewell_sqltable.plugin import SqlTableConfig
    from citewell_sqltable.table import Row, SqlTable

T = TypeVar("T")


class TableRetriever:
    """Searches a table, and never writes it.

    Args:
        table: that somebody else fills.
        config: of the retriever.
        name: of its section, which begins the id of each document.
    """

    def __init__(self, table: SqlTable, config: SqlTableConfig, *, name: str) -> None:
        self._table = table
        self._config = config
        self._name = name
        self._labels = frozenset(config.labels)

    async def index(self, documents: Sequence[IndexedDocument]) -> None:
        """Refuse.

        Raises:
            StoreError: always.
        """
        del documents
        self._refuse()

    async def delete(self, document_ids: Sequence[str]) -> None:
        """Refuse.

        Raises:
            StoreError: always.
        """
        del document_ids
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise StoreError(
            f'retriever "{self._name}" only reads its table; write to the table itself instead'
        )

    async def versions(self) -> Mapping[str, str]:
        """Return a hash for each row, of its text as well where no column says that it changed."""
        has_times = self._config.columns.updated is not None

        def read() -> dict[str, str]:
            rows = self._table.everything(texts=not has_times)
            return {self._document_id(row): _version(row) for row in rows}

        return await _called(read)

    async def sizes(self) -> Mapping[str, int]:
        """Return 1 for each row with a text, and 0 for the others."""
        sizes = await _called(self._table.sizes)
        return {f"{self._name}:{id_}": size for id_, size in sizes.items()}

    async def identity(self) -> str:
        """Return a hash of all versions and of the settings; the address of the database stays out.

        Raises:
            StoreError: the table cannot be read.
        """
        versions = await self.versions()
        settings = self._config.model_dump_json(exclude={"url"})
        return content_hash("\n".join([settings, *map(" ".join, versions.items())]))

    async def retrieve(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Return at most `limit` passages, best first.

        Rows that may not be read are left out by the database: they count in no weight, and take
        no place. Each row is looked at again here, as a database may take `HR` for `hr`.
        """
        words = question_words(query.text)
        labels = self._readable_labels(readable_by)
        if limit < 1 or not words or (labels is not None and not labels):
            return []
        found = await _called(partial(self._found, words, labels, max(limit, self._candidates)))
        return [one for one in found if readable_by.may_read(one.labels)][:limit]

    async def fetch(self, ids: Sequence[str], *, readable_by: Audience) -> Sequence[Passage]:
        """Read passages again, now; what is gone, changed or not readable is absent."""
        rows = await _called(partial(self._table.by_id, [one.rpartition("@")[0] for one in ids]))
        now = {one.id: one for one in map(self._passage, rows.values()) if one.text}
        passages = [now[id_] for id_ in ids if id_ in now]
        return [one for one in passages if readable_by.may_read(one.labels)]

    async def within(
        self, document_id: str, *, start: int, end: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Return the passage of a row if some of its characters stand in `[start, end)`."""
        name, _, id_ = document_id.partition(":")
        rows = await _called(partial(self._table.by_id, [id_] if name == self._name else []))
        passages = map(self._passage, rows.values())
        inside = [one for one in passages if one.start < end and start < one.end]
        return [one for one in inside if readable_by.may_read(one.labels)]

    @property
    def _candidates(self) -> int:
        return self._config.candidates

    def _readable_labels(self, audience: Audience) -> list[str] | None:
        """Return the labels of the rows that every reader may read; None where it is all rows."""
        if self._config.columns.label is None:
            return None if audience.may_read(self._labels) else []
        return sorted(frozenset.intersection(*audience.readers) if audience.readers else ())

    def _found(self, words: Sequence[str], labels: list[str] | None, most: int) -> list[Passage]:
        counted = self._table.counted(words, labels)
        weights = {
            word: rarity(holding, counted.rows)
            for word, holding in counted.holding.items()
            if holding
        }
        if not weights:
            return []
        rows = self._table.candidates(weights, labels, limit=most)
        scored = [(self._score(row, weights, counted.usual_chars), row) for row in rows]
        best = sorted(scored, key=lambda one: (-one[0], one[1].id))
        return [self._passage(row, score) for score, row in best if score and row.text]

    @staticmethod
    def _score(row: Row, weights: Mapping[str, float], usual_chars: float) -> float:
        words = words_of(f"{row.title}\n{row.text}")
        return score_of(words, weights, chars=len(row.text), usual_chars=usual_chars)

    def _document_id(self, row: Row) -> str:
        return f"{self._name}:{row.id}"

    def _passage(self, row: Row, score: float = 0.0) -> Passage:
        return Passage(
            id=f"{row.id}@{content_hash(row.text)}",
            document_id=self._document_id(row),
            title=row.title,
            text=row.text,
            start=0,
            end=len(row.text),
            places=(Placed(0, Place()),),
            labels=self._labels_of(row),
            uri=_safe(row.link),
            score=score,
        )

    def _labels_of(self, row: Row) -> Labels:
        if self._config.columns.label is None:
            return self._labels
        return frozenset({row.label} if row.label else ())


async def _called(function: Callable[[], T]) -> T:
    """Ask the database in a thread, to its end: who stops waiting must not close it meanwhile."""
    return await blocking.call_to_end(function)


def _safe(link: str | None) -> str | None:
    """Return an address that a reader may open."""
    return link if link and link.startswith(("https://", "http://")) else None


def _version(row: Row) -> str:
    """Return a hash of all that is known of a row."""
    known = (row.id, row.title, row.text, row.link, row.label, row.updated)
    return content_hash(repr(known))
