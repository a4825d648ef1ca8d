"""What passes between the library and its reading processes.

Frames carry lengths, JSON and UTF-8, never a pickle: a hostile file may have taken over the process
that sends them.
"""

from __future__ import annotations

import json
import signal
import struct
from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import urlsplit

from msgspec import Struct

from citewell.library.splitting import Cut
from citewell.types.documents import Document, Part, PartKind, Place, Placed, RawDocument

LENGTH = struct.Struct(">I")
"""Length of a request, or of the greeting."""

REPLY = struct.Struct(">BII")
"""Status, length of the JSON or message, length of the text."""

READ = 1
REFUSED = 2
RETIRES = 4
"""Added to the status: the process ends after this reply."""

ABSENT = 8
"""A worker of an engine does not find the file; its bytes have to be sent."""

PATIENCE = 4
"""A process that waits instead of computing may take so many times its seconds."""

DEADLINES = frozenset(
    getattr(signal, name) for name in ("SIGALRM", "SIGPROF") if hasattr(signal, name)
)
"""What ends a process that takes too long."""

MAX_REPLY_BYTES = 512 * 1024 * 1024

_KINDS = tuple(PartKind)
_KIND_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


class BrokenReply(Exception):
    """A reading process, or a loader in it, sent what no document can be made of."""


class Reply(Struct, frozen=True):
    """What came of a file: the head and the text of its document, or why there is none."""

    status: int
    head: bytes
    text: bytes

    def frame(self) -> bytes:
        """Return the bytes to send."""
        return REPLY.pack(self.status, len(self.head), len(self.text)) + self.head + self.text


class Request(Struct, frozen=True, kw_only=True):
    """One file to read, and with what.

    Attributes:
        module: that holds `build` and, in `config_module`, the config class.
        origin: file of `module`, for a plugin that is not on the import path.
        config: JSON of the loader's settings.
        passage_chars: what a passage aims at; None for a document that is not to be cut.
        memory_mb: that the process which reads it may allocate, at least.
    """

    id: str
    path: str
    uri: str | None
    loader: str
    module: str
    build: str
    origin: str | None
    config_module: str
    config_class: str
    config: str
    data_dir: str
    base_dir: str
    max_seconds: float
    language: str
    passage_chars: int | None
    memory_mb: int

    def frame(self) -> bytes:
        """Return the bytes to send."""
        fields = [getattr(self, name) for name in self.__struct_fields__]
        payload = json.dumps(fields, separators=(",", ":")).encode()
        return LENGTH.pack(len(payload)) + payload

    @classmethod
    def parse(cls, payload: bytes) -> Request:
        """Return the request in `payload`."""
        return cls(**dict(zip(cls.__struct_fields__, json.loads(payload), strict=True)))


def encode_document(
    document: Document, cuts: Sequence[Cut] | None, *, status: int
) -> tuple[bytes, bytes]:
    """Return head and text of the reply that carries `document`: its parts, or where it is cut."""
    headings: dict[tuple[str, ...], int] = {}
    places = []
    for placed in document.places:
        place = placed.place
        known = headings.setdefault(place.headings, len(headings))
        row: list[object] = [placed.start, known, place.line, place.page, place.anchor]
        rest = [place.slide, place.sheet, place.cell, place.uri]
        if any(one is not None for one in rest):
            row += rest
        places.append(row)
    parts = [
        [_KIND_NUMBERS[part.kind], part.start, part.end, part.header_end, *(part.header or ())]
        for part in (document.parts if cuts is None else ())
    ]
    head = json.dumps(
        [document.title, list(headings), places, parts, cuts or ()], separators=(",", ":")
    ).encode()
    text = document.text.encode("utf-8", "surrogatepass")
    return REPLY.pack(status, len(head), len(text)) + head, text


def encode_refusal(message: str, *, status: int) -> bytes:
    """Return the reply that says why there is no document."""
    payload = message.encode("utf-8", "replace")
    return REPLY.pack(status, len(payload), 0) + payload


def decode_document(
    head: bytes, text: bytes, raw: RawDocument, *, language: str
) -> tuple[Document, tuple[Cut, ...]]:
    """Return the document of a reply, and where it is cut.

    Raises:
        BrokenReply: its places, parts or cuts contradict the text.
    """
    try:
        content = text.decode("utf-8", "surrogatepass")
        title, headings, places, parts, cuts = json.loads(head)
        document = Document(
            id=raw.id,
            title=_string(title),
            text=content,
            places=_places(places, [tuple(map(_string, path)) for path in headings], content, raw),
            parts=_parts(parts, len(content)),
            uri=raw.uri,
            language=language,
        )
        checked = _cuts(cuts, content)
    except (ValueError, TypeError, IndexError, KeyError, RecursionError) as error:
        raise BrokenReply(str(error)) from error
    return document, checked


def _places(
    rows: Sequence[Sequence[object]],
    headings: Sequence[tuple[str, ...]],
    text: str,
    raw: RawDocument,
) -> tuple[Placed, ...]:
    places, length, host = [], len(text), _host(raw.uri)
    before = -1
    for row in rows:
        start, known, line, page, anchor, *rest = row
        slide, sheet, cell, uri = rest or (None, None, None, None)
        start = _number(start)
        if start <= before or (before < 0 < start) or start > length:
            _wrong(f"place at {start} after {before} in a text of {length}")
        before = start
        place = Place(
            page=_optional_number(page),
            slide=_optional_number(slide),
            headings=headings[_number(known)],
            line=_optional_number(line),
            anchor=_optional_string(anchor),
            sheet=_optional_string(sheet),
            cell=_optional_string(cell),
            uri=_own(_optional_string(uri), host),
        )
        places.append(Placed(start, place))
    if not places:
        _wrong("no place at 0")
    return tuple(places)


def _own(uri: str | None, host: tuple[str, str]) -> str | None:
    """Return an address if it is one of the document's host: no file may send people elsewhere."""
    return uri if uri is not None and all(host) and _host(uri) == host else None


def _host(uri: str | None) -> tuple[str, str]:
    try:
        parts = urlsplit(uri or "")
    except ValueError:
        return "", ""
    return parts.scheme.lower(), parts.netloc.lower()


def _parts(rows: Sequence[Sequence[object]], length: int) -> tuple[Part, ...]:
    parts = []
    before = 0
    for kind, *span in rows:
        start, end = _number(span[0]), _number(span[1])
        header_end = _optional_number(span[2])
        if not before <= start <= (start if header_end is None else header_end) <= end <= length:
            _wrong(f"part {start}..{header_end}..{end} after {before} in a text of {length}")
        header = tuple(map(_number, span[3:])) or None
        if header is not None and not (len(header) == 2 and header[0] <= header[1] <= start):
            _wrong(f"header {header} of a part at {start}")
        before = end
        parts.append(
            Part(
                kind=_KINDS[_number(kind)],
                start=start,
                end=end,
                header_end=header_end,
                header=header,
            )
        )
    return tuple(parts)


def _cuts(rows: Sequence[Sequence[object]], text: str) -> tuple[Cut, ...]:
    cuts = []
    before = 0
    for one, other, header in rows:
        start, end = _number(one), _number(other)
        if not before <= start < end <= len(text):
            _wrong(f"passage {start}..{end} after {before} in a text of {len(text)}")
        if _string(header) not in text:
            _wrong(f"a header that is not in the text: {header!r:.40}")
        before = end
        cuts.append(Cut(start, end, _string(header)))
    return tuple(cuts)


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        _wrong(f"{value!r:.40} where a number was expected")
    return value


def _optional_number(value: object) -> int | None:
    return None if value is None else _number(value)


def _string(value: object) -> str:
    if type(value) is not str:
        _wrong(f"{value!r:.40} where a string was expected")
    return value


def _optional_string(value: object) -> str | None:
    return None if value is None else _string(value)


def _wrong(what: str) -> NoReturn:
    raise ValueError(what)
