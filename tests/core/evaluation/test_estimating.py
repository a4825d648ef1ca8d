"""Means, differences and interactions: what an interval covers, and what may not narrow it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from citewell.evaluation.estimating import difference, holm, interaction, mean

scores = st.lists(st.floats(0, 1), min_size=5, max_size=60)


def apart(values):
    """Return a document for each question."""
    return [f"document {at}" for at in range(len(values))]


@given(scores, st.randoms())
def test_the_order_of_questions_changes_nothing(values, chosen):
    other = values[:]
    chosen.shuffle(other)

    one, two = mean(values, apart(values)), mean(other, apart(other))

    assert (one.low, one.mean, one.high) == pytest.approx((two.low, two.mean, two.high))


@given(scores)
def test_bounds_are_possible_means_in_order(values):
    estimate = mean(values, apart(values))

    assert 0 <= estimate.low <= estimate.high <= 1
    assert estimate.error > 0


@given(scores)
def test_an_arm_beside_itself_gains_nothing_and_that_is_not_certain(values):
    gain = difference(values, values, apart(values))

    assert gain.mean == 0
    assert gain.low < 0 < gain.high
    assert gain.low == pytest.approx(-gain.high)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=5, max_size=60))
def test_a_difference_turned_round_is_the_negative(both):
    ours, theirs = map(list, zip(*both, strict=True))

    gain, loss = (difference(*two, apart(ours)) for two in ((ours, theirs), (theirs, ours)))

    assert (gain.low, gain.high) == pytest.approx((-loss.high, -loss.low))


def test_many_questions_give_what_a_paired_t_test_gives():
    chosen = random.Random(1)
    theirs = [chosen.random() for _ in range(4000)]
    ours = [min(1, one + chosen.random() * 0.1) for one in theirs]

    gain = difference(ours, theirs, apart(ours))

    expected = ttest_rel(ours, theirs).confidence_interval()
    assert (gain.low, gain.high) == pytest.approx((expected.low, expected.high), abs=5e-4)


def test_questions_that_say_the_same_of_a_document_are_not_more_evidence():
    chosen = random.Random(2)
    values = [float(chosen.random() < 0.6) for _ in range(30)]
    repeated = [value for value in values for _ in range(20)]

    once = mean(values, apart(values))
    often = mean(repeated, [f"document {at // 20}" for at in range(600)])
    careless = mean(repeated, apart(repeated))

    width = often.high - often.low
    assert width == pytest.approx(once.high - once.low, rel=0.15)
    assert careless.high - careless.low < width / 3


def test_of_a_hundred_intervals_about_five_miss_the_truth():
    chosen = random.Random(3)
    missed = 0
    for _ in range(400):
        truth, values, documents = 0.7, [], []
        for document in range(12):
            of_document = min(1, max(0, chosen.gauss(truth, 0.1)))
            values += [float(chosen.random() < of_document) for _ in range(5)]
            documents += [str(document)] * 5
        estimate = mean(values, documents)
        missed += not estimate.low <= truth <= estimate.high

    assert 0.02 <= missed / 400 <= 0.08


@pytest.mark.parametrize("documents", [1, 4])
def test_few_documents_say_nothing(documents):
    values = [1.0] * 20
    about = [f"document {at % documents}" for at in range(20)]

    estimate = mean(values, about)

    assert (estimate.mean, estimate.low, estimate.high) == (1, 0, 1)
    assert estimate.exceeds(0.1) == 1


def test_what_could_not_be_scored_is_counted_and_in_no_mean():
    ours = [1.0, None, 1.0, 0.0, 1.0, 1.0, 1.0]
    theirs = [0.0, 1.0, None, 0.0, 0.0, 0.0, 0.0]

    alone = mean(ours, apart(ours))
    gain = difference(ours, theirs, apart(ours))

    assert (alone.questions, alone.unscored, alone.mean) == (6, 1, pytest.approx(5 / 6))
    assert (gain.questions, gain.unscored, gain.mean) == (5, 2, pytest.approx(4 / 5))


def test_without_any_score_there_is_no_mean():
    estimate = mean([None] * 9, apart(range(9)))

    assert estimate.mean is None
    assert (estimate.low, estimate.high, estimate.unscored) == (0, 1, 9)


def test_the_interaction_is_what_the_two_do_for_each_other():
    base, tuned, rag, both = ([value] * 40 for value in (0.2, 0.4, 0.5, 0.6))

    found = interaction(both, rag, tuned, base, apart(base))

    assert found.mean == pytest.approx((0.6 - 0.5) - (0.4 - 0.2))
    assert found.low < found.mean < found.high


def test_a_p_value_agrees_with_the_interval():
    chosen = random.Random(4)
    values = [float(chosen.random() < 0.6) for _ in range(100)]
    estimate = mean(values, apart(values))

    assert estimate.exceeds(estimate.low) == pytest.approx(0.025)
    assert estimate.exceeds(estimate.high) == pytest.approx(0.975)


def test_holm_adjusts_the_smallest_most_and_keeps_the_order():
    # The example of Holm's method in R's documentation of p.adjust, computed by hand.
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_is_never_below_the_p_value_nor_above_one(p_values):
    adjusted = holm(p_values)

    assert all(one <= other <= 1 for one, other in zip(p_values, adjusted, strict=True))
    pairs = sorted(zip(p_values, adjusted, strict=True))
    assert [other for _, other in pairs] == sorted(adjusted)
