"""Scores that a judge gave, kept so that the same question to it is not paid for twice."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from citewell_judges.wire import Begin, Case

_PATIENCE_S = 10.0
_TABLE = "CREATE TABLE IF NOT EXISTS scores (key TEXT PRIMARY KEY, score REAL NOT NULL)"


class KeptScores:
    """A file of scores; one that cannot be used costs a warning, and what it would have saved.

    Args:
        path: of the file.
        judge: what judged: package, measure, versions and model.
        log: of the component.
    """

    def __init__(self, path: Path, judge: tuple[Begin, str, str], *, log: logging.Logger) -> None:
        self._path = path
        self._judge = judge
        self._log = log

    def get(self, case: Case) -> float | None:
        """Return the score of a case that was judged before."""
        try:
            with self._opened() as connection:
                query = "SELECT score FROM scores WHERE key = ?"
                found = connection.execute(query, (self._key(case),)).fetchone()
        except sqlite3.Error as error:
            self._warn(error)
            return None
        return None if found is None else float(found[0])

    def keep(self, case: Case, score: float) -> None:
        """Keep the score of a case."""
        try:
            with self._opened() as connection:
                row = self._key(case), score
                connection.execute("INSERT OR REPLACE INTO scores VALUES (?, ?)", row)
        except sqlite3.Error as error:
            self._warn(error)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        # Committed by the inner one, closed by the outer one.
        with closing(sqlite3.connect(self._path, timeout=_PATIENCE_S)) as connection, connection:
            connection.execute(_TABLE)
            yield connection

    def _warn(self, error: sqlite3.Error) -> None:
        self._log.warning("%s: scores are not kept: %s", self._path, error)

    def _key(self, case: Case) -> str:
        return hashlib.sha256(msgspec.json.encode((*self._judge, case))).hexdigest()
