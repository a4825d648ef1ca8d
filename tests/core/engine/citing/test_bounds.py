from decimal import Decimal

import pytest

from citewell.engine.citing.bounds import bounds


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("at least 12 characters", [(12, True, "at least 12")]),
        ("a minimum of 1,000 euros", [(1000, True, "minimum of 1,000")]),
        ("More than $5", [(5, True, "More than $5")]),
        ("over EUR 50, above 60", [(50, True, "over EUR 50"), (60, True, "above 60")]),
        ("at most 12", [(12, False, "at most 12")]),
        ("maximum of 12, up to 13", [(12, False, "maximum of 12"), (13, False, "up to 13")]),
        ("less than 5, fewer than 6", [(5, False, "less than 5"), (6, False, "fewer than 6")]),
        ("under 18, below 19", [(18, False, "under 18"), (19, False, "below 19")]),
        ("no more than 5", [(5, False, "no more than 5")]),
        ("not over 5", [(5, False, "not over 5")]),
        ("No fewer than 5", [(5, True, "No fewer than 5")]),
        ("it mustn't be over 5", [(5, False, "n't be over 5")]),
        ("it isn\u2019t under 5", [(5, True, "n\u2019t under 5")]),
        ("more than twenty-five items", [(25, True, "more than twenty-five")]),
        ("at\u00a0most\n\u00bd", [(Decimal("0.5"), False, "at most\n 1\u20442")]),
        ("over the hill, 5 or more, at 5 most, moreover 5, up 5", []),
        ("", []),
    ],
)
def test_bounds_of_figures(text, found):
    assert list(bounds(text, "en")) == found


def test_numbers_are_read_in_their_language():
    assert list(bounds("over 1.234,5", "de")) == [(Decimal("1234.5"), True, "over 1.234,5")]
    assert list(bounds("over 1.234", "en")) == [(Decimal("1.234"), True, "over 1.234")]
