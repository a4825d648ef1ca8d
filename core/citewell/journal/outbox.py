"""What was said in chat services: each question has one reply, which a restart finds again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from enum import StrEnum

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite

from citewell.journal.database import explained, writing
from citewell.journal.inbox import Task
from citewell.journal.tables import inbox, replies, shown
from citewell.types.chat import Address


class Stage(StrEnum):
    """How far a reply is."""

    OPENED = "opened"
    STREAMING = "streaming"
    FINAL = "final"
    WITHDRAWN = "withdrawn"


class ReplyRecord(Struct, frozen=True, kw_only=True):
    """A reply, as it was last known.

    Attributes:
        question: row of the inbox.
        key: stable, so that the service or a look back can tell a repetition.
        posted: what the service calls its messages, the first one first.
        revision: of the question that it answers.
        answer: id of the answer that it shows; None before there is one.
        repeats: how often it had to be said again where the first one cannot be changed.
    """

    question: int
    key: str
    address: Address
    posted: tuple[str, ...]
    stage: Stage
    revision: int
    answer: str | None
    repeats: int


class Outbox:
    """The replies of a journal. Blocking; call it from a thread when an event loop runs.

    Args:
        engine: of the journal.
        clock: seconds since 1970.
    """

    def __init__(self, engine: sa.Engine, *, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def open(self, task: Task, address: Address) -> tuple[ReplyRecord, bool]:
        """Return the reply of a question, and whether it was there before.

        Durable on return, so before anything is posted: one that was there before may have been
        posted, also when it names no message.
        """
        with writing(self._engine, "the outbox cannot be written") as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            new = dialect.insert(replies).values(
                question=task.seq,
                key=secrets.token_hex(12),
                address=msgspec.json.encode(address).decode(),
                state=Stage.OPENED,
                revision=task.revision,
                opened_at=self._clock(),
            )
            new = new.on_conflict_do_nothing().returning(replies.c.question)
            is_new = connection.scalar(new) is not None
            row = connection.execute(sa.select(replies).where(replies.c.question == task.seq)).one()
        return _record(row), not is_new

    def note(
        self,
        task: Task,
        *,
        posted: tuple[str, ...],
        stage: Stage,
        answer: str | None = None,
        repeated: bool = False,
    ) -> bool:
        """Keep what is known of a reply; durable on return.

        At its end a reply shows `answer`, or none; before, it shows what it did until then.

        Returns:
            False when the question is in other hands by now: they know better, and nothing was
            written.
        """
        values: dict[str, object] = {
            "posted": msgspec.json.encode(posted).decode(),
            "state": stage,
            "revision": task.revision,
            "repeats": replies.c.repeats + (1 if repeated else 0),
        }
        if answer is not None or stage in {Stage.FINAL, Stage.WITHDRAWN}:
            values["answer"] = answer
        # Held until the end, so that whoever takes the question over reads what is written here.
        mine = sa.select(inbox.c.lease).where(inbox.c.seq == task.seq).with_for_update(read=True)
        with writing(self._engine, "the outbox cannot be written") as connection:
            if connection.scalar(mine) != task.lease:
                return False
            reply = sa.update(replies).where(replies.c.question == task.seq).values(values)
            if not connection.execute(reply).rowcount:
                return False
            if answer is not None:
                dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
                new = dialect.insert(shown).values(answer=answer, question=task.seq)
                connection.execute(new.on_conflict_do_nothing())
        return True

    def of_answer(self, answer: str) -> ReplyRecord | None:
        """Return the reply that shows an answer, or did before its question was changed."""
        query = (
            sa
            .select(replies)
            .join(shown, shown.c.question == replies.c.question)
            .where(shown.c.answer == answer)
        )
        with explained("the outbox cannot be read"), self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else _record(row)


def _record(row: sa.Row[tuple[object, ...]]) -> ReplyRecord:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name
    return ReplyRecord(
        question=values["question"],
        key=values["key"],
        address=msgspec.json.decode(values["address"], type=Address),
        posted=msgspec.json.decode(values["posted"], type=tuple[str, ...]),
        stage=Stage(values["state"]),
        revision=values["revision"],
        answer=values["answer"],
        repeats=values["repeats"],
    )
