"""What the trainer and its process tell each other, as JSON."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from citewell.training import Estimate, Saved, Started, Stepped, TrainingTask, Validated


class Order(Struct, frozen=True, kw_only=True):
    """What the process is to do.

    Attributes:
        settings: of the trainer, as JSON.
        chat_template: file of one, in place of the model's own.
        resume: go on, where there is something to go on from.
        measures: some steps alone, in `task.out`, which is removed afterwards.
    """

    task: TrainingTask
    settings: str
    chat_template: Path | None = None
    resume: bool = False
    measures: bool = False


class Measured(Struct, frozen=True, tag=True):
    """What some steps took."""

    estimate: Estimate


class Learned(Struct, frozen=True, kw_only=True, tag=True):
    """The adapter is whole, and has to be given its name; see `Trained`."""

    step: int
    stopped_early: str


FromChild: TypeAlias = Started | Stepped | Validated | Saved | Measured | Learned


def _from_plain(kind: type[Any], value: Any) -> Any:
    return kind(value)


_orders = msgspec.json.Decoder(Order, dec_hook=_from_plain)
_messages: msgspec.json.Decoder[FromChild] = msgspec.json.Decoder(FromChild)


def line(message: Order | FromChild) -> bytes:
    """Return a message as one line, without its end."""
    return msgspec.json.encode(message, enc_hook=os.fspath)


def to_order(encoded: bytes) -> Order:
    """Return what `line` made of an order."""
    return _orders.decode(encoded)


def to_message(encoded: bytes) -> FromChild:
    """Return what `line` made of a message of the process.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _messages.decode(encoded)
