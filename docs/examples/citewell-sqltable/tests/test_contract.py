"""What every retriever must do whose passages somebody else keeps."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from citewell.testing import Entry, FilledRetrieverContract

TABLE = """
CREATE TABLE tickets (
    number INTEGER PRIMARY KEY, subject TEXT, body TEXT, team TEXT, changed INTEGER DEFAULT 0
)
"""
WRITTEN = """
INSERT INTO tickets (number, subject, body, team) VALUES (?, ?, ?, ?)
ON CONFLICT (number) DO UPDATE SET
    subject = excluded.subject, body = excluded.body, team = excluded.team, changed = changed + 1
"""


class TestTable(FilledRetrieverContract):
    name = "sqltable"
    columns: Mapping[str, str] = {
        "id": "number",
        "title": "subject",
        "text": "body",
        "label": "team",
    }

    def config(self, root: Path) -> Mapping[str, object]:
        return {
            "url": f"sqlite:///{root}/help.db",
            "table": "tickets",
            "columns": self.columns,
        }

    def prepare(self, root: Path) -> None:
        with self._database(root) as database:
            database.execute(TABLE)

    def write(self, root: Path, entries: Sequence[Entry]) -> None:
        with self._database(root) as database:
            database.executemany(
                WRITTEN, [(one.id, one.title, one.text, one.label) for one in entries]
            )

    def remove(self, root: Path, ids: Sequence[str]) -> None:
        with self._database(root) as database:
            database.executemany("DELETE FROM tickets WHERE number = ?", [(one,) for one in ids])

    @contextmanager
    def _database(self, root: Path) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(root / "help.db")) as database, database:
            yield database


class TestTableWithTimes(TestTable):
    columns = {**TestTable.columns, "updated": "changed"}
