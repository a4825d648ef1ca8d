"""`citewell eval init`: a set of questions from a folder, a file, a model or the journal."""

import json

import pytest
from click.testing import CliRunner

from assistants import write_handbook
from citewell import ConfigError
from citewell.cli.main import cli, run
from citewell.evaluation.questions import load_questions

MODELS = """
[model.quotes]
use = "extractive"

[model.author]
use = "scripted"
script = ['{{"questions": [{}]}}']

[profile.default]
retriever = "main"
model = "quotes"
"""
DRAFT = (
    '{"question": "How much leave is there?", "answer": "28 days", "evidence": "28 days of paid"}'
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with documents and nothing else; the cache is the test's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    docs = tmp_path / "docs"
    docs.mkdir()
    for number, town in enumerate(("Aachen", "Bonn", "Coburg", "Dresden")):
        (docs / f"{town}.md").write_text(
            f"# {town}\n\nThe museum of {town} was opened in {1900 + number}. The tower of {town} "
            f"has {30 + number} bells.\n\nThe Committee of Elders met Karl Meyer in {town} once.\n"
        )
    return tmp_path


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = write_handbook(tmp_path, MODELS.format(DRAFT))
    assert run(["sync"]) == 0
    return file


def test_a_folder_without_settings_gives_a_set(folder, capsys):
    assert run(["eval", "init", "--docs", "docs", "-n", "6"]) == 0

    items = load_questions(folder / "questions.jsonl")
    assert len(items) == 6
    shown = capsys.readouterr().out
    assert shown.startswith("questions.jsonl: 6 questions\n")
    assert "in the documents" in shown
    assert "6 of 6 are easy" in shown
    assert "the smallest gain that 6 questions from 4 documents can show: " in shown


def test_without_a_folder_this_one_is_asked_and_that_is_said(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder / "docs")

    assert run(["eval", "init", "../set.jsonl"]) == 0

    assert "no citewell.toml is near; reading the documents of this folder" in (
        capsys.readouterr().err
    )
    assert load_questions(folder / "set.jsonl")


def test_a_share_of_the_documents_is_left_out_and_named(folder, capsys):
    arguments = ["eval", "init", "--docs", "docs", "-n", "8", "--hold-out-docs", "25%", "--json"]
    assert run(arguments) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["schema"] == "citewell.eval-init/1"
    assert (told["questions"], told["unanswerable"], told["held_out"]) == (8, 2, 1)
    assert told["slices"]["not in the documents"] == 2
    assert 0 < told["smallest_gain"] <= 1
    held = {
        item.documents for item in load_questions(folder / "questions.jsonl") if item.unanswerable
    }
    assert len(held) == 1


def test_questions_of_another_tool_are_taken_over(folder, capsys):
    (folder / "other.csv").write_text("question,ground_truth\nHow long?,28 days\n")

    assert run(["eval", "init", "--docs", "docs", "--from", "other.csv"]) == 0

    (item,) = load_questions(folder / "questions.jsonl")
    assert (item.question, item.answers, item.origin) == ("How long?", ("28 days",), "written")


def test_a_file_is_neither_replaced_nor_lost_by_accident(folder, capsys):
    arguments = ["eval", "init", "--docs", "docs", "-n", "3"]
    assert run(arguments) == 0
    before = (folder / "questions.jsonl").read_text()

    assert run(arguments) == 1
    assert "questions.jsonl is there already; expected a new file" in capsys.readouterr().err
    assert (folder / "questions.jsonl").read_text() == before

    assert run([*arguments, "--add", "--seed", "5"]) == 0
    assert (folder / "questions.jsonl").read_text().startswith(before)
    assert run([*arguments, "--force"]) == 0
    assert (folder / "questions.jsonl").read_text() == before


def test_two_ways_to_leave_out_do_not_mix(folder, capsys):
    arguments = ["eval", "init", "--docs", "docs", "-n"]
    assert run([*arguments, "4"]) == 0
    before = (folder / "questions.jsonl").read_text()

    assert run([*arguments, "12", "--hold-out-docs", "25%", "--add"]) == 1

    assert "would be about documents that others leave out" in capsys.readouterr().err
    assert (folder / "questions.jsonl").read_text() == before


def test_a_model_drafts_what_is_not_asked_yet(config, capsys):
    assert run(["eval", "init", "--model", "author"]) == 0

    (item,) = load_questions(config.parent / "questions.jsonl")
    assert (item.question, item.is_draft) == ("How much leave is there?", True)
    shown = capsys.readouterr().out
    assert "questions.jsonl: 0 questions and 1 draft" in shown
    assert "citewell eval review questions.jsonl" in shown


def test_what_the_journal_keeps_becomes_drafts(config, capsys):
    asked = "Who is the king of Norway?"
    run(["ask", asked])

    assert run(["eval", "init", "--from-journal"]) == 0

    (item,) = load_questions(config.parent / "questions.jsonl")
    assert (item.question, item.slices, item.is_draft) == (asked, ("unanswered",), True)
    assert "what is forgotten in the journal stays in this file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--hold-out-docs", "120%"], 2, '"120%" is no share; expected one from 0% to 99%'),
        (["--hold-out-docs", "many"], 2, '"many" is no share'),
        (["--model", "a", "--from-journal"], 2, "--from-journal and --model exclude each other"),
        (["--add", "--force"], 2, "--add and --force exclude each other"),
        (["--model", "autor"], 1, 'did you mean "author"'),
        (["--profile", "defalt"], 1, 'did you mean "default"'),
        (["--as", "nobody"], 1, "nothing is indexed that this reader may read"),
        (["none/set.jsonl"], 1, "there is no folder none"),
        (["--from", "none.csv"], 1, "none.csv: cannot be read: no such file"),
        (["--from-journal"], 1, "the journal holds no question that was not served"),
    ],
)
def test_what_cannot_be_made_is_said_and_nothing_is_written(config, capsys, arguments, code, said):
    assert run(["eval", "init", *arguments]) == code

    assert said in capsys.readouterr().err
    assert not (config.parent / "questions.jsonl").exists()


def test_documents_that_state_nothing_are_said(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("Hm.\n")

    assert run(["eval", "init", "--docs", "docs"]) == 1

    assert "no question can be made of these documents" in capsys.readouterr().err


def test_help_has_examples_and_a_wrong_command_is_refused():
    runner = CliRunner()

    shown = runner.invoke(cli, ["eval", "init", "--help"]).output
    assert "citewell eval init --docs handbook/ --number 200 --hold-out-docs 20%" in shown
    assert "review" in runner.invoke(cli, ["eval", "--help"]).output
    assert runner.invoke(cli, ["eval", "int"]).exit_code == 2


def test_a_set_is_refused_where_it_was_spoiled(config, capsys):
    (config.parent / "questions.jsonl").write_text("{")

    assert run(["eval", "init", "--add"]) == 1

    assert "questions.jsonl: line 1: input data was truncated" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        load_questions(config.parent / "questions.jsonl")
