"""What people think of answers: one vote a person and answer, the last one."""

from __future__ import annotations

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite

from citewell.journal.database import explained, writing
from citewell.journal.records import plain
from citewell.journal.tables import votes


class Vote(Struct, frozen=True, kw_only=True):
    """What somebody thinks of an answer.

    Attributes:
        voter: as `asker_name` tells; random for who was forgotten.
        reason: in their own words, or empty.
        at: in seconds since 1970.
    """

    answer: str
    voter: str
    is_helpful: bool
    reason: str = ""
    at: float


class Counts(Struct, frozen=True, kw_only=True):
    """How many found answers helpful, and how many did not."""

    helpful: int
    unhelpful: int


class Feedback:
    """The votes of a journal. Blocking; call it from a thread when an event loop runs."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, vote: Vote) -> None:
        """Keep a vote in place of an earlier one of the same person; durable on return.

        The reason of before stays where the same is thought again without one.

        Raises:
            JournalError: it could not be kept.
        """
        with writing(self._engine, "a vote could not be kept") as connection:
            put(connection, vote)

    def of_answer(self, answer: str) -> tuple[Vote, ...]:
        """Return the votes on an answer, oldest first."""
        return self._select(votes.c.answer == answer)

    def of_voter(self, voter: str) -> tuple[Vote, ...]:
        """Return the votes of somebody, oldest first."""
        return self._select(votes.c.voter == voter)

    def counts(self, answer: str | None = None) -> Counts:
        """Return how many votes an answer has, or all answers together."""
        is_meant = sa.true() if answer is None else votes.c.answer == answer
        query = (
            sa
            .select(votes.c.is_helpful, sa.func.count())
            .where(is_meant)
            .group_by(votes.c.is_helpful)
        )
        with explained("the votes cannot be read"), self._engine.connect() as connection:
            found = {bool(row[0]): int(row[1]) for row in connection.execute(query)}
        return Counts(helpful=found.get(True, 0), unhelpful=found.get(False, 0))

    def _select(self, which: sa.ColumnElement[bool]) -> tuple[Vote, ...]:
        query = sa.select(votes).where(which).order_by(votes.c.at, votes.c.voter, votes.c.answer)
        with explained("the votes cannot be read"), self._engine.connect() as connection:
            return tuple(Vote(**row) for row in connection.execute(query).mappings())


def put(connection: sa.Connection, vote: Vote) -> None:
    """Do what `Feedback.add` does, within a transaction."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(votes).values(
        answer=vote.answer,
        voter=vote.voter,
        is_helpful=vote.is_helpful,
        reason=plain(vote.reason),
        at=vote.at,
    )
    says_no_more = sa.and_(new.excluded.reason == "", new.excluded.is_helpful == votes.c.is_helpful)
    changed = {
        "is_helpful": new.excluded.is_helpful,
        "reason": sa.case((says_no_more, votes.c.reason), else_=new.excluded.reason),
        "at": new.excluded.at,
    }
    connection.execute(
        new.on_conflict_do_update(
            index_elements=[votes.c.answer, votes.c.voter],
            set_=changed,
            where=votes.c.at <= new.excluded.at,
        )
    )
