"""The person at the command line runs the assistant, and is told what mends it."""

import json

import pytest

import commands
from citewell.cli.main import run
from topics import write_topics

PLAIN = "search by meaning is off at the moment; only words were looked for"
LACK = (
    'vectors of "both" were made by scripted 256 0, the settings name scripted 300 7; '
    "run: citewell reindex both"
)


@pytest.fixture
def changed(tmp_path, monkeypatch, capsys):
    """Return settings that name another embedder than the one that made the vectors."""
    monkeypatch.chdir(tmp_path)
    file = write_topics(tmp_path)
    text = file.read_text().replace(
        'use = "scripted"', 'use = "scripted"\nseed = 7\ndimension = 300'
    )
    file.write_text(text)
    capsys.readouterr()


def test_whoever_asks_at_the_command_line_reads_what_mends_the_search(changed, capsys):
    assert run(["ask", "what is topic3?"]) == 0

    shown = capsys.readouterr()
    assert PLAIN in shown.out
    assert "reindex" not in shown.out
    assert shown.err == f"note: found by words alone: {LACK}\n"


def test_a_program_reads_the_answer_alone(changed, capsys):
    assert run(["ask", "what is topic3?", "--json"]) == 0

    shown = capsys.readouterr()
    assert json.loads(shown.out)["note"] == PLAIN
    assert LACK in shown.err


def test_the_explanation_of_an_answer_says_what_mends_the_search(changed, capsys):
    run(["ask", "what is topic3?"])
    reference = commands.reference(capsys.readouterr().out)

    assert run(["why", reference, "--json"]) == 0

    assert json.loads(capsys.readouterr().out)["errors"] == [
        f"retriever both: found by words alone: {LACK}"
    ]


def test_the_doctor_finds_what_keeps_the_search_by_meaning_off(changed, capsys):
    assert run(["doctor"]) == 1

    assert f"wrong index: both: found by words alone: {LACK}" in capsys.readouterr().out
