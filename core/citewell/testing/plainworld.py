"""What people do in a chat of nothing but text: kept in its one file, beside what the bot says."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec import Struct

from citewell.testing.plainchat import PlainChat

_TABLES = (
    "CREATE TABLE IF NOT EXISTS happenings (id INTEGER PRIMARY KEY AUTOINCREMENT, what TEXT)",
    "CREATE TABLE IF NOT EXISTS people (id TEXT PRIMARY KEY, groups TEXT)",
    "CREATE TABLE IF NOT EXISTS channels (id TEXT PRIMARY KEY, members TEXT)",
    "CREATE TABLE IF NOT EXISTS buttons (message TEXT PRIMARY KEY, buttons TEXT)",
    "CREATE TABLE IF NOT EXISTS pages (person TEXT PRIMARY KEY, page TEXT)",
    "CREATE TABLE IF NOT EXISTS weather (id INTEGER PRIMARY KEY, weather TEXT)",
)
DIRECT = "D-"
"""How the name of a direct conversation begins; the rest is the person."""


class Happening(Struct, frozen=True, kw_only=True):
    """Something that somebody did.

    Attributes:
        kind: "said", "changed", "deleted", "asked" (with the command), "about" (a message that is
            asked about), "pressed" or "sent" (what was written into a form).
        of: the message that it is about, or that was written.
        thread: in which an answer belongs; empty for the channel itself.
        is_in_thread: it was said in a thread that was there.
        files: content by name.
        action: of the button, or of the form.
        answer_id: likewise.
    """

    kind: str
    person: str
    channel: str
    of: str
    thread: str = ""
    is_in_thread: bool = False
    text: str = ""
    files: dict[str, bytes] = {}
    action: str = ""
    answer_id: str = ""
    at: float = 0.0


class Pressable(Struct, frozen=True, kw_only=True):
    """A button below a message."""

    name: str
    label: str
    answer_id: str


class Page(Struct, frozen=True, kw_only=True):
    """What is open before somebody: text, and with an action a form."""

    text: str
    action: str = ""
    answer_id: str = ""
    channel: str = ""
    thread: str = ""


class Weather(Struct, frozen=True, kw_only=True):
    """How the service does.

    Attributes:
        is_heard: an adapter is connected.
        cuts: how often every connection was broken.
        failing: how many of the next calls fail.
    """

    is_heard: bool = False
    cuts: int = 0
    failing: int = 0
    status: int = 0
    retry_after_s: float | None = None


class PlainWorld(PlainChat):
    """The service with people in it; any number of processes may use it at once.

    Args:
        path: of its file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        for table in _TABLES:
            self._do(table)

    def _do(self, statement: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        # What a killed process wrote is there all the same; only a power cut could lose it.
        with closing(sqlite3.connect(self._path, timeout=20)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            rows = connection.execute(statement, values).fetchall()
            connection.commit()
        return rows

    # --- people ---------------------------------------------------------------------------

    def put_person(self, person: str, groups: Collection[str]) -> None:
        """Let somebody be a member of these groups alone."""
        self._do("INSERT OR REPLACE INTO people VALUES (?, ?)", (person, _encode(sorted(groups))))

    def groups(self, person: str) -> frozenset[str]:
        """Return the groups of somebody."""
        rows = self._do("SELECT groups FROM people WHERE id = ?", (person,))
        return frozenset(json.loads(str(rows[0][0]))) if rows else frozenset()

    def put_channel(self, channel: str, members: Collection[str]) -> None:
        """Let a channel have these members alone."""
        values = channel, _encode(sorted(members))
        self._do("INSERT OR REPLACE INTO channels VALUES (?, ?)", values)

    def members(self, channel: str) -> tuple[str, ...] | None:
        """Return who reads a channel; None where that is not known."""
        if channel.startswith(DIRECT):
            return (channel.removeprefix(DIRECT),)
        rows = self._do("SELECT members FROM channels WHERE id = ?", (channel,))
        return tuple(json.loads(str(rows[0][0]))) if rows else None

    # --- what they do ---------------------------------------------------------------------

    def do(self, happening: Happening) -> Happening:
        """Let something happen; return it with its time, and with the id of what was said."""
        number = self.last() + 1
        of = happening.of or f"m{number}"
        thread = happening.thread
        if not thread and happening.kind in {"said", "asked", "about"}:
            thread = "" if happening.channel.startswith(DIRECT) else of
        done = msgspec.structs.replace(happening, of=of, thread=thread, at=time.time())
        self.redo(done)
        return done

    def redo(self, happening: Happening) -> None:
        """Tell of something, once more or for the first time."""
        self._do("INSERT INTO happenings (what) VALUES (?)", (_encode(happening),))

    def happenings(self, after: int) -> list[tuple[int, Happening]]:
        """Return what happened after the happening with this number, with the numbers."""
        rows = self._do("SELECT id, what FROM happenings WHERE id > ? ORDER BY id", (after,))
        return [
            (int(str(one)), msgspec.json.decode(str(what), type=Happening)) for one, what in rows
        ]

    def last(self) -> int:
        """Return the number of the last happening."""
        return int(str(self._do("SELECT COALESCE(MAX(id), 0) FROM happenings")[0][0]))

    # --- what they see besides messages ---------------------------------------------------

    def put_buttons(self, message_id: str, buttons: Sequence[Pressable]) -> None:
        """Let a message have these buttons."""
        values = message_id, _encode(buttons)
        self._do("INSERT OR REPLACE INTO buttons VALUES (?, ?)", values)

    def buttons(self, message_id: str) -> list[Pressable]:
        """Return the buttons of a message."""
        rows = self._do("SELECT buttons FROM buttons WHERE message = ?", (message_id,))
        return msgspec.json.decode(str(rows[0][0]), type=list[Pressable]) if rows else []

    def open_page(self, person: str, page: Page) -> None:
        """Let somebody see a page, or a form."""
        self._do("INSERT OR REPLACE INTO pages VALUES (?, ?)", (person, _encode(page)))

    def close_page(self, person: str) -> None:
        """Let somebody see no page any more."""
        self._do("DELETE FROM pages WHERE person = ?", (person,))

    def page(self, person: str) -> Page | None:
        """Return what is open before somebody."""
        rows = self._do("SELECT page FROM pages WHERE person = ?", (person,))
        return msgspec.json.decode(str(rows[0][0]), type=Page) if rows else None

    # --- how it does ----------------------------------------------------------------------

    def weather(self) -> Weather:
        """Return how the service does."""
        rows = self._do("SELECT weather FROM weather")
        return msgspec.json.decode(str(rows[0][0]), type=Weather) if rows else Weather()

    def put_weather(self, weather: Weather) -> None:
        """Let the service do like this from now on."""
        self._do("INSERT OR REPLACE INTO weather VALUES (1, ?)", (_encode(weather),))


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()
