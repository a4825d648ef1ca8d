"""Deletes what was said from the tables, and leaves that something was said."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from citewell.journal.arrivals import State
from citewell.journal.tables import answers, inbox, questions, replies, shown
from citewell.types.chat import Address, Venue

SETTLED = (State.DONE, State.BROKEN, State.EARLY)
"""States of rows that no worker is at, or will be unless they are changed."""

NO_WORDS = {"event": "", "text": None, "extra": None}
"""What a row of the inbox is left with."""

_SAID = ("lead", "text", "raw", "reason")


def wipe_answers(connection: sa.Connection, ids: list[str]) -> int:
    """Delete what answers say; where they cite from stays, and how they came to be.

    Returns:
        How many it were that said something until then.
    """
    said = sa.select(answers.c.id, answers.c.claims).where(
        answers.c.id.in_(ids), answers.c.is_wiped.is_(False)
    )
    rows = [
        {"wiped": row.id, "claims": [claim | dict.fromkeys(_SAID, "") for claim in row.claims]}
        for row in connection.execute(said).all()
    ]
    if rows:
        bare: dict[str, Any] = {"notice": "", "errors": [], "notes": [], "is_wiped": True}
        wiped = sa.update(answers).where(answers.c.id == sa.bindparam("wiped"))
        connection.execute(wiped.values(claims=sa.bindparam("claims"), **bare), rows)
    return len(rows)


def wipe_question(connection: sa.Connection, event: int) -> None:
    """Delete what a question says, and what was answered each time; that it was asked stays."""
    asked = sa.or_(questions.c.event == event, questions.c.id.in_(shown_questions(event)))
    found = sa.select(answers.c.id).join_from(answers, questions).where(asked)
    wipe_answers(connection, list(connection.scalars(found)))
    connection.execute(sa.update(questions).where(asked).values(text=""))


def shown_questions(event: int) -> sa.Select[tuple[str]]:
    """Return what finds the questions whose answers the reply to an event has shown."""
    return (
        sa
        .select(answers.c.question_id)
        .join_from(answers, shown, shown.c.answer == answers.c.id)
        .where(shown.c.question == event)
    )


def wipe_addresses(connection: sa.Connection, of: sa.ColumnElement[bool]) -> None:
    """Delete with what replies were sent and to whom alone; where they stand stays.

    Args:
        connection: in a transaction that writes.
        of: what finds their rows of the inbox.
    """
    query = (
        sa
        .select(replies.c.question, replies.c.address)
        .join_from(replies, inbox, inbox.c.seq == replies.c.question)
        .where(of)
    )
    rows = [
        {"wiped": row.question, "address": bare_address(address.venue)}
        for row in connection.execute(query).all()
        if (address := msgspec.json.decode(row.address, type=Address)) != _bare(address.venue)
    ]
    if rows:
        wiped = sa.update(replies).where(replies.c.question == sa.bindparam("wiped"))
        connection.execute(wiped.values(address=sa.bindparam("address")), rows)


def bare_address(venue: Venue) -> str:
    """Return an address that says no more than the place, as the table of replies holds it."""
    return msgspec.json.encode(_bare(venue)).decode()


def _bare(venue: Venue) -> Address:
    return Address(venue=venue)
