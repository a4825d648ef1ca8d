"""Who did what, in a chain of which no link can be changed or taken out unnoticed.

Source: hash-linked time-stamping (Haber and Stornetta, "How to Time-Stamp a Digital Document",
1991). Whoever can write the whole table can also make a new chain; keep the last hash elsewhere.

People stand in it under pseudonyms, so that who is forgotten is gone from it and the chain holds.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from citewell.journal.database import explained, lock, writing
from citewell.journal.people import pseudonym
from citewell.journal.records import storable
from citewell.journal.tables import audit, people

_FIRST = "0" * 64


class Entry(Struct, frozen=True, kw_only=True):
    """One link of the chain.

    Attributes:
        actor: the pseudonym of who did it.
        name: who that is; None when it was forgotten.
    """

    seq: int
    at: float
    actor: str
    name: str | None
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

    def add(
        self, action: str, *, actor: str, detail: Mapping[str, object], about: str | None = None
    ) -> str:
        """Note what somebody did; durable on return, which is the hash of the entry.

        Args:
            action: what was done.
            actor: who did it, as `asker_name` tells, or a part of Citewell.
            detail: what else is to be known; nothing that names a person.
            about: to whom it was done, likewise.

        Raises:
            JournalError: it could not be noted.
        """
        with writing(self._engine, "the audit cannot be written") as connection:
            told = dict(detail)
            lock(connection, "audit")
            if about is not None:
                told["about"] = pseudonym(connection, about)
            return self.add_within(connection, action, actor=actor, detail=told)

    def add_once(self, action: str, *, actor: str, detail: Mapping[str, object]) -> bool:
        """Note what can be done once only; False where it was done before.

        Raises:
            JournalError: it could not be noted.
        """
        same = sa.and_(audit.c.action == action, audit.c.detail == _told(detail))
        with writing(self._engine, "the audit cannot be written") as connection:
            lock(connection, "audit")
            if connection.scalar(sa.select(sa.exists().where(same))):
                return False
            self.add_within(connection, action, actor=actor, detail=detail)
        return True

    def has(self, action: str, detail: Mapping[str, object]) -> bool:
        """Tell whether this was done."""
        same = sa.and_(audit.c.action == action, audit.c.detail == _told(detail))
        with explained("the audit cannot be read"), self._engine.connect() as connection:
            return bool(connection.scalar(sa.select(sa.exists().where(same))))

    def add_within(
        self, connection: sa.Connection, action: str, *, actor: str, detail: Mapping[str, object]
    ) -> str:
        """Do what `add` does, as a part of a transaction that writes."""
        # The next link is made when this one is there.
        lock(connection, "audit")
        at = self._clock()
        told = _told(detail)
        hidden = pseudonym(connection, actor)
        previous: str = connection.scalar(_newest()) or _FIRST
        link = _hash(previous, at, hidden, action, told)
        connection.execute(
            sa.insert(audit).values(
                at=at, actor=hidden, action=action, detail=told, previous=previous, hash=link
            )
        )
        return link

    def last_hash(self) -> str:
        """Return the hash of the last entry; zeros where there is none."""
        with explained("the audit cannot be read"), self._engine.connect() as connection:
            newest: str | None = connection.scalar(_newest())
        return newest or _FIRST

    def entries(self) -> Iterator[Entry]:
        """Yield every entry, in order."""
        query = (
            sa
            .select(audit, people.c.name)
            .outerjoin_from(audit, people, people.c.id == audit.c.actor)
            .order_by(audit.c.seq)
        )
        with explained("the audit cannot be read"), self._engine.connect() as connection:
            for row in connection.execute(query).mappings():
                yield Entry(**row)

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


def _told(detail: Mapping[str, object]) -> str:
    return storable(json.dumps(detail, ensure_ascii=False, sort_keys=True))


def _newest() -> sa.Select[Any]:
    return sa.select(audit.c.hash).order_by(audit.c.seq.desc()).limit(1)


def _hash(previous: str, at: float, actor: str, action: str, detail: str) -> str:
    told = json.dumps([previous, repr(at), actor, action, detail], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()
