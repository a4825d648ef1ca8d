"""One writer at a time: an advisory lock that the server takes back when the connection ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from citewell import IndexLocked

# A lock on a number of 64 bits shows as two halves.
_HOLDER = """
SELECT application_name, client_addr::text, to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS'), pid
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND granted AND objsubid = 1
    AND (classid::bigint << 32) | objid::bigint = %s
    AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@asynccontextmanager
async def held(connection: AsyncConnection, number: int, *, doing: str) -> AsyncIterator[None]:
    """Have a lock meanwhile; see `take`."""
    await take(connection, number, doing=doing)
    try:
        yield
    finally:
        await give_back(connection, number)


async def give_back(connection: AsyncConnection, number: int) -> None:
    """Let another one have a lock at once: the server may be slow to see a connection end."""
    with suppress(psycopg.Error):
        await connection.execute("SELECT pg_advisory_unlock(%s)", [number])


async def take(connection: AsyncConnection, number: int, *, doing: str) -> None:
    """Get a lock for as long as `connection` lasts.

    Args:
        connection: has no transaction open, or commits soon.
        number: of the lock.
        doing: what its holder does, for the message.

    Raises:
        IndexLocked: somebody else has it.
    """
    rows = await connection.execute("SELECT pg_try_advisory_lock(%s)", [number])
    (is_taken,) = cast("TupleRow", await rows.fetchone())
    if not is_taken:
        holder = await (await connection.execute(_HOLDER, [number])).fetchone()
        raise IndexLocked(f"{doing} by {_described(holder)}; wait until it ends, or stop it")


def _described(holder: TupleRow | None) -> str:
    if holder is None:
        return "another process"
    name, address, since, backend = holder
    where = f" from {address}" if address else ""
    return f'"{name or "another process"}"{where} (since {since}, backend {backend})'
