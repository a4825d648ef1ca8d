"""Which arm is recommended, and when that is settled."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.evaluation.verdict import Bounds, Measured, judge, pairs

ARMS = ("base", "tuned", "rag", "both")
BOUNDS = Bounds(margin=0.05, adequate=0.3)


def measured(scores, documents=None):
    count = len(next(iter(scores.values())))
    return Measured(scores=scores, documents=documents or [f"document {at}" for at in range(count)])


def sure(right, questions=200):
    """Return scores of which the first `right` of a hundred are 1."""
    return [float(at % 100 < right) for at in range(questions)]


def test_of_equal_arms_the_cheapest_is_taken():
    found = judge(measured(dict.fromkeys(ARMS, sure(70))), BOUNDS)

    assert found.recommended == "base"
    assert found.settled
    assert found.ask_more == 0


def test_a_dearer_arm_is_taken_where_it_is_shown_to_be_better():
    found = judge(measured({"base": sure(40), "rag": sure(80), "both": sure(82)}), BOUNDS)

    assert (found.recommended, found.best) == ("rag", "both")
    assert found.settled
    assert {one.other: one.is_shown for one in found.against} == {"base": True, "rag": False}


def test_a_gain_below_the_margin_is_not_worth_its_cost():
    found = judge(measured({"base": sure(70, 5000), "rag": sure(74, 5000)}), BOUNDS)

    assert (found.recommended, found.best) == ("base", "rag")


def test_few_questions_settle_nothing_and_more_are_asked_for():
    chosen = random.Random(1)
    scores = {name: [float(chosen.random() < 0.6) for _ in range(30)] for name in ARMS}

    found = judge(measured(scores), BOUNDS)

    assert not found.settled
    assert found.ask_more >= 10
    assert found.ask_more % 10 == 0
    assert any("may be better by" in line for line in found.doubts)


def test_nothing_adequate_is_said_and_no_arm_is_recommended():
    found = judge(measured({"base": sure(10), "rag": sure(20)}), Bounds(adequate=0.6))

    assert found.recommended is None
    assert found.best == "rag"
    assert found.settled


def test_an_arm_that_is_not_adequate_is_left_out_though_it_is_hardly_worse():
    found = judge(measured({"base": sure(58), "rag": sure(62)}), Bounds(adequate=0.6))

    assert found.recommended == "rag"
    assert not found.settled
    assert any(line.startswith("base may have") for line in found.doubts)
    assert any(line.startswith("rag may have") for line in found.doubts)


def test_what_could_not_be_scored_may_unsettle_what_seems_settled():
    whole = {"base": sure(70), "rag": sure(70)}
    torn = whole | {"rag": [None if at % 5 == 0 else one for at, one in enumerate(sure(70))]}

    assert judge(measured(whole), BOUNDS).settled
    assert not judge(measured(torn), BOUNDS).settled


def test_an_arm_without_a_score_is_never_recommended():
    found = judge(measured({"base": [None] * 200, "rag": sure(70)}), BOUNDS)

    assert found.recommended == "rag"


def test_no_score_at_all_is_an_error():
    with pytest.raises(ValueError, match="no arm has a score"):
        judge(measured({"base": [None] * 9}), BOUNDS)


def test_questions_about_one_document_never_settle_anything():
    scores = {"base": sure(40), "rag": sure(90)}

    found = judge(measured(scores, ["the only document"] * 200), BOUNDS)

    assert found.recommended == "base"
    assert not found.settled


@given(
    st.lists(
        st.tuples(*[st.one_of(st.none(), st.floats(0, 1))] * 3), min_size=1, max_size=40
    ).filter(lambda rows: any(value is not None for row in rows for value in row)),
    st.integers(1, 12),
    st.floats(0, 0.2),
    st.floats(0, 1),
)
def test_whatever_was_scored_there_is_a_verdict_that_keeps_its_word(rows, documents, margin, bar):
    scores = dict(zip(ARMS, map(list, zip(*rows, strict=True)), strict=False))
    about = [str(at % documents) for at in range(len(rows))]

    found = judge(measured(scores, about), Bounds(margin=margin, adequate=bar))

    assert found.settled == (not found.doubts) == (found.ask_more == 0)
    if found.recommended is not None:
        values = [one for one in scores[found.recommended] if one is not None]
        assert sum(values) / len(values) >= bar - 1e-9


def test_every_two_arms_are_compared_with_the_better_one_first():
    found = pairs(measured({"base": sure(40), "tuned": sure(60), "rag": sure(90)}))

    assert [(one.better, one.other) for one in found] == [
        ("tuned", "base"), ("rag", "base"), ("rag", "tuned"),
    ]  # fmt: skip
    assert all(one.gain.mean > 0 and one.p < 0.001 for one in found)
