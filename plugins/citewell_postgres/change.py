"""What one transaction changes: documents, passages, their words, and the lists of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from pgvector import SparseVector
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from citewell import IndexedDocument, Passage, StoreError
from citewell_postgres.rows import stored_passage, stored_text
from citewell_postgres.terms import DIMENSIONS, SHELF_BITS, Weighed

_MAX_SHELF = (1 << SHELF_BITS) - 1

_BURY = """
WITH gone AS (DELETE FROM words WHERE passage = ANY(%s::bigint[]) RETURNING lists)
SELECT list, count(*) FROM gone, unnest(lists) AS list GROUP BY list
"""

_COUNT_LISTS = """
MERGE INTO lists USING (
    SELECT unnest(%s::bigint[]) AS key, unnest(%s::integer[]) AS more, unnest(%s::real[]) AS ceiling
) AS change ON lists.key = change.key
WHEN MATCHED AND lists.passages + change.more <= 0 THEN DELETE
WHEN MATCHED AND (change.more <> 0 OR change.ceiling > lists.ceiling)
    THEN UPDATE SET passages = lists.passages + change.more,
    ceiling = greatest(lists.ceiling, change.ceiling)
WHEN NOT MATCHED AND change.more > 0 THEN INSERT VALUES (change.key, change.more, change.ceiling)
"""


class Row(NamedTuple):
    """A passage on its way into the tables."""

    key: int
    document: int
    shelf: int
    passage: Passage
    weighed: Weighed


class Change:
    """What one transaction changes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._lists: Counter[int] = Counter()
        self._ceilings: dict[int, float] = {}

    async def keys(self, document_ids: Sequence[str]) -> list[int]:
        """Return the keys of those documents that are there."""
        found = await self._connection.execute(
            "SELECT key FROM documents WHERE id = ANY(%s::text[])",
            [list(map(stored_text, document_ids))],
        )
        return [key for (key,) in await found.fetchall()]

    async def forget(self, documents: Sequence[int]) -> None:
        """Delete documents, by their keys, with everything that is known of them."""
        if not documents:
            return
        found = await self._connection.execute(
            "SELECT key, shelf FROM passages WHERE document = ANY(%s::bigint[])", [list(documents)]
        )
        rows = await found.fetchall()
        passages = [key for key, _ in rows]
        found = await self._connection.execute(_BURY, [passages])
        for key, count in await found.fetchall():
            self._lists[key] -= count
        # Their vectors go with them.
        await self._connection.execute(
            "DELETE FROM passages WHERE key = ANY(%s::bigint[])", [passages]
        )
        await self._connection.execute(
            "DELETE FROM documents WHERE key = ANY(%s::bigint[])", [list(documents)]
        )
        gone = Counter(shelf for _, shelf in rows)
        await self._connection.execute(
            "UPDATE shelves SET passages = passages - gone FROM "
            "(SELECT unnest(%s::integer[]) AS shelf, unnest(%s::integer[]) AS gone) AS less "
            "WHERE shelves.id = less.shelf",
            [list(gone), list(gone.values())],
        )

    async def shelves(self, wanted: Mapping[tuple[str, str], int]) -> Mapping[tuple[str, str], int]:
        """Return the numbers of shelves, on which so many more passages come to stand."""
        rows = await self._connection.execute("SELECT id, labels, configuration FROM shelves")
        known = {(labels, name): number for number, labels, name in await rows.fetchall()}
        for (labels, name), more in wanted.items():
            if (labels, name) in known:
                await self._connection.execute(
                    "UPDATE shelves SET passages = passages + %s WHERE id = %s",
                    [more, known[labels, name]],
                )
                continue
            rows = await self._connection.execute(
                "INSERT INTO shelves (labels, configuration, passages) VALUES (%s, %s, %s) "
                "RETURNING id",
                [labels, name, more],
            )
            (number,) = cast("TupleRow", await rows.fetchone())
            if number > _MAX_SHELF:
                raise StoreError(
                    f"an index has room for {_MAX_SHELF} different sets of labels; drop its "
                    "schema and run: citewell sync"
                )
            known[labels, name] = number
        return known

    async def add(
        self,
        documents: Sequence[IndexedDocument],
        shelves: Sequence[int],
        weights: Sequence[Weighed],
    ) -> list[int]:
        """Add documents, whose passages come to stand on `shelves` and weigh `weights`.

        Returns:
            The keys of the passages, which are greater than any before.
        """
        document_keys = await self._new_keys("documents", len(documents))
        passages = [
            (key, passage)
            for key, document in zip(document_keys, documents, strict=True)
            for passage in document.passages
        ]
        keys = await self._new_keys("passages", len(passages))
        rows = [
            Row(key, document, shelf, passage, found)
            for key, (document, passage), shelf, found in zip(
                keys, passages, shelves, weights, strict=True
            )
        ]
        await self._copy_documents(document_keys, documents)
        await self._copy_passages(rows)
        await self._add_words([(row.key, row.shelf, row.weighed) for row in rows])
        return keys

    async def forget_words(self) -> None:
        """Forget the words of every passage, for other ones to be added."""
        await self._connection.execute("DELETE FROM words")
        await self._connection.execute("DELETE FROM lists")

    async def add_words(self, words: Sequence[tuple[int, int, Weighed]]) -> None:
        """Add the words of passages that are there, which have none: key, shelf, words."""
        await self._add_words(words)
        await self.finish()

    async def _add_words(self, words: Sequence[tuple[int, int, Weighed]]) -> None:
        query = "COPY words (passage, shelf, lists, weights) FROM STDIN (FORMAT BINARY)"
        async with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            copy.set_types(["int8", "int4", "int8[]", "sparsevec"])
            for key, shelf, found in words:
                weights = SparseVector(found.weights, DIMENSIONS)
                await copy.write_row((key, shelf, found.lists, weights))
        for _, _, found in words:
            for key, ceiling in zip(found.lists, found.ceilings, strict=True):
                self._lists[key] += 1
                if ceiling > self._ceilings.get(key, 0.0):
                    self._ceilings[key] = ceiling

    async def finish(self) -> None:
        """Bring the lists up to date."""
        changed = sorted(self._lists)
        if changed:
            more = [self._lists[key] for key in changed]
            ceilings = [self._ceilings.get(key, 0.0) for key in changed]
            await self._connection.execute(_COUNT_LISTS, [changed, more, ceilings])
        self._lists.clear()
        self._ceilings.clear()

    async def _new_keys(self, table: str, count: int) -> list[int]:
        rows = await self._connection.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'key')) FROM generate_series(1, %s)",
            [table, count],
        )
        return sorted([key for (key,) in await rows.fetchall()])

    async def _copy_documents(
        self, keys: Sequence[int], documents: Sequence[IndexedDocument]
    ) -> None:
        query = "COPY documents (key, id, version, passages) FROM STDIN"
        async with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            for key, document in zip(keys, documents, strict=True):
                texts = stored_text(document.id), stored_text(document.version)
                await copy.write_row((key, *texts, len(document.passages)))

    async def _copy_passages(self, rows: Iterable[Row]) -> None:
        query = (
            "COPY passages (key, document, shelf, id, title, text, span_start, span_end, places, "
            "uri, header, language) FROM STDIN"
        )
        async with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            for row in rows:
                keys = row.key, row.document, row.shelf
                await copy.write_row((*keys, *stored_passage(row.passage)))
