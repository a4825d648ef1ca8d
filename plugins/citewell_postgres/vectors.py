"""The nearest passages of a set of vectors, one by one or by an index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from citewell_postgres.shelves import Share
from citewell_postgres.vector_sets import VectorSet, half, table

MAX_INDEXED_DIMENSION = 4000
"""Vectors of more values are compared one by one: HNSW takes no longer `halfvec`."""

EXACT_ROWS = 10_000
"""Up to so many vectors are compared one by one: that takes milliseconds, and misses nothing."""

# How many candidates HNSW looks at, which is also the most that it may be set to.
_MAX_EFFORT = 1000
# pgvector's default for `hnsw.max_scan_tuples`, after which a filtered search gives up.
_MAX_SCANNED = 20_000
_SCANNED_PER_HIT = 4

_EXACT = """
SELECT passage, -(vector <#> %s) AS score FROM {} WHERE shelf = ANY(%s::integer[])
ORDER BY (vector <#> %s) + 0, passage LIMIT %s
"""
_INDEXED = """
SELECT passage, -(vector <#> %s) AS score FROM {} WHERE shelf = ANY(%s::integer[])
ORDER BY vector <#> %s LIMIT %s
"""
# Nothing but the index gives the order then.
_EFFORT = """
SELECT set_config('hnsw.iterative_scan', 'strict_order', true),
    set_config('hnsw.ef_search', %s, true), set_config('enable_sort', 'off', true),
    set_config('enable_bitmapscan', 'off', true)
"""


class Asked(NamedTuple):
    """A question as a vector of the set that it is comparable with."""

    vector_set: int
    vector: Sequence[float]


async def nearest(
    connection: AsyncConnection, asked: Asked, share: Share, limit: int
) -> dict[int, float]:
    """Return the keys of the nearest passages of `share` with their cosines, nearest first.

    What may not be read is passed over while searching, so it takes nobody's place. Where few of
    the vectors may be read, each of these is looked at, and none of the others.
    """
    if _is_worth_an_index(share, limit) and await has_index(connection, asked.vector_set):
        effort = min(max(2 * limit, 100), _MAX_EFFORT)
        await connection.execute(_EFFORT, [str(effort)])
        found = await _search(connection, _INDEXED, asked, share, limit)
        await connection.execute(
            "SELECT set_config('enable_sort', 'on', true), "
            "set_config('enable_bitmapscan', 'on', true)"
        )
        if len(found) == limit:
            return found
    return await _search(connection, _EXACT, asked, share, limit)


def _is_worth_an_index(share: Share, limit: int) -> bool:
    scanned = limit * _SCANNED_PER_HIT * share.total / max(share.passages, 1)
    return share.passages > EXACT_ROWS and scanned <= _MAX_SCANNED


async def _search(
    connection: AsyncConnection, query: str, asked: Asked, share: Share, limit: int
) -> dict[int, float]:
    vector = half(asked.vector)
    rows = await connection.execute(
        sql.SQL(query).format(table(asked.vector_set)),
        [vector, share.shelves, vector, limit],
    )
    found = sorted(await rows.fetchall(), key=lambda row: (-row[1], row[0]))
    return dict(found)


# --- the index --------------------------------------------------------------------------------


async def has_index(connection: AsyncConnection, vector_set: int) -> bool:
    """Tell whether a set has a usable HNSW index."""
    rows = await connection.execute(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)",
        [_index_name(vector_set)],
    )
    found = await rows.fetchone()
    return found is not None and bool(found[0])


async def make_index(connection: AsyncConnection, vector_set: VectorSet) -> None:
    """Make the HNSW index of a set beside all reading and writing; `connection` commits by itself.

    One that was begun and not finished is made anew.
    """
    name = sql.Identifier(_index_name(vector_set.id))
    await connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(name))
    await connection.execute(
        sql.SQL("CREATE INDEX CONCURRENTLY {} ON {} USING hnsw (vector halfvec_ip_ops)").format(
            name, table(vector_set.id)
        )
    )


async def lacks_index(connection: AsyncConnection, vector_set: VectorSet) -> bool:
    """Tell whether a set has grown so large that it should have an index, and has none."""
    if vector_set.dimension > MAX_INDEXED_DIMENSION or await has_index(connection, vector_set.id):
        return False
    rows = await connection.execute(
        sql.SQL("SELECT count(*) FROM (SELECT FROM {} LIMIT %s) AS few").format(
            table(vector_set.id)
        ),
        [EXACT_ROWS + 1],
    )
    (count,) = cast("TupleRow", await rows.fetchone())
    return bool(count > EXACT_ROWS)


def _index_name(vector_set: int) -> str:
    return f"vectors_{vector_set}_hnsw"
