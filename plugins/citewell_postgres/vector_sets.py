"""Sets of vectors: one for each embedder, filled beside each other.

A set is used from the moment when every passage has its vector, or from the first passage on, and
stays in use when passages come that lack one. Those that were completed last are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from pgvector import HalfVector
from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from citewell import ModelError, StoreError
from citewell_postgres.rows import loaded_text, stored_text

KEPT_SETS = 2
"""The one in use, and the one before, with which a process of older settings may still answer."""


_LACKING = """
SELECT key, shelf, id, title, text, span_start, span_end, places, uri, header, language
FROM passages WHERE key > %s AND shelf = ANY(%s::integer[])
    AND NOT EXISTS (SELECT FROM {} AS had WHERE had.passage = passages.key)
ORDER BY key LIMIT %s
"""
_COUNT_LACKING = """
SELECT count(*) FROM passages WHERE key > %s AND shelf = ANY(%s::integer[])
    AND NOT EXISTS (SELECT FROM {} AS had WHERE had.passage = passages.key)
"""
_ADD = """
INSERT INTO {} (passage, shelf, vector)
SELECT key, shelf, %s FROM passages WHERE key = %s ON CONFLICT DO NOTHING
"""
# The old passages are still there. What they said below the same headings is as it was embedded.
_CARRY = """
INSERT INTO {vectors} (passage, shelf, vector)
SELECT new.key, new.shelf, had.vector
FROM passages AS new
JOIN passages AS old USING (id, title, text, places, header)
JOIN {vectors} AS had ON had.passage = old.key
WHERE new.key >= %s AND old.document = ANY(%s::bigint[]) AND new.key <> old.key
ON CONFLICT DO NOTHING
"""
_NEW_LACK = """
UPDATE vector_sets SET is_complete = false WHERE id = %s AND is_complete AND EXISTS (
    SELECT FROM passages WHERE key >= %s
        AND NOT EXISTS (SELECT FROM {} AS had WHERE had.passage = passages.key))
"""


class VectorSet(NamedTuple):
    """The vectors of one embedder.

    Attributes:
        embedder: its identity.
        is_complete: whether every passage that the embedder may be given has a vector.
        turn: grows whenever a set becomes complete again; 0 for one that never was in use.
        done: passages with keys up to it have vectors, if the embedder could be given them then.
    """

    id: int
    embedder: str
    dimension: int
    is_complete: bool
    turn: int
    done: int

    @property
    def is_used(self) -> bool:
        """Whether questions may be compared with it."""
        return self.turn > 0


def loaded_set(row: TupleRow) -> VectorSet:
    """Return the set of a row of `vector_sets`."""
    found = VectorSet(*row)
    return found._replace(embedder=loaded_text(found.embedder))


def table(vector_set: int) -> sql.Identifier:
    """Return the table of a set of vectors."""
    return sql.Identifier(f"vectors_{vector_set}")


def half(vector: Sequence[float]) -> HalfVector:
    """Return a vector as it is stored."""
    return HalfVector([*map(float, vector)])


async def lock_state(connection: AsyncConnection) -> None:
    """Let nobody else change anything before the transaction of `connection` ends."""
    await connection.execute("SELECT FROM state FOR UPDATE")


async def sets(connection: AsyncConnection) -> list[VectorSet]:
    """Return every set, the one that was completed last first."""
    rows = await connection.execute(
        "SELECT id, embedder, dimension, is_complete, turn, done FROM vector_sets "
        "ORDER BY turn DESC, id DESC"
    )
    return [loaded_set(row) for row in await rows.fetchall()]


async def find_set(connection: AsyncConnection, embedder: str) -> VectorSet | None:
    """Return the set of an embedder."""
    return next((one for one in await sets(connection) if one.embedder == embedder), None)


async def opened(
    connection: AsyncConnection, embedder: str, dimension: int, *, is_used: bool
) -> VectorSet:
    """Return the set of an embedder, in a transaction that has locked the state.

    Args:
        connection: of the transaction.
        embedder: its identity.
        dimension: of a new set.
        is_used: whether a new one is used before each passage has its vector.
    """
    known = await find_set(connection, embedder)
    if known is not None:
        return known
    rows = await connection.execute(
        "INSERT INTO vector_sets (embedder, dimension, is_complete, turn, done) "
        "SELECT %s, %s, false, CASE WHEN %s THEN coalesce(max(turn), 0) + 1 ELSE 0 END, 0 "
        "FROM vector_sets RETURNING id, embedder, dimension, is_complete, turn, done",
        [stored_text(embedder), dimension, is_used],
    )
    made = loaded_set(cast("TupleRow", await rows.fetchone()))
    await connection.execute(
        sql.SQL(
            "CREATE TABLE {} (passage bigint PRIMARY KEY REFERENCES passages ON DELETE CASCADE, "
            "shelf integer NOT NULL, vector halfvec({}) NOT NULL)"
        ).format(table(made.id), sql.Literal(dimension))
    )
    await connection.execute(
        sql.SQL("CREATE INDEX {} ON {} (shelf)").format(
            sql.Identifier(f"vectors_{made.id}_shelf"), table(made.id)
        )
    )
    return made


async def lacking(
    connection: AsyncConnection,
    own: VectorSet,
    *,
    after: int,
    shelves: Sequence[int],
    limit: int,
) -> list[TupleRow]:
    """Return rows of passages on `shelves` that have no vector, in the order of their keys.

    Args:
        connection: to the index.
        own: the set.
        after: only those with greater keys.
        shelves: of what the embedder may be given.
        limit: at most so many.
    """
    rows = await connection.execute(
        sql.SQL(_LACKING).format(table(own.id)), [after, list(shelves), limit]
    )
    return await rows.fetchall()


async def count_lacking(
    connection: AsyncConnection, own: VectorSet, *, after: int, shelves: Sequence[int]
) -> int:
    """Return how many passages on `shelves` with keys greater than `after` have no vector."""
    rows = await connection.execute(
        sql.SQL(_COUNT_LACKING).format(table(own.id)), [after, list(shelves)]
    )
    (number,) = cast("TupleRow", await rows.fetchone())
    return int(number)


async def count(connection: AsyncConnection, own: VectorSet) -> int:
    """Return how many vectors a set has."""
    rows = await connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table(own.id)))
    (number,) = cast("TupleRow", await rows.fetchone())
    return int(number)


async def add(
    connection: AsyncConnection, own: VectorSet, vectors: Mapping[int, Sequence[float]]
) -> None:
    """Add vectors of passages, by their keys; what is gone meanwhile gets none.

    Raises:
        ModelError: they are of another dimension.
        StoreError: the set was given up meanwhile.
    """
    for vector in vectors.values():
        if len(vector) != own.dimension:
            raise ModelError(changed(own, len(vector)))
    async with connection.transaction():
        # What is found changes with a set that is used.
        more = 1 if own.is_used else 0
        await connection.execute("UPDATE state SET generation = generation + %s", [more])
        await _check_present(connection, own)
        async with connection.cursor() as cursor:
            await cursor.executemany(
                sql.SQL(_ADD).format(table(own.id)),
                [(half(vector), key) for key, vector in vectors.items()],
            )


async def complete(connection: AsyncConnection, own: VectorSet, *, has_grown: bool) -> None:
    """Use a set from now on that lacks nothing, in a transaction that has locked the state.

    Args:
        connection: of the transaction.
        own: the set.
        has_grown: whether vectors were added.
    """
    await _check_present(connection, own)
    newest = (await sets(connection))[0]
    if has_grown or newest.id != own.id or not newest.is_complete:
        await connection.execute(
            "UPDATE vector_sets SET is_complete = true, "
            "turn = (SELECT max(turn) FROM vector_sets) + 1, "
            "done = (SELECT coalesce(max(key), 0) FROM passages) WHERE id = %s",
            [own.id],
        )
        await connection.execute("UPDATE state SET generation = generation + 1, embeds = false")


async def renew(connection: AsyncConnection, first: int, old_documents: Sequence[int]) -> None:
    """Give new passages the vectors of old ones that say the same; note which sets lack some now.

    Args:
        connection: of the transaction in which they come and go.
        first: the least key of the new passages.
        old_documents: keys of the documents that they replace, which are still there.
    """
    for one in await sets(connection):
        if old_documents:
            await connection.execute(
                sql.SQL(_CARRY).format(vectors=table(one.id)), [first, list(old_documents)]
            )
        await connection.execute(sql.SQL(_NEW_LACK).format(table(one.id)), [one.id, first])


async def drop(connection: AsyncConnection, vector_set: int) -> None:
    """Forget a set.

    Raises:
        LockNotAvailable: it is being read or written; nobody who reads or writes is held up.
    """
    async with connection.transaction():
        await connection.execute("SET LOCAL lock_timeout = '1s'")
        await lock_state(connection)
        await connection.execute("DELETE FROM vector_sets WHERE id = %s", [vector_set])
        await connection.execute(sql.SQL("DROP TABLE {}").format(table(vector_set)))


def changed(own: VectorSet, dimension: int) -> str:
    """Say what may be wrong when vectors are of another dimension than those before."""
    return (
        f"embedder {own.embedder} gives vectors of {dimension} numbers, where those before have "
        f"{own.dimension}; another model may stand behind its name: set `identity` to a name of "
        "the new one, then run citewell reindex"
    )


async def _check_present(connection: AsyncConnection, own: VectorSet) -> None:
    rows = await connection.execute("SELECT FROM vector_sets WHERE id = %s", [own.id])
    if await rows.fetchone() is None:
        raise StoreError(
            f"vectors of {own.embedder} were given up for those of another embedder; run citewell "
            "reindex again"
        )
