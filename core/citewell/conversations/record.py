"""What was read of channels, kept in a file: the next sync asks for what is new alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Final

from msgspec import Struct, convert

from citewell.conversations.messages import Message, Page, Thread

# Raised when the tables change: what others hold is read anew.
_VERSION: Final = 2
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS settings (digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS channels (
    id TEXT PRIMARY KEY, name TEXT NOT NULL DEFAULT '', uri TEXT NOT NULL DEFAULT '',
    newest TEXT NOT NULL DEFAULT '', swept TEXT NOT NULL DEFAULT '',
    is_whole INTEGER NOT NULL DEFAULT 0, is_read INTEGER NOT NULL DEFAULT 0,
    turn INTEGER NOT NULL DEFAULT 0, gaps TEXT NOT NULL DEFAULT '',
    seen TEXT NOT NULL DEFAULT '', is_through INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS threads (
    channel TEXT NOT NULL, id TEXT NOT NULL, mark TEXT NOT NULL,
    read TEXT, title TEXT NOT NULL DEFAULT '', looked_at REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (channel, id)
);
CREATE TABLE IF NOT EXISTS messages (
    channel TEXT NOT NULL, place TEXT NOT NULL, id TEXT NOT NULL, author TEXT NOT NULL,
    at REAL NOT NULL, text TEXT NOT NULL, uri TEXT NOT NULL, thread TEXT NOT NULL,
    asks_us INTEGER NOT NULL, PRIMARY KEY (channel, place, id)
);
"""


class State(Struct, frozen=True, kw_only=True):
    """How far a channel is read.

    Attributes:
        newest: everything was read up to this id, at some time; empty before.
        swept: the id down to which what is older was read in this round; empty between two.
        is_whole: everything outside threads was read once.
        is_read: so was every thread.
        turn: how many syncs there were.
        gaps: stretches of what is recent that are still to be read, the latest first, each as
            "since-before", with spaces between them.
        seen: what is newer was not there when the channel was last looked at.
        is_through: since what is recent was last read again, all else had its turn.
    """

    name: str = ""
    uri: str = ""
    newest: str = ""
    swept: str = ""
    is_whole: bool = False
    is_read: bool = False
    turn: int = 0
    gaps: str = ""
    seen: str = ""
    is_through: bool = True

    @property
    def stretches(self) -> tuple[tuple[str, str], ...]:
        """The gaps, each as `[since, before)`."""
        found = (one.partition("-") for one in self.gaps.split())
        return tuple((since, before) for since, _, before in found)


class Record:
    """The file. Blocking; used by one thread at a time.

    What was deleted in the service is overwritten here, too.

    Args:
        path: of the file.
        digest: names the settings; what was read with others is forgotten.
        channels: ids; what was read of others is forgotten.
    """

    def __init__(self, path: Path, *, digest: str, channels: Iterable[str]) -> None:
        self._path = path
        self._connection = self._opened()
        with self._connection as db:
            kept = db.execute("SELECT digest FROM settings").fetchall()
            known = [] if kept != [(digest,)] else [*channels]
            marks = ", ".join("?" * len(known))
            for where in ("channels WHERE id", "threads WHERE channel", "messages WHERE channel"):
                db.execute(f"DELETE FROM {where} NOT IN ({marks})", known)  # noqa: S608 - names and question marks of ours
            db.execute("DELETE FROM settings")
            db.execute("INSERT INTO settings VALUES (?)", (digest,))

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, check_same_thread=False)
        try:
            connection.execute("PRAGMA secure_delete = ON")
            # After a power cut it may be damaged, and is only read anew.
            connection.execute("PRAGMA synchronous = OFF")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version != _VERSION:
                for table in ("settings", "channels", "threads", "messages"):
                    connection.execute(f"DROP TABLE IF EXISTS {table}")
                connection.execute(f"PRAGMA user_version = {_VERSION}")
            connection.executescript(_TABLES)
        except sqlite3.OperationalError:
            # Locked, or not to be written: another one would not do better.
            connection.close()
            raise
        except sqlite3.DatabaseError:
            # What cannot be read is only read anew.
            connection.close()
            self._path.unlink()
            return self._opened()
        return connection

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # --- channels -------------------------------------------------------------------------

    def state(self, channel: str) -> State:
        """Return how far a channel is read."""
        names = State.__struct_fields__
        row = self._connection.execute(
            f"SELECT {', '.join(names)} FROM channels WHERE id = ?",  # noqa: S608 - names of ours
            (channel,),
        ).fetchone()
        if row is None:
            return State()
        return convert(dict(zip(names, row, strict=True)), State, strict=False)

    def keep(self, channel: str, state: State) -> None:
        """Keep how far a channel is read."""
        names = ("id", *State.__struct_fields__)
        values = (channel, *(getattr(state, name) for name in State.__struct_fields__))
        marks = ", ".join("?" * len(names))
        put = f"INSERT OR REPLACE INTO channels ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - names and question marks of ours
        with self._connection as db:
            db.execute(put, values)

    # --- messages -------------------------------------------------------------------------

    def put(self, channel: str, page: Page, *, since: str, before: str) -> None:
        """Keep a page in place of all that was known from where it begins, or `since`, on.

        Args:
            channel: that it is of.
            page: what was read.
            since: the lowest id that was asked for.
            before: what was asked for ends before this id.
        """
        begins = max(page.begins, since)
        with self._connection as db:
            db.execute(
                "DELETE FROM messages WHERE channel = ? AND place = '' AND id >= ? AND id < ?",
                (channel, begins, before),
            )
            self._insert(channel, "", page.messages)
            if page.threads is None:
                return
            known = db.execute(
                "SELECT id FROM threads WHERE channel = ? AND id >= ? AND id < ?",
                (channel, begins, before),
            ).fetchall()
            self._forget(channel, {id_ for (id_,) in known} - page.threads.keys())
            self._mark(channel, page.threads)

    def list_threads(self, channel: str, threads: Mapping[str, str]) -> None:
        """Keep which threads there are, by what changes when they do; forget all others."""
        with self._connection as db:
            known = db.execute("SELECT id FROM threads WHERE channel = ?", (channel,)).fetchall()
            self._forget(channel, {id_ for (id_,) in known} - threads.keys())
            self._mark(channel, threads)

    def put_thread(
        self, channel: str, id_: str, thread: Thread | None, *, looked_at: float
    ) -> None:
        """Keep a thread as it is now; None where it is gone."""
        with self._connection as db:
            if thread is None:
                self._forget(channel, {id_})
                return
            db.execute("DELETE FROM messages WHERE channel = ? AND place = ?", (channel, id_))
            self._insert(channel, id_, thread.messages)
            db.execute(
                "UPDATE threads SET read = mark, title = ?, looked_at = ? "
                "WHERE channel = ? AND id = ?",
                (thread.title, looked_at, channel, id_),
            )

    def prune(self, channel: str, since: str) -> None:
        """Forget what is older than an id, and threads that began before."""
        with self._connection as db:
            db.execute(
                "DELETE FROM messages WHERE channel = ? AND place = '' AND id < ?", (channel, since)
            )
            old = db.execute(
                "SELECT id FROM threads WHERE channel = ? AND id < ?", (channel, since)
            ).fetchall()
            self._forget(channel, {id_ for (id_,) in old})

    # --- threads --------------------------------------------------------------------------

    def changed_threads(self, channel: str) -> list[str]:
        """Return the threads that were not read since they changed, the latest first."""
        found = self._connection.execute(
            "SELECT id FROM threads WHERE channel = ? AND read IS NOT mark ORDER BY id DESC",
            (channel,),
        )
        return [id_ for (id_,) in found.fetchall()]

    def old_threads(
        self, channel: str, *, before: float, recent: float, most: tuple[int, int]
    ) -> list[str]:
        """Return threads that were not looked at since a time, the one of longest ago first.

        Args:
            channel: that they are in.
            before: that time.
            recent: threads in which somebody wrote since then come first.
            most: of those, and of the others.
        """
        rows = self._connection.execute(
            "SELECT id, coalesce((SELECT max(at) FROM messages WHERE channel = threads.channel "
            "AND place = threads.id), 0) >= ? AS is_recent FROM threads "
            "WHERE channel = ? AND read IS mark AND looked_at < ? "
            "ORDER BY is_recent DESC, looked_at",
            (recent, channel, before),
        ).fetchall()
        found = [id_ for id_, is_recent in rows if is_recent][: most[0]]
        return found + [id_ for id_, is_recent in rows if not is_recent][: most[1]]

    def unread_threads(self, channel: str) -> list[str]:
        """Return the threads that were never read."""
        found = self._connection.execute(
            "SELECT id FROM threads WHERE channel = ? AND read IS NULL", (channel,)
        )
        return [id_ for (id_,) in found.fetchall()]

    def title(self, channel: str, thread: str) -> str:
        """Return what a thread is called."""
        row = self._connection.execute(
            "SELECT title FROM threads WHERE channel = ? AND id = ?", (channel, thread)
        ).fetchone()
        return "" if row is None else str(row[0])

    def conversations(self, channel: str) -> Iterator[tuple[str, list[Message]]]:
        """Yield the messages of each thread, and of no thread, by time."""
        with closing(self._connection.cursor()) as cursor:
            rows = cursor.execute(
                "SELECT id, author, at, text, uri, thread, asks_us FROM messages "
                "WHERE channel = ? ORDER BY thread, id",
                (channel,),
            )
            found = (
                Message(
                    id=id_,
                    author=author,
                    at=at,
                    text=text,
                    uri=uri,
                    thread=thread,
                    asks_us=bool(asks_us),
                )
                for id_, author, at, text, uri, thread, asks_us in rows
            )
            for thread, messages in groupby(found, key=lambda one: one.thread):
                yield thread, [*messages]

    # --- rows -----------------------------------------------------------------------------

    def _insert(self, channel: str, place: str, messages: Iterable[Message]) -> None:
        self._connection.executemany(
            "INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    channel,
                    place,
                    one.id,
                    one.author,
                    one.at,
                    one.text,
                    one.uri,
                    one.thread,
                    int(one.asks_us),
                )
                for one in messages
            ],
        )

    def _mark(self, channel: str, threads: Mapping[str, str]) -> None:
        self._connection.executemany(
            "INSERT INTO threads (channel, id, mark) VALUES (?, ?, ?) "
            "ON CONFLICT (channel, id) DO UPDATE SET mark = excluded.mark",
            [(channel, id_, mark) for id_, mark in threads.items()],
        )

    def _forget(self, channel: str, threads: Iterable[str]) -> None:
        """Forget what was written in threads; how they began may be left."""
        for id_ in threads:
            for table, name in (("threads", "id"), ("messages", "place")):
                self._connection.execute(
                    f"DELETE FROM {table} WHERE channel = ? AND {name} = ?",  # noqa: S608 - names of ours
                    (channel, id_),
                )
