"""Values look as the sheet shows them."""

from datetime import date, datetime, time, timedelta

import pytest

from citewell_office.numbers import shown


@pytest.mark.parametrize(
    ("value", "number_format", "expected"),
    [
        (1234.5, "General", "1234.5"),
        (0.1 + 0.2, "General", "0.3"),
        (1e21, "General", "1e+21"),
        (3, "General", "3"),
        (1234.5, "#,##0.00", "1,234.50"),
        (1234.5, "0", "1234"),
        (-81, "#,##0;(#,##0)", "(81)"),
        (-81.5, "0.0", "-81.5"),
        (0.125, "0%", "12%"),
        (0.125, "0.0%", "12.5%"),
        (1250.5, '"€"#,##0.00', "€1,250.50"),
        (1250.5, "[$€-407] #,##0.00", "€ 1,250.50"),
        (7, '0" km"', "7 km"),
        (12, "[Red]0.0", "12.0"),
        (38_410_200, "#,##0,", "38,410"),
        (0.07, "0.0 %", "7.0 %"),
        (0.0012, "0.00E+00", "0.0012"),
        (True, "General", "TRUE"),
        ("  two\n lines ", "@", "two lines"),
        (None, "General", ""),
        (datetime.fromisoformat("2025-03-01"), "yyyy-mm-dd", "2025-03-01"),
        (datetime.fromisoformat("2025-03-01 14:30"), "yyyy-mm-dd hh:mm", "2025-03-01 14:30"),
        (date(2025, 3, 1), "d.m.yy", "2025-03-01"),
        (time(14, 30), "hh:mm", "14:30:00"),
        (timedelta(hours=30), "[h]:mm", "1 day, 6:00:00"),
    ],
)
def test_value_is_shown_in_its_format(value, number_format, expected):
    assert shown(value, number_format) == expected
