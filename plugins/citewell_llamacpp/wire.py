"""What passes between the model and its worker process: JSON in frames that carry their length.

Never a pickle: a hostile model file may have taken over the process that sends them.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import TypeAlias

import msgspec
from msgspec import Struct

LENGTH = struct.Struct(">I")
"""Bytes of the frame that follows."""

CHUNK = 64
"""Tokens of a prompt that are computed together, and reused together."""

MAX_FRAME_BYTES = 64 * 1024 * 1024


class File(Struct, frozen=True):
    """A file in one of its states.

    Attributes:
        stamp: what differs once the file is written or replaced.
    """

    path: str
    stamp: tuple[int, int, int, int]

    @classmethod
    def at(cls, path: Path) -> File:
        """Return the file at `path` as it is now.

        Raises:
            OSError: there is none.
        """
        found = path.stat()
        stamp = found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
        return cls(os.fspath(path), stamp)

    @property
    def is_unchanged(self) -> bool:
        """Whether the file is still as it was when this was made."""
        try:
            return File.at(Path(self.path)) == self
        except OSError:
            return False


class Load(Struct, frozen=True, kw_only=True, tag="load"):
    """The first frame: which model to load, and how.

    Attributes:
        context: tokens of one conversation, prompt and answer.
        slots: conversations whose prompts are kept.
        threads: that compute; None for half of the processors, and all of them for prompts.
        template: Jinja that takes the place of the file's own chat template.
        batches: decode several answers in one step.
        pooling: with a name, the model embeds texts and writes none; how the vectors of a text's
            tokens become one: "mean", "cls", "last", or "file" for what the file says.
        plain: compute without the fastest kernels.
        proof: JSON text of what the file has to do to be loaded; empty for nothing.
    """

    file: File
    context: int
    slots: int
    threads: int | None
    gpu_layers: int
    template: str | None = None
    batches: bool = False
    pooling: str | None = None
    plain: bool = False
    proof: str = ""


class Message(Struct, frozen=True):
    """One message of a chat."""

    role: str
    content: str


class Generate(Struct, frozen=True, kw_only=True, tag="generate"):
    """Write an answer.

    Attributes:
        adapter: the LoRA adapter to compute with, or None.
        form: Unicode form that the prompt is brought into for it.
        highest: with a number, marks may carry 1 to it; 0 allows none; None leaves marks free.
        choices: what the output must be one of.
        schema: JSON text of the JSON Schema that the output must satisfy.
        top_p: of the most likely tokens as many are drawn from as have this probability together.
    """

    id: int
    messages: tuple[Message, ...]
    adapter: File | None = None
    form: str = ""
    highest: int | None = None
    choices: tuple[str, ...] = ()
    schema: str | None = None
    max_output_tokens: int
    temperature: float
    top_p: float = 1.0
    seed: int
    stop: tuple[str, ...] = ()


class Adapt(Struct, frozen=True, tag="adapt"):
    """Load a LoRA adapter, so that answers can use it.

    Attributes:
        proof: JSON text of what the model has to do with it; empty for nothing.
        computes: whether it was tried with this file of its base, so that numbers can be compared.
        form: Unicode form that text is brought into for it; the file of the base may not say it.
    """

    id: int
    adapter: File
    proof: str = ""
    computes: bool = True
    form: str = ""


class Embed(Struct, frozen=True, tag="embed"):
    """Turn texts into vectors."""

    id: int
    texts: tuple[str, ...]


class Cancel(Struct, frozen=True, tag="cancel"):
    """Stop what `id` asked for; its last reply follows all the same."""

    id: int


class Loaded(Struct, frozen=True, kw_only=True, tag="loaded"):
    """The model is ready.

    Attributes:
        context: tokens of one conversation; the file may allow fewer than were asked for.
    """

    context: int


class Adapted(Struct, frozen=True, tag="adapted"):
    """The adapter that `id` asked for can be used."""

    id: int


class Piece(Struct, frozen=True, tag="piece"):
    """The next characters of the answer `id`."""

    id: int
    text: str


class TooLong(Struct, frozen=True, kw_only=True, tag="too-long"):
    """The prompt of `id` has `tokens` tokens, and no more than `limit` fit; nothing was written."""

    id: int
    tokens: int
    limit: int


class Done(Struct, frozen=True, kw_only=True, tag="done"):
    """The answer `id` is complete.

    Attributes:
        finish: "stop", "length" or "cancelled".
        reused_tokens: of the prompt, those that were computed for an earlier one.
    """

    id: int
    finish: str
    input_tokens: int
    reused_tokens: int
    output_tokens: int


class Embedded(Struct, frozen=True, kw_only=True, tag="embedded"):
    """The vectors that `id` asked for.

    Attributes:
        vectors: float32[texts, dimension], row after row, in the byte order of this machine.
    """

    id: int
    dimension: int
    vectors: bytes


class Failed(Struct, frozen=True, kw_only=True, tag="failed"):
    """What `id` asked for cannot be had, or not to its end; id 0: the model cannot be loaded."""

    id: int = 0
    reason: str


ToChild: TypeAlias = Load | Adapt | Generate | Embed | Cancel
FromChild: TypeAlias = Loaded | Adapted | Piece | TooLong | Done | Embedded | Failed

_to_child = msgspec.json.Decoder(ToChild)
_from_child = msgspec.json.Decoder(FromChild)


def frame(message: ToChild | FromChild) -> bytes:
    """Return the bytes that carry `message`."""
    payload = msgspec.json.encode(message)
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
