"""What passes between a component and its process: MessagePack in frames that carry their length.

Never a pickle: a hostile model file may have taken over the process that sends them.
"""

from __future__ import annotations

import struct
from typing import TypeAlias

import msgspec
from msgspec import Struct

LENGTH = struct.Struct(">I")
"""Bytes of the frame that follows."""

MAX_FRAME_BYTES = 64 * 1024 * 1024


class Load(Struct, frozen=True, kw_only=True, tag="load"):
    """The first frame: which model to load, and how.

    Attributes:
        model: path of the ONNX file.
        tokenizer: path of its tokenizer.
        stamp: of the model; it is refused when it is another file by now.
        output: name of the output that is used; None for the first.
        pooling: how the vectors of a text's tokens become one; None for a model that scores pairs.
        max_tokens: that are computed together.
        threads: that compute; None for all processors.
    """

    model: str
    tokenizer: str
    stamp: tuple[int, int, int]
    output: str | None
    pooling: str | None
    max_tokens: int
    threads: int | None


class Compute(Struct, frozen=True, kw_only=True, tag="compute"):
    """Turn texts into vectors, or pairs into scores.

    Attributes:
        texts: each is one, or the passage of a pair.
        question: the other half of each pair.
    """

    id: int
    texts: tuple[str, ...]
    question: str | None = None


class Loaded(Struct, frozen=True, tag="loaded"):
    """The model is ready, and gives rows of this width."""

    width: int


class Computed(Struct, frozen=True, kw_only=True, tag="computed"):
    """What `id` asked for.

    Attributes:
        rows: float32[texts, width], row after row, in the byte order of this machine.
    """

    id: int
    rows: bytes


class Failed(Struct, frozen=True, kw_only=True, tag="failed"):
    """What `id` asked for cannot be had; id 0: the model cannot be loaded."""

    id: int = 0
    reason: str


ToChild: TypeAlias = Load | Compute
FromChild: TypeAlias = Loaded | Computed | Failed

_to_child = msgspec.msgpack.Decoder(ToChild)
_from_child = msgspec.msgpack.Decoder(FromChild)


def frame(message: ToChild | FromChild) -> bytes:
    """Return the bytes that carry `message`."""
    payload = msgspec.msgpack.encode(message)
    return LENGTH.pack(len(payload)) + payload


def to_child(payload: bytes) -> ToChild:
    """Return the message of the parent in `payload`."""
    message: ToChild = _to_child.decode(payload)
    return message


def from_child(payload: bytes) -> FromChild:
    """Return the message of the child in `payload`.

    Raises:
        msgspec.DecodeError: it is none.
    """
    message: FromChild = _from_child.decode(payload)
    return message
