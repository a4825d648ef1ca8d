"""What is wrong with training data: where, what was expected, and what mends it."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from citewell.redaction import redact


class Concern(StrEnum):
    """What a problem is about."""

    FILE = "file"
    JSON = "json"
    TABLE = "table"
    SCHEMA = "schema"
    FIELD = "field"
    ROLE = "role"
    ORDER = "order"
    EMPTY = "empty"
    CONTROL = "control"
    LENGTH = "length"
    LEFT_OUT = "left-out"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near-duplicate"
    SECRET = "secret"  # noqa: S105 - the name of a concern
    PERSONAL = "personal"
    LEAK = "leak"
    NUMBER = "number"


WARNINGS = frozenset({
    Concern.LEFT_OUT,
    Concern.DUPLICATE,
    Concern.NEAR_DUPLICATE,
    Concern.PERSONAL,
    Concern.NUMBER,
})
"""What can be meant so; everything else keeps a row from being trained on."""


class Problem(Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    Attributes:
        line: from 1; 0 where the whole file is meant.
        field: of the row, like `messages[2].role`; empty where the whole row is meant.
        said: what is wrong.
        expected: what would be right.
        fix: what mends it.
        is_end: what stands behind it was not read.
    """

    file: Path
    line: int = 0
    field: str = ""
    concern: Concern
    said: str
    expected: str
    fix: str
    is_end: bool = False

    @property
    def is_error(self) -> bool:
        """Whether it keeps the row from being trained on."""
        return self.concern not in WARNINGS

    @property
    def text(self) -> str:
        """All of it in one line."""
        where = f"line {self.line}: " if self.line else ""
        field = f"{self.field}: " if self.field else ""
        return f"{self.file}: {where}{field}{self.said}; expected {self.expected}: {self.fix}"


# What is as long and holds digits may be a key, wherever it stands.
_KEY = re.compile(r"(?=\S*\d)\S{16,}")


def shown(value: object, *, most: int = 40) -> str:
    """Return a value as a message may quote it: cut, and without what may be a secret."""
    text = _KEY.sub("***", redact(" ".join(str(value).split())))
    return text if len(text) <= most else f"{text[:most]}..."


def named(value: object) -> str:
    """Return what a value is in the words of JSON."""
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list() | tuple():
            return "a list"
        case _:
            return "an object"
