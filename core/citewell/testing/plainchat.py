"""A chat service of nothing but text, kept in one file, and the adapter that speaks to it.

It is real enough to be killed: what was posted is there when the next process looks.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import msgspec
from msgspec import Struct

from citewell.blocks import (
    Actions,
    Block,
    Code,
    Heading,
    Inline,
    Json,
    Mark,
    NearestList,
    Notice,
    Quote,
    SourceList,
    Table,
    Text,
)
from citewell.chatting import Host
from citewell.errors import DeliveryError
from citewell.types.chat import Address, Asked, Attachment, Deleted, Edited, Event

_POLL_S = 0.02
_EVENTS = "CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT)"
_TABLE = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT, thread TEXT, key TEXT, text TEXT,
    only_for TEXT, is_complete INTEGER, edits TEXT, is_deleted INTEGER DEFAULT 0
)
"""


class Posted(Struct, frozen=True, kw_only=True):
    """A message of the bot.

    Attributes:
        key: of the reply that it belongs to.
        is_complete: nothing more comes.
        edits: what it said before, a JSON list.
    """

    id: str
    channel: str
    thread: str
    key: str
    text: str
    only_for: str | None
    is_complete: bool
    edits: str
    is_deleted: bool


class PlainChat:
    """The service; any number of processes may use it at once.

    Args:
        path: of its file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._do(_TABLE)
        self._do(_EVENTS)

    def tell(self, event: Event) -> None:
        """Let something happen, of which whoever is connected hears."""
        told = msgspec.json.encode(event).decode()
        self._do("INSERT INTO events (event) VALUES (?)", (told,))

    def told(self, after: int) -> list[tuple[int, Event]]:
        """Return what happened after the event with this number, with the numbers."""
        rows = self._do("SELECT id, event FROM events WHERE id > ? ORDER BY id", (after,))
        return [
            (int(str(number)), msgspec.json.decode(str(event), type=Event))
            for number, event in rows
        ]

    def post(self, address: Address, key: str, text: str, *, complete: bool) -> str:
        """Post a message and return its id."""
        venue = address.venue
        return str(
            self._do(
                "INSERT INTO messages (channel, thread, key, text, only_for, is_complete, edits) "
                "VALUES (?, ?, ?, ?, ?, ?, '[]') RETURNING id",
                (venue.channel, venue.thread, key, text, address.only_for, complete),
            )[0][0]
        )

    def edit(self, message_id: str, text: str, *, complete: bool) -> None:
        """Let a message say something else."""
        self._do(
            "UPDATE messages SET edits = json_insert(edits, '$[#]', text), text = ?, "
            "is_complete = ? WHERE id = ?",
            (text, complete, message_id),
        )

    def delete(self, message_id: str) -> None:
        """Take a message back."""
        self._do("UPDATE messages SET is_deleted = 1 WHERE id = ?", (message_id,))

    def messages(self, *, key: str | None = None, deleted: bool = False) -> list[Posted]:
        """Return what stands there, in order."""
        rows = self._do(
            "SELECT CAST(id AS TEXT), channel, thread, key, text, only_for, is_complete, edits, "
            "is_deleted FROM messages WHERE (? IS NULL OR key = ?) AND (? OR NOT is_deleted) "
            "ORDER BY id",
            (key, key, deleted),
        )
        names = Posted.__struct_fields__
        found = [dict(zip(names, row, strict=True)) for row in rows]
        return msgspec.convert(found, list[Posted], strict=False)

    def _do(self, statement: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self._path, timeout=20)) as connection:
            rows = connection.execute(statement, values).fetchall()
            connection.commit()
        return rows


class PlainAdapter:
    """Speaks to a `PlainChat`.

    Args:
        service: the chat.
        platform: as its section is called.
        max_chars: of one message.
        members: by channel and by person, the groups of each distinct reader.
        refuses: told each text before it is posted or changed; may raise a `DeliveryError`.
        pace_s: seconds between two changes of a reply.
        forgets: what one person alone sees cannot be changed once its reply is given up, as after
            a restart.
    """

    def __init__(  # noqa: PLR0913 - each is one way in which services differ
        self,
        service: PlainChat,
        *,
        platform: str = "plain",
        max_chars: int = 500,
        members: Mapping[str, frozenset[frozenset[str]]] | None = None,
        refuses: Callable[[str], None] = lambda _text: None,
        pace_s: float = 0.0,
        forgets: bool = False,
    ) -> None:
        self.service = service
        self.statuses: list[str] = []
        self._forgets = forgets
        self.pace_s = pace_s
        self._max_chars = max_chars
        self.platform = platform
        self.is_connected = False
        self._members = {} if members is None else members
        self.refuses = refuses

    def fits(self, blocks: Sequence[Block], address: Address) -> bool:  # noqa: ARG002 - alike everywhere
        """Tell whether the text of these blocks is short enough."""
        return len(plain_text(blocks)) <= self._max_chars

    async def serve(self, host: Host) -> None:
        """Hand over what happens, from the first event of all on."""
        self.is_connected, last = True, 0
        try:
            while True:
                for number, event in self.service.told(last):
                    await host.accept(event)
                    last = number
                await asyncio.sleep(_POLL_S)
        finally:
            self.is_connected = False

    async def open_reply(self, address: Address, key: str) -> PlainReply:
        """Begin a reply."""
        return self._reply(address, key, ())

    async def find_reply(
        self,
        address: Address,
        key: str,
        posted: Sequence[str],  # noqa: ARG002 - this chat is looked through
    ) -> PlainReply | None:
        """Return the reply with this key, with what was posted of it."""
        found = tuple(message.id for message in self.service.messages(key=key))
        if found and self._forgets and address.only_for is not None:
            return None
        return self._reply(address, key, found)

    def _reply(self, address: Address, key: str, posted: tuple[str, ...]) -> PlainReply:
        return PlainReply(self, address, key, posted)

    async def readers(self, address: Address, groups: Collection[str]) -> frozenset[frozenset[str]]:
        """Return who reads the channel, or is the one who does."""
        place = address.only_for or address.venue.channel
        known = self._members.get(place, frozenset({frozenset()}))
        return frozenset(reader.intersection(groups) for reader in known)

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        """Return what the reference itself says."""
        content = attachment.ref.encode()
        if len(content) > max_bytes:
            raise DeliveryError(f"larger than {max_bytes} bytes", passes=False)
        return content

    async def changed(self, asked: Asked) -> Edited | Deleted | None:  # noqa: ARG002 - who changes it tells
        """Return None: who changes a question tells an event."""
        return None

    async def missed(self, _since: float) -> AsyncIterator[Event]:
        """Yield nothing: this service keeps no questions."""
        nothing: tuple[Event, ...] = ()
        for event in nothing:
            yield event


class PlainReply:
    """A reply in a `PlainChat`."""

    def __init__(
        self, adapter: PlainAdapter, address: Address, key: str, posted: tuple[str, ...]
    ) -> None:
        self.posted = posted
        self._adapter = adapter
        self._service = adapter.service
        self._address = address
        self._key = key

    async def status(self, text: str) -> None:
        """Keep what would be shown."""
        self._adapter.statuses.append(text)

    async def show(self, messages: Sequence[Sequence[Block]], *, complete: bool) -> None:
        """Post what is not there yet, change what is, and delete what is too much."""
        for at, blocks in enumerate(messages):
            text = plain_text(blocks)
            self._adapter.refuses(text)
            if at < len(self.posted):
                self._service.edit(self.posted[at], text, complete=complete)
            else:
                added = self._service.post(self._address, self._key, text, complete=complete)
                self.posted = (*self.posted, added)
        for surplus in self.posted[len(messages) :]:
            self._service.delete(surplus)
        self.posted = self.posted[: len(messages)]

    async def withdraw(self) -> None:
        """Delete what is there."""
        for message_id in self.posted:
            self._service.delete(message_id)


def plain_text(blocks: Sequence[Block]) -> str:
    """Return blocks as text: all their characters, marks in brackets."""
    return "\n\n".join(map(_text, blocks))


def _text(block: Block) -> str:
    match block:
        case Text(inlines, marker):
            return f"{marker} {_inlines(inlines)}" if marker else _inlines(inlines)
        case Heading(inlines, level):
            return f"{'#' * level} {_inlines(inlines)}"
        case Code(text):
            return f"```\n{text}\n```"
        case Json(text) | Notice(text):
            return text
    return _listed(block)


def _listed(block: Block) -> str:
    match block:
        case Table(header, rows):
            return "\n".join(" | ".join(map(_inlines, row)) for row in (header, *rows))
        case Quote(citation):
            return citation.quote
        case SourceList(sources):
            return "\n".join(f"[{one.number}] {one.citations[0].title}" for one in sources)
        case NearestList(nearest):
            return "\n".join(f"- {one.title}" for one in nearest)
        case Actions(actions):
            return " ".join(f"({one.label})" for one in actions)
    raise DeliveryError(f"no way to show {type(block).__name__}", passes=False)


def _inlines(inlines: Sequence[Inline]) -> str:
    return "".join(f"[{one.number}]" if isinstance(one, Mark) else one.text for one in inlines)
