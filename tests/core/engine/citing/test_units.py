import pytest

from citewell.engine.citing.units import is_same, rate_in, unit_in, units_in


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
        (["plus", "am", "kg"], "kg"),
        (["pages"], ""),
        ([], ""),
    ],
)
def test_the_first_unit_behind_a_number_counts(words, unit):
    assert unit_in(words, "en") == unit


@pytest.mark.parametrize(
    ("words", "unit"),
    [
        (" days per week", "week"),
        (" per user per month", "month"),
        (" g a day", "day"),
        (" litres an hour", "hour"),
        (" each year", "year"),
        (" every minute", "minute"),
        (" km/h", "hour"),
        (" km / s", "second"),
        ("/month", "month"),
        (" km pro stunde", "hour"),
        (" euros par jour", "day"),
        (" euros por hora", "hour"),
        (" days per person", ""),
        (" days week", ""),
        (" days paper day", ""),
        ("", ""),
    ],
)
def test_the_unit_by_which_is_counted(words, unit):
    assert rate_in(words) == unit


def test_a_pound_is_money_and_a_weight():
    assert is_same("pound", "\u00a3")
    assert is_same("lb", "pound")
    assert is_same("kg", "kg")
    assert not is_same("pound", "kg")
    assert not is_same("\u00a3", "lb")


def test_units_are_found_wherever_they_stand():
    assert units_in("Sales in $ Million, Share per cent, Time (s)") == {"$", "%", "second"}
    assert units_in("the company's staff, employee(s)") == frozenset()
