"""`citewell eval review`: each decision is saved, and only what a person accepted is asked."""

import pytest
from click.testing import CliRunner

from citewell.cli.main import cli
from citewell.evaluation.questions import load_questions, save_questions
from citewell.types.evaluation import EvalItem, Figure


def draft(number, **changed):
    values = {
        "id": str(number),
        "question": f"question {number}?",
        "answers": (f"answer {number}",),
        "quotes": (f"evidence {number}",),
        "documents": ("docs:a.md",),
        "figures": (Figure(value=1.0),),
        "is_draft": True,
        "origin": "model",
    }
    return EvalItem(**values | changed)


@pytest.fixture
def review(tmp_path):
    """Return a function that reviews drafts with what is typed, and what is left then."""
    file = tmp_path / "questions.jsonl"

    def reviewed(items, typed):
        save_questions(file, items)
        result = CliRunner().invoke(cli, ["eval", "review", str(file)], input=typed)
        return result, load_questions(file)

    return reviewed


def test_a_draft_is_shown_with_its_evidence_and_accepted(review):
    result, (item,) = review([draft(1)], "a\n")

    assert result.exit_code == 0
    for shown in ("question 1?", "answer 1", "docs:a.md", "evidence 1", "1 draft decided, 0 left"):
        assert shown in result.output
    assert item == draft(1, is_draft=False)


def test_a_draft_is_changed_dropped_or_skipped(review):
    result, items = review([draft(1), draft(2), draft(3)], "e\nanother?\nb | c\nd\ns\n")

    assert "2 drafts decided, 1 left" in result.output
    assert items == [
        draft(1, question="another?", answers=("b", "c"), figures=(), is_draft=False),
        draft(3),
    ]


def test_an_edit_that_changes_nothing_keeps_the_figure(review):
    _, (item,) = review([draft(1)], "e\n\n\n")

    assert item == draft(1, is_draft=False)


def test_what_the_documents_do_not_say_becomes_unanswerable(review):
    _, (item,) = review([draft(1, origin="journal")], "n\n")

    assert item.unanswerable
    assert not item.is_draft
    assert not (item.answers)
    assert not (item.documents)
    assert not (item.quotes)


def test_a_draft_that_expects_nothing_cannot_be_accepted_as_it_is(review):
    bare = draft(1, answers=(), quotes=(), documents=(), figures=())

    result, (item,) = review([bare], "a\ne\n\n28 days\n")

    assert "expects nothing of an answer" in result.output
    assert (item.answers, item.is_draft) == (("28 days",), False)


def test_the_same_question_is_not_accepted_twice(review):
    result, items = review([draft(1, is_draft=False), draft(2)], "e\nquestion 1?\n\nd\n")

    assert "another question of the set asks the same" in result.output
    assert items == [draft(1, is_draft=False)]


def test_who_quits_or_is_cut_off_keeps_what_was_decided(review):
    result, items = review([draft(1), draft(2)], "a\nq\n")
    assert result.exit_code == 0
    assert [item.is_draft for item in items] == [False, True]

    _, items = review([draft(1), draft(2)], "a\n")
    assert [item.is_draft for item in items] == [False, True]


def test_nothing_that_a_draft_says_steers_the_terminal(review):
    result, _ = review([draft(1, question="a\x1b[2Jb?", quotes=("c\x07",))], "s\n")

    assert "\x1b" not in result.output
    assert "\x07" not in result.output


def test_without_drafts_there_is_nothing_to_do(review):
    result, _ = review([draft(1, is_draft=False)], "")

    assert result.output == "there is no draft to look at\n"
