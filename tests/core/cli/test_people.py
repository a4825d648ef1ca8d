"""What is kept of a person is shown to them, and deleted, by a command."""

import json

import pytest

import commands
from bots import asked, complete, started, synced, until
from citewell.journal.database import open_engine
from citewell.journal.inbox import Inbox
from citewell.journal.journal import journal_url

NAME = "plain//U1"
SECRET = "Is the merger with Umbrella still on?"


@pytest.fixture
def talked(tmp_path):
    """A folder whose bot was asked by two people."""
    machine = commands.Machine(tmp_path)
    with started(machine.work) as (_, chat, _):
        until(lambda: synced(machine.work))
        for number, (user, text) in enumerate([("U1", SECRET), ("U2", "How many days of leave?")]):
            chat.tell(asked(str(number), text, user=user))
        until(complete(chat, 2))
        # What is shown is written down a moment later.
        engine = open_engine(journal_url(None, machine.work / ".citewell"))
        until(lambda: not Inbox(engine).waiting())
        engine.dispose()
    return machine


def test_a_person_is_exported(talked):
    result = talked.citewell("export", NAME)

    told = json.loads(result.stdout)
    assert result.returncode == 0
    assert told["schema"] == "citewell.person/1"
    assert [one["text"] for one in told["messages"]] == [SECRET]
    assert len(told["questions"]) == len(told["questions"][0]["answers"]) == 1
    assert "How many days" not in result.stdout


def test_a_person_is_forgotten_and_nobody_else(talked):
    result = talked.citewell("forget", NAME, "--yes")
    after = json.loads(talked.citewell("export", NAME).stdout)
    other = json.loads(talked.citewell("export", "plain//U2").stdout)
    doctor = talked.citewell("doctor")

    assert result.stdout.startswith("forgotten: 1 message, 1 question, 1 answer")
    assert after["messages"] == after["questions"] == after["votes"] == after["audit"] == []
    assert [one["text"] for one in other["messages"]] == ["How many days of leave?"]
    assert "audit: whole" in doctor.stdout
    kept = b"".join(path.read_bytes() for path in (talked.work / ".citewell").glob("journal.*"))
    assert b"Umbrella" not in kept


def test_who_forgets_is_asked_first(talked):
    refused = talked.citewell("forget", NAME, typed="n\n")
    nobody = talked.citewell("forget", NAME)

    assert refused.returncode == 130
    assert nobody.returncode == 1
    assert "citewell forget plain//U1 --yes" in nobody.stderr
    assert json.loads(talked.citewell("export", NAME).stdout)["messages"]


def test_a_name_that_is_none_is_refused(talked):
    result = talked.citewell("export", "alice")

    assert result.returncode == 2
    assert "expected SECTION/TEAM/USER" in result.stderr
