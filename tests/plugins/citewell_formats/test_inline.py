import pytest

from citewell.blocks import Span, Style
from citewell_formats.inline import spans

PLAIN, STRONG, EMPHASIS, CODE = Style


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("plain", [Span("plain")]),
        ("", []),
        ("a **b** c", [Span("a "), Span("b", STRONG), Span(" c")]),
        ("a _b_ `c`", [Span("a "), Span("b", EMPHASIS), Span(" "), Span("c", CODE)]),
        ("**a *b***", [Span("a ", STRONG), Span("b", EMPHASIS)]),
        ("**open", [Span("**open")]),
        ("2*3*4 and a_b_c", [Span("2*3*4 and a_b_c")]),
        ("12*3*45", [Span("12*3*45")]),
        ("2*3* 4", [Span("2*3* 4")]),
        ("*2*3", [Span("*2*3")]),
        ("**a**__b__", [Span("ab", STRONG)]),
        ("`a*b*c`", [Span("a*b*c", CODE)]),
        (r"\*a\*", [Span("*a*")]),
        ("wrapped\n  *line*", [Span("wrapped "), Span("line", EMPHASIS)]),
        ("<b>&amp;</b> [x](http://y) *", [Span("<b>&amp;</b> [x](http://y) *")]),
    ],
)
def test_markup_becomes_spans(markdown, expected):
    assert list(spans(markdown)) == expected


def test_styles_can_be_left_out():
    assert spans("a **b** `c`", styled=False) == (Span("a b `c`"),)
