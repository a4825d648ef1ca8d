"""What was said before is remembered for whom it was said to, as long as it is kept."""

import pytest
from msgspec.structs import replace

from chats import (
    VENUE,
    answered,
    asked,
    citation,
    claim,
    deleted,
    edited,
    passage,
    record,
    stopped,
)
from citewell.journal.conversations import Conversations
from citewell.journal.inbox import Hold, Inbox, Limits
from citewell.journal.journal import Journal
from citewell.journal.outbox import Outbox, Stage
from citewell.types.chat import Address
from citewell.types.documents import PassageRef
from citewell.types.questions import Audience

LEASE = {"lease_s": 30}
EVERYONE = Audience.of("everyone")
OTHER = replace(VENUE, thread="2.0")


@pytest.fixture
def conversations(engine):
    return Conversations(engine)


@pytest.fixture
def said(engine, inbox):
    """Return what asks and answers a question."""

    def say(key, answer, **fields):
        inbox.accept(asked(key, **fields))
        answered(engine, inbox.claim("a", **LEASE), inbox, answer)

    return say


def claimed(inbox, key="99", venue=VENUE):
    inbox.accept(asked(key, text="And then?", venue=venue))
    return inbox.claim("b", **LEASE)


def remembered(conversations, task, limit=5):
    found = conversations.remembered(task, EVERYONE, limit=limit)
    return [tuple(turn.text for turn in one.turns) for one in found]


def test_what_was_said_before_comes_with_what_it_was_written_from(inbox, conversations, said):
    claims = (
        claim("It is 28 days.", citation("p1", "h1"), citation("p2", "h2")),
        claim("Hidden.", citation("p3", "h3"), shown=False),
    )
    said("1", record(claims=claims, passages=(passage("p1", "h1"), passage("p9", "h9"))))
    said("2", record("a2", claims=(), notice="The documents do not say."), text="Why?")
    said("3", record("a3"), venue=OTHER)
    task = claimed(inbox)

    first, second = conversations.remembered(task, EVERYONE, limit=5)

    assert [turn.text for turn in first.turns] == ["How many days?", "It is 28 days."]
    assert first.passages == {PassageRef("p1", "h1"), PassageRef("p2", "h2")}
    assert [turn.text for turn in second.turns] == ["Why?", "The documents do not say."]
    assert second.passages == frozenset()
    assert conversations.turns(task, EVERYONE, limit=5) == (*first.turns, *second.turns)
    assert conversations.remembered(task, EVERYONE, limit=1) == (second,)
    assert conversations.remembered(task, Audience.of("everyone", "hr"), limit=5) == ()


def test_a_claim_that_cites_nothing_may_be_of_all_that_was_given(inbox, conversations, said):
    claims = (claim("Marked."), claim("Cited.", citation("p1", "h1")))
    said("1", record(claims=claims))

    (found,) = conversations.remembered(claimed(inbox), EVERYONE, limit=5)

    assert found.passages == {PassageRef("p1", "h1"), PassageRef("p2", "h2")}
    assert set(found.turns[1].passages) == found.passages


def test_what_an_answer_continues_it_leans_on_too(inbox, conversations, said):
    said("1", record(history=(PassageRef("p7", "h7"),)))

    (found,) = conversations.remembered(claimed(inbox), EVERYONE, limit=5)

    assert found.passages == {PassageRef("p1", "h1"), PassageRef("p7", "h7")}


def test_what_one_person_alone_was_answered_only_that_person_leans_on(inbox, conversations, said):
    mine, theirs = (Address(venue=VENUE, only_for=user) for user in ("U1", "U2"))
    said("1", record("a1"), text="For all")
    said("2", record("a2"), text="For me", address=mine)
    said("3", record("a3"), text="For them", address=theirs, user="U2")

    found = {}
    for key, address in (("4", mine), ("5", theirs), ("6", Address(venue=VENUE))):
        inbox.accept(asked(key, address=address))
        task = inbox.claim("b", **LEASE)
        found[key] = [text for text, _ in remembered(conversations, task)]
        assert conversations.question_of("a2").venue == VENUE

    assert found == {"4": ["For all", "For me"], "5": ["For all", "For them"], "6": ["For all"]}


def test_who_asks_alone_waits_for_nobody_and_takes_nobody_part(inbox, conversations, clock):
    mine, theirs = (Address(venue=VENUE, only_for=user) for user in ("U1", "U2"))
    inbox.accept(asked("1", address=mine))
    inbox.accept(asked("2", address=theirs, user="U2"))
    inbox.accept(asked("3", address=mine))

    assert [inbox.claim("b", **LEASE).asked.key for _ in range(2)] == ["1", "2"]
    assert inbox.claim("b", **LEASE) is None
    assert not conversations.takes_part(VENUE.conversation)
    inbox.accept(asked("4"))
    assert conversations.takes_part(VENUE.conversation)


def test_who_stops_a_conversation_stops_what_they_alone_see_too(inbox):
    mine, theirs = (Address(venue=VENUE, only_for=user) for user in ("U1", "U2"))
    inbox.accept(asked("1", address=mine))
    inbox.accept(asked("2", address=theirs, user="U2"))
    tasks = [inbox.claim("b", **LEASE) for _ in range(2)]
    inbox.accept(stopped())

    held = [inbox.renew(task, "b", **LEASE) for task in tasks]
    assert held == [Hold.STOPPED, Hold.HELD]


def test_what_was_taken_back_or_stopped_or_is_not_kept_is_not_remembered(
    engine, clock, inbox, conversations, said
):
    said("1", record("a1"))
    said("2", record("a2"), text="Taken back")
    inbox.accept(deleted("20", of="2"))
    inbox.finish(inbox.claim("a", **LEASE), "a")
    said("3", record("a3"), text="Changed, and stopped")
    inbox.accept(edited("30", of="3"))
    stopped = inbox.claim("a", **LEASE)
    Outbox(engine).note(stopped, posted=("m1",), stage=Stage.FINAL)
    inbox.finish(stopped, "a")
    forgetful = Inbox(engine, clock=clock, keep_questions=False)
    forgetful.accept(asked("4", text="Not kept"))
    answered(engine, inbox.claim("a", **LEASE), forgetful, record("a4"))

    assert remembered(conversations, claimed(inbox)) == [("How many days?", "It is 28 days.")]


def test_a_change_that_is_not_answered_yet_is_no_question_to_the_old_answer(
    inbox, conversations, said
):
    said("1", record("a1"))
    task = claimed(inbox)
    inbox.accept(edited())

    assert remembered(conversations, task) == []


def test_a_question_that_is_asked_again_says_what_the_first_one_does(inbox, conversations, said):
    said("1", record("a1"), address=Address(venue=VENUE, only_for="U1"))
    said("2", record("a2"), text="", again="a1", venue=OTHER)
    said("3", record("a3"), text="", again="a2", venue=OTHER)
    said("4", record("a4"), text="", again="a9", venue=OTHER)

    texts = [text for text, _ in remembered(conversations, claimed(inbox, venue=OTHER))]
    assert texts == ["How many days?"] * 2
    assert conversations.question_of("a3").text == "How many days?"
    assert not conversations.question_of("a4").text


def test_the_question_of_an_answer_is_found(inbox, conversations, said):
    address = Address(venue=VENUE, only_for="U1", data={"token": "t"})
    said("1", record("a1"), about="of somebody else", address=address)
    inbox.accept(edited())

    found = conversations.question_of("a1")

    assert (found.venue, found.asker, found.text) == (VENUE, "U1", "How many hours?")
    assert (found.asked.about, found.asked.address) == ("of somebody else", address)
    assert not found.is_withdrawn
    assert conversations.question_of("a2") is None


def test_what_somebody_asked_last_is_told_to_them(engine, clock, inbox, conversations, said):
    said("1", record("a1"), at=7.0)
    clock.now += 1
    inbox.accept(asked("2", "In work"))
    inbox.accept(asked("3", "Of somebody else", user="U2"))
    inbox.accept(asked("4", "In another team", venue=replace(VENUE, team="T2")))
    limited = Inbox(engine, clock=clock, limits=Limits(user_per_minute=1))
    limited.accept(asked("5", "Turned away"))

    recent = conversations.recent("slack", "T1", "U1", 5)

    assert [(one.text, one.posted) for one in recent] == [
        ("In work", ()),
        ("How many days?", ("m1",)),
    ]
    assert (recent[1].at, recent[1].venue) == (7.0, VENUE)
    assert conversations.recent("slack", "T1", "U1", 1) == recent[:1]


def test_the_assistant_takes_part_where_it_was_asked(engine, clock, inbox, conversations):
    limited = Inbox(engine, clock=clock, limits=Limits(channel_per_minute=1))
    limited.accept(asked("1"))
    limited.accept(asked("2", venue=OTHER))
    inbox.accept(edited("3", of="9"))

    assert conversations.takes_part(VENUE.conversation)
    assert not conversations.takes_part(OTHER.conversation)
    assert not conversations.takes_part("slack/T1/C1/3.0")


def test_a_journal_that_is_not_to_keep_questions_keeps_the_rest(engine):
    journal = Journal(engine, keep_questions=False)
    journal.add(record(question="a secret"))

    assert journal.find("a1") == record(question="")
