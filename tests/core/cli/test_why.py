import json
import sqlite3

import pytest

import commands

LEAVE = "How many days of leave do I have?"


@pytest.fixture
def asked(synced):
    """Return a machine and the reference of an answer with a dropped statement."""
    done = synced.citewell("ask", LEAVE, "--profile", "inventive")
    return synced, commands.reference(done.stdout)


def test_an_answer_is_explained(shared, answered):
    told = shared.citewell("why", answered)

    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[0] == LEAVE
    assert lines[1].startswith("answered ")
    assert "  kept    Every employee has 28 days of leave a year. [1]" in lines
    assert "          [1] Leave, line 3  handbook/leave.md:3" in lines
    assert "          │ Every employee has 28 days of leave a year." in lines
    assert "  dropped Bob has 40 days. [1]" in lines or "  dropped Bob has 40 days." in lines
    assert any(line.startswith("          ") and "40" in line for line in lines)
    assert any(line.startswith("   1 ") and line.endswith("[1]") for line in lines)
    assert "  profile  inventive" in lines
    assert any(line.startswith("  index    main ") and "unchanged" in line for line in lines)


def test_json_explains_the_same(shared, answered):
    told = json.loads(shared.citewell("why", answered, "--json").stdout)

    assert told["schema"] == "citewell.explanation/1"
    assert (told["id"], told["question"]) == (answered, LEAVE)
    assert len(told["prompt_hash"]) == 64
    assert told["index_now"] == told["index_identity"] != ""
    assert {"retrieve", "generate", "total"} <= told["seconds"].keys()
    assert [claim["shown"] for claim in told["claims"]] == [True, False]
    kept, dropped = told["claims"]
    assert kept["citations"][0]["quote"] == "Every employee has 28 days of leave a year."
    assert (dropped["text"], dropped["supported"]) == ("Bob has 40 days.", False)
    assert "40" in dropped["reason"]
    assert told["passages"][0]["current"] is True


def test_what_was_deleted_is_not_shown_again(asked):
    machine, reference = asked
    (machine.handbook / "leave.md").unlink()
    machine.citewell("sync")

    told = machine.citewell("why", reference)
    as_json = machine.citewell("why", reference, "--json")

    assert told.returncode == 0, told.stderr
    # The line with the time may hold any number.
    _, statements = told.stdout.split("Statements")
    assert "28" not in statements.split("Made with")[0]
    assert "Bob" not in told.stdout
    assert "gone, changed, or not for this reader any more" in told.stdout
    assert "28 days" not in as_json.stdout
    assert "leave.md" not in as_json.stdout


def test_what_changed_is_not_shown_again(asked):
    machine, reference = asked
    (machine.handbook / "leave.md").write_text("# Leave\n\nEvery employee has 31 days.\n")
    machine.citewell("sync")

    told = machine.citewell("why", reference)

    assert "28 days" not in told.stdout
    assert "31 days" not in told.stdout
    assert ", now " in told.stdout


def test_another_reader_sees_nothing_of_it(shared):
    question = "How many euros does the bonus pool hold?"
    done = shared.citewell("ask", question, "--as", "people-team")
    reference = commands.reference(done.stdout)

    as_everyone = shared.citewell("why", reference)
    as_people_team = shared.citewell("why", reference, "--as", "people-team")

    assert "9000" in as_people_team.stdout
    assert "9000" not in as_everyone.stdout
    assert "pay.md" not in as_everyone.stdout


def test_a_reference_that_nobody_has_is_explained(shared):
    told = shared.citewell("why", "zzzzzzzzzz")

    assert told.returncode == 1
    assert 'no answer has the reference "zzzzzzzzzz"' in told.stderr


def test_a_refusal_and_a_failure_are_explained(shared):
    refused = shared.citewell("ask", "Who won the chess championship of 1972?")
    failed = shared.citewell("ask", LEAVE, "--profile", "failing")

    why_refused = shared.citewell("why", commands.reference(refused.stdout))
    why_failed = shared.citewell("why", commands.reference(failed.stdout))

    assert "The documents do not say." in why_refused.stdout
    assert "errors   failing: the scripted model was told to fail" in why_failed.stdout


def test_the_journal_of_a_folder_is_its_own(machine):
    done = machine.citewell("ask", LEAVE, "--docs", "handbook")
    reference = commands.reference(done.stdout)

    with_folder = machine.citewell("why", reference, "--docs", "handbook")
    without = machine.citewell("why", reference)

    assert with_folder.returncode == 0, with_folder.stderr
    assert without.returncode == 1


def test_answers_are_in_a_database_of_their_own(shared, answered):
    shared.citewell("why", answered.upper())
    (journal,) = shared.work.rglob("journal.sqlite")

    connection = sqlite3.connect(journal)
    found = connection.execute("SELECT outcome FROM answers WHERE id = ?", (answered,)).fetchall()
    connection.close()

    assert found == [("answered",)]


def _change(machine, text):
    (machine.handbook / "leave.md").write_text(text)


_CHANGES = {
    "gone": lambda machine: (machine.handbook / "leave.md").unlink(),
    "changed": lambda machine: _change(machine, "# Leave\n\nEvery employee has 31 days.\n"),
    "moved": lambda machine: _change(machine, f"# New\n\nRead on.\n\n{commands.LEAVE}"),
    "closed": lambda machine: (machine.work / "citewell.toml").write_text(
        (machine.work / "citewell.toml").read_text().replace('["everyone"]', '["press"]')
    ),
}
_SAID = {
    "gone": "gone since the answer was given",
    "changed": "changed since the answer was given",
    "closed": "not for those any more who read the answer",
}


@pytest.mark.parametrize("change", list(_CHANGES))
def test_an_answer_is_marked_when_its_source_changed(asked, change):
    machine, reference = asked
    _CHANGES[change](machine)
    machine.citewell("sync")

    told = machine.citewell("why", reference).stdout
    as_json = json.loads(machine.citewell("why", reference, "--json").stdout)

    assert as_json["passages"][0]["standing"] == change
    assert as_json["sources_changed"] == ([1] if change in _SAID else [])
    assert ("1 of 1 cited source changed since this answer was given" in told) is (change in _SAID)
    assert _SAID.get(change, "as it was, at another place of its source") in told
    assert "31 days" not in told


def test_a_source_that_is_as_it_was_is_said_to_be(shared, answered):
    told = shared.citewell("why", answered).stdout
    as_json = json.loads(shared.citewell("why", answered, "--json").stdout)

    assert as_json["passages"][0]["standing"] == "same"
    assert as_json["sources_changed"] == []
    assert "as it was" in told
    assert "changed since this answer" not in told
