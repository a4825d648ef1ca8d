"""Answers that were paid for: kept on the disk, each durable before the next is asked for."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import DecodeError, Struct, ValidationError, to_builtins
from msgspec import json as msgjson

from citewell.errors import CitewellError
from citewell.journal.records import storable
from citewell.types.evaluation import Response

_LAYOUT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    question TEXT NOT NULL,
    arm TEXT NOT NULL,
    response BLOB NOT NULL,
    PRIMARY KEY (question, arm)
) WITHOUT ROWID
"""
_encode = msgjson.Encoder(order="sorted").encode
_decode = msgjson.Decoder(Response).decode


class Key(Struct, frozen=True):
    """What an answer is kept under.

    Attributes:
        question: a hash of all that is asked.
        arm: `Identity.key` of the arm.
    """

    question: str
    arm: str


def question_key(text: str, *, variant: str = "") -> str:
    """Return the first half of a key; `variant` names what was changed in what the arm is shown."""
    return hashlib.sha256(f"{variant}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Answers:
    """The answers in one file; any thread may use them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        # What one thread begins, another one's commit would end.
        self._alone = threading.Lock()

    def add(self, key: Key, response: Response) -> None:
        """Keep an answer; durable on return.

        Raises:
            CitewellError: it could not be written.
        """
        try:
            with self._alone, self._connection:
                self._connection.execute(
                    "INSERT OR REPLACE INTO answers VALUES (?, ?, ?)",
                    (key.question, key.arm, _encoded(response)),
                )
        except sqlite3.Error as error:
            raise CitewellError(f"an answer could not be kept: {error}") from error

    def get(self, key: Key) -> Response | None:
        """Return the answer that is kept under `key`; None for one that cannot be read any more.

        Raises:
            CitewellError: the file cannot be read.
        """
        try:
            with self._alone:
                row = self._connection.execute(
                    "SELECT response FROM answers WHERE question = ? AND arm = ?",
                    (key.question, key.arm),
                ).fetchone()
        except sqlite3.Error as error:
            raise CitewellError(f"the answers that are kept cannot be read: {error}") from error
        if row is None:
            return None
        try:
            return _decode(row[0])
        except (DecodeError, ValidationError):
            return None


def _encoded(response: Response) -> bytes:
    """Return it as JSON; halves of characters, which models and files may give, are replaced."""
    try:
        return _encode(response)
    except UnicodeEncodeError:
        text = json.dumps(to_builtins(response), ensure_ascii=False, sort_keys=True)
        return storable(text).encode()


@contextmanager
def open_answers(path: Path) -> Iterator[Answers]:
    """Open the file of answers, made where there is none.

    Raises:
        CitewellError: it cannot be opened, or is of another kind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise CitewellError(f"{path} cannot be opened: {error}") from error
    try:
        _prepare(connection, path)
        yield Answers(connection)
    finally:
        connection.close()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # An answer that is acknowledged was paid for.
        connection.execute("PRAGMA synchronous = FULL")
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        if layout not in {0, _LAYOUT}:
            raise CitewellError(f"{path} is of a newer Citewell; update Citewell, or delete it")
        with connection:
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {_LAYOUT}")
    except sqlite3.Error as error:
        raise CitewellError(
            f"{path} holds no answers of an evaluation: {error}; delete it, and they are asked for "
            "again"
        ) from error
