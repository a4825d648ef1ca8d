"""Right passages count by how far up they are."""

import math

import pytest
from msgspec.structs import replace

from citewell import Outcome
from citewell.evaluation.scores import scored
from scored_cases import item, passage, said

NAMES = ("hit_at_1", "hit_at_3", "hit_at_10", "reciprocal_rank", "ndcg_10")
WRONG = tuple(passage(f"docs:{number}.md", "Nothing of it.") for number in range(20))
RIGHT = passage("docs:leave.md", "Everyone has 28 days of leave.")


def figures(found, *, pool=(), outcome=Outcome.ANSWERED, seconds=None, **expected):
    response = said("28 days", outcome=outcome, found=found, seconds=seconds or {})
    scores = scored(item(**expected), response, pool=pool)
    return [scores[name] for name in NAMES]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (1, [1, 1, 1, 1, 1]),
        (2, [0, 1, 1, 1 / 2, 1 / math.log2(3)]),
        (5, [0, 0, 1, 1 / 5, 1 / math.log2(6)]),
        (11, [0, 0, 0, 1 / 11, 0]),
    ],
)
@pytest.mark.parametrize("expected_of", [{"documents": ("leave.md",)}, {"quotes": ("28 Days",)}])
def test_the_place_of_the_right_passage_counts(place, expected, expected_of):
    found = (*WRONG[: place - 1], RIGHT, *WRONG[place:])

    assert figures(found, **expected_of) == pytest.approx(expected)


def test_what_nothing_found_is_zero():
    assert figures(WRONG, documents=("leave.md",)) == [0] * 5
    assert figures(WRONG, quotes=("28 days",)) == [0] * 5
    assert figures((), seconds={"retrieve": 0.1}, quotes=("28 days",)) == [0] * 5


def test_what_another_arm_found_was_missed():
    other = replace(RIGHT, id="other", start=100, end=100 + len(RIGHT.text))
    found = (RIGHT, *WRONG)

    *_, alone = figures(found, quotes=("28 days",))
    *_, beside = figures(found, pool=(other,), quotes=("28 days",))

    assert alone == 1
    assert beside == pytest.approx(1 / (1 + 1 / math.log2(3)))


def test_an_arm_without_a_retriever_is_not_judged_by_passages():
    asked = {"documents": ("leave.md",)}

    assert figures((), outcome=Outcome.UNSOURCED, **asked) == [None] * 5
    assert figures((), outcome=Outcome.FAILED, **asked) == [None] * 5
    assert figures((), outcome=Outcome.FAILED, seconds={"retrieve": 0.1}, **asked) == [0] * 5


def test_a_question_that_names_no_passage_has_no_figures():
    assert figures(WRONG) == [None] * 5
