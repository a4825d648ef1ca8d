"""What passes between a judge and its process: JSON, a line each.

The process runs code of others, so what it sends is believed no further than these forms.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import Struct

LONGEST_LINE = 64 * 1024 * 1024
"""In bytes."""


class Begin(Struct, frozen=True, kw_only=True):
    """The first line: what judges, and by which measure."""

    library: str
    measure: str


class Case(Struct, frozen=True, kw_only=True):
    """What is judged; `Scored` or `Failed` comes back, with any number of `Asks` before it.

    Attributes:
        expected: the answer that is known to be right.
    """

    question: str
    answer: str = ""
    passages: tuple[str, ...] = ()
    expected: str = ""


class Said(Struct, frozen=True):
    """What the model says; with a reason instead where it says nothing."""

    text: str = ""
    failed: str = ""


class Ready(Struct, frozen=True, kw_only=True, tag="ready"):
    """The package is imported.

    Attributes:
        version: of the package.
        is_walled: the process has no network at all, whatever runs in it.
    """

    version: str
    is_walled: bool


class Asks(Struct, frozen=True, kw_only=True, tag="asks"):
    """The model is to be asked; `Said` goes back.

    Attributes:
        schema: a JSON Schema, which the text has to satisfy.
    """

    prompt: str
    schema: dict[str, object]


class Scored(Struct, frozen=True, kw_only=True, tag="scored"):
    """The number."""

    score: float


class Failed(Struct, frozen=True, kw_only=True, tag="failed"):
    """There is no number, or, instead of `Ready`, no package."""

    reason: str
    is_missing: bool = False


class Refused(Struct, frozen=True, kw_only=True, tag="refused"):
    """Something in the process tried to reach the network or to start a program, in vain."""

    what: str


FromChild: TypeAlias = Ready | Asks | Scored | Failed | Refused
ToChild: TypeAlias = Begin | Case | Said

_from_child = msgspec.json.Decoder(FromChild)


def line(message: ToChild) -> bytes:
    """Return the line that carries `message`."""
    return msgspec.json.encode(message) + b"\n"


def from_child(read: bytes) -> FromChild:
    """Return the message in a line of the child's.

    Raises:
        msgspec.DecodeError: it is none.
    """
    message: FromChild = _from_child.decode(read)
    return message
