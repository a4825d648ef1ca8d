"""Documents and passages in SQLite: the record of truth.

A document row that is not `visible` is being written; no reader sees its passages. A row changes
in nothing but that flag, and its key is never used again, so that an index can refer to it.
"""

from __future__ import annotations

import os
import queue
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from citewell import IndexedDocument, Labels, Passage, StoreError
from citewell_lexical.rows import (
    Row,
    loaded_labels,
    loaded_row,
    loaded_text,
    stored_passage,
    stored_text,
)

FILE = "passages.sqlite"
FORMAT = 1

_SCHEMA = """
CREATE TABLE state (generation INTEGER, index_name TEXT, index_opstamp INTEGER);
INSERT INTO state VALUES (0, '', 0);
CREATE TABLE documents (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT, version TEXT, visible INTEGER
);
CREATE UNIQUE INDEX documents_id ON documents (id) WHERE visible;
CREATE INDEX documents_staged ON documents (key) WHERE NOT visible;
CREATE TABLE passages (
    row INTEGER PRIMARY KEY AUTOINCREMENT, document INTEGER, id TEXT, title TEXT, text TEXT,
    span_start INTEGER, span_end INTEGER, places TEXT, labels TEXT, uri TEXT, header TEXT,
    language TEXT
);
CREATE INDEX passages_document ON passages (document);
CREATE INDEX passages_id ON passages (id);
CREATE VIEW visible_passages AS
    SELECT row, document, documents.id AS document_id, passages.id AS id, title, text, span_start,
        span_end, places, labels, uri, header, language
    FROM passages JOIN documents ON documents.key = passages.document WHERE visible;
CREATE TABLE tombstones (document INTEGER PRIMARY KEY);
PRAGMA user_version = 1;
"""

_BUSY_S = 30.0
_CACHE_KIB = 16 * 1024


class State(NamedTuple):
    """What the store says of itself and of its index.

    Attributes:
        generation: grows with each change that readers can see.
        index_name: of the index that belongs to this store; empty before the first.
        index_opstamp: the index's last commit that the store knows of.
    """

    generation: int
    index_name: str
    index_opstamp: int


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn errors about the file at `path` or its folder into a `StoreError` with the fix."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"index {path} cannot be used: {error.strerror or error}; make its folder writable, "
            'or set "path" of the retriever to another one'
        ) from error
    except sqlite3.OperationalError as error:
        raise StoreError(f"index {path} cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"index {path} is damaged ({error}); "
            f"delete the folder {path.parent} and run: citewell sync"
        ) from error


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _connected(path: Path, mode: str, *, busy_s: float = _BUSY_S) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_s,
        isolation_level=None,
        check_same_thread=False,
    )
    with _closed_on_error(connection):
        connection.execute("PRAGMA synchronous = FULL")
        # Passages are read, and their ids inserted, in no order.
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # What was deleted shall not linger in free pages.
        connection.execute("PRAGMA secure_delete = ON")
    return connection


def _checked_format(connection: sqlite3.Connection, path: Path) -> int:
    """Return the format of the store; 0 when it is still empty."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if found not in {0, FORMAT}:
        raise StoreError(
            f"index {path} has format {found}, this citewell reads format {FORMAT}; "
            f"update citewell, or delete the folder {path.parent} and run: citewell sync"
        )
    return found


def _state(connection: sqlite3.Connection) -> State:
    return State(*connection.execute("SELECT * FROM state").fetchone())


class StoreWriter:
    """Changes the store. Each method is one durable transaction. One user at a time."""

    def __init__(self, path: Path) -> None:
        """Open the store at `path`, or make it.

        Raises:
            StoreError: it is damaged, or of another format.
        """
        self._path = path
        with explained(path):
            self._connection = _connected(path, "rwc")
            with _closed_on_error(self._connection):
                self._connection.execute("PRAGMA journal_mode = WAL")
                if not _checked_format(self._connection, path):
                    self._connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @property
    def state(self) -> State:
        """What the store says of itself."""
        with explained(self._path):
            return _state(self._connection)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with explained(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.execute("COMMIT")

    def numbered(self, documents: Iterable[IndexedDocument]) -> list[Row]:
        """Return the passages of `documents` under the keys that `stage` will give them."""
        with explained(self._path):
            row = _last_key(self._connection, "passages")
            first_key = _last_key(self._connection, "documents") + 1
        rows: list[Row] = []
        for key, document in enumerate(documents, first_key):
            first_row = row + len(rows) + 1
            rows.extend(
                Row(number, key, passage)
                for number, passage in enumerate(document.passages, first_row)
            )
        return rows

    def stage(self, documents: Sequence[IndexedDocument], rows: Iterable[Row]) -> None:
        """Add documents that nobody can see yet; `rows` are what `numbered` made of them."""
        with self._transaction() as connection:
            first_key = _last_key(connection, "documents") + 1
            connection.executemany(
                "INSERT INTO documents VALUES (?, ?, ?, 0)",
                (
                    (number, stored_text(document.id), document.version)
                    for number, document in enumerate(documents, first_key)
                ),
            )
            connection.executemany(
                "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((new.row, new.document, *stored_passage(new.passage)) for new in rows),
            )

    def publish(
        self, replaced_ids: Iterable[str], *, cleared: Iterable[int], index_opstamp: int
    ) -> None:
        """Show what is staged and, in the same moment, forget the documents `replaced_ids`.

        Args:
            replaced_ids: of documents; unknown ones are ignored.
            cleared: keys of tombstones that the index has let go of.
            index_opstamp: the index's last commit.
        """
        with self._transaction() as connection:
            _clear_tombstones(connection, cleared, index_opstamp)
            for document_id in replaced_ids:
                found = connection.execute(
                    "SELECT key FROM documents WHERE id = ? AND visible",
                    (stored_text(document_id),),
                ).fetchone()
                if found:
                    _bury(connection, found[0])
            connection.execute("UPDATE documents SET visible = 1 WHERE NOT visible")
            connection.execute("UPDATE state SET generation = generation + 1")

    def drop_staged(self) -> None:
        """Forget what was staged and never published."""
        with self._transaction() as connection:
            staged = connection.execute("SELECT key FROM documents WHERE NOT visible").fetchall()
            for (key,) in staged:
                _bury(connection, key)

    def tombstones(self) -> list[int]:
        """Return keys of forgotten documents that the index may still hold."""
        with explained(self._path):
            found = self._connection.execute("SELECT document FROM tombstones").fetchall()
        return [key for (key,) in found]

    def clear_tombstones(self, keys: Iterable[int], *, index_opstamp: int) -> None:
        """Note that the index has let go of the documents `keys`."""
        with self._transaction() as connection:
            _clear_tombstones(connection, keys, index_opstamp)

    def adopt_index(self, name: str, *, opstamp: int) -> None:
        """Make `name`, which holds exactly the visible passages, the index of this store."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM tombstones")
            connection.execute(
                "UPDATE state SET generation = generation + 1, index_name = ?, index_opstamp = ?",
                (name, opstamp),
            )

    def passage_count(self) -> int:
        """Return how many passages there are, staged ones included."""
        with explained(self._path):
            count: int = self._connection.execute(
                "SELECT count(*) FROM passages INDEXED BY passages_document"
            ).fetchone()[0]
        return count

    def all_passages(self) -> Iterator[Row]:
        """Yield every visible passage with its keys."""
        with explained(self._path):
            for values in self._connection.execute("SELECT * FROM visible_passages ORDER BY row"):
                yield loaded_row(values)


def _last_key(connection: sqlite3.Connection, table: str) -> int:
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
    last = found.fetchone()
    return last[0] if last else 0


def _bury(connection: sqlite3.Connection, key: int) -> None:
    connection.execute("DELETE FROM passages WHERE document = ?", (key,))
    connection.execute("DELETE FROM documents WHERE key = ?", (key,))
    connection.execute("INSERT INTO tombstones VALUES (?)", (key,))


def _clear_tombstones(
    connection: sqlite3.Connection, keys: Iterable[int], index_opstamp: int
) -> None:
    connection.executemany("DELETE FROM tombstones WHERE document = ?", ((key,) for key in keys))
    connection.execute("UPDATE state SET index_opstamp = ?", (index_opstamp,))


class Snapshot:
    """The store as it was at one moment."""

    def __init__(self, connection: sqlite3.Connection, state: State) -> None:
        self._connection = connection
        self.state = state

    def versions(self) -> Mapping[str, str]:
        """Return document id to version."""
        found = self._connection.execute("SELECT id, version FROM documents WHERE visible")
        return {loaded_text(document_id): version for document_id, version in found}

    def sizes(self) -> Mapping[str, int]:
        """Return document id to number of passages."""
        found = self._connection.execute(
            "SELECT id, (SELECT count(*) FROM passages WHERE document = key) "
            "FROM documents WHERE visible"
        )
        return {loaded_text(document_id): number for document_id, number in found}

    def rows(self, scores: Mapping[int, float]) -> list[Passage]:
        """Return the passages with these keys that are there, in any order, with their scores."""
        found = self._connection.execute(
            "SELECT * FROM visible_passages WHERE row IN (SELECT value FROM json_each(?))",
            (str([*scores]),),
        )
        return [loaded_row(values, score=scores[values[0]]).passage for values in found]

    def labels(self, row: int) -> Labels | None:
        """Return the labels of the passage with this key, also of one that is not visible yet."""
        found = self._connection.execute(
            "SELECT labels FROM passages WHERE row = ?", (row,)
        ).fetchone()
        return loaded_labels(found[0]) if found else None

    def passage(self, passage_id: str) -> Passage | None:
        """Return a passage by its id."""
        values = self._connection.execute(
            "SELECT * FROM visible_passages WHERE id = ?", (stored_text(passage_id),)
        ).fetchone()
        return loaded_row(values).passage if values else None


class StoreReader:
    """Reads the store, from any number of threads."""

    def __init__(self, path: Path, *, busy_s: float = _BUSY_S) -> None:
        """Prepare to read the store at `path`; a lock of others is waited for `busy_s` seconds."""
        self._path = path
        self._busy_s = busy_s
        self._idle: queue.LifoQueue[tuple[int, sqlite3.Connection]] = queue.LifoQueue()
        self._is_closed = False

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot | None]:
        """Hold the store still; None when nothing was ever stored.

        Raises:
            StoreError: it is damaged, or of another format.
        """
        with explained(self._path):
            try:
                file = self._path.stat().st_ino
            except FileNotFoundError:
                yield None
                return
            connection = self._connection(file)
            try:
                connection.execute("BEGIN")
                known = _checked_format(connection, self._path)
                yield Snapshot(connection, _state(connection)) if known else None
            finally:
                connection.rollback()
                self._idle.put((file, connection))
                # Without files beside the store, a connection cannot see what others write later.
                if self._is_closed or not self._is_writable():
                    self._close_idle()

    def _connection(self, file: int) -> sqlite3.Connection:
        """Return a connection to `file`, which is not the one known when the store was deleted."""
        with suppress(queue.Empty):
            while True:
                known, connection = self._idle.get_nowait()
                if known == file:
                    return connection
                connection.close()
        return _connected(self._path, self._mode(), busy_s=self._busy_s)

    def _is_writable(self) -> bool:
        return os.access(self._path, os.W_OK) and os.access(self._path.parent, os.W_OK)

    def _mode(self) -> str:
        """Return how to open the store: SQLite makes files beside it even to read, where it can.

        Source: https://www.sqlite.org/wal.html#readonly
        """
        if self._is_writable():
            return "rw"
        is_open = self._path.with_name(f"{FILE}-wal").exists()
        return "ro" if is_open else "ro&immutable=1"

    def close(self) -> None:
        """Close the file, now or when the last snapshot ends."""
        self._is_closed = True
        self._close_idle()

    def _close_idle(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait()[1].close()
