"""What passes between an exporter and the process that works for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from citewell.training import Exported, Exporting


class Job(Struct, frozen=True, kw_only=True):
    """What the process does.

    Attributes:
        kinds: of the files to make.
        base_gguf: file that an adapter is used with, where the user has one.
        name: that files are named after.
        agreement: share of the likeliest tokens that a quantised file has to have in common with
            the unquantised one.
        threads: that compute; None for all processors.
    """

    base: Path
    adapter: Path | None
    samples: Path | None
    out: Path
    kinds: tuple[str, ...]
    base_gguf: Path | None
    name: str
    card: Mapping[str, str]
    agreement: float
    threads: int | None


class Differs(Struct, frozen=True, tag=True):
    """A file is not equal to what was trained."""

    said: str


Told: TypeAlias = Exporting | Exported | Differs


def encoded(message: Job | Told) -> bytes:
    """Return a message as JSON."""
    return msgspec.json.encode(message, enc_hook=str)


def job(message: bytes) -> Job:
    """Return the job in a message."""
    return msgspec.json.decode(message, type=Job, dec_hook=_path)


def told(message: bytes) -> Told:
    """Return what the process tells.

    Raises:
        msgspec.DecodeError: it is nothing that it should tell.
    """
    found: Told = msgspec.json.decode(message, type=Told, dec_hook=_path)
    return found


def _path(kind: type[Any], value: Any) -> Any:
    return kind(value)
