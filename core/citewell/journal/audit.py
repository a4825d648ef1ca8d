"""Who did what, in a chain of which no link can be changed or taken out unnoticed.

Source: hash-linked time-stamping (Haber and Stornetta, "How to Time-Stamp a Digital Document",
1991). Whoever can write the whole table can also make a new chain; keep the last hash elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import exc

from citewell.errors import JournalError
from citewell.journal.database import explained
from citewell.journal.records import storable
from citewell.journal.tables import audit

_FIRST = "0" * 64
_TRIES = 50


class Entry(Struct, frozen=True, kw_only=True):
    """One link of the chain."""

    seq: int
    at: float
    actor: str
    action: str
    detail: str
    previous: str
    hash: str


class Audit:
    """The chain of a journal. Blocking; call it from a thread when an event loop runs.

    Args:
        engine: of the journal.
        clock: seconds since 1970.
    """

    def __init__(self, engine: sa.Engine, *, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, action: str, *, actor: str, detail: Mapping[str, object]) -> str:
        """Note what somebody did; durable on return, which is the hash of the entry.

        Raises:
            JournalError: it could not be noted.
        """
        at = self._clock()
        told = storable(json.dumps(detail, ensure_ascii=False, sort_keys=True))
        for _ in range(_TRIES):
            with explained("the audit cannot be written"):
                previous = self.last_hash()
                link = _hash(previous, at, actor, action, told)
                try:
                    with self._engine.begin() as connection:
                        connection.execute(
                            sa.insert(audit).values(
                                at=at,
                                actor=actor,
                                action=action,
                                detail=told,
                                previous=previous,
                                hash=link,
                            )
                        )
                except exc.IntegrityError:
                    # Somebody else wrote the next link meanwhile.
                    continue
            return link
        raise JournalError("the audit cannot be written: others write all the time; try again")

    def last_hash(self) -> str:
        """Return the hash of the last entry; zeros where there is none."""
        newest = sa.select(audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
        with explained("the audit cannot be read"), self._engine.connect() as connection:
            return connection.scalar(newest) or _FIRST

    def entries(self) -> Iterator[Entry]:
        """Yield every entry, in order."""
        with explained("the audit cannot be read"), self._engine.connect() as connection:
            for row in connection.execute(sa.select(audit).order_by(audit.c.seq)):
                yield Entry(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name

    def problem(self) -> str | None:
        """Return where the chain is broken, in one line, or None."""
        previous = _FIRST
        for entry in self.entries():
            if entry.previous != previous:
                return f"entry {entry.seq} does not follow the one before: one was taken out"
            told = entry.at, entry.actor, entry.action, entry.detail
            if entry.hash != _hash(previous, *told):
                return f"entry {entry.seq} was changed after it was written"
            previous = entry.hash
        return None


def _hash(previous: str, at: float, actor: str, action: str, detail: str) -> str:
    told = json.dumps([previous, repr(at), actor, action, detail], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()
