import json
import re
from pathlib import Path

import pytest
from filelock import FileLock

import commands
from citewell.cli import indexing, main

LEAVE = "How many days of leave do I have?"


def test_an_answer_comes_with_its_source_and_a_reference(shared):
    asked = shared.citewell("ask", LEAVE)

    assert asked.returncode == 0, asked.stderr
    assert asked.stderr == ""
    assert re.fullmatch(
        r"Every employee has 28 days of leave a year\. \[1\]\n"
        r"\n"
        r"Sources\n"
        r"\[1\] Leave, line 3  handbook/leave\.md:3\n"
        r"    │ Every employee has 28 days of leave a year\.\n"
        r"\n"
        r"1 of 1 statement supported\n"
        r"citewell why [0-9a-z]{10}\n",
        asked.stdout,
    )


def test_a_folder_is_asked_without_settings(machine):
    (machine.work / "citewell.toml").unlink()

    first = machine.citewell("ask", LEAVE, "--docs", "handbook")
    (machine.handbook / "leave.md").write_text("# Leave\n\nEvery employee has 31 days of leave.\n")
    second = machine.citewell("ask", LEAVE, "--docs", "handbook")

    assert first.returncode == 0, first.stderr
    assert "28 days" in first.stdout
    assert "31 days" in second.stdout
    assert f"citewell why {commands.reference(second.stdout)} --docs handbook" in second.stdout
    assert sorted(path.name for path in machine.handbook.iterdir()) == ["hr", "leave.md"]


def test_a_folder_with_a_bad_file_is_asked_and_the_file_mentioned(machine):
    (machine.handbook / "broken.md").write_bytes(b"\x00\x01\x02")

    asked = machine.citewell("ask", LEAVE, "--docs", "handbook")

    assert asked.returncode == 0
    assert "28 days" in asked.stdout
    assert asked.stderr.startswith("note: 1 document cannot be read; see: citewell sync --docs ")


def test_a_folder_that_another_process_reads_is_waited_for(machine, at_terminal):
    machine.citewell("ask", LEAVE, "--docs", "handbook")
    (machine.handbook / "leave.md").write_text("# Leave\n\nEvery employee has 31 days of leave.\n")
    (lock,) = Path(machine.environment["XDG_CACHE_HOME"]).rglob("writer.lock")
    other = FileLock(lock)
    other.acquire()

    with at_terminal(machine, "ask", LEAVE, "--docs", "handbook") as terminal:
        terminal.wait_for("note: another process is reading this folder; waiting for it")
        early = terminal.text
        other.release()
        code = terminal.wait()

    assert code == 0
    assert "days" not in early
    assert "31 days" in terminal.text
    assert terminal.text.count("note:") == 1


def test_the_wait_for_another_process_ends(machine, monkeypatch, capsys):
    machine.citewell("ask", LEAVE, "--docs", "handbook")
    (machine.handbook / "leave.md").write_text("# Leave\n\nEvery employee has 31 days of leave.\n")
    (lock,) = Path(machine.environment["XDG_CACHE_HOME"]).rglob("writer.lock")
    monkeypatch.setattr(indexing, "_WAIT_S", 0.01)
    monkeypatch.setattr(indexing, "_POLL_S", 0.02)
    monkeypatch.setenv("XDG_CACHE_HOME", machine.environment["XDG_CACHE_HOME"])

    with FileLock(lock):
        code = main.run(["ask", LEAVE, "--docs", str(machine.handbook)])

    shown = capsys.readouterr()
    assert code == 1
    assert "is being written by another process" in shown.err
    assert shown.out == ""


def test_what_the_documents_do_not_say_is_not_answered(shared):
    asked = shared.citewell("ask", "Who won the chess championship of 1972?")

    assert asked.returncode == 3
    assert asked.stdout.startswith("The documents do not say.\n")


def test_the_question_comes_from_standard_input(shared):
    asked = shared.citewell("ask", "-", typed=f"{LEAVE}\n")

    assert asked.returncode == 0
    assert "28 days of leave" in asked.stdout


def test_words_need_no_quotation_marks(shared):
    asked = shared.citewell("ask", *LEAVE.split())

    assert asked.returncode == 0
    assert "28 days of leave" in asked.stdout


def test_json_has_what_a_program_needs(shared):
    asked = shared.citewell("ask", LEAVE, "--json")

    read = json.loads(asked.stdout)
    (citation,) = read["sources"][0]["citations"]
    text = (shared.handbook / "leave.md").read_text(encoding="utf-8")
    assert read["outcome"] == "answered"
    assert citation["quote"] == text[citation["start"] : citation["end"]]
    assert citation["place"]["line"] == 3
    assert citation["document_id"] == "handbook:leave.md"


def test_plain_has_no_quotes(shared):
    asked = shared.citewell("ask", LEAVE, "--format", "plain")

    assert "[1] Leave, line 3  handbook/leave.md:3\n" in asked.stdout
    assert "│" not in asked.stdout


def test_labels_decide_what_is_read(shared):
    question = "How many euros does the bonus pool hold?"

    as_everyone = shared.citewell("ask", question)
    as_people_team = shared.citewell("ask", question, "--as", "everyone,people-team")

    assert as_everyone.returncode == 3
    assert "9000" not in as_everyone.stdout
    assert "pay.md" not in as_everyone.stdout
    assert as_people_team.returncode == 0
    assert "9000 euros" in as_people_team.stdout


def test_a_dropped_statement_is_counted(shared):
    asked = shared.citewell("ask", LEAVE, "--profile", "inventive")

    assert asked.returncode == 0
    assert "Bob" not in asked.stdout
    assert "1 of 2 statements supported" in asked.stdout


def test_an_answer_without_sources_says_so_first(shared):
    asked = shared.citewell("ask", LEAVE, "--profile", "free")

    assert asked.returncode == 0
    assert asked.stdout.startswith("answered without sources\n")
    assert "Sources" not in asked.stdout


def test_a_failed_answer_says_why(shared):
    asked = shared.citewell("ask", LEAVE, "--profile", "failing")

    assert asked.returncode == 1
    assert re.match(r"no model could answer \(reference [0-9a-z]{10}\)\n", asked.stdout)
    assert asked.stderr == "error: failing: the scripted model was told to fail\n"


def test_a_hostile_model_steers_nothing(shared):
    asked = shared.citewell("ask", LEAVE, "--profile", "hostile")

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", asked.stdout)
    assert "evil.example" not in asked.stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["ask", LEAVE], 1, "error: nothing is indexed yet; run: citewell sync\n"),
        (["ask", LEAVE, "--profile", "quick"], 1, 'profile "quick" is not in the settings'),
        (["ask", LEAVE, "--format", "html"], 1, "[formatter.html] is not in the settings"),
        (["ask", LEAVE, "--format", "footnote"], 1, 'did you mean "footnotes"? there are: footn'),
        (["ask", LEAVE, "--docs", "nowhere"], 1, "expected a folder"),
        (["ask", LEAVE, "--config", "nowhere.toml"], 1, "nowhere.toml"),
        (["ask", LEAVE, "--docs", "handbook", "-c", "citewell.toml"], 2, "exclude each other"),
        (["ask", LEAVE, "--as", ","], 2, "expected a label"),
        (["ask", " "], 2, "the question is empty"),
        (["ask"], 2, "QUESTION"),
    ],
)
def test_a_mistake_is_explained_in_words(machine, words, code, message):
    asked = machine.citewell(*words)

    assert asked.returncode == code
    assert message in asked.stderr
    assert "Traceback" not in asked.stderr
    assert asked.stdout == ""


def test_without_settings_and_folder_both_ways_are_shown(machine):
    (machine.work / "citewell.toml").unlink()

    asked = machine.citewell("ask", LEAVE)

    assert asked.returncode == 1
    assert "--docs FOLDER" in asked.stderr
    assert "citewell init" in asked.stderr


def test_a_folder_without_documents_is_reported(machine):
    (machine.work / "empty").mkdir()

    asked = machine.citewell("ask", LEAVE, "--docs", "empty")

    assert asked.returncode == 1
    assert f"{machine.work / 'empty'} holds no document that can be read" in asked.stderr
    assert "expected files that end with .csv, .docx, " in asked.stderr
    assert "sync" not in asked.stderr


def test_a_terminal_shows_the_answer_in_colour_with_links(shared, at_terminal):
    with at_terminal(shared, "ask", LEAVE) as terminal:
        code = terminal.wait()

    uri = (shared.handbook / "leave.md").as_uri()
    assert code == 0
    assert "\x1b[36m [1]" in terminal.raw
    assert re.search(rf"\x1b\]8;id=\d+;{uri}", terminal.raw)
    assert "1 of 1 statement supported\ncitewell why " in terminal.text


def test_documents_do_not_steer_the_terminal(machine, at_terminal):
    hostile = "# Leave\n\nEvery employee has \x9b2J28 days\u202e of leave a year.\n"
    (machine.handbook / "leave.md").write_text(hostile, encoding="utf-8")
    machine.citewell("sync")

    with at_terminal(machine, "ask", LEAVE) as terminal:
        terminal.wait()

    assert "28 days\N{REPLACEMENT CHARACTER} of leave" in terminal.text
    assert not {"\x9b", "\u202e"} & set(terminal.raw)


def test_a_terminal_shows_the_first_statement_before_the_last(shared, at_terminal):
    with at_terminal(shared, "ask", LEAVE, "--profile", "slow") as terminal:
        terminal.wait_for("28 days of leave")
        early = terminal.text
        code = terminal.wait()

    assert code == 0
    assert "portal" not in early
    assert "portal" in terminal.text


def test_ctrl_c_stops_an_answer(shared, at_terminal):
    with at_terminal(shared, "ask", LEAVE, "--profile", "slow") as terminal:
        terminal.wait_for("28 days of leave")
        terminal.type("\x03")
        code = terminal.wait()

    assert code == 130
    assert "Traceback" not in terminal.text
