"""Forgets people, and what was said long ago, while questions are answered."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from msgspec import Struct

from citewell.journal.arrivals import State
from citewell.journal.audit import Audit
from citewell.journal.database import explained, lock, writing
from citewell.journal.names import ALONE, Person
from citewell.journal.people import pseudonym, questions_of, rows_of
from citewell.journal.tables import (
    accounts,
    answers,
    charges,
    inbox,
    people,
    questions,
    votes,
)
from citewell.journal.wiping import NO_WORDS, SETTLED, wipe_addresses, wipe_answers

_DAY_S = 86_400.0
_BATCH = 200

_Key = TypeVar("_Key", int, str)


class Forgotten(Struct, frozen=True, kw_only=True):
    """How much of somebody, or of long ago, was deleted.

    Attributes:
        messages: rows of the inbox.
        votes: that have nobody's name and no reason any more; they still count.
        in_work: questions that are being answered; their answers are taken back, and the rest of
            them is forgotten then.
    """

    messages: int = 0
    questions: int = 0
    answers: int = 0
    votes: int = 0
    in_work: int = 0


class Forgetting:
    """Deletes from a journal. Blocking; call it from a thread when an event loop runs.

    Args:
        engine: of the journal.
        clock: seconds since 1970.
        batch: rows that one transaction deletes at most of what is old.
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        clock: Callable[[], float] = time.time,
        batch: int = _BATCH,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._batch = batch

    def forget(self, name: str, *, by: str = "citewell") -> Forgotten:
        """Delete what somebody said and who it was; durable on return.

        That there were questions, answers and votes stays, for counting. Done again it deletes
        what came since, and nothing the second time.

        Args:
            name: as `asker_name` tells.
            by: who wants it, for the audit.

        Raises:
            JournalError: nothing was deleted.
        """
        return self._forget(name, by=by)

    def catch_up(self) -> int:
        """Forget what was in work when its asker was forgotten; call it now and then.

        Returns:
            How many people are still waited for.
        """
        waited_for = sa.select(people.c.name, people.c.forget_at).where(
            people.c.forget_at.is_not(None)
        )
        with explained("the journal cannot be read"), self._engine.connect() as connection:
            rows = connection.execute(waited_for).all()
        done = [self._forget(row.name, since=row.forget_at) for row in rows]
        return sum(one.in_work > 0 for one in done)

    def retain(self, days: float) -> Forgotten:
        """Delete what was said longer ago than some days, as far as nobody is at it.

        In small transactions, so that events still come in; one that is interrupted is gone on
        with the next time.
        """
        until = self._clock() - days * _DAY_S
        told = Forgotten(
            messages=self._old_messages(until),
            answers=self._old_answers(until),
            questions=self._old_questions(until),
            votes=self._old_votes(until),
        )
        if told != Forgotten():
            with writing(self._engine, "the audit cannot be written") as connection:
                self._note(connection, "expired", told, by="citewell")
        return told

    # --- a person -------------------------------------------------------------------------

    def _forget(self, name: str, *, by: str = "citewell", since: float | None = None) -> Forgotten:
        """Forget somebody, or the rest of who was forgotten `since` then."""
        until = self._clock() if since is None else since
        mine = sa.and_(rows_of(Person.of(name)), inbox.c.received_at <= until)
        with writing(self._engine, "a person could not be forgotten") as connection:
            lock(connection, "person", name)
            # Nothing of it comes into work, or out of it, until the end.
            connection.execute(sa.select(inbox.c.seq).where(mine).with_for_update()).all()
            withdrawn, in_work = _withdraw(connection, mine)
            asked, answered = _forget_questions(connection, name, mine, until)
            wipe_addresses(connection, sa.and_(mine, inbox.c.state.in_(SETTLED)))
            told = Forgotten(
                questions=asked,
                answers=answered,
                votes=_forget_votes(connection, name) if since is None else 0,
                messages=_wipe_messages(connection, mine, asker=""),
                in_work=in_work,
            )
            _rename_accounts(connection, name)
            # Before a pseudonym is touched, as whoever writes the audit does.
            lock(connection, "audit")
            if in_work:
                _remember_to_forget(connection, name, until)
            else:
                connection.execute(sa.delete(people).where(people.c.name == name))
            if withdrawn or told != Forgotten(in_work=in_work):
                self._note(connection, "forgotten", told, by=by)
        return told

    def _note(self, connection: sa.Connection, action: str, told: Forgotten, *, by: str) -> None:
        counts = {key: getattr(told, key) for key in told.__struct_fields__}
        Audit(self._engine, clock=self._clock).add_within(
            connection, action, actor=by, detail=counts
        )

    # --- long ago -------------------------------------------------------------------------

    def _old_messages(self, until: float) -> int:
        says_something = sa.or_(
            inbox.c.event != "", inbox.c.text.is_not(None), inbox.c.extra.is_not(None)
        )
        old = sa.and_(inbox.c.received_at < until, inbox.c.state.in_(SETTLED), says_something)

        def wipe(connection: sa.Connection, numbers: list[int]) -> int:
            # Once more, as one of them may have been changed, or be in work by now.
            these = sa.and_(inbox.c.seq.in_(numbers), old)
            wipe_addresses(connection, these)
            return _wipe_messages(connection, these)

        return self._each(sa.select(inbox.c.seq).where(old), inbox.c.seq, wipe)

    def _old_answers(self, until: float) -> int:
        old = (
            sa
            .select(answers.c.id)
            .join_from(answers, questions)
            .where(questions.c.asked_at < _moment(until), answers.c.is_wiped.is_(False))
        )
        return self._each(old, answers.c.id, wipe_answers)

    def _old_questions(self, until: float) -> int:
        old = sa.select(questions.c.id).where(
            questions.c.asked_at < _moment(until), questions.c.text != ""
        )

        def wipe(connection: sa.Connection, ids: list[str]) -> int:
            return _run(connection, sa.update(questions).where(questions.c.id.in_(ids)), text="")

        return self._each(old, questions.c.id, wipe)

    def _old_votes(self, until: float) -> int:
        old = sa.and_(votes.c.at < until, votes.c.reason != "")
        with writing(self._engine, "the votes cannot be written") as connection:
            return _run(connection, sa.update(votes).where(old), reason="")

    def _each(
        self,
        query: sa.Select[Any],
        key: sa.ColumnElement[_Key],
        wipe: Callable[[sa.Connection, list[_Key]], int],
    ) -> int:
        """Delete in batches, in the order of the keys, so that no row is looked at twice."""
        count, after = 0, None
        while True:
            page = query if after is None else query.where(key > after)
            with writing(self._engine, "the journal cannot be written") as connection:
                keys = list(connection.scalars(page.order_by(key).limit(self._batch)))
                if not keys:
                    return count
                count += wipe(connection, keys)
            after = keys[-1]


def _moment(at: float) -> str:
    """Return a moment as the table of questions holds it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _run(connection: sa.Connection, update: sa.Update, **values: object) -> int:
    return int(connection.execute(update.values(values)).rowcount)


def _withdraw(connection: sa.Connection, mine: sa.ColumnElement[bool]) -> tuple[int, int]:
    """Let whoever is at questions take the answers back; the address is needed for that.

    Returns:
        How many were not taken back before, and how many there are.
    """
    in_work = sa.and_(mine, inbox.c.kind == "asked", inbox.c.state.not_in(SETTLED))
    withdrawn = _run(
        connection,
        sa.update(inbox).where(in_work, inbox.c.is_withdrawn.is_(False)),
        is_withdrawn=True,
        revision=inbox.c.revision + 1,
    )
    _run(connection, sa.update(inbox).where(in_work), text=None, extra=None)
    count = connection.scalar(sa.select(sa.func.count()).select_from(inbox).where(in_work))
    return withdrawn, int(count or 0)


def _wipe_messages(
    connection: sa.Connection, these: sa.ColumnElement[bool], **values: object
) -> int:
    """Delete what rows of the inbox say, unless somebody is at them."""
    these = sa.and_(these, inbox.c.state.in_(SETTLED))
    if "asker" in values:
        _rename_conversations(connection, these)
    is_early = inbox.c.state == State.EARLY
    return _run(
        connection,
        sa.update(inbox).where(these),
        # Without its words a change has nothing left to wait for.
        state=sa.case((is_early, State.DONE), else_=inbox.c.state),
        **NO_WORDS,
        **values,
    )


def _rename_conversations(connection: sa.Connection, these: sa.ColumnElement[bool]) -> None:
    """Let conversations that somebody alone saw say no more who that was."""
    alone = sa.and_(these, inbox.c.conversation.contains(ALONE))
    names = connection.scalars(sa.select(inbox.c.conversation).where(alone).distinct()).all()
    for name in names:
        place, _, _ = name.partition(ALONE)
        _run(
            connection,
            sa.update(inbox).where(alone, inbox.c.conversation == name),
            conversation=f"{place}{ALONE}forgotten",
        )


def _forget_questions(
    connection: sa.Connection, name: str, mine: sa.ColumnElement[bool], until: float
) -> tuple[int, int]:
    """Delete questions and what was answered, and return how many it were of each."""
    # What was in work may be answered, and kept, after it was forgotten.
    asked = sa.or_(
        sa.and_(questions_of(name), questions.c.asked_at <= _moment(until)),
        questions.c.event.in_(sa.select(inbox.c.seq).where(mine)),
    )
    ids = list(connection.scalars(sa.select(questions.c.id).where(asked)))
    answered = 0
    for some in _parts(ids):
        found = sa.select(answers.c.id).where(answers.c.question_id.in_(some))
        answered += wipe_answers(connection, list(connection.scalars(found)))
        _run(connection, sa.update(questions).where(questions.c.id.in_(some)), text="", asker=None)
    return len(ids), answered


def _forget_votes(connection: sa.Connection, name: str) -> int:
    mine = sa.select(votes.c.answer).where(votes.c.voter == name)
    rows = [
        {"judged": answer, "stranger": f"forgotten-{secrets.token_hex(8)}"}
        for answer in connection.scalars(mine).all()
    ]
    if rows:
        theirs = sa.and_(votes.c.voter == name, votes.c.answer == sa.bindparam("judged"))
        forgotten = sa.update(votes).where(theirs).values(voter=sa.bindparam("stranger"), reason="")
        connection.execute(forgotten, rows)
    return len(rows)


def _rename_accounts(connection: sa.Connection, name: str) -> None:
    """Let what somebody's answers cost be nobody's."""
    # A key is "budget/period/payer".
    ending = accounts.c.key.endswith(f"/{name}", autoescape=True)
    for key in connection.scalars(sa.select(accounts.c.key).where(ending)).all():
        if key.split("/", 2)[2:] != [name]:
            continue
        of_it = charges.c.account == key
        # In the order in which charges are settled.
        connection.execute(sa.select(charges.c.id).where(of_it).with_for_update()).all()
        balance = sa.select(accounts).where(accounts.c.key == key).with_for_update()
        row = connection.execute(balance).one()
        stranger = f"{key.removesuffix(name)}forgotten-{secrets.token_hex(8)}"
        connection.execute(
            sa.insert(accounts).values(key=stranger, spent=row.spent, reserved=row.reserved)
        )
        _run(connection, sa.update(charges).where(of_it), account=stranger)
        connection.execute(sa.delete(accounts).where(accounts.c.key == key))


def _remember_to_forget(connection: sa.Connection, name: str, until: float) -> None:
    known = people.c.id == pseudonym(connection, name)
    is_later = sa.or_(people.c.forget_at.is_(None), people.c.forget_at < until)
    _run(connection, sa.update(people).where(known, is_later), forget_at=until)


def _parts(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the ids in parts that a statement takes."""
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]
