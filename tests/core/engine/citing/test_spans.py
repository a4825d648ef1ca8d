import pytest

from citewell.engine.citing.spans import trimmed


@pytest.mark.parametrize(
    ("text", "span", "inner"),
    [
        ("  ab  ", (0, 6), (2, 4)),
        ("ab  ab ", (2, 7), (4, 6)),
        ("ab ab", (3, 5), (3, 5)),
        ("ab   ", (2, 5), (2, 2)),
        ("", (0, 0), (0, 0)),
    ],
)
def test_blanks_at_the_ends_are_left_out(text, span, inner):
    assert trimmed(text, *span) == inner
