"""An answer is right as SQuAD has it, or because it stands in what is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell import Unscored
from citewell.evaluation.scores.answering import (
    contains_answer,
    exact_match,
    f1,
    is_short,
    token_f1,
)
from citewell.evaluation.scores.normalising import tokens
from scored_cases import case

WORDS = st.lists(st.sampled_from(["one", "two", "three", "four", "five", "six"]), max_size=8)


@pytest.mark.parametrize(
    ("text", "answers", "exact", "overlap", "contained"),
    [
        ("28 days", ["28 days"], 1, 1, 1),
        ("The 28 days.", ["28 days"], 1, 1, 1),
        ("Everyone has 28 days", ["28 days"], 0, 2 / 3, 1),
        ("Everyone has 128 days", ["28 days"], 0, 1 / 3, 0),
        ("days 28", ["28 days"], 0, 1, 0),
        ("28 days", ["a month", "28 days"], 1, 1, 1),
        ("a month", ["28 days", "the month"], 1, 1, 1),
        ("", ["28 days"], 0, 0, 0),
        ("Nothing of it", ["28 days"], 0, 0, 0),
    ],
)
def test_the_best_of_the_answers_counts(text, answers, exact, overlap, contained):
    one = case(text, answers=tuple(answers))

    assert exact_match(one) == exact
    assert token_f1(one) == pytest.approx(overlap)
    assert contains_answer(one) == contained


@pytest.mark.parametrize("score", [exact_match, token_f1, contains_answer])
def test_without_answers_there_is_no_score(score):
    assert score(case("28 days")) is None


def test_an_answer_of_nothing_but_articles_cannot_be_looked_for():
    one = case("The The played", answers=("The The",))

    assert isinstance(contains_answer(one), Unscored)
    assert exact_match(one) == 0


@pytest.mark.parametrize(
    ("answers", "expected"),
    [(("28 days",), True), (("word " * 11,), False), (("word " * 11, "28"), True), ((), False)],
)
def test_a_short_answer_may_stand_in_a_sentence(answers, expected):
    assert is_short(answers) is expected


@given(WORDS, WORDS)
def test_overlap_is_symmetric_and_bounded(one, other):
    assert 0 <= f1(one, other) <= 1
    assert f1(one, other) == f1(other, one)


@given(WORDS, st.randoms())
def test_overlap_does_not_depend_on_the_order(words, random):
    shuffled = random.sample(words, len(words))

    assert f1(words, shuffled) == 1


@given(st.text(st.characters(), min_size=1))
def test_the_answer_itself_is_perfect(text):
    one = case(text, answers=("something else", text))

    assert exact_match(one) == 1
    assert token_f1(one) == 1
    assert contains_answer(one) == bool(tokens(text))


@given(st.text(st.characters()), st.lists(st.text(st.characters()), min_size=1, max_size=3))
def test_no_text_is_too_odd(text, answers):
    one = case(text, answers=tuple(answers))

    assert 0 <= token_f1(one) <= 1
    assert exact_match(one) <= token_f1(one)
    assert contains_answer(one) in {0.0, 1.0} or isinstance(contains_answer(one), Unscored)
