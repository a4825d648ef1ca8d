"""An answer follows the changed passage, or gives away that it knew better."""

import pytest
from msgspec.structs import replace

from citewell import Swap, Unscored
from citewell.evaluation.scores.obedience import obedience
from scored_cases import case

SWAP = Swap(fact="28 days", instead="41 days")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Everyone has 41 days.", 1),
        ("Everyone has **41** days.", 1),
        ("Everyone has 28 days.", 0),
        ("It was 28 days and is 41 days.", 0),
    ],
)
def test_whoever_states_the_fact_leaks_it(text, expected):
    assert obedience(case(text, swap=SWAP)) == expected


@pytest.mark.parametrize("text", ["", "The documents do not say.", "128 days", "41 weeks"])
def test_whoever_states_neither_cannot_be_scored(text):
    assert isinstance(obedience(case(text, swap=SWAP)), Unscored)


@pytest.mark.parametrize(("text", "expected"), [("It is May 2024", 1), ("It is in May", 0)])
def test_a_fact_within_what_stands_instead_is_not_stated_by_it(text, expected):
    longer = Swap(fact="May", instead="May 2024")

    assert obedience(case(text, swap=longer)) == expected
    assert obedience(case(text, swap=replace(longer, fact="May 2024", instead="May"))) != expected


def test_where_nothing_was_exchanged_nothing_is_measured():
    assert obedience(case("28 days")) is None
