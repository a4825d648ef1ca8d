"""What is known of a repository, kept between syncs, so that only news is asked for."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from citewell_github.answers import Comment, Issue

_SCHEMA = """
PRAGMA secure_delete = ON;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS pages (url TEXT PRIMARY KEY, etag TEXT, next TEXT, numbers TEXT);
CREATE TABLE IF NOT EXISTS issues (number INTEGER PRIMARY KEY, content BLOB, asked TEXT);
CREATE TABLE IF NOT EXISTS comments (id INTEGER PRIMARY KEY, number INTEGER, content BLOB);
CREATE INDEX IF NOT EXISTS comments_by_number ON comments (number);
"""
_VERSION = "1"


class Page(Struct, frozen=True):
    """A page of a listing, as it was last answered.

    Attributes:
        numbers: of the issues on it.
    """

    etag: str
    next: str | None
    numbers: tuple[int, ...]


class Store:
    """Issues and comments in a file. A damaged or foreign one is begun anew.

    Args:
        path: of the file.
        scope: what it is about; with another one, nothing that is known holds.
    """

    def __init__(self, path: Path, scope: str) -> None:
        try:
            self._database = _opened(path)
        except sqlite3.DatabaseError:
            path.unlink(missing_ok=True)
            self._database = _opened(path)
        if self.fact("scope") != f"{_VERSION} {scope}":
            self._forget_all()
            self.note("scope", f"{_VERSION} {scope}")

    def close(self) -> None:
        """Close the file; what was not committed is lost."""
        self._database.close()

    def commit(self) -> None:
        """Make durable what was put in."""
        self._database.commit()

    # --- facts and pages ---------------------------------------------------------------------

    def fact(self, name: str) -> str | None:
        """Return what was noted under `name`."""
        row = self._one("SELECT value FROM facts WHERE name = ?", name)
        return None if row is None else str(row[0])

    def note(self, name: str, value: str) -> None:
        """Note something."""
        self._database.execute("REPLACE INTO facts VALUES (?, ?)", (name, value))

    def page(self, url: str) -> Page | None:
        """Return what is known of a page."""
        row = self._one("SELECT etag, next, numbers FROM pages WHERE url = ?", url)
        if row is None:
            return None
        return Page(row[0], row[1], msgspec.json.decode(row[2], type=tuple[int, ...]))

    def put_page(self, url: str, page: Page) -> None:
        """Keep a page."""
        numbers = msgspec.json.encode(page.numbers).decode()
        self._database.execute(
            "REPLACE INTO pages VALUES (?, ?, ?, ?)", (url, page.etag, page.next, numbers)
        )

    def keep_pages(self, urls: Collection[str]) -> None:
        """Forget all pages but these."""
        known = [url for (url,) in self._database.execute("SELECT url FROM pages")]
        gone = [(url,) for url in known if url not in urls]
        self._database.executemany("DELETE FROM pages WHERE url = ?", gone)

    # --- issues and comments -------------------------------------------------------------------

    def put_issues(self, issues: Iterable[Issue]) -> None:
        """Add or replace issues; their comments stay."""
        self._database.executemany(
            "INSERT INTO issues VALUES (?, ?, '') "
            "ON CONFLICT (number) DO UPDATE SET content = excluded.content",
            ((issue.number, msgspec.json.encode(issue)) for issue in issues),
        )

    def put_comments(self, comments: Iterable[Comment]) -> None:
        """Add or replace comments."""
        self._database.executemany(
            "REPLACE INTO comments VALUES (?, ?, ?)",
            ((one.id, one.number, msgspec.json.encode(one)) for one in comments),
        )

    def replace_comments(self, issue: Issue, comments: Iterable[Comment]) -> None:
        """Keep these comments of an issue and no others, as all that there are at its state."""
        self._database.execute("DELETE FROM comments WHERE number = ?", (issue.number,))
        self.put_comments(comments)
        asked = (_state(issue), issue.number)
        self._database.execute("UPDATE issues SET asked = ? WHERE number = ?", asked)

    def remove(self, number: int) -> None:
        """Forget an issue with its comments."""
        self._database.execute("DELETE FROM comments WHERE number = ?", (number,))
        self._database.execute("DELETE FROM issues WHERE number = ?", (number,))

    def has_issues(self, numbers: Collection[int]) -> bool:
        """Tell whether each of these is known."""
        marks = ", ".join("?" * len(numbers))
        row = self._one(
            f"SELECT count(*) FROM issues WHERE number IN ({marks})",  # noqa: S608 - marks alone
            *numbers,
        )
        return row is not None and row[0] == len(set(numbers))

    def issue(self, number: int) -> Issue:
        """Return an issue that is known."""
        row = self._one("SELECT content FROM issues WHERE number = ?", number)
        return msgspec.json.decode((row or ("",))[0], type=Issue)

    def numbers(self) -> set[int]:
        """Return the numbers of all issues."""
        return {number for (number,) in self._database.execute("SELECT number FROM issues")}

    def issues(self) -> Iterator[Issue]:
        """Yield all issues."""
        for (content,) in self._database.execute("SELECT content FROM issues ORDER BY number"):
            yield msgspec.json.decode(content, type=Issue)

    def comments(self, number: int) -> list[Comment]:
        """Return the comments of an issue, the oldest first."""
        rows = self._database.execute(
            "SELECT content FROM comments WHERE number = ? ORDER BY id", (number,)
        )
        return [msgspec.json.decode(content, type=Comment) for (content,) in rows]

    def lacks_comments(self, issue: Issue) -> bool:
        """Tell whether an issue says that it has more or fewer comments than are known.

        Where it says so just after they were asked for, some are shown to nobody.
        """
        row = self._one(
            "SELECT asked, (SELECT count(*) FROM comments WHERE number = ?1) "
            "FROM issues WHERE number = ?1",
            issue.number,
        )
        return row is None or (row[1] != issue.comments and row[0] != _state(issue))

    def _one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._database.execute(query, values).fetchone()
        return row

    def _forget_all(self) -> None:
        for table in ("facts", "pages", "issues", "comments"):
            self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are these


def _state(issue: Issue) -> str:
    return f"{issue.updated_at} {issue.comments}"


def _opened(path: Path) -> sqlite3.Connection:
    # One thread after another uses it.
    database = sqlite3.connect(path, check_same_thread=False)
    try:
        database.executescript(_SCHEMA)
        with contextlib.closing(database.execute("PRAGMA quick_check(1)")) as checking:
            (state,) = checking.fetchone()
        _check(state)
    except BaseException:
        database.close()
        raise
    return database


def _check(state: str) -> None:
    if state != "ok":
        raise sqlite3.DatabaseError(state)
