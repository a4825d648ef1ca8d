"""Who wants to be forgotten is, whatever goes on meanwhile; and what is old goes."""

import json

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from chats import (
    ASKER,
    VENUE,
    answered,
    asked,
    citation,
    claim,
    deleted,
    dumped,
    edited,
    record,
    voted,
)
from citewell.journal import tables
from citewell.journal.audit import Audit
from citewell.journal.conversations import Conversations
from citewell.journal.feedback import Counts, Feedback
from citewell.journal.forgetting import Forgetting, Forgotten
from citewell.journal.inbox import Hold
from citewell.journal.journal import Journal
from citewell.journal.ledger import Account, Ledger
from citewell.journal.outbox import Outbox, Stage
from citewell.journal.people import People
from citewell.types.chat import Address, Attachment

LEASE = {"lease_s": 30}
SECRETS = ("secret", "U1", "t0ken", "salary", "F1")
OTHERS = replace(VENUE, thread="others")


@pytest.fixture
def forgetting(engine, clock):
    return Forgetting(engine, clock=clock, batch=3)


@pytest.fixture
def filled(engine, inbox):
    """Fill a journal with what one person said, and another one."""
    address = Address(venue=VENUE, only_for="U1", data={"token": "t0ken"})
    files = (Attachment(name="salary.pdf", ref="F1"),)
    question = asked(text="a secret?", address=address, attachments=files, about="a secret")
    inbox.accept(question)
    repeats = claim("The secret is 28 days.", citation())
    answer = record(question="a secret?", claims=(repeats,), notice="secret", errors=("secret",))
    answered(engine, inbox.claim("a", **LEASE), inbox, answer)
    inbox.accept(voted("v1", at=1_000_000.0, reason="a secret reason"))
    inbox.accept(voted("v2", at=1_000_000.0, user="U2", helpful=True, reason="a reason"))
    inbox.accept(edited("e1", of="unknown", text="an early secret"))
    inbox.accept(asked("2", "Of another", user="U2", venue=OTHERS))
    other = record("a2", asker="slack/T1/U2", question="Of another")
    answered(engine, inbox.claim("a", **LEASE), inbox, other)
    Audit(engine).add("shared", actor=ASKER, detail={"answer": "a1"})
    Audit(engine).add("warned", actor="slack/T1/U2", detail={}, about=ASKER)
    ledger = Ledger(engine)
    ledger.reserve("c1", [Account(f"month/2026-11/{ASKER}", 100)], 10, model="m")
    ledger.settle("c1", 7)


@pytest.mark.usefixtures("filled")
def test_everything_of_somebody_is_exported(engine):
    told = json.loads(json.dumps(People(engine).export(ASKER)))

    question, vote, early = told["messages"]
    assert (question["kind"], question["text"], question["about"]) == (
        "asked",
        "a secret?",
        "a secret",
    )
    assert question["attachments"][0]["name"] == "salary.pdf"
    assert question["reply"] == {"state": "final", "posted": ["m1"]}
    assert (vote["kind"], early["text"]) == ("voted", "an early secret")
    (kept,) = told["questions"]
    assert (kept["text"], kept["answers"][0]["id"]) == ("a secret?", "a1")
    assert kept["answers"][0]["claims"][0]["text"] == "The secret is 28 days."
    assert [one["reason"] for one in told["votes"]] == ["a secret reason"]
    assert [(one["action"], one["did_it"]) for one in told["audit"]] == [
        ("shared", True),
        ("warned", False),
    ]
    assert "Of another" not in str(told)


@pytest.mark.usefixtures("filled")
def test_nothing_of_who_was_forgotten_is_left_but_that_it_was(engine, forgetting):
    told = forgetting.forget(ASKER, by="admin")

    assert told == Forgotten(messages=3, questions=1, answers=1, votes=1)
    assert all(word not in dumped(engine) for word in SECRETS)
    assert "Of another" in dumped(engine)
    assert Feedback(engine).counts("a1") == Counts(helpful=1, unhelpful=1)
    kept = Journal(engine).find("a1")
    assert (kept.asker, kept.question, kept.notice) == (None, "", "")
    assert kept.claims[0].citations == (citation(),)
    assert kept.claims[0].shown
    *_, entry = Audit(engine).entries()
    assert (entry.action, entry.name) == ("forgotten", "admin")
    assert json.loads(entry.detail)["answers"] == 1
    assert Audit(engine).problem() is None
    assert sum(one.spent for one in Ledger(engine).balances()) == 7
    told = People(engine).export(ASKER)
    assert told == {"name": ASKER, "messages": [], "questions": [], "votes": [], "audit": []}


@pytest.mark.usefixtures("filled")
def test_who_is_forgotten_twice_is_forgotten_once(engine, forgetting):
    forgetting.forget(ASKER)
    before = dumped(engine)

    assert forgetting.forget(ASKER) == Forgotten()
    assert forgetting.catch_up() == 0
    assert dumped(engine) == before


@pytest.mark.parametrize("name", ["slack/T1/U9", "U1", "", "%", "slack/T1/%"])
@pytest.mark.usefixtures("filled")
def test_who_is_unknown_costs_nobody_anything(engine, forgetting, name):
    before = dumped(engine)

    assert forgetting.forget(name) == Forgotten()
    assert dumped(engine) == before


@pytest.mark.usefixtures("filled")
def test_who_was_forgotten_may_come_back(engine, inbox, forgetting):
    forgetting.forget(ASKER)
    inbox.accept(asked("7", "Hello again"))
    inbox.accept(voted("v7", at=1_000_001.0, helpful=True))

    assert inbox.claim("a", **LEASE).text == "Hello again"
    assert Feedback(engine).of_answer("a1")[-1].voter == ASKER


def test_a_question_in_work_is_taken_back_and_forgotten_then(engine, clock, inbox, forgetting):
    address = Address(venue=VENUE, data={"token": "t0ken"})
    inbox.accept(asked(text="a secret?", about="a secret", address=address))
    inbox.accept(asked("2", "a second secret?"))
    task = inbox.claim("a", **LEASE)
    Outbox(engine).open(task, address)

    told = forgetting.forget(ASKER, by="admin")

    assert told == Forgotten(in_work=2)
    assert "a secret" not in dumped(engine)
    assert inbox.renew(task, "a", **LEASE) is Hold.CHANGED
    # What was written until then is kept by the assistant as it is cancelled.
    Journal(engine).add(record(question="a secret?"))
    assert not inbox.finish(task, "a")
    assert forgetting.catch_up() == 1
    while again := inbox.claim("a", **LEASE):
        assert again.is_withdrawn
        reply, _ = Outbox(engine).open(again, again.asked.address)
        assert again.asked.key == "2" or reply.address == address
        assert Outbox(engine).note(again, posted=("m1",), stage=Stage.WITHDRAWN)
        assert inbox.finish(again, "a")
    inbox.accept(asked("3", "said later"))
    with engine.begin() as connection:
        moved = sa.update(tables.inbox).where(tables.inbox.c.key == "3")
        connection.execute(moved.values(received_at=clock.now + 1))

    assert forgetting.catch_up() == 0

    assert "secret" not in dumped(engine)
    assert "t0ken" not in dumped(engine)
    assert inbox.claim("a", **LEASE).text == "said later"
    with engine.connect() as connection:
        assert ASKER not in connection.scalars(sa.select(tables.people.c.name)).all()


def test_what_is_kept_only_after_its_asker_was_forgotten_says_nothing(
    engine, clock, inbox, forgetting
):
    inbox.accept(asked(text="a secret?"))
    task = inbox.claim("a", **LEASE)
    forgetting.forget(ASKER)
    repeats = claim("The secret is 28 days.", citation())
    late = {"question": "a secret?", "claims": (repeats,), "event": task.seq}
    Journal(engine).add(record(asked_at="2026-01-01T00:00:00.000+00:00", **late))
    assert not inbox.finish(task, "a")
    assert inbox.finish(inbox.claim("a", **LEASE), "a")
    assert forgetting.catch_up() == 0
    Journal(engine).add(record("a2", asked_at="2026-01-01T00:00:00.000+00:00", **late))

    assert "secret" not in dumped(engine)
    assert ASKER not in dumped(engine)


def test_of_a_question_that_was_taken_back_nothing_is_left(engine, inbox):
    inbox.accept(asked(text="a secret?"))
    repeats = claim("The secret is 28 days.", citation())
    kept = {"question": "a secret?", "claims": (repeats,)}
    answered(engine, inbox.claim("a", **LEASE), inbox, record(event=1, **kept))
    inbox.accept(edited(text="another secret?"))
    answered(engine, inbox.claim("a", **LEASE), inbox, record("a2", **kept))
    inbox.accept(deleted())
    task = inbox.claim("a", **LEASE)
    Journal(engine).add(record("a3", event=1, **kept))
    assert inbox.finish(task, "a")

    assert "secret" not in dumped(engine)
    assert all(Journal(engine).find(name).is_wiped for name in ("a1", "a2", "a3"))
    assert Conversations(engine).question_of("a2").is_withdrawn


def test_a_question_that_is_asked_again_is_kept_with_who_asked_it_first(engine, inbox, forgetting):
    journal = Journal(engine)
    inbox.accept(asked(text="a secret?"))
    answered(engine, inbox.claim("a", **LEASE), inbox, record(question="a secret?"))
    inbox.accept(asked("2", "", user="U2", again="a1"))
    again = record("a2", question="", again="a1", asker="slack/T1/U2")
    answered(engine, inbox.claim("a", **LEASE), inbox, again)

    assert journal.find("a2").question == "a secret?"
    forgetting.forget(ASKER)
    assert "secret" not in dumped(engine)
    assert journal.find("a2").question == ""


@pytest.mark.usefixtures("filled")
def test_an_answer_to_who_was_forgotten_is_taken_back_but_not_changed(engine, inbox, forgetting):
    forgetting.forget(ASKER)

    inbox.accept(edited("8", text="a new secret", at=8.0))
    assert inbox.claim("a", **LEASE) is None
    assert "a new secret" not in dumped(engine)

    inbox.accept(deleted("9", at=9.0))
    task = inbox.claim("a", **LEASE)
    assert (task.is_withdrawn, task.asked.venue, task.asked.user) == (True, VENUE, "")
    record_, was_there = Outbox(engine).open(task, task.asked.address)
    assert (was_there, record_.posted) == (True, ("m1",))


@pytest.mark.usefixtures("filled")
def test_what_is_old_goes_and_what_is_new_stays(engine, clock, inbox, forgetting):
    assert forgetting.retain(1) == Forgotten()
    clock.now += 2 * 86_400
    for number in range(3, 12):
        inbox.accept(asked(str(number), "new words", user="U3", venue=OTHERS))
    inbox.accept(voted("v9", user="U3", at=clock.now, reason="a new reason"))

    told = forgetting.retain(1)

    assert told == Forgotten(messages=3, questions=2, answers=2, votes=2)
    for word in ("secret", "t0ken", "salary", "Of another", "28 days"):
        assert word not in dumped(engine)
    assert "new words" in dumped(engine)
    assert [one.reason for one in Feedback(engine).of_answer("a1")] == ["", "", "a new reason"]
    *_, entry = Audit(engine).entries()
    assert entry.action == "expired"
    assert forgetting.retain(1) == Forgotten()
    assert Audit(engine).problem() is None


def test_what_is_old_and_in_work_stays_until_it_is_done(engine, clock, inbox, forgetting):
    inbox.accept(asked(text="old words"))
    clock.now += 3 * 86_400

    assert forgetting.retain(1) == Forgotten()
    task = inbox.claim("a", **LEASE)
    assert task.text == "old words"
    inbox.finish(task, "a")
    assert forgetting.retain(1).messages == 1
    assert Conversations(engine).recent("slack", "T1", "U1", 5) == ()


def test_what_is_old_goes_in_batches_and_a_broken_run_is_gone_on_with(
    engine, clock, inbox, forgetting, monkeypatch
):
    for number in range(10):
        inbox.accept(asked(str(number), "old words", venue=replace(VENUE, thread=str(number))))
        inbox.finish(inbox.claim("a", **LEASE), "a")
    clock.now += 2 * 86_400
    batches = []

    def counted(*arguments):
        if len(batches) == 2:
            raise KeyboardInterrupt
        batches.append(arguments)

    monkeypatch.setattr("citewell.journal.forgetting.wipe_addresses", counted)
    with pytest.raises(KeyboardInterrupt):
        forgetting.retain(1)
    monkeypatch.undo()

    assert dumped(engine).count("old words") == 4
    assert forgetting.retain(1).messages == 4
    assert "old words" not in dumped(engine)
