"""What came in from chat services: kept before it is acknowledged, and worked off exactly once."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.dialects import postgresql, sqlite

from citewell.journal.database import explained
from citewell.journal.records import storable
from citewell.journal.tables import inbox
from citewell.types.chat import Asked, Deleted, Edited, Event, Stopped

_encode = msgspec.json.Encoder().encode


class State(StrEnum):
    """How far a row of the inbox is.

    A question waits, is leased by a worker, and is done. Other events are done at once, but for
    those about a question that is not there yet.
    """

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    EARLY = "early"


class Accepted(StrEnum):
    """What became of an event."""

    NEW = "new"
    DUPLICATE = "duplicate"


class Hold(StrEnum):
    """What a worker finds of the question that it holds.

    LOST means that another worker has it by now, CHANGED that it says something else or was taken
    back, STOPPED that nobody waits for the rest of the answer.
    """

    HELD = "held"
    CHANGED = "changed"
    STOPPED = "stopped"
    LOST = "lost"


class Task(Struct, frozen=True, kw_only=True):
    """A question that is due an outcome.

    Attributes:
        seq: of its row; a later question has a higher one.
        text: what it says now.
        revision: how often it was changed.
        is_withdrawn: it was taken back, so its answer has to go.
        attempts: how often a worker began with it, this time included.
        turned_away: why it is not answered: "queue", "user" or "channel" has too much to do; empty
            where it is.
    """

    seq: int
    asked: Asked
    text: str
    revision: int
    is_withdrawn: bool
    attempts: int
    turned_away: str = ""


class Inbox:
    """The events of a journal. Blocking; call it from a thread when an event loop runs.

    Args:
        engine: of the journal.
        clock: seconds since 1970.
    """

    def __init__(self, engine: sa.Engine, *, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def accept(self, event: Event) -> Accepted:
        """Keep an event; durable on return, so that it can be acknowledged.

        An event that is there already changes nothing. What a change or withdrawal is about is
        worked off again, and a change that comes before its question waits for it.

        Raises:
            JournalError: it could not be kept; do not acknowledge it.
        """
        with explained("an event could not be kept"), self._engine.begin() as connection:
            if not self._insert(connection, event):
                return Accepted.DUPLICATE
            if isinstance(event, Asked):
                self._apply_early(connection, event)
            elif isinstance(event, Edited | Deleted):
                found = self._apply(connection, event)
                if not found:
                    self._set(connection, _in_channel(event, event.key), state=State.EARLY)
            elif isinstance(event, Stopped):
                self._stop(connection, event)
            return Accepted.NEW

    def claim(
        self,
        owner: str,
        *,
        lease_s: float,
        platforms: Collection[str] | None = None,
        turned_away: bool = False,
    ) -> Task | None:
        """Lease the oldest question that may be answered now, or return None.

        Questions of one conversation are leased one after the other. A lease that has run out is
        anybody's.
        """
        if turned_away:
            return None
        now = self._clock()
        mine = sa.true() if platforms is None else inbox.c.platform.in_(platforms)
        earlier = inbox.alias()
        is_next = ~sa.exists().where(
            earlier.c.conversation == inbox.c.conversation,
            earlier.c.seq < inbox.c.seq,
            earlier.c.state.in_((State.WAITING, State.LEASED)),
        )
        free = sa.or_(
            inbox.c.state == State.WAITING,
            sa.and_(inbox.c.state == State.LEASED, inbox.c.lease_until < now),
        )
        candidates = (
            sa.select(inbox.c.seq).where(free, mine, is_next).order_by(inbox.c.seq).limit(8)
        )
        with explained("the inbox cannot be read"), self._engine.begin() as connection:
            for seq in connection.scalars(candidates).all():
                taken = connection.execute(
                    sa
                    .update(inbox)
                    .where(inbox.c.seq == seq, free)
                    .values(
                        state=State.LEASED,
                        owner=owner,
                        lease_until=now + lease_s,
                        attempts=inbox.c.attempts + 1,
                    )
                )
                if taken.rowcount:
                    row = connection.execute(sa.select(inbox).where(inbox.c.seq == seq)).one()
                    return _task(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
        return None

    def renew(self, task: Task, owner: str, *, lease_s: float) -> Hold:
        """Hold a question longer, and tell what became of it."""
        held = sa.and_(_is(task), _held_by(owner))
        with explained("the inbox cannot be written"), self._engine.begin() as connection:
            if not self._set(connection, held, lease_until=self._clock() + lease_s):
                return Hold.LOST
            row = connection.execute(
                sa.select(inbox.c.revision, inbox.c.is_stopped).where(_is(task))
            ).one()
        if row.revision != task.revision:
            return Hold.CHANGED
        return Hold.STOPPED if row.is_stopped else Hold.HELD

    def finish(self, task: Task, owner: str) -> bool:
        """Say that a question has its outcome.

        Returns:
            False when it was changed meanwhile, or is no longer this owner's: that outcome is not
            the last one, and the question waits again or is in other hands.
        """
        held = sa.and_(_is(task), _held_by(owner))
        same = sa.and_(held, inbox.c.revision == task.revision)
        with explained("the inbox cannot be written"), self._engine.begin() as connection:
            if self._set(
                connection, same, state=State.DONE, owner=None, is_stopped=False, attempts=0
            ):
                return True
            free = {"owner": None, "is_stopped": False, "attempts": 0}
            self._set(connection, held, state=State.WAITING, **free)
        return False

    def release(
        self, task: Task, owner: str, *, after_s: float = 0.0, forgive: bool = False
    ) -> None:
        """Give a question back that has no outcome yet, as when the process ends.

        Args:
            task: the question.
            owner: who held it.
            after_s: seconds until it may be claimed again.
            forgive: this time does not count as an attempt.
        """
        with explained("the inbox cannot be written"), self._engine.begin() as connection:
            held = sa.and_(_is(task), _held_by(owner))
            values: dict[str, Any] = {"owner": None}
            if after_s > 0:
                values |= {"state": State.LEASED, "lease_until": self._clock() + after_s}
            else:
                values["state"] = State.WAITING
            if forgive:
                values["attempts"] = inbox.c.attempts - 1
            self._set(connection, held, **values)

    def waiting(self) -> int:
        """Return how many questions have no outcome yet."""
        query = sa.select(sa.func.count()).where(inbox.c.state.in_((State.WAITING, State.LEASED)))
        with explained("the inbox cannot be read"), self._engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    # --- rows -----------------------------------------------------------------------------

    def _insert(self, connection: sa.Connection, event: Event) -> bool:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        is_question = isinstance(event, Asked)
        values = {
            "platform": event.venue.platform,
            "team": event.venue.team,
            "channel": event.venue.channel,
            "key": event.key,
            "kind": type(event).__struct_config__.tag,
            "conversation": event.venue.conversation,
            "asker": event.user,
            "event": storable(_encode(_without_text(event)).decode()),
            "text": _storable(event.text) if isinstance(event, Asked | Edited) else None,
            "of": event.of if isinstance(event, Edited | Deleted) else None,
            "at": event.at,
            "changed_at": event.at,
            "received_at": self._clock(),
            "state": State.WAITING if is_question else State.DONE,
        }
        new = dialect.insert(inbox).values(values).on_conflict_do_nothing()
        return connection.scalar(new.returning(inbox.c.seq)) is not None

    def _apply(self, connection: sa.Connection, event: Edited | Deleted) -> bool:
        """Change the question that the event is about; False when there is none."""
        question = _in_channel(event, event.of)
        found = connection.execute(
            sa.select(inbox.c.changed_at, inbox.c.is_withdrawn).where(question)
        ).one_or_none()
        if found is None:
            return False
        if isinstance(event, Deleted):
            self._change(connection, question, is_withdrawn=True)
        elif event.at >= found.changed_at and not found.is_withdrawn:
            self._change(connection, question, text=_storable(event.text), changed_at=event.at)
        return True

    def _apply_early(self, connection: sa.Connection, asked: Asked) -> None:
        """Apply what came about a question before it came itself, in the order of its clock."""
        early = sa.and_(
            inbox.c.platform == asked.venue.platform,
            inbox.c.team == asked.venue.team,
            inbox.c.channel == asked.venue.channel,
            inbox.c.of == asked.key,
            inbox.c.state == State.EARLY,
        )
        rows = connection.execute(sa.select(inbox).where(early).order_by(inbox.c.at)).all()
        for row in rows:
            event = msgspec.json.decode(row.event, type=Edited | Deleted)
            if isinstance(event, Edited):
                event = replace(event, text=row.text or "")
            self._apply(connection, event)
        if rows:
            self._set(connection, early, state=State.DONE)

    def _change(
        self, connection: sa.Connection, question: sa.ColumnElement[bool], **values: Any
    ) -> None:
        """Change a question, and let it be worked off again; whoever is at it finds out."""
        self._set(
            connection,
            question,
            revision=inbox.c.revision + 1,
            state=sa.case((inbox.c.state == State.DONE, State.WAITING), else_=inbox.c.state),
            **values,
        )

    def _stop(self, connection: sa.Connection, event: Stopped) -> None:
        held = sa.and_(
            inbox.c.conversation == event.venue.conversation, inbox.c.state == State.LEASED
        )
        self._set(connection, held, is_stopped=True)

    @staticmethod
    def _set(connection: sa.Connection, where: sa.ColumnElement[bool], **values: Any) -> int:
        return int(connection.execute(sa.update(inbox).where(where).values(values)).rowcount)


def _is(task: Task) -> sa.ColumnElement[bool]:
    return inbox.c.seq == task.seq


def _held_by(owner: str) -> sa.ColumnElement[bool]:
    return sa.and_(inbox.c.owner == owner, inbox.c.state == State.LEASED)


def _in_channel(event: Event, key: str) -> sa.ColumnElement[bool]:
    """Return what finds the event `key` of the channel in which `event` happened."""
    venue = event.venue
    return sa.and_(
        inbox.c.platform == venue.platform,
        inbox.c.team == venue.team,
        inbox.c.channel == venue.channel,
        inbox.c.key == key,
    )


def _storable(text: str) -> str:
    """Return a text as every database takes it: PostgreSQL refuses NUL."""
    return storable(text).replace("\0", "\ufffd")


def _without_text(event: Event) -> Event:
    """Return the event without what somebody wrote, which stands in a column of its own."""
    return replace(event, text="") if isinstance(event, Asked | Edited) else event


def _task(row: Mapping[Any, Any]) -> Task:
    return Task(
        seq=row[inbox.c.seq],
        asked=msgspec.json.decode(row[inbox.c.event], type=Asked),
        text=row[inbox.c.text] or "",
        revision=row[inbox.c.revision],
        is_withdrawn=row[inbox.c.is_withdrawn],
        attempts=row[inbox.c.attempts],
    )
