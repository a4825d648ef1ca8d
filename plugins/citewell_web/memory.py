"""What is remembered of pages, so that an unchanged one need not be sent again."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

_SCHEMA = """
CREATE TABLE IF NOT EXISTS page (
    key TEXT PRIMARY KEY, id TEXT NOT NULL, version TEXT NOT NULL, etag TEXT NOT NULL,
    modified TEXT NOT NULL, canonical TEXT NOT NULL, links TEXT NOT NULL
) WITHOUT ROWID, STRICT
"""


class Remembered(Struct, frozen=True, kw_only=True):
    """A page as it was when it was last sent.

    Attributes:
        key: `Url.key`.
        id: of the document.
        version: of its content.
        etag: header of the answer, or empty.
        modified: header of the answer, or empty.
        canonical: the address that it would be called by, or empty.
        links: addresses that it leads to.
    """

    key: str
    id: str
    version: str
    etag: str = ""
    modified: str = ""
    canonical: str = ""
    links: tuple[str, ...] = ()


class Memory:
    """Pages by key, in a file. A damaged one is begun anew: it costs only time."""

    def __init__(self, path: Path) -> None:
        try:
            self._database = _opened(path)
        except sqlite3.OperationalError:
            # Locked, or not to be written: another one would not do better.
            raise
        except sqlite3.DatabaseError:
            for name in (
                path,
                path.with_name(f"{path.name}-wal"),
                path.with_name(f"{path.name}-shm"),
            ):
                with contextlib.suppress(OSError):
                    name.unlink()
            self._database = _opened(path)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def of(self, key: str) -> Remembered | None:
        """Return what is remembered of a page."""
        row = self._database.execute("SELECT * FROM page WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        *told, links = row
        id_, version, etag, modified, canonical = told[1:]
        return Remembered(
            key=key,
            id=id_,
            version=version,
            etag=etag,
            modified=modified,
            canonical=canonical,
            links=tuple(json.loads(links)),
        )

    def keep(self, page: Remembered) -> None:
        """Remember a page, in place of what was remembered of it."""
        self._database.execute(
            "INSERT OR REPLACE INTO page VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(page.key, page.id, page.version, page.etag, page.modified, page.canonical),
                json.dumps(page.links),
            ),
        )

    def forget(self, keys: Iterable[str]) -> None:
        """Forget pages."""
        self._database.executemany("DELETE FROM page WHERE key = ?", ((key,) for key in keys))


def _check(database: sqlite3.Connection) -> None:
    # A file that is damaged further in would fail only in the midst of a crawl.
    (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, timeout=5.0)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(_SCHEMA)
        _check(database)
    except BaseException:
        database.close()
        raise
    return database
