"""Each question has one reply, which is found again."""

import pytest

from chats import VENUE as CHANNEL
from chats import answered, asked, deleted, dumped, edited, record
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


def test_who_lost_the_question_notes_nothing(engine, inbox, clock):
    inbox.accept(asked())
    outbox = Outbox(engine)
    first = inbox.claim("a", lease_s=30)
    outbox.open(first, first.asked.address)
    assert outbox.note(first, posted=("m1",), stage=Stage.STREAMING)
    clock.now += 31
    second = inbox.claim("a", lease_s=30)

    assert not outbox.note(first, posted=("m2",), stage=Stage.FINAL, answer="a1", repeated=True)

    record, _ = outbox.open(second, second.asked.address)
    assert (record.posted, record.stage, record.repeats) == (("m1",), Stage.STREAMING, 0)
    assert outbox.of_answer("a1") is None
    assert outbox.note(second, posted=("m1",), stage=Stage.FINAL, answer="a2")


def test_nothing_is_noted_of_a_reply_that_was_not_opened(engine, inbox):
    inbox.accept(asked())
    task = inbox.claim("a", lease_s=30)

    assert not Outbox(engine).note(task, posted=(), stage=Stage.FINAL, answer="a1")


def test_a_button_of_an_earlier_answer_finds_the_reply(engine, inbox):
    inbox.accept(asked())
    answered(engine, inbox.claim("a", lease_s=30), inbox, record("a1"))
    inbox.accept(edited())
    answered(engine, inbox.claim("a", lease_s=30), inbox, record("a2"))

    outbox = Outbox(engine)
    assert outbox.of_answer("a1") == outbox.of_answer("a2")
    assert outbox.of_answer("a1").answer == "a2"


def test_a_reply_that_ends_without_an_answer_shows_none(engine, inbox):
    inbox.accept(asked())
    answered(engine, inbox.claim("a", lease_s=30), inbox, record("a1"))
    inbox.accept(edited())
    task = inbox.claim("a", lease_s=30)
    outbox = Outbox(engine)

    outbox.note(task, posted=("m1",), stage=Stage.STREAMING)
    assert outbox.of_answer("a1").answer == "a1"
    outbox.note(task, posted=("m1",), stage=Stage.FINAL)

    assert outbox.of_answer("a1").answer is None


def test_of_a_question_that_was_taken_back_only_its_place_is_left(engine, inbox):
    address = Address(venue=CHANNEL, only_for="U1", data={"token": "t0ken"})
    inbox.accept(asked(address=address, text="a secret"))
    outbox = Outbox(engine)
    answered(engine, inbox.claim("a", lease_s=30), inbox, record("a1", question="?"))
    inbox.accept(deleted())
    task = inbox.claim("a", lease_s=30)
    assert outbox.open(task, task.asked.address)[0].address == address
    outbox.note(task, posted=("m1",), stage=Stage.WITHDRAWN)
    inbox.finish(task, "a")

    assert outbox.of_answer("a1").address == Address(venue=CHANNEL)
    assert "t0ken" not in dumped(engine)
    assert "a secret" not in dumped(engine)
