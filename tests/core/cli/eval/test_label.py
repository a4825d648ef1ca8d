"""`citewell eval label`: a person says what is right, blind, and a report says who agrees."""

import json
import shutil
import sqlite3
import subprocess
import sys

import pytest
from click.testing import CliRunner

import commands
from citewell.cli.main import cli, run
from citewell.evaluation.labels import load_labels
from distributions import Site
from islands import write_project

ARMS = ("base", "tuned", "rag", "both")
METRIC = """
[metric.judge]
use = "length"
max_words = 4
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Return a folder in which an evaluation was run."""
    folder = tmp_path_factory.mktemp("measured")
    settings = str(write_project(folder))
    assert run(["sync", "--config", settings]) == 0
    assert run(["eval", "run", "--config", settings]) == 0
    return folder


@pytest.fixture
def project(measured, tmp_path, monkeypatch):
    """Return a folder of the test's own, which it is in, with what was measured."""
    shutil.copytree(measured, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "ann")
    return tmp_path


@pytest.fixture
def label(project):
    """Return a function that labels with what is typed, and what is labelled then."""

    def labelled(typed, *options, user="ann"):
        result = CliRunner(env={"LOGNAME": user}).invoke(
            cli, ["eval", "label", *options], input=typed
        )
        return result, load_labels(project / "labels.jsonl")

    return labelled


def shown(result):
    """Return the questions that were shown, in their order."""
    return [line for line in result.output.splitlines() if line.endswith("?")]


def test_a_person_sees_question_expectation_text_and_quotes_and_labels_are_kept(label):
    result, labels = label("r\nw\n" * 15)

    assert result.exit_code == 0
    assert "  expected  the documents do not say\n" in result.output
    assert "  answer    (it says that the documents do not say)\n" in result.output
    assert "  quoted    atlas:island" in result.output
    assert "people, and many birds.\n" in result.output
    assert "30 of 30" in result.output
    assert "30 answers labelled: 15 right, 15 wrong; they are in " in result.output
    assert [one.verdict for one in labels] == ["right", "wrong"] * 15
    assert {one.who for one in labels} == {"ann"}
    assert len({one.subject for one in labels}) == 30


def test_neither_the_arm_nor_any_score_is_shown(label):
    result, _ = label("s\n" * 48)

    assert len(shown(result)) == 48
    words = result.output.replace("[r]ight", "").replace("[w]rong", "").split()
    for told in (*ARMS, "memory", "quotes", "extractive", "correct", "kappa", "0.5"):
        assert told not in words


def test_letters_and_words_are_understood_and_anything_else_is_asked_again(label):
    _, labels = label("RIGHT\n  wrong \nyes\n\n?\nR\nq\nr\n")

    assert [one.verdict for one in labels] == ["right", "wrong", "right"]


def test_what_was_labelled_is_not_asked_again_and_counts(label):
    first, _ = label("r\n" * 10)
    second, labels = label("r\n" * 40)

    assert "20 more would make 30" in first.output
    assert "11 of 30" in second.output
    assert not set(labels[10:]) & set(labels[:10])
    assert len(labels) == 30


def test_who_asks_for_more_gets_more_until_nothing_is_left(label):
    result, labels = label("r\n" * 99, "--number", "99")

    assert len(labels) == 48
    assert "48 answers labelled: 48 right, 0 wrong" in result.output
    assert "51 more would make 99" in result.output


def test_a_skip_is_no_label_and_comes_up_again(label):
    first, labels = label("s\nr\nq\n")
    second, _ = label("q\n")

    assert len(labels) == 1
    assert shown(first)[0] == shown(second)[0]
    assert shown(first)[0] != labels[0].question


def test_back_takes_the_last_label_back_and_asks_again(label):
    result, labels = label("r\nr\nb\nw\nq\n")

    assert [one.verdict for one in labels] == ["right", "wrong"]
    questions = shown(result)
    assert questions[1] == questions[3]
    assert [one.question for one in labels] == questions[:2]


def test_back_goes_past_a_skip_and_into_an_earlier_sitting(label):
    label("r\nw\n")
    result, labels = label("s\nb\nb\nb\nw\nr\nq\n")

    assert [one.verdict for one in labels] == ["wrong", "right"]
    assert "[s]kip, [q]uit > " in result.output, "before the first there is nothing"


def test_the_last_label_can_be_taken_back_as_well(label):
    result, labels = label("r\nr\nb\nw\n", "--number", "2")

    assert [one.verdict for one in labels] == ["right", "wrong"]
    assert "[b]ack, [q]uit > " in result.output


def test_who_goes_back_and_leaves_takes_nothing_back(label):
    _, before = label("r\n" * 40, "--number", "40")
    _, after = label("b\n" * 5 + "q\n")
    _, changed = label("b\nw\n")

    assert len(before) == 40
    assert after == before
    assert [one.verdict for one in changed] == [*["right"] * 39, "wrong"]


def test_nobody_takes_back_what_another_one_said(label):
    label("r\nr\n")
    result, labels = label("b\nw\nq\n", user="bob")

    assert [(one.who, one.verdict) for one in labels] == [
        ("ann", "right"),
        ("ann", "right"),
        ("bob", "wrong"),
    ]
    assert result.exit_code == 0


def test_programs_get_the_counts_alone(label):
    result, _ = label("r\nw\ns\nq\n", "--json")

    found = json.loads(result.stdout)
    assert found.pop("file").endswith("labels.jsonl")
    assert found == {
        "schema": "citewell.eval-label/1",
        "answers": 48,
        "wanted": 30,
        "labelled": 2,
        "right": 1,
        "wrong": 1,
        "added": 2,
        "skipped": 1,
        "gone": 0,
    }
    assert "How many people live on" in result.stderr


def test_labels_hold_for_whichever_arm_gives_the_same_text_and_through_a_new_run(
    label, project, capsys
):
    label("r\n" * 48, "--number", "48")
    (project / ".citewell" / "eval" / "answers.sqlite").unlink()
    assert run(["eval", "run", "--arms", "rag,tuned"]) == 0

    result, labels = label("", "--number", "99")

    assert "[r]ight" not in result.output
    assert len(labels) == 48
    capsys.readouterr()
    assert run(["eval", "report", "--json"]) == 0
    found = {one["score"]: one for one in json.loads(capsys.readouterr().out)["agreement"]}
    assert found["correct"]["labels"] == 12 * 2 + 6 * 2


def test_a_report_says_how_far_scores_agree_as_soon_as_there_are_labels(label, project, capsys):
    capsys.readouterr()
    run(["eval", "report"])
    assert "Agreement" not in capsys.readouterr().out

    typed = "".join("r\n" if at % 3 else "w\n" for at in range(30))
    label(typed)

    run(["eval", "report", "--html", "page.html"])
    run(["eval", "report"])
    out = capsys.readouterr().out
    assert "Agreement with people, correct: the same on " in out
    assert " of 30 labels, kappa " in out
    assert "<h2>Agreement with people</h2>" in (project / "page.html").read_text()
    run(["eval", "report", "--json"])
    reported = capsys.readouterr().out
    run(["eval", "run", "--json"])
    assert capsys.readouterr().out == reported


def test_a_judge_that_nobody_checked_is_said_to_be_unchecked(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Site(tmp_path / "site", monkeypatch).install(
        {"length": "length_metric"}, name="citewell-length"
    )
    settings = write_project(tmp_path)
    settings.write_text(settings.read_text() + METRIC)
    run(["sync"])
    run(["eval", "run"])
    unknown = "How far judge agrees with people is not known: citewell eval label"
    assert unknown in capsys.readouterr().out

    CliRunner().invoke(cli, ["eval", "label"], input="r\n" * 9)

    run(["eval", "report"])
    out = capsys.readouterr().out
    assert unknown not in out
    assert "Agreement with people, judge: the same on " in out
    assert "of 9 labels (few: 30 tell more)" in out


def test_the_settings_name_the_file_of_labels(project, capsys):
    settings = project / "citewell.toml"
    named = settings.read_text().replace("[eval]\n", '[eval]\nlabels = "people.jsonl"\n')
    settings.write_text(named)

    CliRunner().invoke(cli, ["eval", "label"], input="r\n")

    assert len(load_labels(project / "people.jsonl")) == 1
    assert not (project / "labels.jsonl").exists()


def test_by_default_the_file_is_beside_the_questions(project):
    (project / "sets").mkdir()
    (project / "questions.jsonl").rename(project / "sets" / "mine.jsonl")
    settings = project / "citewell.toml"
    named = settings.read_text().replace("[eval]\n", '[eval]\nquestions = "sets/mine.jsonl"\n')
    settings.write_text(named)

    CliRunner().invoke(cli, ["eval", "label"], input="r\n")

    assert len(load_labels(project / "sets" / "labels.jsonl")) == 1


@pytest.mark.parametrize("words", [["label"], ["run"], ["report"]])
def test_a_wrong_line_is_named_wherever_labels_are_read_and_nothing_is_lost(
    label, project, capsys, words
):
    label("r\nr\n")
    file = project / "labels.jsonl"
    file.write_text(file.read_text() + '{"question": "a"}\n')
    before = file.read_bytes()
    capsys.readouterr()

    assert run(["eval", *words]) == 1

    said = capsys.readouterr().err
    assert "labels.jsonl: line 3: object missing required field `text_hash`; expected a lab" in said
    assert file.read_bytes() == before


def test_other_questions_than_those_of_the_last_run_are_refused(project, capsys):
    questions = project / "questions.jsonl"
    questions.write_text("\n".join(questions.read_text().splitlines()[1:]))

    assert run(["eval", "label"]) == 1

    assert "these are not the questions of the last run; name its file" in capsys.readouterr().err


def test_the_questions_of_the_last_run_can_be_named(project):
    (project / "questions.jsonl").rename(project / "others.jsonl")

    result = CliRunner().invoke(cli, ["eval", "label", "-q", "others.jsonl"], input="r\n")

    assert result.exit_code == 0
    assert len(load_labels(project / "labels.jsonl")) == 1


def test_without_a_run_it_is_said_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)

    assert run(["eval", "label"]) == 1

    assert "there is no report yet; run: citewell eval run" in capsys.readouterr().err


def test_answers_that_are_gone_are_counted_and_not_asked_about(label, project):
    (project / ".citewell" / "eval" / "answers.sqlite").unlink()

    result, labels = label("r\n")

    assert "48 answers of the last run not kept any more; run: citewell eval run" in result.output
    assert not labels


def test_nothing_that_an_answer_says_steers_the_terminal(label, project):
    with sqlite3.connect(project / ".citewell" / "eval" / "answers.sqlite") as answers:
        for key, arm, response in answers.execute("SELECT * FROM answers").fetchall():
            found = json.loads(response)
            for statement in found["statements"]:
                for quote in statement["quotes"]:
                    quote |= {"text": "\x1b[2Jgone", "document_id": "a\nb\x07"}
            changed = json.dumps(found).encode()
            answers.execute(
                "UPDATE answers SET response = ? WHERE question = ? AND arm = ?",
                (changed, key, arm),
            )

    result, _ = label("s\n" * 48)

    assert "␛[2Jgone" in result.output
    assert "\x1b" not in result.output
    assert "\x07" not in result.output


def test_a_sitting_that_is_killed_loses_nothing_that_was_said(project):
    said = "import sys; from citewell.cli.main import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", said, "eval", "label"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(3):
        process.stdin.write("r\n")
        process.stdin.flush()
    while "4 of 30" not in process.stdout.readline():
        assert process.poll() is None, "it ended before it could be killed"
    process.kill()
    process.communicate()

    assert len(load_labels(project / "labels.jsonl")) == 3


@pytest.fixture
def at_machine(project, tmp_path_factory, at_terminal):
    """Return a function that labels at a terminal."""
    machine = commands.Machine(tmp_path_factory.mktemp("machine"))
    machine.environment["LOGNAME"] = "ann"
    machine.work = project
    return lambda *options: at_terminal(machine, "eval", "label", *options)


def test_at_a_terminal_one_key_is_enough(at_machine, project):
    keys = (("r", "right"), ("x", "x"), ("b", "back"), ("w", "wrong"), ("s", "skip"))

    with at_machine() as terminal:
        end = terminal.wait_for("[q]uit > ")
        for key, word in keys:
            terminal.type(key)
            end = terminal.wait_for(f"{word}\n", after=end)
            end = terminal.wait_for("[q]uit > ", after=end)
        terminal.type("\x04")
        assert terminal.wait() == 0

    assert [one.verdict for one in load_labels(project / "labels.jsonl")] == ["wrong"]


def test_keys_that_are_pressed_early_count_and_arrows_do_nothing(at_machine, project):
    with at_machine("--number", "3") as terminal:
        end = terminal.wait_for("[q]uit > ")
        terminal.type("rw")
        end = terminal.wait_for("3 of 3", after=end)
        end = terminal.wait_for("[q]uit > ", after=end)
        terminal.type("\x1b[B")
        end = terminal.wait_for("[q]uit > ", after=end)
        terminal.type("rq")
        assert terminal.wait() == 0

    verdicts = [one.verdict for one in load_labels(project / "labels.jsonl")]
    assert verdicts == ["right", "wrong", "right"]


def test_ctrl_c_ends_it_and_keeps_what_was_said(at_machine, project):
    with at_machine() as terminal:
        end = terminal.wait_for("[q]uit > ")
        terminal.type("r")
        terminal.wait_for("[q]uit > ", after=end)
        terminal.type("\x03")
        assert terminal.wait() == 130

    assert len(load_labels(project / "labels.jsonl")) == 1
