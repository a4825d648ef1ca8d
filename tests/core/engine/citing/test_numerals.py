from decimal import Decimal

import pytest

from citewell.engine.citing.numerals import (
    all_ordinals_in,
    folded,
    number,
    numbers_in_words,
    ordinals_in,
    parts_of,
    quarters_in,
)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("5½ and ½", "5 1⁄2 and  1⁄2"),
        ("②⑥ Ⅻ", "26 12"),
        ("½", " 1⁄2"),
        ("5⁷ 10⁻⁶ 2₁", "5^7 10−6 2^1"),
        ("m² ¹²", "m  12"),
        ("word①②", "word "),
        ("1②", "12"),
        ("５００ twenty\u2011five", "500 twenty-five"),
        ("休暇は30日", "休暇は 30 日"),
        ("", ""),
    ],
)
def test_digits_are_made_plain(text, plain):
    assert folded(text) == plain


@pytest.mark.parametrize(
    ("digits", "language", "value"),
    [
        ("1,234.5", "en", Decimal("1234.5")),
        ("1.234,5", "de", Decimal("1234.5")),
        (".5", "en", Decimal("0.5")),
        ("6e3", "en", Decimal(6000)),
        ("5e-1", "en", Decimal("0.5")),
        ("2 1⁄2", "en", Decimal("2.5")),
        ("1⁄4", "en", Decimal("0.25")),
        ("1⁄0", "en", "1⁄0"),
        ("10:30", "en", "10:30"),
        ("5^7", "en", "5^7"),
    ],
)
def test_digits_have_a_value(digits, language, value):
    assert number(digits, language) == value


def test_what_may_be_several_numbers_has_parts():
    assert parts_of("300 500") == ["300", "500"]
    assert parts_of("28^2") == ["28"]
    assert parts_of("5 1⁄2") == ()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Twelve", [("Twelve", 12)]),
        ("twenty-five or thirty six", [("twenty-five", 25), ("thirty six", 36)]),
        ("one and two", [("one", 1), ("two", 2)]),
        ("a hundred and five", [("hundred and five", 105)]),
        ("two million three thousand five", [("two million three thousand five", 2003005)]),
        ("two hundred thousand", [("two hundred thousand", 200_000)]),
        ("hundreds of thousands", [("hundreds", 100), ("thousands", 1000)]),
        ("two dozen", [("two dozen", 24)]),
        ("a trillion", [("trillion", 10**12)]),
        ("half a million", [("half a million", 500_000)]),
        ("one and a half million", [("one and a half million", 1_500_000)]),
        ("Two Thirds of", [("Two Thirds", Decimal(2) / 3)]),
        ("a quarter of it, one half the", [("a quarter", 0.25), ("one half", 0.5)]),
        ("three quarters of five", [("three quarters", 0.75), ("five", 5)]),
        ("a third party, fourth quarter", []),
        ("in millions, 5 million, 5-million", []),
        ("one of twenty-one of them", [("twenty-one", 21)]),
        ("the second half, last half", []),
    ],
)
def test_words_have_a_value(text, numbers):
    found = [(text[slice(*words.span)], words.value) for words in numbers_in_words(text)]

    assert found == numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the third and Twelfth one", [("third", 3), ("Twelfth", 12)]),
        ("the second payment", [("second", 2)]),
        ("every second day, the second half", []),
        ("the second", []),
        ("within a second after it", []),
        ("a second payment", []),
        ("the first payment", []),
        ("two thirds of it, a third of it, a third one", [("third", 3)]),
        ("third parties and a third-party tool", []),
        ("third partners", [("third", 3)]),
        ("thirdly", []),
    ],
)
def test_ordinals_that_count(text, found):
    assert list(ordinals_in(text)) == found


def test_every_ordinal_of_a_source_may_be_meant():
    assert list(all_ordinals_in("First, a second; two thirds and the fourth")) == [1, 2, 4]


def test_quarters_have_numbers():
    assert list(quarters_in("Q3 and q1, FQ2, Q5, Q12, H2, Q4FY23")) == [3, 1, 2, 4]
