"""Compressed content, unpacked no further than is wanted."""

from __future__ import annotations

import zlib

_GZIP, _DEFLATE, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
ENCODINGS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _DEFLATE}
"""What is understood; asked for in `Accept-Encoding`."""

_MOST_MEMBERS = 1000
_HEAD_BYTES = 2


class TooLarge(Exception):
    """There is more content than is wanted."""


class Damaged(Exception):
    """The content cannot be unpacked; says why."""


class Content:
    """Collects content up to a number of bytes, counted after unpacking.

    Attributes:
        data: what came so far.
    """

    def __init__(self, encoding: str, *, most: int) -> None:
        """Take content in the given `Content-Encoding`; at most `most` bytes.

        Raises:
            Damaged: the encoding is not one of those that were asked for.
        """
        if encoding not in {"", "identity", *ENCODINGS}:
            raise Damaged(f"comes in the encoding {encoding[:40]!r}, which was not asked for")
        self.data = bytearray()
        self._most = most
        self._bits = ENCODINGS.get(encoding)
        self._unpacker: zlib._Decompress | None = None
        self._head = b""
        self._members = 0

    def feed(self, piece: bytes) -> None:
        """Take the next piece.

        Raises:
            TooLarge: there is more than is wanted; `data` holds as much as is.
            Damaged: it cannot be unpacked.
        """
        if self._bits is None:
            self._add(piece)
            return
        if self._unpacker is None:
            self._head += piece
            if len(self._head) < _HEAD_BYTES:
                return
            self._unpacker = zlib.decompressobj(_bits(self._bits, self._head))
            piece, self._head = self._head, b""
        while piece:
            piece = self._unpack(piece, self._unpacker)

    def _unpack(self, piece: bytes, unpacker: zlib._Decompress) -> bytes:
        """Unpack some of `piece`, and return what is left of it."""
        try:
            # A length of 0 would mean all of it.
            self._add(unpacker.decompress(piece, self._most + 1 - len(self.data)))
        except zlib.error as error:
            if self._members:
                # What stands behind the last member is no content; other readers pass over it, too.
                return b""
            raise Damaged("its compressed content is damaged") from error
        if not unpacker.eof:
            return unpacker.unconsumed_tail
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise Damaged("its compressed content is in too many pieces")
        self._unpacker = zlib.decompressobj(_GZIP)
        return unpacker.unused_data.lstrip(b"\0")

    def _add(self, piece: bytes) -> None:
        room = self._most - len(self.data)
        self.data += piece[:room]
        if len(piece) > room:
            raise TooLarge


def _bits(bits: int, head: bytes) -> int:
    """Return what `zlib` is told; some servers leave the header of zlib (RFC 1950, 2.2) out."""
    is_zlib = head[0] & 0x0F == zlib.DEFLATED and (head[0] << 8 | head[1]) % 31 == 0
    return _RAW if bits == _DEFLATE and not is_zlib else bits
