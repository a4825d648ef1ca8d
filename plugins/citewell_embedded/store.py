"""Documents and passages in SQLite: the record of truth.

A document row that is not `visible` is being written; no reader sees its passages. A row changes
in nothing but that flag, and its key is never used again, so that an index can refer to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from citewell import IndexedDocument, Passage, StoreError
from citewell_embedded import vectors
from citewell_embedded.rows import Row, loaded_row, stored_passage, stored_text

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

BUSY_S = 30.0
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


def open_connection(path: Path, mode: str, *, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """Open the store at `path` in a mode of SQLite's."""
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


def connected(
    path: Path, *, creates: bool = False, with_vectors: bool = False
) -> sqlite3.Connection:
    """Open the store at `path` for writing, and bring it to the present format.

    Raises:
        StoreError: it is of another format.
    """
    connection = open_connection(path, "rwc" if creates else "rw")
    with _closed_on_error(connection):
        connection.execute("PRAGMA journal_mode = WAL")
        if not checked_format(connection, path):
            connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        if with_vectors and not vectors.has_tables(connection):
            connection.executescript(f"BEGIN IMMEDIATE; {vectors.SCHEMA} COMMIT;")
    return connection


def checked_format(connection: sqlite3.Connection, path: Path) -> int:
    """Return the format of the store; 0 when it is still empty.

    Raises:
        StoreError: it is another one than this.
    """
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if found not in {0, FORMAT}:
        raise StoreError(
            f"index {path} has format {found}, this citewell reads format {FORMAT}; "
            f"update citewell, or delete the folder {path.parent} and run: citewell sync"
        )
    return found


def read_state(connection: sqlite3.Connection) -> State:
    """Return what the store says of itself."""
    return State(*connection.execute("SELECT * FROM state").fetchone())


class StoreWriter:
    """Changes the store. Each method is one durable transaction. One user at a time."""

    def __init__(self, path: Path, *, with_vectors: bool = False) -> None:
        """Open the store at `path`, or make it.

        Args:
            path: of the file.
            with_vectors: give it a place for vectors.

        Raises:
            StoreError: it is damaged, or of another format.
        """
        self._path = path
        with explained(path):
            self._connection = connected(path, creates=True, with_vectors=with_vectors)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @property
    def state(self) -> State:
        """What the store says of itself."""
        with explained(self._path):
            return read_state(self._connection)

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

    def stage_vectors(self, rows: Iterable[Row], *, withholds: Callable[[Passage], bool]) -> None:
        """Give staged passages the vectors that are there of their texts; see `carry_over`."""
        with self._transaction() as connection:
            vectors.prepare(connection)
            vectors.carry_over(connection, rows, withholds=withholds)

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
            return passage_count(self._connection)

    def all_passages(self) -> Iterator[Row]:
        """Yield every visible passage with its keys."""
        with explained(self._path):
            for values in self._connection.execute("SELECT * FROM visible_passages ORDER BY row"):
                yield loaded_row(values)


def passage_count(connection: sqlite3.Connection) -> int:
    """Return how many passages there are, staged ones included."""
    count: int = connection.execute(
        "SELECT count(*) FROM passages INDEXED BY passages_document"
    ).fetchone()[0]
    return count


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
