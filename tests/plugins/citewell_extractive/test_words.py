"""Terms, dates, periods, and what a question wants."""

from __future__ import annotations

import pytest

from citewell_extractive.dates import dates
from citewell_extractive.periods import Period, asked_periods, period
from citewell_extractive.wanted import Wanted, fit, wanted
from citewell_extractive.words import Finder, terms, words


@pytest.mark.parametrize(
    "text",
    [
        "July 1, 2023",
        "july 1st 2023",
        "1 July 2023",
        "1st of July, 2023",
        "2023-07-01",
        "Jul. 1, 2023",
    ],
)
def test_a_day_has_one_key_however_it_is_written(text):
    assert [date.key for date in dates(f"as of {text}.")] == ["2023-07-01"]


def test_a_month_is_found_in_its_days():
    finder = Finder(terms("in July 2022", "en"), "en")

    assert finder.found(finder.sequence("as of July 15, 2022")) == {"2022-07"}


def test_a_date_is_one_term_and_its_parts_are_none():
    assert list(terms("cash as of July 1, 2023", "en")) == ["2023-07-01", "cash"]


def test_a_quarter_in_words_is_its_short_name():
    assert list(terms("sales in the third quarter", "en")) == ["q3", "sale"]
    finder = Finder(terms("sales in Q3", "en"), "en")
    assert "q3" in finder.found(finder.sequence("during the third fiscal quarter of 2023"))


def test_forms_of_a_word_are_the_same_term():
    finder = Finder(terms("Which companies were operating?", "en"), "en")

    assert finder.found(finder.sequence("The company's operation")) == {"compani", "oper"}


def test_stopwords_are_no_terms_and_names_weigh_more_than_loose_words():
    found = terms("What is the name of the river in Kenya?", "en")

    assert set(found) == {"name", "river", "kenya"}
    assert found["name"].weight < found["river"].weight < found["kenya"].weight


def test_a_name_in_capitals_is_no_stopword():
    assert "us" in terms("exports to the US", "en")


def test_a_language_without_stemmer_keeps_its_words():
    assert set(terms("mikä on", "xx")) == {"mikä", "on"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-q3-aapl", Period(2023, 3)),
        ("Report for the second quarter of 2022", Period(2022, 2)),
        ("Handbook 2024", Period(2024)),
        ("2022 and 2023", None),
        ("Handbook", None),
        ("item 120234", None),
    ],
)
def test_the_period_of_a_title(text, expected):
    assert period(text) == expected


def test_a_year_asked_for_is_stated_by_each_of_its_quarters():
    titles = ("2023-q1", "2023-q2", "2022-q2", "notes")

    assert asked_periods("sales in 2023", titles) == {Period(2023, 1), Period(2023, 2)}
    assert asked_periods("sales in Q2 2023", titles) == {Period(2023, 2)}
    assert asked_periods("sales in the most recent report", titles) == {Period(2023, 2)}
    assert asked_periods("sales", titles) == frozenset()


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many sacks?", Wanted.NUMBER),
        ("How much did it cost?", Wanted.AMOUNT),
        ("What was the gross margin?", Wanted.AMOUNT),
        ("In what year was it built?", Wanted.DATE),
        ("When did it start?", Wanted.DATE),
        ("Who wrote it?", Wanted.NAME),
        ("Why is it so?", Wanted.REASON),
        ("What is a ctenophore?", Wanted.ANY),
    ],
)
def test_what_a_question_wants(question, kind):
    assert wanted(question) is kind


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (Wanted.AMOUNT, "It was $ 5 in 2023.", 1.0),
        (Wanted.AMOUNT, "It was (5)% then.", 1.0),
        (Wanted.AMOUNT, "It was 5 in 2023.", 0.5),
        (Wanted.AMOUNT, "It was July 5, 2023.", 0.0),
        (Wanted.NUMBER, "It was in 2023.", 0.0),
        (Wanted.NUMBER, "Seven of them.", 1.0),
        (Wanted.DATE, "It was in 1999.", 1.0),
        (Wanted.NAME, "Later Luther wrote it.", 1.0),
        (Wanted.NAME, "Later he wrote it.", 0.0),
        (Wanted.REASON, "Because of rain.", 1.0),
        (Wanted.ANY, "Anything.", 1.0),
    ],
)
def test_how_well_a_text_names_what_is_wanted(kind, text, expected):
    assert fit(kind, text, words(text), frozenset()) == expected


def test_what_the_question_said_itself_is_no_answer():
    text = "The Bible was translated by Luther."

    assert fit(Wanted.NAME, text, words(text), {"luther", "bible"}) == 0.0
