"""A conversation as a file, and as a document in which each message has its own link."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from citewell.composing import DocumentBuilder
from citewell.conversations.messages import Message, plain_text
from citewell.errors import DocumentError
from citewell.types.documents import Document, PartKind, Place, RawDocument

_MOST_TITLE: Final = 80
_FENCE: Final = "```"


class Transcript(Struct, frozen=True):
    """A conversation.

    Attributes:
        title: one line.
        uri: opens it.
        messages: in the order of time.
    """

    title: str
    uri: str
    messages: tuple[Message, ...]

    @classmethod
    def of_thread(cls, channel: str, messages: Sequence[Message], *, title: str = "") -> Transcript:
        """Return a thread, called as people call it, or by how it begins."""
        first = messages[0]
        begin = " ".join((title or first.text).split())
        title = begin if len(begin) <= _MOST_TITLE else f"{begin[: _MOST_TITLE - 1]}…"
        return cls(f"#{channel}: {title}", first.uri, tuple(messages))

    @classmethod
    def of_day(cls, channel: str, day: str, messages: Sequence[Message]) -> Transcript:
        """Return what was said outside threads on one day."""
        return cls(f"#{channel}, {day}", messages[0].uri, tuple(messages))

    def encoded(self) -> bytes:
        """Return the content of a file."""
        return msgspec.json.encode(self)


class TranscriptLoader:
    """Reads the file of a transcript."""

    def load(self, raw: RawDocument) -> Document:
        """Return the text of all messages, each below its author and time."""
        try:
            transcript = msgspec.json.decode(raw.path.read_bytes(), type=Transcript)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise DocumentError("is no transcript of a conversation") from error
        title = " ".join(plain_text(transcript.title).split()) or raw.id
        builder = DocumentBuilder()
        for message in _readable(transcript.messages):
            author = " ".join(plain_text(message.author).split()) or "somebody"
            said = f"{author}, {moment(message.at)}"
            uri = message.uri if _host(message.uri) == _host(raw.uri) else None
            builder.start(PartKind.PARAGRAPH)
            builder.write(f"{said}:\n", place=Place(headings=(title, said), uri=uri))
            _write(builder, _own(plain_text(message.text)))
        return builder.document(raw, title=title)


def moment(at: float) -> str:
    """Return a time in words."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _readable(messages: Iterable[Message]) -> Iterable[Message]:
    return (one for one in messages if 0 <= one.at < _END and plain_text(one.text))


_END: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def _own(text: str) -> str:
    """Return what somebody wrote; lines like those that say who wrote what are marked as quoted."""
    lines = text.splitlines()
    return "\n".join(f"> {line}" if _SAID.search(_folded(line)) else line for line in lines)


_SAID: Final = re.compile(r", *\d{4}-\d\d-\d\d +\d\d:\d\d *utc *:", re.IGNORECASE)
_DASHES: Final = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"))


def _folded(line: str) -> str:
    """Return a line as it looks: without what is not seen, and with one kind of each sign."""
    plain = unicodedata.normalize("NFKC", line).translate(_DASHES)
    seen = "".join(one for one in plain if unicodedata.category(one) != "Cf")
    return " ".join(seen.split())


def _write(builder: DocumentBuilder, text: str) -> None:
    """Write a message; code in fences is a part of its own, so that it is kept whole."""
    for number, piece in enumerate(text.split(_FENCE)):
        is_code = number % 2 == 1
        if number:
            builder.start(PartKind.CODE if is_code else PartKind.PARAGRAPH)
        builder.write(piece.strip("\n") if is_code else piece)


def _host(uri: str | None) -> tuple[str, str] | None:
    try:
        parts = urlsplit(uri or "")
    except ValueError:
        return None
    return (parts.scheme, parts.netloc) if parts.netloc else None
