"""Whose turn it is: what finds the questions that may be leased, and those that are held."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from citewell.journal.arrivals import State
from citewell.journal.tables import inbox

if TYPE_CHECKING:
    from citewell.journal.inbox import Task

IN_WORK = (State.WAITING, State.LEASED)


def may_be_leased(now: float) -> sa.ColumnElement[bool]:
    """Return what finds questions that nobody is at, and that are their conversation's turn."""
    is_free = sa.or_(
        sa.and_(inbox.c.state == State.WAITING, inbox.c.not_before <= now),
        sa.and_(inbox.c.state == State.LEASED, inbox.c.lease_until < now),
    )
    other = inbox.alias()
    is_other = sa.and_(
        other.c.conversation == inbox.c.conversation,
        other.c.kind == "asked",
        other.c.state.in_(IN_WORK),
        other.c.turned_away == "",
    )
    is_behind = sa.exists().where(is_other, other.c.seq < inbox.c.seq)
    is_beside = sa.exists().where(is_other, other.c.seq != inbox.c.seq, other.c.lease > 0)
    # What is turned away gets a word, not an answer, so it need not wait for what came before; and
    # before its first lease nothing can have been posted for it. Later, or where it was changed,
    # what was posted is looked for, and that must not be an answer that was begun, whether or not
    # somebody is at that now.
    is_over = inbox.c.turned_away != ""
    has_turn = sa.or_(
        sa.and_(is_over, inbox.c.lease == 0, inbox.c.revision == 0),
        sa.and_(is_over, ~is_beside, ~is_busy(now)),
        sa.and_(~is_over, ~is_behind, ~is_busy(now)),
    )
    return sa.and_(is_free, has_turn)


def is_busy(now: float) -> sa.ColumnElement[bool]:
    """Return what finds questions of whose conversation somebody is at another one.

    A service may not tell whose a message is that was begun and not finished, so of one
    conversation only one reply is shown, or found again, at a time.
    """
    other = inbox.alias()
    may_have_begun = sa.or_(other.c.turned_away == "", other.c.lease > 1, other.c.revision > 0)
    return sa.exists().where(
        other.c.conversation == inbox.c.conversation,
        other.c.kind == "asked",
        other.c.seq != inbox.c.seq,
        other.c.state == State.LEASED,
        other.c.lease_until >= now,
        may_have_begun,
    )


def is_held(task: Task, owner: str) -> sa.ColumnElement[bool]:
    """Return what finds a question while this lease of it holds."""
    return sa.and_(
        inbox.c.seq == task.seq,
        inbox.c.state == State.LEASED,
        inbox.c.owner == owner,
        inbox.c.lease == task.lease,
    )
