"""Fills sets of vectors, from any process, while another one may write passages."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from citewell import Passage, StoreError
from citewell_embedded import vectors
from citewell_embedded.rows import Row, loaded_row
from citewell_embedded.store import connected, explained
from citewell_embedded.vectors import VectorSet

_WITHOUT = (
    "SELECT 1 FROM visible_passages "
    "WHERE NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.key = ? | row)"
)
_DROPPED_TOGETHER = 1000
_KEPT_SETS = 2
"""The one in use, and the one before, with which a process of older settings may still answer."""


class VectorStore:
    """Changes what a store holds of vectors. Each method is one short, durable transaction."""

    def __init__(self, path: Path) -> None:
        """Open the store at `path`, which is there.

        Raises:
            StoreError: it is damaged, or of another format.
        """
        self._path = path
        with explained(path):
            self._connection = connected(path, with_vectors=True)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

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

    def sets(self) -> list[VectorSet]:
        """Return all sets, the one that was completed last first."""
        with explained(self._path):
            return vectors.sets(self._connection)

    def adopted(self, identity: str) -> VectorSet | None:
        """Return the set of that identity, which one that waits for its embedder may become."""
        with self._transaction() as connection:
            known = vectors.find_set(connection, identity)
            unnamed = vectors.find_set(connection, vectors.UNNAMED)
            if unnamed and known:
                _forget(connection, unnamed)
            elif unnamed:
                connection.execute(
                    "UPDATE vector_sets SET identity = ? WHERE key = ?", (identity, unnamed.key)
                )
                return unnamed._replace(identity=identity)
        return known

    def opened(self, identity: str) -> VectorSet:
        """Return the set of that identity; a new one is complete where there are no passages."""
        known = self.adopted(identity)
        if known is not None:
            return known
        with self._transaction() as connection:
            is_complete = vectors.is_empty(connection)
            return vectors.find_set(connection, identity) or vectors.new_set(
                connection, identity, is_complete=is_complete
            )

    def passage_count(self) -> int:
        """Return how many passages are visible."""
        with explained(self._path):
            found = self._connection.execute("SELECT count(*) FROM visible_passages")
            count: int = found.fetchone()[0]
        return count

    def missing(self, known: VectorSet, *, after_row: int, limit: int) -> list[tuple[Row, bool]]:
        """Return the next passages without a vector, and whether they have an entry."""
        with explained(self._path):
            found = self._connection.execute(
                "SELECT visible_passages.*, vectors.key IS NOT NULL FROM visible_passages "
                "LEFT JOIN vectors ON vectors.key = ? | row "
                "WHERE row > ? AND vectors.vector IS NULL ORDER BY row LIMIT ?",
                (known.keys[0], after_row, limit),
            ).fetchall()
        return [(loaded_row(values[:-1]), bool(values[-1])) for values in found]

    def waiting(self, known: VectorSet, *, after_row: int, limit: int) -> list[Row]:
        """Return the next passages that became visible without an entry, the oldest first."""
        with explained(self._path):
            found = self._connection.execute(
                "SELECT visible_passages.* FROM vectors_lacking AS lacking "
                "CROSS JOIN visible_passages ON row = lacking.key - ? "
                "WHERE lacking.key > ? AND lacking.key <= ? ORDER BY lacking.key LIMIT ?",
                (known.keys[0], known.entry(after_row), known.keys[1], limit),
            ).fetchall()
        return [loaded_row(values) for values in found]

    def left(self, known: VectorSet) -> int:
        """Return how many passages wait for their entry."""
        with explained(self._path):
            found = self._connection.execute(
                "SELECT count(*) FROM vectors_lacking WHERE key BETWEEN ? AND ?", known.keys
            )
            count: int = found.fetchone()[0]
        return count

    def lacking(self, known: VectorSet, *, most: int) -> int:
        """Return how many passages have no entry; counted up to `most`."""
        with explained(self._path):
            found = self._connection.execute(
                f"SELECT count(*) FROM ({_WITHOUT} LIMIT ?)",  # noqa: S608 - a constant
                (known.keys[0], most),
            )
            count: int = found.fetchone()[0]
        return count

    def add(
        self, known: VectorSet, made: Iterable[tuple[Passage, int, bytes | None]], *, dimension: int
    ) -> None:
        """Add entries: passage, row, vector. Passages that are gone meanwhile get none.

        Raises:
            StoreError: the set was dropped meanwhile, or has vectors of another dimension.
        """
        with self._transaction() as connection:
            present = _present(connection, known)
            try:
                vectors.with_dimension(connection, present, dimension)
            except ValueError as error:
                raise StoreError(f"embedder {known.name} gave {error}") from error
            connection.executemany(
                "INSERT OR REPLACE INTO vectors "
                "SELECT ?, document, labels, ?, ? FROM passages WHERE row = ?",
                (
                    (known.entry(row), vectors.digest(vectors.embedded_text(passage)), vector, row)
                    for passage, row, vector in made
                ),
            )

    def complete(self, known: VectorSet, *, has_changed: bool) -> bool:
        """Let readers use the set if no entry is missing; tell whether they may.

        Args:
            known: the set.
            has_changed: entries changed of which readers do not know that they lack a vector.

        Raises:
            StoreError: the set was dropped meanwhile.
        """
        with self._transaction() as connection:
            _present(connection, known)
            if connection.execute(_WITHOUT, (known.keys[0],)).fetchone():
                return False
            newest = vectors.sets(connection)[0]
            if has_changed or newest.key != known.key or not newest.is_complete:
                connection.execute(
                    "UPDATE vector_sets SET turn = (SELECT max(turn) FROM vector_sets) + 1 "
                    "WHERE key = ?",
                    (known.key,),
                )
                connection.execute("UPDATE state SET generation = generation + 1")
        return True

    def superseded(self) -> list[VectorSet]:
        """Return the sets that are not wanted any more."""
        return [one for one in self.sets() if one.identity != vectors.UNNAMED][_KEPT_SETS:]

    def drop(self, unwanted: VectorSet) -> None:
        """Forget a set."""
        with self._transaction() as connection:
            _forget(connection, unwanted)

    def sweep(self) -> None:
        """Remove the vectors of sets that were forgotten, in steps that hold nobody up."""
        with explained(self._path):
            kept = {known.key: known for known in vectors.sets(self._connection)}
            key = -1
            while True:
                found = self._connection.execute(
                    "SELECT min(key) FROM vectors WHERE key > ?", (key,)
                ).fetchone()[0]
                if found is None:
                    return
                owner = VectorSet(vectors.set_of(found), "", dimension=0, turn=0)
                if owner.key not in kept:
                    self._remove(owner)
                key = owner.keys[1]

    def _remove(self, forgotten: VectorSet) -> None:
        removed = _DROPPED_TOGETHER
        while removed == _DROPPED_TOGETHER:
            with self._transaction() as connection:
                removed = connection.execute(
                    "DELETE FROM vectors WHERE key IN "
                    "(SELECT key FROM vectors WHERE key BETWEEN ? AND ? LIMIT ?)",
                    (*forgotten.keys, _DROPPED_TOGETHER),
                ).rowcount


def _forget(connection: sqlite3.Connection, unwanted: VectorSet) -> None:
    connection.execute("DELETE FROM vector_sets WHERE key = ?", (unwanted.key,))
    connection.execute("DELETE FROM vectors_lacking WHERE key BETWEEN ? AND ?", unwanted.keys)


def _present(connection: sqlite3.Connection, known: VectorSet) -> VectorSet:
    """Return the set as it is now."""
    present = vectors.find_set(connection, known.identity)
    if present is None or present.key != known.key:
        raise StoreError(
            f"vectors of {known.name} were given up for those of another embedder; "
            "run citewell reindex again"
        )
    return present
