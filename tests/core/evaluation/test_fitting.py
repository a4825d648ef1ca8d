"""A weight is chosen on one half of the questions and judged on the other."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from citewell import Fusion, Passage, Place, Placed
from citewell.evaluation.fitting import Halves, _drawn, fit
from citewell.evaluation.ranking import Ranking, interval, ndcg
from citewell.evaluation.searching import compared
from citewell.types.evaluation import EvalItem


def passage(name, score=0.0):
    return Passage(
        id=name,
        document_id=f"d:{name}",
        title="",
        text=f"text of {name}",
        start=0,
        end=1,
        places=(Placed(0, Place()),),
        score=score,
    )


def halves(number, *, words, vectors):
    """Return a question whose right document is `right`, and what each half finds."""
    question = EvalItem(question=f"question {number}", documents=("right",))
    return Halves(
        question,
        [passage(name, 10.0 - at) for at, name in enumerate(words)],
        [passage(name, 0.9 - at / 10) for at, name in enumerate(vectors)],
    )


def test_ndcg_is_that_of_the_definition():
    rankings = [
        Ranking(["a", "b", "c"], frozenset({"a"})),
        Ranking(["x", "a", "b"], frozenset({"a", "b"})),
        Ranking(["x"], frozenset({"a"})),
        Ranking([], frozenset({"a"})),
        Ranking(["x"], frozenset()),
    ]
    ideal = 1 + 1 / math.log2(3)

    scores = ndcg(rankings)

    expected = [1, (1 / math.log2(3) + 1 / math.log2(4)) / ideal, 0, 0, 0]
    assert scores == pytest.approx(expected)


def test_ndcg_keeps_the_order_of_what_scores_alike():
    assert ndcg([Ranking(["b", "a"], frozenset({"b"}))]) == [1.0]
    assert ndcg([Ranking(["a", "b"], frozenset({"a"}))]) == [1.0]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=40))
def test_an_interval_is_around_its_mean(values):
    found = interval(values, seed=0)

    assert found.low - 1e-9 <= found.mean <= found.high + 1e-9
    assert found == interval(values, seed=0)


def test_the_same_question_is_never_in_both_halves():
    found = [
        halves(number // 2, words=["a", "right"], vectors=["right", "a"]) for number in range(40)
    ]
    for number in (3, 7, 11):
        found[number] = replace(found[number], words=[], vectors=[])

    fitted = fit(found, Fusion(), seed=0)

    assert (fitted.fitted_on, fitted.judged_on) == (20, 20)
    drawn = [{one.question.question for one in half} for half in _drawn(found, Random(0))]
    assert not drawn[0] & drawn[1]


def test_where_only_vectors_find_it_they_get_all_the_weight():
    found = [
        halves(number, words=["a", "b", "c"], vectors=["right", "u", "v"]) for number in range(40)
    ]

    fitted = fit(found, Fusion(), seed=1)

    assert fitted.fitted_on == fitted.judged_on == 20
    assert fitted.rows[-1].score.mean == 1
    assert fitted.holds
    assert fitted.fusion.words < 0.5


def test_where_each_half_knows_some_both_are_better_than_either():
    found = [
        halves(
            number,
            words=["right", "a"] if number % 2 else ["a", "b", "right"],
            vectors=["u", "v", "right"] if number % 2 else ["right", "u"],
        )
        for number in range(60)
    ]

    fitted = fit(found, Fusion(), seed=1)

    words, vectors, _, best = (row.score.mean for row in fitted.rows)
    assert best > max(words, vectors)
    assert fitted.holds


def test_what_is_as_good_stays():
    same = [halves(number, words=["right"], vectors=["right"]) for number in range(20)]
    now = Fusion(method="scores", words=0.35)

    assert fit(same, now, seed=0).fusion == now


def test_a_weight_that_does_not_hold_on_others_is_said_not_to():
    found = [halves(number, words=["right"], vectors=["x", "right"]) for number in range(20)]
    fitted = fit(found, Fusion(), seed=0)

    worse = replace(fitted.rows[-1], beside=interval([-0.1, -0.2], seed=0))

    assert fitted.holds
    assert not replace(fitted, rows=(*fitted.rows[:-1], worse)).holds


def test_a_change_is_compared_by_what_either_side_found():
    questions = [EvalItem(question=str(at), quotes=("text of right",)) for at in range(5)]
    before = [[passage("right"), passage("a")]] * 5
    after = [[passage("a"), passage("right")]] * 5

    found = compared(questions, before, after, seed=0)

    assert found.before == 1
    assert found.after == pytest.approx(1 / math.log2(3))
    assert found.is_worse
    assert not compared(questions, before, before, seed=0).is_worse
    assert compared(questions, before, [[]] * 5, seed=0).after == 0
