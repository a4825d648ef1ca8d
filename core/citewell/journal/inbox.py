"""What came in from chat services: kept before it is acknowledged, and worked off exactly once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from citewell.journal.arrivals import LOST, Arrival, Limits, State, asked_of
from citewell.journal.database import clock_of, explained, lock, try_lock, writing
from citewell.journal.names import conversation_of
from citewell.journal.tables import inbox, replies
from citewell.journal.turns import IN_WORK, is_busy, is_held, may_be_leased
from citewell.journal.wiping import bare_address, wipe_question
from citewell.types.chat import Asked, Event

__all__ = ["Accepted", "Depths", "Hold", "Inbox", "Limits", "State", "Task"]

log = logging.getLogger(__name__)

_PAGE = 16
_HOUR_S = 3_600.0
_OPEN = (*IN_WORK, State.EARLY, State.BROKEN)


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
        attempts: how often a worker began with it since it had its last outcome, this time
            included.
        lease: tells this lease of the question from every other one.
        turned_away: the limit that it is over, "user", "channel" or "queue"; or empty.
        due_since: when it was asked, or changed after its last outcome; seconds since 1970.
        lost_extra: something came with it that is no longer kept.
    """

    seq: int
    asked: Asked
    text: str
    revision: int
    is_withdrawn: bool
    attempts: int
    lease: int = 0
    turned_away: str = ""
    due_since: float = 0.0
    lost_extra: bool = False


class Depths(Struct, frozen=True, kw_only=True):
    """How much there is in the inbox that is not done.

    Attributes:
        rows: by state, also where there are none; those that are done are left out.
        turned_away: how many of those that wait or are leased are over a limit.
        oldest_s: for how long the oldest has waited that is not over a limit; 0 when none waits.
    """

    rows: Mapping[State, int]
    turned_away: int
    oldest_s: float


class Inbox:
    """The events of a journal. Blocking; call it from a thread when an event loop runs.

    Args:
        engine: of the journal.
        clock: seconds since 1970; None for that of the database, which all machines share.
        limits: over which a question is turned away; None for none.
        keep_questions: False deletes what a question says once it has its outcome.
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        clock: Callable[[], float] | None = None,
        limits: Limits | None = None,
        keep_questions: bool = True,
    ) -> None:
        self._engine = engine
        self._clock = clock or time.time
        self._shared_clock = (lambda _: clock()) if clock else clock_of
        self._limits = limits or Limits()
        self._keep_questions = keep_questions

    def accept(self, event: Event) -> Accepted:
        """Keep an event; durable on return, so that it can be acknowledged.

        An event that is there already changes nothing. What a change or withdrawal is about is
        worked off again, and a change that comes before its question waits for it. A question over
        a limit is kept too, to be told so.

        Raises:
            JournalError: it could not be kept; do not acknowledge it.
        """
        with writing(self._engine, "an event could not be kept") as connection:
            is_new = Arrival(connection, event, now=self._clock()).keep(self._limits)
        return Accepted.NEW if is_new else Accepted.DUPLICATE

    # --- work -----------------------------------------------------------------------------

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
        anybody's. A question that cannot be read is set aside, and logged.

        Args:
            owner: who leases it.
            lease_s: seconds until it is anybody's.
            platforms: only questions of these; None for all.
            turned_away: only questions over a limit, in whatever order, and the first time, unless
                they were changed, also beside others of their conversation; else only the others.
        """
        kind = inbox.c.turned_away != "" if turned_away else inbox.c.turned_away == ""
        if platforms is not None:
            kind = sa.and_(kind, inbox.c.platform.in_(platforms))
        after = 0
        while found := self._candidates(kind, after):
            for after, conversation in found:
                with writing(self._engine, "the inbox cannot be written") as connection:
                    # Two replicas would not see each other take two questions of one conversation.
                    if not try_lock(connection, "conversation", conversation):
                        continue
                    taken = self._take(connection, after, owner, lease_s)
                if taken is not None:
                    return taken
        return None

    def renew(self, task: Task, owner: str, *, lease_s: float) -> Hold:
        """Hold a question longer, and tell what became of it.

        A lease that has run out is lost, also when only another question of the conversation was
        begun with since.
        """
        conversation = conversation_of(task.asked.venue, task.asked.address.only_for)
        with writing(self._engine, "the inbox cannot be written") as connection:
            lock(connection, "conversation", conversation)
            now = self._shared_clock(connection)
            row = connection.execute(
                sa
                .update(inbox)
                .where(is_held(task, owner), sa.or_(inbox.c.lease_until >= now, ~is_busy(now)))
                .values(lease_until=now + lease_s)
                .returning(inbox.c.revision, inbox.c.is_stopped)
            ).one_or_none()
        if row is None:
            return Hold.LOST
        if row.revision != task.revision:
            return Hold.CHANGED
        return Hold.STOPPED if row.is_stopped else Hold.HELD

    def finish(self, task: Task, owner: str) -> bool:
        """Say that a question has its outcome.

        Returns:
            False when it was changed meanwhile, or is no longer this owner's: that outcome is not
            the last one, and the question waits again or is in other hands.
        """
        held = is_held(task, owner)
        free = {"owner": None, "lease_until": None, "is_stopped": False, "attempts": 0}
        done: dict[str, Any] = {"state": State.DONE, **free}
        if task.is_withdrawn:
            done |= {"text": None, "extra": None, "event": ""}
        elif not self._keep_questions:
            done |= {"text": None, "extra": _without_extra()}
        with writing(self._engine, "the inbox cannot be written") as connection:
            is_done = _set(connection, sa.and_(held, inbox.c.revision == task.revision), **done)
            if is_done and task.is_withdrawn:
                wipe_question(connection, task.seq)
                address = bare_address(task.asked.venue)
                is_reply = replies.c.question == task.seq
                connection.execute(sa.update(replies).where(is_reply).values(address=address))
            if not is_done:
                _set(
                    connection,
                    held,
                    state=State.WAITING,
                    waiting_since=self._clock(),
                    **free,
                )
        return bool(is_done)

    def release(
        self, task: Task, owner: str, *, after_s: float = 0.0, forgive: bool = False
    ) -> None:
        """Give a question back that has no outcome yet.

        Args:
            task: the question.
            owner: who leased it.
            after_s: seconds until it may be leased again; what follows it waits as long.
            forgive: this attempt does not count, as when the process ends.
        """
        with writing(self._engine, "the inbox cannot be written") as connection:
            _set(
                connection,
                is_held(task, owner),
                state=State.WAITING,
                owner=None,
                lease_until=None,
                not_before=self._shared_clock(connection) + after_s if after_s > 0 else 0.0,
                attempts=inbox.c.attempts - (1 if forgive else 0),
            )

    # --- upkeep ---------------------------------------------------------------------------

    def waiting(self) -> int:
        """Return how many questions have no outcome yet."""
        query = sa.select(sa.func.count()).where(inbox.c.state.in_(IN_WORK))
        with explained("the inbox cannot be read"), self._engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    def depths(self) -> Depths:
        """Return how much there is to do, for whoever watches it."""
        is_over = inbox.c.turned_away != ""
        query = (
            sa
            .select(
                inbox.c.state,
                is_over.label("is_over"),
                sa.func.count().label("number"),
                sa.func.min(inbox.c.waiting_since).label("since"),
            )
            # Named one by one, as the index finds them, and not what is done.
            .where(inbox.c.state.in_(_OPEN))
            .group_by(inbox.c.state, is_over)
        )
        with explained("the inbox cannot be read"), self._engine.connect() as connection:
            found = connection.execute(query).all()
        rows: dict[State, int] = dict.fromkeys(_OPEN, 0)
        turned_away, oldest_s = 0, 0.0
        for row in found:
            rows[State(row.state)] += row.number
            if row.is_over and row.state in IN_WORK:
                turned_away += row.number
            elif row.state == State.WAITING:
                oldest_s = max(0.0, self._clock() - row.since)
        return Depths(rows=rows, turned_away=turned_away, oldest_s=oldest_s)

    def expire(self, *, early_s: float = _HOUR_S, extra_s: float = 24 * _HOUR_S) -> int:
        """Delete what is no longer needed; call it now and then.

        Args:
            early_s: for how long a change waits for its question.
            extra_s: for how long attachments, and what somebody else wrote, are kept for a
                question that has its outcome, and may be changed.

        Returns:
            How many rows it was.
        """
        now = self._clock()
        early = sa.and_(inbox.c.state == State.EARLY, inbox.c.received_at < now - early_s)
        extra = sa.and_(
            inbox.c.extra != LOST,
            inbox.c.state == State.DONE,
            inbox.c.received_at < now - extra_s,
        )
        with writing(self._engine, "the inbox cannot be written") as connection:
            expired = _set(connection, early, state=State.DONE, text=None)
            return expired + _set(connection, extra, extra=LOST)

    # --- rows -----------------------------------------------------------------------------

    def _candidates(self, kind: sa.ColumnElement[bool], after: int) -> list[tuple[int, str]]:
        with explained("the inbox cannot be read"), self._engine.connect() as connection:
            query = (
                sa
                .select(inbox.c.seq, inbox.c.conversation)
                .where(kind, inbox.c.seq > after, may_be_leased(self._shared_clock(connection)))
                .order_by(inbox.c.seq)
                .limit(_PAGE)
            )
            return [(row.seq, row.conversation) for row in connection.execute(query)]

    def _take(self, connection: sa.Connection, seq: int, owner: str, lease_s: float) -> Task | None:
        now = self._shared_clock(connection)
        row = connection.execute(
            sa
            .update(inbox)
            .where(inbox.c.seq == seq, may_be_leased(now))
            .values(
                state=State.LEASED,
                owner=owner,
                lease_until=now + lease_s,
                lease=inbox.c.lease + 1,
                attempts=inbox.c.attempts + 1,
            )
            .returning(inbox)
        ).one_or_none()
        if row is None:
            return None
        try:
            return _task(row)
        except msgspec.MsgspecError as error:
            _set(connection, inbox.c.seq == seq, state=State.BROKEN, owner=None)
            log.error("question %d cannot be read, and is set aside: %s", seq, error)  # noqa: TRY400 - a traceback says no more
            return None


def _set(connection: sa.Connection, where: sa.ColumnElement[bool], **values: Any) -> int:
    return int(connection.execute(sa.update(inbox).where(where).values(values)).rowcount)


def _without_extra() -> sa.ColumnElement[str | None]:
    return sa.case((inbox.c.extra.is_(None), None), else_=LOST)


def _task(row: sa.Row[Any]) -> Task:
    return Task(
        seq=row.seq,
        asked=asked_of(row),
        text=row.text or "",
        revision=row.revision,
        is_withdrawn=row.is_withdrawn,
        attempts=row.attempts,
        lease=row.lease,
        turned_away=row.turned_away,
        due_since=row.waiting_since,
        lost_extra=row.extra == LOST,
    )
