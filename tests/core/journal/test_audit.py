"""What was done cannot be undone in the books unnoticed."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from citewell.journal.audit import Audit
from citewell.journal.tables import audit, people


@pytest.fixture
def filled(engine):
    books = Audit(engine)
    for number in range(5):
        books.add("shared", actor="U1", detail={"answer": f"a{number}", "note": "naïve 日本"})
    return books


def test_each_entry_follows_the_one_before(filled):
    entries = list(filled.entries())

    assert [entry.action for entry in entries] == ["shared"] * 5
    assert [entry.previous for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]
    assert filled.problem() is None
    assert filled.last_hash() == entries[-1].hash


@pytest.mark.parametrize("column", ["at", "actor", "action", "detail", "hash"])
def test_what_was_changed_is_noticed(engine, filled, column):
    value = 7.0 if column == "at" else "0" * 40
    with engine.begin() as connection:
        connection.execute(sa.update(audit).where(audit.c.seq == 3).values({column: value}))

    assert filled.problem() in {
        "entry 3 was changed after it was written",
        "entry 4 does not follow the one before: one was taken out",
    }


@pytest.mark.parametrize("seq", [1, 3])
def test_what_was_taken_out_is_noticed(engine, filled, seq):
    with engine.begin() as connection:
        connection.execute(sa.delete(audit).where(audit.c.seq == seq))

    assert "taken out" in filled.problem()


def test_many_writers_make_one_chain(engine):
    def write(writer):
        for number in range(8):
            Audit(engine).add("asked", actor=writer, detail={"number": number})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))

    books = Audit(engine)
    assert books.problem() is None
    assert len(list(books.entries())) == 32


def test_people_stand_in_the_chain_under_a_pseudonym(engine):
    books = Audit(engine)
    books.add("shared", actor="slack/T1/U1", detail={"answer": "a1"})
    books.add("removed", actor="slack/T1/U2", detail={}, about="slack/T1/U1")

    first, second = books.entries()
    assert (first.name, second.name) == ("slack/T1/U1", "slack/T1/U2")
    with engine.connect() as connection:
        assert "U1" not in str(connection.execute(sa.select(audit)).all())
    assert first.actor in second.detail


def test_who_is_gone_from_the_names_is_gone_from_the_chain_and_it_holds(engine):
    books = Audit(engine)
    books.add("shared", actor="slack/T1/U1", detail={})
    with engine.begin() as connection:
        connection.execute(sa.delete(people))
    books.add("shared", actor="slack/T1/U1", detail={})

    first, second = books.entries()
    assert (first.name, second.name) == (None, "slack/T1/U1")
    assert first.actor != second.actor
    assert books.problem() is None
