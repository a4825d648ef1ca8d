"""What came in is kept once, and worked off once."""

import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chats import VENUE, asked, deleted, dumped, edited, stopped
from citewell.journal.inbox import Accepted, Depths, Hold, Inbox, State
from citewell.journal.tables import inbox as table
from citewell.types.chat import Address, Attachment
from databases import opened

LEASE = {"lease_s": 30}
OTHER = replace(VENUE, thread="2.0")


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

    inbox.accept(stopped())

    assert inbox.renew(task, "a", **LEASE) is Hold.STOPPED
    assert inbox.finish(task, "a")
    inbox.accept(asked("2"))
    assert inbox.renew(inbox.claim("a", **LEASE), "a", **LEASE) is Hold.HELD


def test_a_worker_whose_lease_ran_out_writes_nothing_over_another_of_its_process(inbox, clock):
    inbox.accept(asked())
    first = inbox.claim("a", **LEASE)
    clock.now += 31
    second = inbox.claim("a", **LEASE)

    assert inbox.renew(first, "a", **LEASE) is Hold.LOST
    assert not inbox.finish(first, "a")
    inbox.release(first, "a")

    assert inbox.renew(second, "a", **LEASE) is Hold.HELD
    assert inbox.finish(second, "a")


def test_a_worker_is_not_taken_for_a_later_one_that_began_anew(inbox, clock):
    inbox.accept(asked())
    first = inbox.claim("a", **LEASE)
    clock.now += 31
    inbox.finish(inbox.claim("a", **LEASE), "a")
    inbox.accept(edited())
    third = inbox.claim("a", **LEASE)

    assert third.attempts == first.attempts == 1
    assert inbox.renew(first, "a", **LEASE) is Hold.LOST
    assert not inbox.finish(first, "a")
    assert inbox.finish(third, "a")


def test_a_question_that_is_changed_waits_while_a_later_one_is_answered(inbox):
    inbox.accept(asked("1"))
    inbox.accept(asked("5"))
    inbox.finish(inbox.claim("a", **LEASE), "a")
    later = inbox.claim("a", **LEASE)
    inbox.accept(edited())

    assert inbox.claim("b", **LEASE) is None
    assert inbox.finish(later, "a")
    assert inbox.claim("b", **LEASE).asked.key == "1"


def test_a_lease_that_ran_out_is_lost_to_another_question_of_its_conversation(inbox, clock):
    inbox.accept(asked("1"))
    inbox.accept(asked("5"))
    inbox.finish(inbox.claim("a", **LEASE), "a")
    later = inbox.claim("a", **LEASE)
    inbox.accept(edited())
    clock.now += 31

    changed = inbox.claim("b", **LEASE)

    assert changed.asked.key == "1"
    assert inbox.renew(later, "a", **LEASE) is Hold.LOST
    assert inbox.claim("c", **LEASE) is None
    assert inbox.finish(changed, "b")
    assert inbox.renew(later, "a", **LEASE) is Hold.HELD


def test_many_that_must_wait_hide_none_that_need_not(inbox):
    for number in range(40):
        inbox.accept(asked(str(number)))
    inbox.accept(asked("last", venue=OTHER))

    taken = [inbox.claim("a", **LEASE).asked.key for _ in range(2)]

    assert taken == ["0", "last"]


def test_only_questions_of_the_platforms_that_are_there_are_leased(inbox):
    inbox.accept(asked("1", venue=replace(VENUE, platform="discord")))
    inbox.accept(asked("2"))

    assert inbox.claim("a", **LEASE, platforms=[]) is None
    assert inbox.claim("a", **LEASE, platforms={"slack", "matrix"}).asked.key == "2"
    assert inbox.claim("a", **LEASE, platforms={"slack"}) is None
    assert inbox.claim("a", **LEASE).asked.key == "1"


@pytest.mark.parametrize("event", ["{", '{"type":"edited"}', "\u3042"])
def test_a_question_that_cannot_be_read_blocks_nothing(engine, inbox, caplog, event):
    for key in ("1", "2"):
        inbox.accept(asked(key, text="a secret"))
    with engine.begin() as connection:
        connection.execute(sa.update(table).where(table.c.key == "1").values(event=event))

    assert inbox.claim("a", **LEASE).asked.key == "2"
    assert inbox.depths().rows[State.BROKEN] == 1
    assert "is set aside" in caplog.text
    assert "a secret" not in caplog.text


def test_a_question_that_is_put_off_waits_that_long_and_so_do_those_behind_it(inbox, clock):
    inbox.accept(asked("1"))
    inbox.accept(asked("2"))
    inbox.accept(asked("3", venue=OTHER))
    inbox.release(inbox.claim("a", **LEASE), "a", after_s=5)

    assert inbox.claim("a", **LEASE).asked.key == "3"
    assert inbox.claim("a", **LEASE) is None
    clock.now += 5
    again = inbox.claim("a", **LEASE)
    assert (again.asked.key, again.attempts) == ("1", 2)


def test_a_try_that_the_end_of_the_process_cut_short_does_not_count(inbox):
    inbox.accept(asked())
    inbox.release(inbox.claim("a", **LEASE), "a", forgive=True)
    assert inbox.claim("a", **LEASE).attempts == 1


def test_a_question_that_is_changed_is_begun_with_anew(inbox, clock):
    inbox.accept(asked())
    for _ in range(3):
        inbox.release(inbox.claim("a", **LEASE), "a")
    inbox.finish(inbox.claim("a", **LEASE), "a")

    inbox.accept(edited())

    task = inbox.claim("a", **LEASE)
    assert (task.attempts, task.revision) == (1, 1)


def test_a_question_is_forgotten_once_answered_where_it_is_not_to_be_kept(engine, clock):
    inbox = Inbox(engine, clock=clock, keep_questions=False)
    files = (Attachment(name="salary.pdf", ref="F1"),)
    inbox.accept(asked(text="a secret", about="another secret", attachments=files))
    task = inbox.claim("a", **LEASE)
    assert (task.text, task.asked.about, task.asked.attachments) == (
        "a secret",
        "another secret",
        files,
    )

    inbox.finish(task, "a")

    assert all(word not in dumped(engine) for word in ("secret", "salary", "F1"))
    inbox.accept(edited(text="a change"))
    assert inbox.claim("a", **LEASE).text == "a change"


def test_what_came_with_a_question_goes_before_its_text_does(engine, inbox, clock):
    files = (Attachment(name="salary.pdf", ref="F1"),)
    inbox.accept(asked(text="a question", about="of somebody else", attachments=files))
    inbox.accept(asked("2", about="is in work", venue=OTHER))
    inbox.finish(inbox.claim("a", **LEASE), "a")
    assert inbox.expire() == 0

    clock.now += 90_000

    assert inbox.expire() == 1
    assert all(word not in dumped(engine) for word in ("salary", "F1", "somebody else"))
    assert inbox.claim("a", **LEASE).asked.about == "is in work"


def test_a_change_of_a_question_that_never_comes_is_deleted(engine, inbox, clock):
    inbox.accept(edited(text="of a message that is no question"))
    assert inbox.expire() == 0

    clock.now += 3_601

    assert inbox.expire() == 1
    assert "no question" not in dumped(engine)
    inbox.accept(asked())
    assert inbox.claim("a", **LEASE).text == "How many days?"


def test_a_change_stands_in_its_question_alone(engine, inbox):
    inbox.accept(edited("2", text="early words"))
    inbox.accept(asked())
    inbox.accept(edited("4", text="late words", at=4.0))

    with engine.connect() as connection:
        kept = connection.execute(sa.select(table.c.key, table.c.text).order_by(table.c.key)).all()

    assert [tuple(row) for row in kept] == [("1", "late words"), ("2", None), ("4", None)]


def test_how_much_there_is_to_do_is_known(inbox, clock):
    assert inbox.depths() == Depths(
        rows=dict.fromkeys((State.WAITING, State.LEASED, State.EARLY, State.BROKEN), 0),
        turned_away=0,
        oldest_s=0.0,
    )
    inbox.accept(asked("1"))
    clock.now += 10
    inbox.accept(asked("2"))
    inbox.accept(edited("8", of="7"))
    task = inbox.claim("a", **LEASE)
    clock.now += 5

    depths = inbox.depths()
    assert depths.rows[State.WAITING] == depths.rows[State.LEASED] == depths.rows[State.EARLY] == 1
    assert depths.oldest_s == 5.0
    inbox.finish(task, "a")
    inbox.finish(inbox.claim("a", **LEASE), "a")
    clock.now += 100
    inbox.accept(edited("5"))
    clock.now += 1
    assert inbox.depths().oldest_s == 1.0


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
    url = _reused.setdefault(database, database.new_url())
    with opened(url) as engine, engine.begin() as connection:
        connection.execute(sa.delete(table))
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


def test_half_a_character_costs_no_question(inbox):
    torn = "when \ud83d then \0?"
    address = Address(venue=VENUE, data={"name": torn})
    question = asked("1", text=torn)

    assert inbox.accept(replace(question, about=torn, address=address)) is Accepted.NEW
    task = inbox.claim("a", **LEASE)

    kept = "when \N{REPLACEMENT CHARACTER} then \N{REPLACEMENT CHARACTER}?"
    assert (task.text, task.asked.about, task.asked.address.data) == (kept, kept, {"name": kept})


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_on_two_machines_a_lease_runs_out_by_one_clock(engine, monkeypatch):
    one = Inbox(engine)
    one.accept(asked())
    task = one.claim("one", lease_s=30)
    ahead = time.time() + 45
    monkeypatch.setattr(time, "time", lambda: ahead)

    assert Inbox(engine).claim("another", lease_s=30) is None
    monkeypatch.undo()
    assert one.renew(task, "one", lease_s=30) is Hold.HELD
