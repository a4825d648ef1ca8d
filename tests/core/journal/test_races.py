"""What comes in at the same time ends as it would one after the other."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager

import pytest

from chats import VENUE, asked, deleted, edited
from citewell.journal.arrivals import Arrival
from citewell.journal.database import try_lock, writing
from citewell.journal.inbox import Accepted, Inbox, Limits

LEASE = {"lease_s": 30}


@contextmanager
def coming_in(engine, event):
    """Keep an event in a transaction that is committed on leaving."""
    with writing(engine, "it could not be kept") as connection:
        assert Arrival(connection, event, now=1_000_000.0).keep(Limits())
        yield


def together(engine, inbox, first, second):
    """Let two events come in, the second of which begins before the first one is committed."""
    with ThreadPoolExecutor(1) as pool:
        with coming_in(engine, first):
            other = pool.submit(inbox.accept, second)
            with pytest.raises(NotYet):
                other.result(0.3)
        assert other.result(10) is Accepted.NEW


@pytest.mark.parametrize("early", [edited(), deleted()], ids=["edited", "deleted"])
@pytest.mark.parametrize("question_first", [True, False])
def test_a_change_that_comes_with_its_question_is_applied(engine, inbox, early, question_first):
    first, second = (asked(), early) if question_first else (early, asked())
    together(engine, inbox, first, second)

    task = inbox.claim("a", **LEASE)
    assert task.revision == 1
    assert task.is_withdrawn or task.text == "How many hours?"
    assert inbox.finish(task, "a")
    assert inbox.waiting() == 0


@pytest.mark.parametrize("newer_first", [True, False])
def test_of_two_changes_at_once_the_later_one_holds(engine, inbox, newer_first):
    inbox.accept(asked())
    older, newer = edited("2", text="older", at=2.0), edited("3", text="newer", at=3.0)
    first, second = (newer, older) if newer_first else (older, newer)
    together(engine, inbox, first, second)

    assert inbox.claim("a", **LEASE).text == "newer"


# SQLite lets one write at a time.
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_two_replicas_never_lease_two_questions_of_a_conversation(engine, clock):
    inbox = Inbox(engine, clock=clock)
    inbox.accept(asked("1"))
    inbox.accept(asked("2"))
    with writing(engine, "a replica") as connection:
        assert try_lock(connection, "conversation", VENUE.conversation)
        assert inbox.claim("b", **LEASE) is None

    assert inbox.claim("b", **LEASE).asked.key == "1"
    assert inbox.claim("c", **LEASE) is None


def test_limits_hold_for_questions_that_come_at_once(engine, clock):
    inbox = Inbox(engine, clock=clock, limits=Limits(user_per_minute=5, channel_per_minute=7))

    def ask(number):
        inbox.accept(asked(str(number), user=f"U{number % 2}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, range(24)))

    taken = []
    while task := inbox.claim("a", **LEASE):
        taken.append(task.asked.user)
        inbox.finish(task, "a")
    assert len(taken) == 7
    assert max(taken.count("U0"), taken.count("U1")) <= 5
