"""Values look as the sheet shows them."""

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell_office.numbers import shown

ACCOUNTING = '_(* #,##0.00_);_(* \\(#,##0.00\\);_(* "-"??_);_(@_)'
PHONE = "[<=9999999]###-####;(###) ###-####"
THOUSANDS = '[<1000]0;[<1000000]0.0,"k";0.0,,"M"'


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        (1234.5, "General", "1234.5"),
        (0.1 + 0.2, "General", "0.3"),
        (-5, "General", "-5"),
        (1e21, "General", "1e+21"),
        (1e21, "@", "1e+21"),
        (-5, "General;(General)", "(5)"),
        (5, '"No. "General', "No. 5"),
        (float("inf"), "0", "inf"),
        (True, "General", "TRUE"),
        ("  two\n lines ", "@", "two lines"),
        (None, "General", ""),
    ],
)
def test_value_without_a_format_is_shown_as_it_is(value, number_format, expected):
    assert shown(value, number_format) == expected


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        (1234.5, "#,##0.00", "1,234.50"),
        (1234567.891, "#,##0.0", "1,234,567.9"),
        (2.5, "0", "3"),
        (-2.5, "0", "-3"),
        (0.125, "0.00", "0.13"),
        (1.005, "0.00", "1.01"),
        (0.125, "0%", "13%"),
        (0.125, "0.0%", "12.5%"),
        (0.07, "0.0 %", "7.0 %"),
        (7, "0.0\\%", "7.0%"),
        (38_410_200, "#,##0,", "38,410"),
        (1_250_000, '0.0,,"M"', "1.3M"),
        (1_250_000, "0,.0", "1250.0"),
        (1e300, "0", "1" + "0" * 300),
        (1234, "00000", "01234"),
        (1234, "000,000", "001,234"),
        (5, "0##", "005"),
        (1.5, "0.##", "1.5"),
        (1.256, "0.##", "1.26"),
        (1.5, "0.0?", "1.5"),
        (1.5, "0.?0", "1.50"),
        (2, "0.##", "2"),
        (2, "0.", "2"),
        (0.5, "#.##", ".5"),
        (12.5, ".00", "12.50"),
        (0, "#", ""),
    ],
)
def test_number_is_rounded_and_padded_as_its_format_says(value, number_format, expected):
    assert shown(value, number_format) == expected


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        (5551234567, "(000) 000-0000", "(555) 123-4567"),
        (15551234567, "(000) 000-0000", "(1555) 123-4567"),
        (123456789, "000-00-0000", "123-45-6789"),
        (1234.5, "#'##0.00", "1'234.50"),
        (1250.5, '"\u20ac"#,##0.00', "\u20ac1,250.50"),
        (1250.5, "[$\u20ac-407] #,##0.00", "\u20ac 1,250.50"),
        (1234.5, '#,##0.00\\ "\u20ac"', "1,234.50 \u20ac"),
        (-3, '"$"0.00', "-$3.00"),
        (7, '0" km"', "7 km"),
        (7, '0" a;b"', "7 a;b"),
        (3.14, "0.0 x", "3.1 x"),
        (12, "[Red]0.0", "12.0"),
        (12, "[Color 12]0.0", "12.0"),
    ],
)
def test_words_of_a_format_stand_where_it_has_them(value, number_format, expected):
    assert shown(value, number_format) == expected


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        (-81, "#,##0;(#,##0)", "(81)"),
        (0, "#,##0;(#,##0)", "0"),
        (-81.5, "0.0", "-81.5"),
        (1234.5, ACCOUNTING, "1,234.50"),
        (-1234.5, ACCOUNTING, "(1,234.50)"),
        (0, ACCOUNTING, "-"),
        (0, "0;-0", "0"),
        (-3, "0.0;[Red]0.0", "-3.0"),
        (-3, "0.0;[Red]0.0\\-", "3.0-"),
        (-3, '"none"', "none"),
        (-3, "yyyy;0", "3"),
        (-3, ";;;", ""),
        (5551234, PHONE, "555-1234"),
        (5551234567, PHONE, "(555) 123-4567"),
        (999, THOUSANDS, "999"),
        (1500, THOUSANDS, "1.5k"),
        (2_000_000, THOUSANDS, "2.0M"),
        (1, "[=1]0;[<>1]0.0", "1"),
        (1, "[>1]0;[>=1]0.0", "1.0"),
    ],
)
def test_section_is_chosen_by_the_number(value, number_format, expected):
    assert shown(value, number_format) == expected


@pytest.mark.parametrize(
    "number_format",
    [
        *("0.00E+00", "# ?/?", "0.0.0", "0 km", "0.0,0", '0" km",', "0,0.0 General", "[DBNum1]0"),
        *('0"km', "yyyy", "[>1000]0", "[=>1]0", ",0", "[=1]0;[=2]0"),
    ],
)
def test_number_is_plain_where_its_format_is_not_understood(number_format):
    assert shown(12.75, number_format) == "12.75"


def test_less_than_zero_is_plain_where_sections_have_conditions():
    assert shown(-12.75, THOUSANDS) == "-12.75"


@given(
    mantissa=st.integers(-(10**15) + 1, 10**15 - 1),
    exponent=st.integers(-12, 3),
    figure=st.sampled_from(["0", "#", "000000", "#,##0", "0,000", "#,###"]),
    places=st.tuples(st.integers(0, 4), st.integers(0, 3)),
    scale=st.sampled_from([("", 0), (",", -3), (",,", -6), ("%", 2), (' "pts"', 0)]),
)
def test_figure_is_the_value_rounded_half_up(mantissa, exponent, figure, places, scale):
    value = Decimal(mantissa).scaleb(exponent)
    zeros, optional = places
    ending, power = scale
    point = "." if zeros + optional else ""
    number_format = f"{figure}{point}{'0' * zeros}{'#' * optional}{ending}"

    text = shown(float(value), number_format)

    digits = re.sub(r"[^\d.-]", "", text) or "0"
    step = Decimal(1).scaleb(-zeros - optional)
    rounded = value.scaleb(power).quantize(step, ROUND_HALF_UP)
    assert Decimal(digits if digits != "-" else "0") == rounded
    assert len(digits.partition(".")[2]) >= zeros


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        (datetime.fromisoformat("2025-03-01"), "yyyy-mm-dd", "2025-03-01"),
        (datetime.fromisoformat("2025-03-01"), 'd "this" mmmm', "2025-03-01"),
        (datetime.fromisoformat("2025-03-01"), "[$-x-sysdate]dddd", "2025-03-01"),
        (datetime.fromisoformat("2025-03-01 14:30"), "yyyy-mm-dd hh:mm", "2025-03-01 14:30"),
        (datetime.fromisoformat("2025-03-01 14:30:05"), "d.m.yy h:mm:ss", "2025-03-01 14:30:05"),
        (date(2025, 3, 1), "d.m.yy", "2025-03-01"),
        (time(14, 30), "hh:mm", "14:30"),
        (time(14, 30), "h:mm:ss AM/PM", "14:30:00"),
    ],
)
def test_date_is_shown_as_exactly_as_by_its_format(value, number_format, expected):
    assert shown(value, number_format) == expected


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        (timedelta(hours=30, minutes=5), "[h]:mm", "30:05"),
        (timedelta(hours=3, minutes=5, seconds=59), "[hh]:mm;@", "03:05"),
        (timedelta(hours=30, seconds=7), "[h]:mm:ss", "30:00:07"),
        (timedelta(hours=2, seconds=7), "[mm]:ss", "120:07"),
        (timedelta(minutes=2), "[s]", "120"),
        (timedelta(seconds=1, microseconds=250_000), "[s].0", "1.3"),
        (timedelta(seconds=1, microseconds=250_000), "[s].00000000", "1.250000"),
        (timedelta(hours=2) - timedelta(microseconds=1), "[h]:mm", "2:00"),
        (timedelta(hours=-1), "[h]:mm", "-1:00"),
        (timedelta(hours=30), '[h]" h "mm\\ "min"_)', "30 h 00 min"),
        (timedelta(hours=30), "d [h]:mm", "30:00:00"),
    ],
)
def test_span_of_time_is_shown_in_its_format(value, number_format, expected):
    assert shown(value, number_format) == expected
