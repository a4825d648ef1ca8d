from decimal import Decimal

import pytest

from citewell.engine.citing.bounds import Bound, bounds


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("at least 12 characters", [(12, True)]),
        ("a minimum of 1,000 euros", [(1000, True)]),
        ("More than $5", [(5, True)]),
        ("over EUR 50, above 60", [(50, True), (60, True)]),
        ("at most 12", [(12, False)]),
        ("maximum of 12, up to 13", [(12, False), (13, False)]),
        ("less than 5, fewer than 6", [(5, False), (6, False)]),
        ("under 18, below 19", [(18, False), (19, False)]),
        ("no more than 5", [(5, True)]),
        ("more than twenty-five items", [(25, True)]),
        ("at\u00a0most\n\u00bd", [(Decimal("0.5"), False)]),
        ("over the hill, 5 or more, at 5 most, moreover 5, up 5", []),
        ("", []),
    ],
)
def test_bounds_of_figures(text, found):
    assert list(bounds(text, "en")) == found


def test_numbers_are_read_in_their_language():
    assert list(bounds("over 1.234,5", "de")) == [(Decimal("1234.5"), True)]
    assert list(bounds("over 1.234", "en")) == [(Decimal("1.234"), True)]


def test_a_bound_has_a_contrary():
    assert Bound(Decimal(5), is_least=True).turned() == (5, False)
