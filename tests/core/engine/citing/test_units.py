import pytest

from citewell.engine.citing.units import unit_in, units_in


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        (["days"], "day"),
        (["calendar", "days"], "day"),
        (["per", "cent"], "%"),
        (["basis", "points"], "bp"),
        (["of", "basis", "points"], "bp"),
        (["points"], "pp"),
        (["eur"], "€"),
        (["h"], "hour"),
        (["plus", "h"], ""),
        (["more", "€"], "€"),
        (["more", "kg"], "kg"),
        (["more", "%"], "%"),
        (["pages"], ""),
        ([], ""),
    ],
)
def test_the_first_unit_behind_a_number_counts(words, unit):
    assert unit_in(words) == unit


def test_units_are_found_wherever_they_stand():
    assert units_in("Sales in $ Million, Share per cent, Time (s)") == {"$", "%", "second"}
    assert units_in("the company's staff, employee(s)") == frozenset()
