"""The store as readers see it: held still for a moment, from any number of threads."""

from __future__ import annotations

import os
import queue
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from citewell import Labels, Passage
from citewell.storing import loaded_labels
from citewell_embedded.rows import loaded_row, loaded_text, stored_text
from citewell_embedded.store import (
    BUSY_S,
    FILE,
    State,
    checked_format,
    explained,
    open_connection,
    passage_count,
    read_state,
)


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

    def passage_count(self) -> int:
        """Return how many passages there are, staged ones included."""
        return passage_count(self._connection)

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

    @property
    def connection(self) -> sqlite3.Connection:
        """Reads the store as it was then, and nothing else."""
        return self._connection

    def within(self, document_id: str, start: int, end: int) -> list[Passage]:
        """Return the passages of a document that stand in `[start, end)`, also in part."""
        found = self._connection.execute(
            "SELECT * FROM visible_passages WHERE document_id = ? "
            "AND span_start < ? AND span_end > ? ORDER BY span_start, row",
            (stored_text(document_id), end, start),
        )
        return [loaded_row(values).passage for values in found]


class StoreReader:
    """Reads the store, from any number of threads."""

    def __init__(self, path: Path, *, busy_s: float = BUSY_S) -> None:
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
                known = checked_format(connection, self._path)
                yield Snapshot(connection, read_state(connection)) if known else None
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
        return open_connection(self._path, self._mode(), busy_s=self._busy_s)

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
