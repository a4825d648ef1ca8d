"""What was said before in a conversation, read from what was kept of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from citewell.journal.arrivals import LOST, State, asked_of, venue_of
from citewell.journal.database import explained
from citewell.journal.inbox import Task
from citewell.journal.names import Person, conversations_of
from citewell.journal.people import rows_of
from citewell.journal.tables import answers, inbox, questions, replies, shown
from citewell.types.chat import Asked, Attachment, Recent, Venue
from citewell.types.documents import PassageRef
from citewell.types.questions import Audience, Turn

_SHARES = 8
_CANNOT_BE_READ = "the conversation cannot be read"


class Remembered(Struct, frozen=True, kw_only=True):
    """What was asked and answered before, and from what.

    Attributes:
        turns: of the asker, and of the assistant.
        passages: all that the answer, or what it continues, may say something of. What is deleted,
            changed, or not to be read any more among them must not come back through the answer.
    """

    turns: tuple[Turn, Turn]
    passages: frozenset[PassageRef]


class Origin(Struct, frozen=True, kw_only=True):
    """The question that an answer is about.

    Attributes:
        seq: of its row.
        asked: as it came; without a user when who asked was forgotten.
        text: what it says now, or the question that it asks again does; None when it is not kept.
        is_withdrawn: it was taken back.
        attachments: that came with it, or with the question that it asks again.
        about: likewise, what somebody else wrote.
        lost_extra: something came with it that is no longer kept.
    """

    seq: int
    asked: Asked
    text: str | None
    is_withdrawn: bool
    attachments: tuple[Attachment, ...] = ()
    about: str = ""
    lost_extra: bool = False

    @property
    def venue(self) -> Venue:
        """Where it was asked."""
        return self.asked.venue

    @property
    def asker(self) -> str:
        """Who asked it, as the service names them; empty when that was forgotten."""
        return self.asked.user


class Conversations:
    """The conversations of a journal. Blocking; call it from a thread when an event loop runs."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def turns(self, task: Task, audience: Audience, *, limit: int) -> tuple[Turn, ...]:
        """Return the turns of `remembered`; whoever uses them has to ask for their passages."""
        found = self.remembered(task, audience, limit=limit)
        return tuple(turn for one in found for turn in one.turns)

    def remembered(self, task: Task, audience: Audience, *, limit: int) -> tuple[Remembered, ...]:
        """Return what was asked and answered before a question, oldest first.

        Only what was answered to the same audience: whoever reads more or less now must not read
        it through what the model remembers. What one person alone was answered only that person is.

        Args:
            task: the question.
            audience: of its answer.
            limit: earlier questions, the last ones.
        """
        asked = task.asked
        earlier = (
            sa
            .select(inbox, questions.c.readers, answers.c.claims, answers.c.notice)
            .add_columns(answers.c.labels, answers.c.passages, answers.c.history)
            .join_from(inbox, replies, replies.c.question == inbox.c.seq)
            .join(answers, answers.c.id == replies.c.answer)
            .join(questions, questions.c.id == answers.c.question_id)
            .where(
                inbox.c.conversation.in_(conversations_of(asked.venue, asked.address.only_for)),
                inbox.c.kind == "asked",
                inbox.c.seq < task.seq,
                inbox.c.is_withdrawn.is_(False),
                inbox.c.text.is_not(None),
                inbox.c.event != "",
                # A change that is not answered yet is no question to that answer.
                replies.c.revision == inbox.c.revision,
                answers.c.is_wiped.is_(False),
            )
            .order_by(inbox.c.seq.desc())
            .limit(limit)
        )
        mine = sorted(sorted(labels) for labels in audience.readers)
        with explained(_CANNOT_BE_READ), self._engine.connect() as connection:
            rows = connection.execute(earlier).all()
            same = [row for row in rows if sorted(row.readers) == mine]
            said = [(row, _text(connection, row)) for row in reversed(same)]
        return tuple(_remembered(row, text) for row, text in said if text)

    def question_of(self, answer: str) -> Origin | None:
        """Return the question that an answer was given to, also before it was changed; or None."""
        with explained(_CANNOT_BE_READ), self._engine.connect() as connection:
            row = _row_of(connection, answer)
            if row is None:
                return None
            try:
                asked = asked_of(row)
                first = _first(connection, row)
                extra = asked if first is None else asked_of(first)
            except msgspec.MsgspecError:
                return None
        return Origin(
            seq=row.seq,
            asked=asked,
            text=None if first is None else first.text,
            is_withdrawn=row.is_withdrawn or (first is not None and first.is_withdrawn),
            attachments=extra.attachments,
            about=extra.about,
            lost_extra=first is not None and first.extra == LOST,
        )

    def recent(self, platform: str, team: str, user: str, limit: int) -> tuple[Recent, ...]:
        """Return what somebody asked last in a team, newest first, as far as it is kept."""
        query = (
            sa
            .select(inbox, replies.c.posted)
            .outerjoin_from(inbox, replies, replies.c.question == inbox.c.seq)
            .where(
                rows_of(Person(platform, team, user)),
                inbox.c.kind == "asked",
                inbox.c.is_withdrawn.is_(False),
                inbox.c.turned_away == "",
                inbox.c.state != State.BROKEN,
                inbox.c.text.is_not(None),
                inbox.c.event != "",
            )
            .order_by(inbox.c.received_at.desc(), inbox.c.seq.desc())
            .limit(limit)
        )
        with explained(_CANNOT_BE_READ), self._engine.connect() as connection:
            rows = connection.execute(query).all()
            said = [(row, _text(connection, row)) for row in rows]
        return tuple(_recent(row, text) for row, text in said if text)

    def takes_part(self, conversation: str) -> bool:
        """Tell whether a question of this conversation was taken in, and not turned away.

        One whose answer one person alone sees makes nobody take part before all.
        """
        taken_in = sa.exists().where(
            inbox.c.conversation == conversation,
            inbox.c.kind == "asked",
            inbox.c.turned_away == "",
        )
        with explained(_CANNOT_BE_READ), self._engine.connect() as connection:
            return bool(connection.scalar(sa.select(taken_in)))


def _row_of(connection: sa.Connection, answer: str) -> sa.Row[Any] | None:
    query = (
        sa
        .select(inbox)
        .join(shown, shown.c.question == inbox.c.seq)
        .where(shown.c.answer == answer)
    )
    return connection.execute(query).first()


def _text(connection: sa.Connection, row: sa.Row[Any]) -> str | None:
    """Return what a question says, or the one that it asks again."""
    first = _first(connection, row)
    return None if first is None or first.is_withdrawn else first.text


def _first(connection: sa.Connection, row: sa.Row[Any]) -> sa.Row[Any] | None:
    """Return the question that one asks again, and so on; the one itself where it asks its own."""
    for _ in range(_SHARES):
        again = (
            "" if row.text or not row.event else msgspec.json.decode(row.event, type=Asked).again
        )
        original = _row_of(connection, again) if again else None
        if original is None:
            return row
        row = original
    return None


def _remembered(row: sa.Row[Any], text: str) -> Remembered:
    labels = frozenset(row.labels)
    claims = [claim for claim in row.claims if claim["shown"]]
    passages = frozenset(_passages(claims, row))
    leant = tuple(sorted(passages, key=lambda one: (one.id, one.content_hash)))
    said = "".join(claim["lead"] + claim["text"] for claim in claims).strip()
    turns = (
        Turn("user", text, labels, leant),
        Turn("assistant", said or row.notice, labels, leant),
    )
    return Remembered(turns=turns, passages=passages)


def _passages(claims: list[Mapping[str, Any]], row: sa.Row[Any]) -> Iterator[PassageRef]:
    """Yield what shown claims cite, and what the answer continues.

    Also all that was given, where a claim does not say what it is of.
    """
    is_said = all(claim["citations"] and claim["supported"] for claim in claims)
    for one in row.history if is_said else (*row.history, *row.passages):
        yield PassageRef(one["id"], one["content_hash"])
    for claim in claims:
        for citation in claim["citations"]:
            yield PassageRef(citation["passage_id"], citation["content_hash"])


def _recent(row: sa.Row[Any], text: str) -> Recent:
    posted = () if row.posted is None else msgspec.json.decode(row.posted, type=tuple[str, ...])
    return Recent(at=row.at, text=text, venue=venue_of(row), posted=posted)
