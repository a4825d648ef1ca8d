"""Hashes of contents, remembered as long as a file's stamp stays the same."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

_SCHEMA = "CREATE TABLE IF NOT EXISTS hashes (id TEXT PRIMARY KEY, stamp TEXT, digest TEXT)"
_BATCH = 256


class Hashes:
    """Content hashes by id, kept in a file. A damaged one is begun anew: it costs only time.

    Used by one thread; close it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting = 0
        try:
            self._database = self._open()
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)
            self._database = self._open()

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path)
        try:
            database.execute(_SCHEMA)
            _check(database)
        except BaseException:
            database.close()
            raise
        return database

    def of(self, id_: str, stamp: str | None) -> str | None:
        """Return the hash of what `id_` held with this stamp, if it is known."""
        row = self._database.execute(
            "SELECT digest FROM hashes WHERE id = ? AND stamp = ?", (id_, stamp)
        ).fetchone()
        return None if row is None else str(row[0])

    def remember(self, id_: str, stamp: str, digest: str) -> None:
        """Keep the hash; what is kept last may be lost with the process."""
        self._database.execute("REPLACE INTO hashes VALUES (?, ?, ?)", (id_, stamp, digest))
        self._waiting += 1
        if self._waiting >= _BATCH:
            self._commit()

    def keep_only(self, is_there: Callable[[str], bool]) -> None:
        """Forget what is no longer there."""
        ids = [id_ for (id_,) in self._database.execute("SELECT id FROM hashes")]
        gone = [(id_,) for id_ in ids if not is_there(id_)]
        self._database.executemany("DELETE FROM hashes WHERE id = ?", gone)
        self._commit()

    def close(self) -> None:
        """Write down what is not yet, and close the file."""
        with contextlib.closing(self._database):
            self._commit()

    def _commit(self) -> None:
        self._database.commit()
        self._waiting = 0


def _check(database: sqlite3.Connection) -> None:
    """Read every page: a file that is damaged in its middle is noticed now, not in use."""
    (state,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if state != "ok":
        raise sqlite3.DatabaseError(state)
