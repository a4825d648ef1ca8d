"""What came in is kept once, and worked off once."""

import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from citewell.journal.inbox import Accepted, Hold, Inbox
from citewell.types.chat import Address, Asked, Deleted, Edited, Stopped, Venue
from databases import opened

VENUE = Venue(platform="slack", team="T1", channel="C1", thread="1.0")
LEASE = {"lease_s": 30}


def asked(key="1", text="How many days?", venue=VENUE, at=1.0):
    address = Address(venue=venue)
    return Asked(key=key, venue=venue, user="U1", at=at, text=text, address=address)


def edited(key="2", of="1", text="How many hours?", at=2.0):
    return Edited(key=key, venue=VENUE, user="U1", at=at, of=of, text=text)


def deleted(key="3", of="1", at=3.0):
    return Deleted(key=key, venue=VENUE, user="U1", at=at, of=of)


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def inbox(engine, clock):
    return Inbox(engine, clock=clock)


def test_an_event_is_kept_once(inbox):
    assert inbox.accept(asked()) is Accepted.NEW
    assert inbox.accept(asked(text="a retry")) is Accepted.DUPLICATE

    task = inbox.claim("a", **LEASE)

    assert (task.text, task.attempts) == ("How many days?", 1)
    assert inbox.claim("b", **LEASE) is None


def test_the_same_key_elsewhere_is_another_event(inbox):
    others = [replace(VENUE, **{name: "X"}) for name in ("platform", "team", "channel")]

    found = [inbox.accept(asked(venue=venue)) for venue in (VENUE, *others)]

    assert found == [Accepted.NEW] * 4


def test_what_was_asked_is_given_back_whole(inbox):
    address = Address(venue=VENUE, only_for="U1", data={"token": "x"})
    event = replace(asked(text="naïve 日本 \x00 🦊"), address=address)
    inbox.accept(event)

    task = inbox.claim("a", **LEASE)

    assert replace(task.asked, text=task.text) == replace(event, text="naïve 日本 \ufffd 🦊")


def test_questions_of_one_conversation_come_one_after_the_other(inbox):
    other = replace(VENUE, thread="2.0")
    for key, venue in (("1", VENUE), ("2", VENUE), ("3", other)):
        inbox.accept(asked(key, venue=venue))

    first, second = inbox.claim("a", **LEASE), inbox.claim("b", **LEASE)

    assert (first.asked.key, second.asked.key) == ("1", "3")
    assert inbox.claim("c", **LEASE) is None
    assert inbox.finish(first, "a")
    assert inbox.claim("c", **LEASE).asked.key == "2"


def test_a_lease_that_ran_out_is_anybodys(inbox, clock):
    inbox.accept(asked())
    first = inbox.claim("a", **LEASE)
    clock.now += 31

    second = inbox.claim("b", **LEASE)

    assert second.attempts == 2
    assert inbox.renew(first, "a", **LEASE) is Hold.LOST
    assert not inbox.finish(first, "a")
    assert inbox.renew(second, "b", **LEASE) is Hold.HELD
    assert inbox.finish(second, "b")
    assert inbox.waiting() == 0


def test_a_question_that_is_given_back_waits_again(inbox):
    inbox.accept(asked())
    task = inbox.claim("a", **LEASE)

    inbox.release(task, "b")
    assert inbox.claim("b", **LEASE) is None
    inbox.release(task, "a")
    assert inbox.claim("b", **LEASE).attempts == 2


def test_a_question_that_is_changed_while_it_waits_is_answered_as_it_is_then(inbox):
    inbox.accept(asked())
    inbox.accept(edited())

    task = inbox.claim("a", **LEASE)

    assert (task.text, task.revision) == ("How many hours?", 1)
    assert inbox.finish(task, "a")


def test_a_question_that_is_changed_while_it_is_answered_is_answered_again(inbox):
    inbox.accept(asked())
    task = inbox.claim("a", **LEASE)
    inbox.accept(edited())

    assert inbox.renew(task, "a", **LEASE) is Hold.CHANGED
    assert not inbox.finish(task, "a")
    again = inbox.claim("a", **LEASE)
    assert (again.seq, again.text, again.revision) == (task.seq, "How many hours?", 1)
    assert inbox.finish(again, "a")


def test_a_question_that_is_changed_after_it_was_answered_is_answered_again(inbox):
    inbox.accept(asked())
    inbox.finish(inbox.claim("a", **LEASE), "a")
    assert inbox.claim("a", **LEASE) is None

    inbox.accept(edited())

    assert inbox.claim("a", **LEASE).text == "How many hours?"


def test_a_question_that_is_taken_back_has_its_answer_taken_back(inbox):
    inbox.accept(asked())
    inbox.finish(inbox.claim("a", **LEASE), "a")

    inbox.accept(deleted())
    inbox.accept(edited("4", at=9.0))

    task = inbox.claim("a", **LEASE)
    assert task.is_withdrawn
    assert task.text == "How many days?"
    assert inbox.finish(task, "a")
    assert inbox.claim("a", **LEASE) is None


def test_who_no_longer_waits_is_heard(inbox):
    inbox.accept(asked())
    task = inbox.claim("a", **LEASE)

    inbox.accept(Stopped(key="9", venue=VENUE, user="U1", at=2.0))

    assert inbox.renew(task, "a", **LEASE) is Hold.STOPPED
    assert inbox.finish(task, "a")
    inbox.accept(asked("2"))
    assert inbox.renew(inbox.claim("a", **LEASE), "a", **LEASE) is Hold.HELD


EVENTS = (
    asked(),
    edited("2", text="second", at=2.0),
    edited("3", text="third", at=3.0),
    asked(text="a retry"),
    edited("2", text="a retry", at=2.0),
)


@given(st.permutations(EVENTS), st.booleans())
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_in_whatever_order_events_come_the_last_change_holds(database, events, withdrawn):
    with opened(database.new_url() if database.name == "sqlite" else _emptied(database)) as engine:
        inbox = Inbox(engine)
        if withdrawn:
            events = [*events[:2], deleted("7", at=1.5), *events[2:]]

        for event in events:
            inbox.accept(event)

        task = inbox.claim("a", **LEASE)
        assert task.is_withdrawn == withdrawn
        assert withdrawn or task.text == "third"
        assert inbox.finish(task, "a")
        assert inbox.claim("a", **LEASE) is None


_reused = {}


def _emptied(database):
    """Return one database again and again: to make one takes a second."""
    from sqlalchemy import delete

    from citewell.journal.tables import inbox

    url = _reused.setdefault(database, database.new_url())
    with opened(url) as engine, engine.begin() as connection:
        connection.execute(delete(inbox))
    return url


def test_workers_side_by_side_take_each_question_once(engine):
    inbox = Inbox(engine)
    venues = [replace(VENUE, thread=str(number % 7)) for number in range(60)]
    for number, venue in enumerate(venues):
        inbox.accept(asked(str(number), venue=venue))
    running = Counter()
    lock = threading.Lock()

    def work(owner):
        taken = []
        while inbox.waiting():
            task = inbox.claim(owner, **LEASE)
            if task is None:
                continue
            conversation = task.asked.venue.conversation
            with lock:
                running[conversation] += 1
                assert running[conversation] == 1, "two questions of one conversation at once"
            taken.append(int(task.asked.key))
            with lock:
                running[conversation] -= 1
            assert inbox.finish(task, owner)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [key for keys in pool.map(work, "abcd") for key in keys]

    assert sorted(taken) == list(range(60))


KILLED = """
import sys, random
from citewell.journal.database import open_engine
from citewell.journal.inbox import Inbox
from citewell.types.chat import Address, Asked, Venue
inbox = Inbox(open_engine(sys.argv[1]))
venue = Venue(platform="slack", team="T", channel="C")
number = 0
while True:
    number += 1
    key = f"{sys.argv[2]}-{number}"
    address = Address(venue=venue)
    inbox.accept(Asked(key=key, venue=venue, user="U", at=1.0, text=key, address=address))
    print(key, flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(database):
    url = database.new_url()
    acknowledged = []
    for run in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, url, str(run)], stdout=subprocess.PIPE, text=True
        )
        acknowledged += [process.stdout.readline().strip() for _ in range(20)]
        process.kill()
        acknowledged += process.stdout.read().split()
        process.stdout.close()
        process.wait()

    with opened(url) as engine:
        inbox = Inbox(engine)
        found = []
        while (task := inbox.claim("a", **LEASE)) is not None:
            found.append(task.text)
            inbox.finish(task, "a")

    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found))
