"""An answer is right when all holds that is expected of it."""

import pytest

from citewell import Figure, Outcome, Swap, Unscored
from citewell.evaluation.scores.correctness import correct
from scored_cases import case, raw, said

LONG = "Leave may be carried over until the end of March if the manager agrees in writing"
TWO = (Figure(value=28, unit="days"), Figure(value=3, unit="months"))


@pytest.mark.parametrize(
    ("text", "expected", "score"),
    [
        ("Everyone has 28 days.", {"answers": ("28 days",)}, 1),
        ("Everyone has 30 days.", {"answers": ("28 days",)}, 0),
        ("Everyone has 28 days.", {"answers": ("28 days",), "lacks": ("everyone",)}, 0),
        ("Everyone has 28 days.", {"answers": ("28 days",), "contains": ("nobody",)}, 0),
        ("28 days, 3 months", {"figures": TWO}, 1),
        ("28 days, 2 months", {"figures": TWO}, 0),
        ("28 days", {"contains": ("28 days", "month")}, 0),
        ("B", {"choice": "B"}, 1),
        ("B", {"choice": "A"}, 0),
        ("28", {"pattern": r"\d+"}, 1),
        ("28", {"output_schema": {"type": "integer"}}, 1),
        ("28 days", {"forbidden": ("holiday",)}, 1),
        ("28 days", {"forbidden": ("days",)}, 0),
        ("28 days", {"glossary": ("leave",)}, None),
        ("28 days", {"quotes": ("28 days",)}, None),
        ("28 days", {}, None),
        ("", {"forbidden": ("days",)}, 0),
    ],
)
def test_every_expectation_holds(text, expected, score):
    assert correct(case(text, **expected)) == score


def test_a_long_answer_is_graded_by_its_overlap():
    half = " ".join(LONG.split()[:8])

    assert correct(case(LONG, answers=(LONG,))) == 1
    assert 0.5 < correct(case(half, answers=(LONG,))) < 1
    assert correct(case(half, answers=(LONG,), forbidden=("leave",))) == 0


def test_a_long_answer_counts_only_where_nothing_else_tells():
    assert correct(case("Until March.", answers=(LONG,), contains=("March",))) == 1


@pytest.mark.parametrize(
    ("outcome", "unanswerable", "expected"),
    [
        (Outcome.REFUSED, True, 1),
        (Outcome.ANSWERED, True, 0),
        (Outcome.FAILED, True, 0),
        (Outcome.REFUSED, False, 0),
        (Outcome.ANSWERED, False, 1),
        (Outcome.FAILED, False, 0),
    ],
)
def test_a_failure_and_a_wrong_refusal_are_not_right(outcome, unanswerable, expected):
    response = said("28 days", outcome=outcome)
    one = case(response=response, unanswerable=unanswerable, answers=("28 days",))

    assert correct(one) == expected


def test_of_the_models_own_text_a_refusal_of_the_checks_is_not_said():
    response = said("", outcome=Outcome.REFUSED, output="Everyone has 28 days.")

    assert correct(raw(case(response=response, answers=("28 days",)))) == 1
    assert correct(raw(case(response=response, unanswerable=True))) is None


def test_where_one_expectation_cannot_be_checked_the_answer_is_unscored():
    expected = {"pattern": "a{99999}", "answers": ("28 days",)}

    right, wrong = (correct(case(text, **expected)) for text in ("28 days", "30 days"))

    assert right == Unscored("ValueError: the pattern repeats more than 10,000 times")
    assert wrong == 0


def test_an_exchanged_fact_is_judged_by_obedience_alone():
    assert (
        correct(case("41 days", answers=("28 days",), swap=Swap(fact="28", instead="41"))) is None
    )
