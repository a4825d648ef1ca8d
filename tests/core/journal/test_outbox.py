"""Each question has one reply, which is found again."""

import pytest

from citewell.journal.inbox import Inbox
from citewell.journal.outbox import Outbox, Stage
from citewell.types.chat import Address, Asked, Venue

VENUE = Venue(platform="discord", team="G", channel="C")
ADDRESS = Address(venue=VENUE, only_for="U", data={"interaction": "t0ken"})


@pytest.fixture
def task(engine):
    inbox = Inbox(engine)
    inbox.accept(Asked(key="1", venue=VENUE, user="U", at=1.0, text="?", address=ADDRESS))
    return inbox.claim("a", lease_s=30)


def test_a_question_has_one_reply(engine, task):
    outbox = Outbox(engine)

    first, was_there = outbox.open(task, ADDRESS)
    again, was_there_then = outbox.open(task, ADDRESS)

    assert (was_there, was_there_then) == (False, True)
    assert again == first
    assert first.address == ADDRESS
    assert (first.posted, first.stage, first.answer) == ((), Stage.OPENED, None)


def test_what_was_posted_is_found_again(engine, task):
    outbox = Outbox(engine)
    outbox.open(task, ADDRESS)

    outbox.note(task, posted=("m1", "m2"), stage=Stage.STREAMING)
    outbox.note(task, posted=("m1", "m2"), stage=Stage.FINAL, answer="a1", repeated=True)

    found = outbox.of_answer("a1")
    assert found.question == task.seq
    assert (found.posted, found.stage, found.repeats) == (("m1", "m2"), Stage.FINAL, 1)
    assert outbox.of_answer("a2") is None
