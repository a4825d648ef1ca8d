"""Connections to a database, and what goes wrong with them in one line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection, IsolationLevel, errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from citewell import StoreError
from citewell_postgres.client import application_name
from citewell_postgres.schema import Found, Schema, registered

T = TypeVar("T")

CONNECT_S = 10
"""For so long a connection is waited for."""

_IDLE_S = 300.0
# A machine that is gone says nothing, and by default the system waits for it for hours.
_LIVENESS = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
# Lists are chosen here and not by the planner, which knows nothing of how they are built.
_SETTINGS = "SET enable_seqscan = off; SET jit = off; SET max_parallel_workers_per_gather = 0"
# One plan is right for every question, and to make it again takes longer than most answers.
_READING = "SET plan_cache_mode = force_generic_plan"
# Bounds that are set for questions would never let a large change, or an index, be made.
_WRITING = (
    "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0"
)


def checked_url(url: str) -> str:
    """Return connection parameters as libpq takes them, of a URL that may be SQLAlchemy's.

    Raises:
        StoreError: it is none; the message does not repeat it, as it may hold a password.
    """
    scheme, separator, rest = url.partition("://")
    libpq = f"{scheme.partition('+')[0]}://{rest}" if separator else url
    try:
        conninfo_to_dict(libpq)
    except psycopg.Error:
        raise StoreError(
            "url of a retriever: expected the address of a database, like "
            "postgresql://user@host/name"
        ) from None
    return libpq


def _parameters() -> dict[str, Any]:
    """Return connection parameters that the address may have other values for."""
    return {
        "connect_timeout": CONNECT_S,
        "application_name": application_name(),
        **_LIVENESS,
    }


class Database:
    """A schema of a database, and the connections to it."""

    def __init__(self, url: str, *, schema: str, name: str, max_connections: int) -> None:
        """Prepare; nothing is connected before it is needed.

        Args:
            url: as `checked_url` returned it.
            schema: that holds all tables.
            name: of the retriever, for messages.
            max_connections: for reading.
        """
        self._url = make_conninfo(**{**_parameters(), **conninfo_to_dict(url)})
        self._schema = Schema(schema)
        self._name = name
        self._pool = AsyncConnectionPool(
            self._url,
            min_size=0,
            max_size=max_connections,
            open=False,
            timeout=CONNECT_S,
            max_idle=_IDLE_S,
            configure=self._configured,
            name=f"citewell {name}",
        )
        self._found: Found | None = None
        self._preparing = asyncio.Lock()

    @property
    def schema(self) -> str:
        """That holds all tables."""
        return self._schema.name

    @property
    def place(self) -> tuple[str, str]:
        """Where the index is: the same for whoever uses the same one, as far as can be told."""
        return self._url, self.schema

    def lock_number(self, purpose: str) -> int:
        """Return the number of an advisory lock on this schema."""
        return self._schema.number(purpose)

    async def close(self) -> None:
        """Close every connection for reading."""
        if self._found is not None:
            await self._pool.close()

    async def prepared(self) -> Found:
        """Make sure, once, that the tables are there.

        Raises:
            StoreError: they are not, and cannot be made; or they are of another format.
        """
        if self._found is None:
            async with self._preparing:
                if self._found is None:
                    with self.explained():
                        found = await self._prepare()
                        await self._pool.open()
                    self._found = found
        return self._found

    async def _prepare(self) -> Found:
        async with await AsyncConnection.connect(self._url, autocommit=True) as connection:
            return await self._schema.prepare(connection)

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what the database raises into a `StoreError` of one line."""
        try:
            yield
        except psycopg.Error as error:
            raise StoreError(
                f'index of retriever "{self._name}" (schema {self.schema}) cannot be used: '
                f"{_line(error)}; {_fix(error)}"
            ) from error

    async def read(self, look: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Return what `look` sees, as of one moment.

        A connection that was lost, as when the server was started anew, costs one more try; so
        does a set of vectors that was given up while it was looked for.

        Raises:
            StoreError: the database cannot be read.
        """
        await self.prepared()
        with self.explained():
            try:
                return await self._read_once(look)
            except (PoolTimeout, errors.QueryCanceled):
                raise
            except errors.UndefinedTable:
                return await self._read_once(look)
            except psycopg.OperationalError:
                await self._pool.check()
                return await self._read_once(look)

    async def _read_once(self, look: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        try:
            async with self._pool.connection() as connection:
                return await look(connection)
        except PoolTimeout:
            # It does not say why.
            async with await AsyncConnection.connect(self._url):
                raise

    @asynccontextmanager
    async def alone(self, *, autocommit: bool = False) -> AsyncIterator[AsyncConnection]:
        """Yield a connection of its own, for writing."""
        connection = await self.connect(autocommit=autocommit)
        try:
            yield connection
        finally:
            await connection.close()

    async def connect(self, *, autocommit: bool = False) -> AsyncConnection:
        """Return a connection for writing, which the caller closes.

        Raises:
            psycopg.Error: there is none.
        """
        await self.prepared()
        connection = await AsyncConnection.connect(self._url, autocommit=True)
        try:
            await self._configure(connection)
            await connection.execute(_WRITING)
            await connection.set_autocommit(autocommit)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _configured(self, connection: AsyncConnection) -> None:
        """Prepare a connection for reading."""
        await connection.set_autocommit(True)
        await self._configure(connection)
        await connection.execute(_READING)
        await connection.set_autocommit(False)
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)

    async def _configure(self, connection: AsyncConnection) -> None:
        found = await self.prepared()
        await connection.execute(self._schema.search_path(found))
        await connection.execute(_SETTINGS)
        await registered(connection)


def _line(error: Exception) -> str:
    if isinstance(error, PoolTimeout):
        return f"no connection was free for {CONNECT_S} s"
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)


def _fix(error: Exception) -> str:
    match error:
        case errors.UndefinedTable() | errors.UndefinedColumn():
            return "drop the schema and run: citewell sync"
        case errors.InsufficientPrivilege():
            return "let the user of the url own the schema"
        case errors.QueryCanceled():
            return "raise statement_timeout for the user of the url"
        case errors.DiskFull():
            return "make room for the database"
        case PoolTimeout():
            return 'raise "max_connections" of the retriever'
        case _:
            return "check the url of the retriever, and that the server runs"
