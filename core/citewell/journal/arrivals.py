"""What becomes of an event in the tables, in the one transaction in which it comes in."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.dialects import postgresql, sqlite

from citewell.journal import feedback
from citewell.journal.database import lock
from citewell.journal.names import ALONE, asker_name, conversation_of, conversations_of
from citewell.journal.records import plain
from citewell.journal.tables import inbox, shown
from citewell.types.chat import (
    Address,
    Asked,
    Attachment,
    Deleted,
    Edited,
    Event,
    Stopped,
    Venue,
    Voted,
)

_encode = msgspec.json.Encoder().encode
_WINDOW_S = 60.0


class State(StrEnum):
    """How far a row of the inbox is.

    A question waits, is leased by a worker, and is done; one that cannot be read is broken. Other
    events are done at once, but for those about a question that is not there yet.
    """

    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    EARLY = "early"
    BROKEN = "broken"


class Limits(Struct, frozen=True, kw_only=True):
    """How much is taken on; 0 is no limit. What is turned away does not count.

    Attributes:
        queue: questions without an outcome, of everybody.
        user_per_minute: questions of one person.
        channel_per_minute: questions in one channel, or direct conversation.
    """

    queue: int = 0
    user_per_minute: int = 0
    channel_per_minute: int = 0


class Extra(Struct, frozen=True):
    """What came with a question and is deleted before its text is."""

    attachments: tuple[Attachment, ...] = ()
    about: str = ""


LOST = '{"lost":true}'
"""Stands in place of an `Extra` that was deleted before the text of its question."""


class Arrival:
    """One event that comes in.

    Args:
        connection: in a transaction that writes.
        event: what came in.
        now: in seconds since 1970.
    """

    def __init__(self, connection: sa.Connection, event: Event, *, now: float) -> None:
        self._connection = connection
        self._event = event
        self._now = now

    def keep(self, limits: Limits) -> bool:
        """Keep the event and what follows from it; False for one that is there already."""
        event = self._event
        if isinstance(event, Asked):
            return self._ask(event, limits)
        if isinstance(event, Edited | Deleted):
            return self._amend(event, limits)
        if self._insert(State.DONE) is None:
            return False
        if isinstance(event, Stopped):
            self._stop(event)
        else:
            self._vote(event)
        return True

    def _ask(self, asked: Asked, limits: Limits) -> bool:
        self._lock_question(asked.venue, asked.key)
        seq = self._insert(State.WAITING)
        if seq is None:
            return False
        if reason := self._over(asked, limits, seq):
            self._set(inbox.c.seq == seq, turned_away=reason)
        early = sa.and_(
            _in_channel(asked.venue), inbox.c.of == asked.key, inbox.c.state == State.EARLY
        )
        in_order = sa.select(inbox).where(early).order_by(inbox.c.at, inbox.c.seq)
        rows = self._connection.execute(in_order).all()
        for row in rows:
            text = row.text or "" if row.kind == _kind(Edited) else None
            self._change(inbox.c.seq == seq, row.at, text)
        if rows:
            self._set(early, state=State.DONE, text=None)
        return True

    def _amend(self, event: Edited | Deleted, limits: Limits) -> bool:
        self._lock_question(event.venue, event.of)
        seq = self._insert(State.DONE)
        if seq is None:
            return False
        question = sa.and_(
            _in_channel(event.venue), inbox.c.key == event.of, inbox.c.kind == _kind(Asked)
        )
        text = plain(event.text) if isinstance(event, Edited) else None
        if self._connection.scalar(sa.select(inbox.c.seq).where(question)) is None:
            self._set(inbox.c.seq == seq, state=State.EARLY, text=text)
        else:
            over = ""
            if isinstance(event, Edited) and (over := self._over_a_minute(event, limits, seq)):
                self._set(inbox.c.seq == seq, turned_away=over)
            self._change(question, event.at, text, over=over)
        return True

    def _stop(self, stopped: Stopped) -> None:
        held = sa.and_(
            inbox.c.conversation.in_(conversations_of(stopped.venue, stopped.user)),
            inbox.c.state == State.LEASED,
        )
        self._set(held, is_stopped=True)

    def _vote(self, voted: Voted) -> None:
        vote = feedback.Vote(
            answer=voted.answer_id,
            voter=asker_name(voted.venue, voted.user),
            is_helpful=voted.helpful,
            reason=voted.reason,
            at=voted.at,
        )
        feedback.put(self._connection, vote)

    # --- rows -----------------------------------------------------------------------------

    def _insert(self, state: State) -> int | None:
        """Return the number of the new row; None when the event is there already."""
        event, connection = self._event, self._connection
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        values = {
            "platform": event.venue.platform,
            "team": event.venue.team,
            "channel": event.venue.channel,
            "key": event.key,
            "kind": _kind(type(event)),
            "conversation": _conversation(event),
            "asker": event.user,
            "event": "",
            "of": event.of if isinstance(event, Edited | Deleted) else None,
            "at": event.at,
            "changed_at": event.at,
            "received_at": self._now,
            "waiting_since": self._now,
            "state": state,
        }
        if isinstance(event, Asked):
            values |= _contents(event)
        new = dialect.insert(inbox).values(values).on_conflict_do_nothing()
        seq: int | None = connection.scalar(new.returning(inbox.c.seq))
        return seq

    def _change(
        self, question: sa.ColumnElement[bool], at: float, text: str | None, *, over: str = ""
    ) -> None:
        """Change a question, or take it back for None, and let it be worked off again.

        A change over a limit is told so in place of an answer; a later one may be answered again.

        Whoever is at it finds out. What was taken back stays so; a change of before the last one
        is past; and of what was deleted here too little is left to answer it again.
        """
        if text is None:
            values: dict[str, Any] = {"is_withdrawn": True}
        else:
            # What was turned away as it came stays so; a change of what was answered need not.
            was_answered = sa.exists().where(shown.c.question == inbox.c.seq)
            left = sa.case((was_answered, ""), else_=inbox.c.turned_away)
            values = {"text": text, "changed_at": at, "turned_away": over or left}
            question = sa.and_(question, inbox.c.changed_at <= at, inbox.c.event != "")
        is_done = inbox.c.state == State.DONE
        self._set(
            sa.and_(question, inbox.c.is_withdrawn.is_(False)),
            revision=inbox.c.revision + 1,
            state=sa.case((is_done, State.WAITING), else_=inbox.c.state),
            waiting_since=sa.case((is_done, self._now), else_=inbox.c.waiting_since),
            **values,
        )

    def _set(self, where: sa.ColumnElement[bool], **values: Any) -> None:
        self._connection.execute(sa.update(inbox).where(where).values(values))

    def _lock_question(self, venue: Venue, key: str) -> None:
        """Let what is about one question come in one after the other."""
        lock(self._connection, "question", venue.platform, venue.team, venue.channel, key)

    # --- limits ---------------------------------------------------------------------------

    def _over(self, asked: Asked, limits: Limits, seq: int) -> str:
        """Return which limit a question is over, or nothing."""
        if over := self._over_a_minute(asked, limits, seq):
            return over
        open_ = sa.and_(
            inbox.c.seq != seq,
            inbox.c.kind == _kind(Asked),
            inbox.c.turned_away == "",
            inbox.c.state.in_((State.WAITING, State.LEASED)),
        )
        return "queue" if limits.queue and self._reaches(open_, limits.queue) else ""

    def _over_a_minute(self, event: Asked | Edited, limits: Limits, seq: int) -> str:
        """Return which limit of a minute a question or a change is over, or nothing.

        It is the minute in which it was said: what comes late, as after an outage, was not said
        all at once.
        """
        venue, until = event.venue, min(event.at, self._now)
        since = until - _WINDOW_S
        lately = sa.and_(
            inbox.c.seq != seq,
            inbox.c.kind.in_((_kind(Asked), _kind(Edited))),
            # A question of which only a change was turned away was taken in before.
            sa.or_(inbox.c.turned_away == "", inbox.c.revision > 0),
            inbox.c.received_at > since,
            inbox.c.at > since,
            sa.or_(inbox.c.at <= until, inbox.c.received_at <= until),
        )
        team = sa.and_(inbox.c.platform == venue.platform, inbox.c.team == venue.team)
        names = venue.platform, venue.team
        for reason, limit, of, counted in (
            ("user", limits.user_per_minute, event.user, inbox.c.asker),
            ("channel", limits.channel_per_minute, venue.channel, inbox.c.channel),
        ):
            if limit:
                # Two at once would not count each other.
                lock(self._connection, reason, *names, of)
                if self._reaches(sa.and_(lately, team, counted == of), limit):
                    return reason
        return ""

    def _reaches(self, where: sa.ColumnElement[bool], limit: int) -> bool:
        found = sa.select(sa.literal(1)).select_from(inbox).where(where).limit(limit).subquery()
        count = self._connection.scalar(sa.select(sa.func.count()).select_from(found))
        return int(count or 0) >= limit


def asked_of(row: sa.Row[Any]) -> Asked:
    """Return the question of a row of the inbox, without its text.

    Of one that was deleted here only where it stood is left, and not who saw the answer.

    Raises:
        msgspec.MsgspecError: the row holds none.
    """
    if not row.event:
        return _left_of(row)
    asked = msgspec.json.decode(row.event, type=Asked)
    if not row.extra:
        return asked
    extra = msgspec.json.decode(row.extra, type=Extra)
    return replace(asked, attachments=extra.attachments, about=extra.about)


def _kind(event: type[Struct]) -> str:
    return str(event.__struct_config__.tag)


def _conversation(event: Event) -> str:
    only_for = event.address.only_for if isinstance(event, Asked) else None
    return conversation_of(event.venue, only_for)


def _in_channel(venue: Venue) -> sa.ColumnElement[bool]:
    return sa.and_(
        inbox.c.platform == venue.platform,
        inbox.c.team == venue.team,
        inbox.c.channel == venue.channel,
    )


def _contents(asked: Asked) -> dict[str, str | None]:
    """Return what is kept of a question: by when it is deleted, in columns of their own."""
    files = tuple(replace(one, name=plain(one.name)) for one in asked.attachments)
    extra = Extra(files, plain(asked.about))
    data = {name: plain(value) for name, value in asked.address.data.items()}
    address = replace(asked.address, data=data)
    bare = replace(asked, text="", attachments=(), about="", address=address)
    return {
        "event": _encode(bare).decode(),
        "text": plain(asked.text),
        "extra": None if extra == Extra() else _encode(extra).decode(),
    }


def venue_of(row: sa.Row[Any]) -> Venue:
    """Return where it was that a row of the inbox is about."""
    _, _, rest = row.conversation.partition(f"{row.platform}/{row.team}/{row.channel}/")
    thread, _, _ = rest.partition(ALONE)
    return Venue(platform=row.platform, team=row.team, channel=row.channel, thread=thread)


def _left_of(row: sa.Row[Any]) -> Asked:
    venue = venue_of(row)
    address = Address(venue=venue)
    return Asked(key=row.key, venue=venue, user=row.asker, at=row.at, text="", address=address)
