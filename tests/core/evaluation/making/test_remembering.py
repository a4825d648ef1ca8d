"""What people asked and were not served with comes back as drafts; what was deleted does not."""

import pytest
from msgspec.structs import replace

from citewell.evaluation.making.remembering import remembered
from citewell.journal.database import open_engine
from citewell.journal.feedback import Feedback, Vote
from citewell.journal.journal import Journal
from citewell.journal.records import AnswerRecord
from citewell.journal.wiping import wipe_answers
from citewell.types.documents import PassageRef

RECORD = AnswerRecord(
    id="a",
    question_id="qa",
    question="How long is leave?",
    asker=None,
    asked_at="2026-01-01T00:00:00.000+00:00",
    profile="default",
    readers=(("everyone",),),
    outcome="answered",
    notice="",
    model="quotes",
    model_identity="",
    retriever="main",
    index_identity="",
    prompt_hash="",
    claims=(),
    passages=(),
)


@pytest.fixture
def engine(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path / 'journal.sqlite'}")
    yield engine
    engine.dispose()


def record(id_, question, **changed):
    return replace(RECORD, id=id_, question_id=f"q{id_}", question=question, **changed)


def vote(engine, answer, *, reason="", is_helpful=False):
    Feedback(engine).add(
        Vote(answer=answer, voter="a/b/c", is_helpful=is_helpful, reason=reason, at=1.0)
    )


def found(engine, number=10):
    return remembered(Journal(engine), Feedback(engine), number)


def test_thumbs_corrections_and_what_was_not_answered_are_drafts(engine):
    journal = Journal(engine)
    for at, (id_, question) in enumerate([("a", "one?"), ("b", "two?"), ("d", "four?")]):
        journal.add(record(id_, question, asked_at=f"2026-01-0{9 - at}"))
    journal.add(record("c", "three?", outcome="refused", asked_at="2026-01-01"))
    vote(engine, "a")
    vote(engine, "b", reason="it is\n28 days")
    vote(engine, "d", is_helpful=True, reason="thanks")

    items = found(engine)

    assert [(item.question, item.slices, item.answers) for item in items] == [
        ("one?", ("thumbs down",), ()),
        ("two?", ("corrected",), ("it is 28 days",)),
        ("three?", ("unanswered",), ()),
    ]
    assert all(item.is_draft and item.origin == "journal" for item in items)


def test_what_was_deleted_or_leans_on_something_is_left_out(engine):
    journal = Journal(engine)
    journal.add(record("a", "one?", outcome="refused"))
    journal.add(record("b", "", outcome="refused"))
    journal.add(record("c", "and two?", outcome="refused", history=(PassageRef("p", "h"),)))
    with engine.begin() as connection:
        wipe_answers(connection, ["a"])

    assert found(engine) == []


def test_a_question_that_was_asked_twice_comes_once_and_the_newest_first(engine):
    journal = Journal(engine)
    for id_, question, at in (("a", "one?", "1"), ("b", "ONE", "3"), ("c", "two?", "2")):
        journal.add(record(id_, question, outcome="refused", asked_at=f"2026-01-0{at}"))

    assert [item.question for item in found(engine)] == ["ONE", "two?"]
    assert len(found(engine, 1)) == 1
