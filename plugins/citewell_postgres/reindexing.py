"""Gives passages the vectors of an embedder, beside those that are in use."""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager
from typing import cast

from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow

from citewell import CitewellError, Embedder, IndexLocked, ModelError, Passage
from citewell.following import NeedsReindex, Told
from citewell.storing import loaded_labels
from citewell_postgres import lock, vector_sets, vectors
from citewell_postgres.database import Database
from citewell_postgres.embedding import BATCH, Embedding
from citewell_postgres.rows import loaded_passage
from citewell_postgres.shelves import State, read_state
from citewell_postgres.vector_sets import VectorSet

_MAX_FAILURES = 2
"""So many batches in a row: then it is not the passages that the embedder does not take."""


class Reindexing:
    """Fills the set of one embedder; another run goes on where one was interrupted."""

    def __init__(
        self, database: Database, embedding: Embedding, *, name: str, log: logging.Logger
    ) -> None:
        """Prepare.

        Args:
            database: holds the index.
            embedding: makes the vectors.
            name: of the retriever, for messages.
            log: of it.
        """
        self._database = database
        self._embedding = embedding
        self._name = name
        self._log = log

    async def run(self, told: Told) -> None:
        """Embed what lacks a vector, bring the set into use, and forget what nobody needs.

        Raises:
            CitewellError: the embedder fails; what is embedded stays.
            IndexLocked: another process does the same.
            psycopg.Error: the database cannot be written.
        """
        embedder = await self._embedding.opened()
        async with self._database.alone(autocommit=True) as connection:
            own = await self._own_set(connection, embedder, is_used=False)
            async with self._locked(connection, own):
                filling = _Filling(connection, self._embedding, embedder, own)
                while True:
                    await filling.run(told, after=0)
                    if not own.is_used:
                        await self._index(connection, own)
                    if await filling.completed():
                        break
                await self._index(connection, own)
            await self._forget_others(connection)

    async def follow(self, told: Told) -> None:
        """Embed what has come to a set that is used, or to the first one.

        A batch that the embedder does not take holds up none behind it.

        Args:
            told: given how many passages are done, of how many that lacked a vector.

        Raises:
            CitewellError: the embedder fails, or has no such set (`NeedsReindex`); what is
                embedded stays.
            IndexLocked: another process does the same.
            psycopg.Error: the database cannot be written.
        """
        async with self._database.alone(autocommit=True) as connection:
            state = await read_state(connection)
            if await _is_settled(connection, state):
                return
            embedder = await self._embedding.opened()
            known = await vector_sets.find_set(connection, embedder.identity)
            if known is None and state.embeds:
                known = await self._own_set(connection, embedder, is_used=True)
            if known is None or not known.is_used:
                raise NeedsReindex(lack(state, self._name))
            async with self._locked(connection, known):
                # What another process did before it let go of the lock.
                own = await vector_sets.find_set(connection, known.embedder) or known
                filling = _Filling(connection, self._embedding, embedder, own)
                while not own.is_complete:
                    await filling.run(told, after=own.done, follows=True)
                    if await filling.completed():
                        break
                await self._index(connection, own)

    async def _own_set(
        self, connection: AsyncConnection, embedder: Embedder, *, is_used: bool
    ) -> VectorSet:
        known = await vector_sets.find_set(connection, embedder.identity)
        if known is not None:
            return known
        dimension = await self._embedding.dimension(embedder)
        async with connection.transaction():
            await vector_sets.lock_state(connection)
            return await vector_sets.opened(
                connection, embedder.identity, dimension, is_used=is_used
            )

    def _locked(
        self, connection: AsyncConnection, own: VectorSet
    ) -> AbstractAsyncContextManager[None]:
        doing = f'index of retriever "{self._name}" is being embedded'
        return lock.held(connection, self._database.lock_number(f"vectors {own.id}"), doing=doing)

    async def _index(self, connection: AsyncConnection, own: VectorSet) -> None:
        if await vectors.lacks_index(connection, own):
            self._log.info("making the index of the vectors of %s", own.embedder)
            await vectors.make_index(connection, own)

    async def _forget_others(self, connection: AsyncConnection) -> None:
        for one in (await vector_sets.sets(connection))[vector_sets.KEPT_SETS :]:
            try:
                async with self._locked(connection, one):
                    await vector_sets.drop(connection, one.id)
            except (IndexLocked, errors.LockNotAvailable):
                # The next reindex does it.
                continue


class _Filling:
    """Fills one set."""

    def __init__(
        self, connection: AsyncConnection, embedding: Embedding, embedder: Embedder, own: VectorSet
    ) -> None:
        self._connection = connection
        self._embedding = embedding
        self._embedder = embedder
        self._own = own
        self._has_grown = False

    async def run(self, told: Told, *, after: int, follows: bool = False) -> None:
        """Go once through the passages that lack a vector.

        Args:
            told: given how many passages are done, of how many.
            after: key behind which they are looked for.
            follows: count only those, and let a batch fail before the others are embedded.

        Raises:
            CitewellError: the embedder failed.
        """
        failures: list[CitewellError] = []
        in_a_row = 0
        done = 0 if follows else await vector_sets.count(self._connection, self._own)
        lacking = await self._count_lacking(after=after) if follows else 0
        while True:
            shelves, total = await self._shelves()
            if follows:
                total = max(lacking, done)
            told(min(done, total), total)
            passages = await self._lacking(shelves, after=after)
            if not passages:
                break
            after = max(passages)
            try:
                found = await self._embedding.of_passages(self._embedder, passages)
            except ModelError as error:
                failures.append(error)
                in_a_row += 1
                if not follows or in_a_row == _MAX_FAILURES:
                    break
                continue
            await vector_sets.add(self._connection, self._own, found)
            self._has_grown, in_a_row = True, 0
            done += len(found)
        if failures:
            raise failures[-1]

    async def completed(self) -> bool:
        """Use the set from now on; False when it lacks something again."""
        async with self._connection.transaction():
            await vector_sets.lock_state(self._connection)
            shelves, _ = await self._shelves()
            if await self._lacking(shelves, after=self._own.done):
                return False
            await vector_sets.complete(self._connection, self._own, has_grown=self._has_grown)
        return True

    async def _count_lacking(self, *, after: int) -> int:
        shelves, _ = await self._shelves()
        return await vector_sets.count_lacking(
            self._connection, self._own, after=after, shelves=[*shelves]
        )

    async def _shelves(self) -> tuple[dict[int, str], int]:
        """Return the labels of the shelves that may be embedded, and how many passages stand there.

        The labels are as they are stored.
        """
        rows = await self._connection.execute("SELECT id, labels, passages FROM shelves")
        given = [
            row for row in await rows.fetchall() if self._embedding.may_have(loaded_labels(row[1]))
        ]
        return {number: labels for number, labels, _ in given}, sum(row[2] for row in given)

    async def _lacking(self, shelves: dict[int, str], *, after: int) -> dict[int, Passage]:
        """Return passages that lack a vector, by their keys."""
        rows = await vector_sets.lacking(
            self._connection, self._own, after=after, shelves=[*shelves], limit=BATCH
        )
        return {
            key: loaded_passage(tuple(values), document_id="", labels=loaded_labels(shelves[shelf]))
            for key, shelf, *values in rows
        }


async def _is_settled(connection: AsyncConnection, state: State) -> bool:
    """Tell whether nothing can lack a vector, whoever asks: the embedder need not be opened."""
    if any(one.is_used for one in state.sets) and all(one.is_complete for one in state.sets):
        return True
    rows = await connection.execute("SELECT EXISTS (SELECT FROM passages)")
    (has_passages,) = cast("TupleRow", await rows.fetchone())
    return not has_passages


def lack(state: State, name: str) -> str:
    """Say why there is nothing to compare a question with, and what helps."""
    what = "another embedder" if any(one.is_used for one in state.sets) else "no embedder"
    return f'the vectors of retriever "{name}" are of {what}; run: citewell reindex {name}'
