"""The pseudonyms under which people stand in the audit, and what a person may see of theirs."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from citewell.journal.arrivals import asked_of
from citewell.journal.database import explained
from citewell.journal.feedback import Feedback
from citewell.journal.names import Person
from citewell.journal.tables import answers, audit, inbox, people, questions, replies, shown


def pseudonym(connection: sa.Connection, name: str) -> str:
    """Return under which name somebody stands in the audit; random, so only a row here tells."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(people).values(id=secrets.token_hex(16), name=name)
    connection.execute(new.on_conflict_do_nothing())
    known = sa.select(people.c.id).where(people.c.name == name)
    return str(connection.scalar(known))


def rows_of(person: Person | None) -> sa.ColumnElement[bool]:
    """Return what finds the rows of the inbox that came from somebody."""
    if person is None:
        return sa.false()
    return sa.and_(
        inbox.c.platform == person.platform,
        inbox.c.team == person.team,
        inbox.c.asker == person.user,
    )


def questions_of(name: str) -> sa.ColumnElement[bool]:
    """Return what finds the questions that somebody asked, also where it is not said in full."""
    answered = (
        sa
        .select(answers.c.question_id)
        .join_from(answers, shown, shown.c.answer == answers.c.id)
        .join(inbox, inbox.c.seq == shown.c.question)
        .where(rows_of(Person.of(name)))
    )
    came = sa.select(inbox.c.seq).where(rows_of(Person.of(name)))
    return sa.or_(
        questions.c.asker == name, questions.c.id.in_(answered), questions.c.event.in_(came)
    )


class People:
    """Whom the journal knows. Blocking; call it from a thread when an event loop runs."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def export(self, name: str) -> dict[str, Any]:
        """Return everything that is kept of somebody, as JSON can hold it.

        Args:
            name: as `asker_name` tells.
        """
        votes = Feedback(self._engine).of_voter(name)
        with explained("the journal cannot be read"), self._engine.connect() as connection:
            return {
                "name": name,
                "messages": _messages(connection, Person.of(name)),
                "questions": _questions(connection, name),
                "votes": [msgspec.to_builtins(one) for one in votes],
                "audit": _entries(connection, name),
            }


def _messages(connection: sa.Connection, person: Person | None) -> list[dict[str, Any]]:
    """Return what came in from somebody, with the reply to each question."""
    query = (
        sa
        .select(inbox, replies.c.state.label("reply"), replies.c.posted, replies.c.address)
        .outerjoin_from(inbox, replies, replies.c.question == inbox.c.seq)
        .where(rows_of(person))
        .order_by(inbox.c.seq)
    )
    return [_message(row) for row in connection.execute(query)]


def _message(row: sa.Row[Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "kind": row.kind,
        "key": row.key,
        "of": row.of,
        "platform": row.platform,
        "team": row.team,
        "channel": row.channel,
        "at": row.at,
        "received_at": row.received_at,
        "text": row.text,
        "is_withdrawn": row.is_withdrawn,
        "turned_away": row.turned_away,
        "reply": None,
    }
    if row.kind == "asked":
        try:
            asked = msgspec.to_builtins(asked_of(row))
        except msgspec.MsgspecError:
            asked = {}
        for key in ("venue", "address", "attachments", "about", "again"):
            told[key] = asked.get(key)
    if row.reply is not None:
        told["reply"] = {"state": row.reply, "posted": msgspec.json.decode(row.posted)}
    return told


def _questions(connection: sa.Connection, name: str) -> list[dict[str, Any]]:
    query = (
        sa
        .select(questions, answers)
        .outerjoin_from(questions, answers, answers.c.question_id == questions.c.id)
        .where(questions_of(name))
        .order_by(questions.c.asked_at, questions.c.id, answers.c.id)
    )
    told: dict[str, dict[str, Any]] = {}
    for row in connection.execute(query).mappings():
        question = told.setdefault(
            row[questions.c.id],
            {
                "id": row[questions.c.id],
                "asked_at": row[questions.c.asked_at],
                "text": row[questions.c.text],
                "profile": row[questions.c.profile],
                "readers": row[questions.c.readers],
                "answers": [],
            },
        )
        if row[answers.c.id] is not None:
            answer = {column.name: row[column] for column in answers.columns}
            question["answers"].append(answer)
    return list(told.values())


def _entries(connection: sa.Connection, name: str) -> list[dict[str, Any]]:
    """Return what somebody did by the audit, and what was done about them."""
    known = connection.scalar(sa.select(people.c.id).where(people.c.name == name))
    if known is None:
        return []
    # The pseudonym is random, so it stands nowhere by chance.
    theirs = sa.or_(audit.c.actor == known, audit.c.detail.contains(known))
    rows = connection.execute(sa.select(audit).where(theirs).order_by(audit.c.seq))
    return [
        {
            "at": row.at,
            "action": row.action,
            "did_it": row.actor == known,
            "detail": msgspec.json.decode(row.detail),
        }
        for row in rows
    ]
