"""What passes between a sync and the workers of an engine: a batch of files, and what came of it.

Like the frames of `reading_wire`, lengths, JSON and bytes, never a pickle.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from msgspec import Struct

from citewell.library.reading_wire import LENGTH, REPLY, BrokenReply, Reply, Request


class Sent(Struct, frozen=True, kw_only=True):
    """A file for a worker.

    Attributes:
        content: its bytes; None where the worker is to find it under the path of `request`.
        size: of the file here, in bytes.
        mtime_ns: when it was changed here, in nanoseconds since 1970.
    """

    request: Request
    content: bytes | None
    size: int
    mtime_ns: int


class Task(Struct, frozen=True, kw_only=True):
    """A batch of files.

    Attributes:
        release: of the Citewell that wants them read.
    """

    release: str
    files: tuple[Sent, ...]

    def encode(self) -> bytes:
        """Return the bytes to send."""
        rows = [
            [
                [getattr(file.request, name) for name in Request.__struct_fields__],
                None if file.content is None else len(file.content),
                file.size,
                file.mtime_ns,
            ]
            for file in self.files
        ]
        head = json.dumps([self.release, rows], separators=(",", ":")).encode()
        contents = (file.content or b"" for file in self.files)
        return b"".join((LENGTH.pack(len(head)), head, *contents))

    @classmethod
    def decode(cls, task: bytes) -> Task:
        """Return the batch in `task`."""
        position = LENGTH.size + LENGTH.unpack_from(task)[0]
        release, rows = json.loads(task[LENGTH.size : position])
        files = []
        for fields, length, size, mtime_ns in rows:
            request = Request(**dict(zip(Request.__struct_fields__, fields, strict=True)))
            content = None
            if length is not None:
                content = task[position : position + length]
                position += length
            files.append(Sent(request=request, content=content, size=size, mtime_ns=mtime_ns))
        return cls(release=release, files=tuple(files))


def release() -> str:
    """Return which Citewell this is."""
    return version("citewell")


def encode_replies(replies: Sequence[Reply]) -> bytes:
    """Return the bytes that carry `replies`."""
    return b"".join(reply.frame() for reply in replies)


def decode_replies(frames: bytes, *, count: int) -> tuple[Reply, ...]:
    """Return the `count` replies in `frames`.

    Raises:
        BrokenReply: they are not there, or something else is.
    """
    replies = tuple(_replies(frames))
    if len(replies) != count:
        raise BrokenReply(f"{len(replies)} replies to {count} files")
    return replies


def _replies(frames: bytes) -> Iterator[Reply]:
    position = 0
    while position < len(frames):
        if position + REPLY.size > len(frames):
            raise BrokenReply("half a reply")
        status, head_bytes, text_bytes = REPLY.unpack_from(frames, position)
        middle = position + REPLY.size + head_bytes
        position = middle + text_bytes
        if position > len(frames):
            raise BrokenReply("half a reply")
        yield Reply(status, frames[middle - head_bytes : middle], frames[middle:position])
