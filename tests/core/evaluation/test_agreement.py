"""Cohen's kappa: its laws, and intervals that hold what is true as often as they say."""

import math
import random
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from citewell.evaluation.agreement import ENOUGH_LABELS, Judged, agreement, cohens_kappa

CELLS = ((True, True), (True, False), (False, True), (False, False))
PAIRS = st.lists(st.sampled_from(CELLS), max_size=60)


def judged(pairs, *, questions=None):
    return [
        Judged(question=str(at % (questions or len(pairs))), people=people, score=score)
        for at, (people, score) in enumerate(pairs)
    ]


def table(*counts):
    return judged([cell for cell, count in zip(CELLS, counts, strict=True) for _ in range(count)])


def kappa(pairs):
    return cohens_kappa(judged(pairs))


def figures(pairs):
    found = agreement("judge", judged(pairs))
    return [found.labels, found.share, found.kappa, found.low, found.high]


def test_a_known_table_has_the_kappa_that_is_known():
    found = agreement("judge", table(20, 5, 10, 15))

    assert (found.score, found.labels, found.share) == ("judge", 50, 0.7)
    assert found.kappa == pytest.approx(0.4)


@given(PAIRS)
def test_all_figures_are_within_their_bounds_and_the_interval_holds_kappa(pairs):
    found = agreement("judge", judged(pairs))

    if found.kappa is None:
        assert found.low is found.high is None
        assert found.reason
    else:
        assert not found.reason
        assert -1 <= found.low <= found.kappa <= found.high <= 1
        assert 0 <= found.share <= 1


@given(PAIRS)
def test_it_does_not_matter_who_is_the_score(pairs):
    swapped = [(score, people) for people, score in pairs]

    assert figures(swapped) == pytest.approx(figures(pairs))


@given(PAIRS)
def test_it_does_not_matter_what_is_called_right(pairs):
    turned = [(not people, not score) for people, score in pairs]

    assert figures(turned) == pytest.approx(figures(pairs))


@given(PAIRS, st.randoms())
def test_the_order_of_labels_changes_no_bit(pairs, chance):
    answers = judged(pairs)
    shuffled = chance.sample(answers, len(answers))

    assert agreement("judge", shuffled) == agreement("judge", answers)


@given(PAIRS.filter(lambda pairs: len({people for people, _ in pairs}) == 2))
def test_who_says_the_same_of_right_and_wrong_answers_has_one(pairs):
    assert kappa([(people, people) for people, _ in pairs]) == 1
    assert kappa([(people, not people) for people, _ in pairs]) <= 0


@given(*[st.integers(1, 6)] * 4)
def test_who_says_what_has_nothing_to_do_with_the_other_has_none(right, wrong, called, uncalled):
    counts = (right * called, right * uncalled, wrong * called, wrong * uncalled)

    assert cohens_kappa(table(*counts)) == pytest.approx(0, abs=1e-12)


def test_two_that_throw_a_coin_are_near_nothing():
    chance = random.Random(7)
    pairs = [(chance.random() < 0.7, chance.random() < 0.6) for _ in range(4000)]

    assert abs(kappa(pairs)) < 0.04


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((12, 0, 0, 0), "find every labelled answer right"),
        ((0, 0, 0, 12), "find every labelled answer wrong"),
        ((0, 0, 0, 0), "no labelled answer has this score"),
    ],
)
def test_where_everyone_says_the_same_there_is_none_and_it_is_said_why(counts, said):
    found = agreement("judge", table(*counts), unscored=3)

    assert (found.kappa, found.low, found.high) == (None, None, None)
    assert said in found.reason
    assert found.unscored == 3


def test_a_score_that_tells_nothing_apart_has_none_beyond_chance():
    found = agreement("judge", table(20, 0, 10, 0))

    assert found.kappa == 0
    assert found.share == pytest.approx(20 / 30)


def test_few_that_agree_do_not_look_certain():
    assert agreement("judge", table(15, 0, 0, 15)).low < 0.8
    assert agreement("judge", table(2, 0, 0, 2)).low == -1
    assert agreement("judge", table(2, 0, 0, 2)).high == 1
    assert agreement("judge", table(2, 0, 0, 2)).is_of_few
    assert not agreement("judge", table(15, 0, 0, ENOUGH_LABELS - 15)).is_of_few


def test_the_error_is_that_of_fleiss_cohen_and_everitt():
    counts = (31, 6, 9, 14)
    found = agreement("judge", table(*counts))

    # Fleiss, Levin and Paik (2003), equation 18.13, of one more answer in each cell.
    number = sum(counts) + 4
    cell = {one: (count + 1) / number for one, count in zip(CELLS, counts, strict=True)}
    people = {x: cell[x, True] + cell[x, False] for x in (True, False)}
    score = {y: cell[True, y] + cell[False, y] for y in (True, False)}
    by_chance = sum(people[x] * score[x] for x in people)
    centre = (cell[True, True] + cell[False, False] - by_chance) / (1 - by_chance)
    same = sum(cell[x, x] * (1 - (people[x] + score[x]) * (1 - centre)) ** 2 for x in (True, False))
    other = (1 - centre) ** 2 * sum(
        cell[x, y] * (score[x] + people[y]) ** 2 for x, y in cell if x != y
    )
    variance = (same + other - (centre - by_chance * (1 - centre)) ** 2) / (
        number * (1 - by_chance) ** 2
    )
    labels = sum(counts)
    reach = stdtrit(labels - 1, 0.975) * math.sqrt(variance * labels / (labels - 1))
    assert found.low == pytest.approx(centre - reach)
    assert found.high == pytest.approx(centre + reach)


# --- coverage --------------------------------------------------------------------------------

TRUTHS = [
    (people, score, true)
    for people, score in product((0.1, 0.3, 0.5, 0.7, 0.9), repeat=2)
    for true in (-0.2, 0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95)
]


def chances(people, score, true):
    """Return the chance of each cell, or None where no two can agree so."""
    by_chance = people * score + (1 - people) * (1 - score)
    same = by_chance + true * (1 - by_chance)
    both = (same + people + score - 1) / 2
    cells = (both, people - both, score - both, 1 - people - score + both)
    return None if min(cells) < -1e-9 else tuple(max(0.0, cell) for cell in cells)


@cache
def interval(counts):
    found = agreement("judge", table(*counts))
    return found.low, found.high


def tables_of(number):
    for first in range(number + 1):
        for second in range(number + 1 - first):
            for third in range(number + 1 - first - second):
                yield first, second, third, number - first - second - third


def chance_of(counts, cells):
    if any(count and not cell for count, cell in zip(counts, cells, strict=True)):
        return 0.0
    logs = (
        count * math.log(cell) - math.lgamma(count + 1)
        for count, cell in zip(counts, cells, strict=True)
        if count
    )
    return math.exp(math.lgamma(sum(counts) + 1) + sum(logs))


def test_of_thirty_labels_the_interval_holds_the_truth_as_often_as_it_says():
    # Every table that thirty labels can give, by its chance: nothing is left to a draw.
    bounds = [(counts, *interval(counts)) for counts in tables_of(30)]
    bounds = [one for one in bounds if one[1] is not None]
    covered = {}
    for truth in TRUTHS:
        cells = chances(*truth)
        if cells is None:
            continue
        every = held = 0.0
        for counts, low, high in bounds:
            chance = chance_of(counts, cells)
            every += chance
            held += chance if low <= truth[2] <= high else 0.0
        covered[truth] = held / every

    assert len(covered) > 60
    assert min(covered.values()) >= 0.93, min(covered.items(), key=lambda one: one[1])
    assert sum(covered.values()) / len(covered) < 0.99, "it is not merely wide"


@pytest.mark.parametrize("truth", [one for one in TRUTHS if chances(*one)][::4], ids=str)
def test_of_a_hundred_labels_too(truth):
    chance = random.Random(str(truth))
    held = []
    for _ in range(600):
        drawn = chance.choices(range(4), chances(*truth), k=100)
        low, high = interval(tuple(drawn.count(cell) for cell in range(4)))
        if low is not None:
            held.append(low <= truth[2] <= high)

    assert sum(held) / len(held) >= 0.92


def test_answers_to_one_question_are_not_counted_as_if_they_told_as_much_as_others():
    chance = random.Random(3)
    together, apart = [], []
    for _ in range(800):
        pairs = chance.choices(CELLS, chances(0.6, 0.6, 0.5), k=20) * 2
        for held, questions in ((together, 20), (apart, 40)):
            found = agreement("judge", judged(pairs, questions=questions))
            held.append(found.low <= 0.5 <= found.high)

    assert sum(together) / len(together) >= 0.92
    assert sum(apart) / len(apart) < 0.9
