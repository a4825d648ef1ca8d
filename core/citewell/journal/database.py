"""Opens the journal's database and brings its tables to the newest revision."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event, exc

from citewell.errors import JournalError
from citewell.journal.records import storable
from citewell.journal.tables import HEAD

_BUSY_MS = 10_000
_MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str) -> sa.Engine:
    """Return an engine on an up-to-date database.

    Raises:
        JournalError: the address is none, the database cannot be opened, or it was written by a
            newer Citewell.
    """
    try:
        shown = sa.engine.make_url(url).render_as_string(hide_password=True)
    except (exc.ArgumentError, ValueError):
        # It may hold a password.
        raise JournalError(
            "journal.url: expected the address of a database, like sqlite:///journal.sqlite "
            "or postgresql+psycopg://user@host/name"
        ) from None
    with explained(f"journal {shown} cannot be opened"):
        # The server may have been started anew since a connection was used last.
        is_server = sa.engine.make_url(url).get_backend_name() != "sqlite"
        engine = sa.create_engine(url, json_serializer=_json, pool_pre_ping=is_server)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _make_durable)
        with engine.begin() as connection:
            _migrate(connection)
    return engine


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what the database raises into a `JournalError` that begins with `what`.

    The statement and its values, which may be somebody's question, are left out.
    """
    try:
        yield
    except (exc.SQLAlchemyError, ModuleNotFoundError) as error:
        cause = getattr(error, "orig", None) or error
        raise JournalError(
            f"{what}: {cause}; check that the place is writable and the file is a journal"
        ) from error


@contextmanager
def writing(engine: sa.Engine, what: str) -> Iterator[sa.Connection]:
    """Yield a transaction that writes; what it raises begins with `what`.

    What it reads is not older than its `lock`: on SQLite than its begin, as it writes alone.
    """
    with explained(what), engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            # By itself it would begin at the first change, after what that rests on was read.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield connection


def lock(connection: sa.Connection, *names: str) -> None:
    """Let no other transaction hold what `names` name, until this one ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_number(names))))


def try_lock(connection: sa.Connection, *names: str) -> bool:
    """Do as `lock` does, but return False at once where another transaction holds it."""
    if connection.dialect.name == "postgresql":
        held = connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_number(names))))
        return bool(held)
    return True


def clock_of(connection: sa.Connection) -> float:
    """Return what time it is where all that write to this database read it, since 1970."""
    if connection.dialect.name == "postgresql":
        now = sa.func.extract("epoch", sa.func.clock_timestamp())
        return float(connection.scalar(sa.select(now)) or 0.0)
    return time.time()


def _number(names: tuple[str, ...]) -> sa.ColumnElement[int]:
    digest = hashlib.sha256(json.dumps(names).encode()).digest()
    return sa.literal(int.from_bytes(digest[:8], signed=True), sa.BigInteger)


def _json(value: object) -> str:
    return storable(json.dumps(value, ensure_ascii=False))


def _make_durable(connection: object, _record: object) -> None:
    """Set what an acknowledged row needs to survive a power cut."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    busy = f"busy_timeout={_BUSY_MS}"
    for pragma in (busy, "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(connection: sa.Connection) -> None:
    if _revision(connection) == HEAD:
        return
    # Of processes that start at once, one makes the tables, and the others wait for it.
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    lock(connection, "migrations")
    revision = _revision(connection)
    if revision == HEAD:
        return
    # Alembic takes as long to import as all the rest, and is needed once in a database's life.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise JournalError(
            f"journal has revision {revision}, this citewell knows {HEAD}; update citewell"
        ) from error


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return revision
