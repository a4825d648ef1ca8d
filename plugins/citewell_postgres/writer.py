"""Changes an index: whole documents, in one transaction, by one writer at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, cast

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from citewell import IndexedDocument, Passage
from citewell.storing import loaded_labels, stored_labels
from citewell_postgres import lock, vector_sets
from citewell_postgres.change import Change
from citewell_postgres.database import Database
from citewell_postgres.rows import loaded_passage
from citewell_postgres.stems import Stems
from citewell_postgres.terms import Stem, weighed, words_of
from citewell_postgres.words import configuration_for

_LOCK = "writer"
_REWORDED_TOGETHER = 2000

_NEXT = """
SELECT key, shelf, passages.id, title, text, span_start, span_end, places, uri, header, language,
    labels, configuration
FROM passages JOIN shelves ON shelves.id = shelf WHERE key > %s ORDER BY key LIMIT %s
"""


class _Worded(NamedTuple):
    """A passage with its words.

    Attributes:
        configuration: of text search.
        words: of its text, and above it.
    """

    passage: Passage
    configuration: str
    words: tuple[Counter[str], Counter[str]]


class Writer:
    """The right to write, and the connection that it hangs on."""

    def __init__(self, connection: AsyncConnection, database: Database, stems: Stems) -> None:
        self._connection = connection
        self._database = database
        self._stems = stems

    @classmethod
    async def open(cls, database: Database, stems: Stems, *, name: str) -> Writer:
        """Become the writer.

        Args:
            database: to write to.
            stems: of its server.
            name: of the retriever, for messages.

        Raises:
            IndexLocked: another one writes.
            psycopg.Error: the database cannot be reached.
        """
        connection = await database.connect(autocommit=True)
        try:
            number = database.lock_number(_LOCK)
            doing = f'index of retriever "{name}" is being written'
            await lock.take(connection, number, doing=doing)
        except BaseException:
            await connection.close()
            raise
        return cls(connection, database, stems)

    async def close(self) -> None:
        """Let others write."""
        await lock.give_back(self._connection, self._database.lock_number(_LOCK))
        await self._connection.close()

    async def is_alive(self) -> bool:
        """Tell whether the connection is still there, and the right with it."""
        try:
            await self._connection.execute("SELECT")
        except psycopg.OperationalError:
            return False
        return True

    async def write(
        self,
        documents: Sequence[IndexedDocument],
        *,
        deleted_ids: Iterable[str] = (),
        embeds: bool = False,
    ) -> None:
        """Add or replace documents and forget others, in one transaction.

        Args:
            documents: to add, or to replace what has their id.
            deleted_ids: of documents; unknown ones are ignored.
            embeds: whether vectors are to follow.

        Raises:
            psycopg.Error: nothing has changed.
        """
        latest = {document.id: document for document in documents}
        configurations = (await self._database.prepared()).configurations
        passages = [
            _worded(passage, configuration_for(passage.language, configurations))
            for document in latest.values()
            for passage in document.passages
        ]
        stems = await self._stems_of(passages)
        async with self._transaction() as connection:
            change = Change(connection)
            old = await change.keys([*latest, *deleted_ids])
            if latest:
                await self._note_first(embeds=embeds)
                wanted = [
                    (stored_labels(one.passage.labels), one.configuration) for one in passages
                ]
                numbers = await change.shelves(Counter(wanted))
                places = [numbers[shelf] for shelf in wanted]
                weights = [
                    weighed(one.words, stems[one.configuration], place)
                    for one, place in zip(passages, places, strict=True)
                ]
                keys = await change.add(list(latest.values()), places, weights)
                if keys:
                    await vector_sets.renew(connection, keys[0], old)
            await change.forget(old)
            await change.finish()

    async def has_other_words(self) -> bool:
        """Tell whether words were stored under another setting of `stemming`."""
        rows = await self._connection.execute("SELECT stemming FROM state")
        (stemming,) = cast("TupleRow", await rows.fetchone())
        return stemming is not None and stemming is not self._stems.stemming

    async def reword(self) -> None:
        """Store the words of every passage anew; who reads meanwhile finds by those before."""
        async with self._transaction() as connection:
            change = Change(connection)
            await change.forget_words()
            last = 0
            while True:
                rows = await (
                    await connection.execute(_NEXT, [last, _REWORDED_TOGETHER])
                ).fetchall()
                if not rows:
                    break
                passages = [_loaded(row) for row in rows]
                stems = await self._stems_of(passages)
                await change.add_words([
                    (row[0], row[1], weighed(one.words, stems[one.configuration], row[1]))
                    for row, one in zip(rows, passages, strict=True)
                ])
                last = rows[-1][0]
            await connection.execute("UPDATE state SET stemming = %s", [self._stems.stemming])

    async def _stems_of(self, passages: Iterable[_Worded]) -> dict[str, Mapping[str, Stem]]:
        """Return the stems of all words, by configuration."""
        words: dict[str, set[str]] = {}
        for one in passages:
            words.setdefault(one.configuration, set()).update(*one.words)
        return {
            configuration: await self._stems.of(self._connection, configuration, found)
            for configuration, found in words.items()
        }

    async def _note_first(self, *, embeds: bool) -> None:
        """Note how the first passages are stored; what comes later is stored likewise."""
        await self._connection.execute(
            "UPDATE state SET stemming = coalesce(stemming, %s), "
            "embeds = CASE WHEN EXISTS (SELECT FROM passages) THEN embeds ELSE %s END",
            [self._stems.stemming, embeds],
        )

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        async with self._connection.transaction():
            # Whoever changes which vectors are in use waits, and is waited for.
            await self._connection.execute("UPDATE state SET generation = generation + 1")
            yield self._connection


def _worded(passage: Passage, configuration: str) -> _Worded:
    return _Worded(passage, configuration, words_of(passage, configuration))


def _loaded(row: TupleRow) -> _Worded:
    """Return the passage of a row of `_NEXT`."""
    *values, labels, configuration = row[2:]
    passage = loaded_passage(tuple(values), document_id="", labels=loaded_labels(labels))
    return _worded(passage, configuration)
