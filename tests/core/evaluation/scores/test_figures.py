"""A figure is stated with its value and its unit, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell import Figure
from citewell.evaluation.scores.figures import figures, language
from scored_cases import case, item


def score(text, value, unit="", tolerance=0.0, question="What is the sum?"):
    wanted = Figure(value=value, unit=unit, tolerance=tolerance)
    return figures(case(text, question=question, figures=(wanted,)))


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("It is 25 days.", 25, "days"),
        ("It is **25** days.", 25, "day"),
        ("It is twenty-five days.", 25, "days"),
        ("It is 25 hours.", 25, ""),
        ("It was $3.5 million.", 3_500_000, "USD"),
        ("It was 3.5 million dollars.", 3.5, "million USD"),
        ("It was $82,959 million.", 82_959, "million USD"),
        ("It was 5 €.", 5, "€"),
        ("It was €5.", 5, "EUR"),
        ("It was 5%.", 5, "percent"),
        ("It was 5%.", 0.05, ""),
        ("It has 25 full-time employees.", 25, "employees"),
        ("It has 3 million users.", 3_000_000, "users"),
        ("It was a loss of 87.", -87, ""),
        ("It was a loss of 87.", 87, ""),
        ("It was -87.", -87, ""),
        ("It was 20 km/h.", 20, "km/h"),
        ("It was 1e-7 m.", 1e-7, "m"),
        ("It was on 1 July 2023.", 2023, ""),
    ],
)
def test_a_figure_is_right_however_it_is_written(text, value, unit):
    assert score(text, value, unit) == 1


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("It is 25 hours.", 25, "days"),
        ("It is 25.", 25, "days"),
        ("It is 125 days.", 25, "days"),
        ("It is 25 employees.", 25, "offices"),
        ("It was 20 km.", 20, "km/h"),
        ("It was 3.5 million.", 3.5, ""),
        ("It was 1,500.", 1.5, ""),
        ("It was -87.", 87, ""),
        ("It was 87.", -87, ""),
        ("It was not said.", 25, ""),
        ("Room A25", 25, ""),
    ],
)
def test_another_value_or_unit_is_not_right(text, value, unit):
    assert score(text, value, unit) == 0


def test_the_language_of_the_question_tells_how_numbers_are_written():
    german = "Wie hoch ist der Betrag?"

    assert score("Es sind 3,5 Mio. € im Jahr", 3_500_000, "EUR", question=german) == 1
    assert score("Es sind 1.500 Euro", 1500, "EUR", question=german) == 1
    assert score("Es sind 1.500 Euro", 1.5, "EUR", question=german) == 0


def test_where_the_language_is_not_known_either_reading_is_right():
    question = "Сколько рублей?"

    assert language(item(question=question)) == ""
    assert score("1.500", 1500, question=question) == 1
    assert score("1.500", 1.5, question=question) == 1


@pytest.mark.parametrize(("said", "expected"), [("99.5", 1), ("100.5", 1), ("99.4", 0), ("101", 0)])
def test_the_tolerance_is_in_the_unit_of_the_figure(said, expected):
    assert score(f"It is {said} km.", 100, "km", 0.5) == expected
    assert score(f"It is {said} million users.", 100, "million users", 0.5) == expected


def test_the_share_that_is_stated_counts():
    wanted = (Figure(value=1, unit="day"), Figure(value=2, unit="days"))

    assert figures(case("One day.", figures=wanted)) == 0.5
    assert figures(case("One day.")) is None


@given(st.text(st.characters()), st.text(st.characters()))
def test_no_text_and_no_unit_is_too_odd(text, unit):
    assert score(text, 5, unit) in {0, 1}


@given(st.integers(-(10**9), 10**9), st.sampled_from(["", "days", "USD", "million", "%"]))
def test_a_number_as_it_is_stands_for_itself(value, unit):
    assert score(f"It is {value} {unit}.", value, unit) == 1
