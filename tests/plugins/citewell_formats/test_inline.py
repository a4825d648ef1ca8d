import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citewell.blocks import Span, Style
from citewell.engine.citing.sanitizing import clean, hosts_in, links_in, without_links
from citewell.engine.citing.words import words
from citewell_formats import inline
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


@given(st.text(alphabet=" `ab.x[]*_\\\n", max_size=24))
@settings(max_examples=1000)
def test_code_alone_is_read_as_the_parser_reads_it(markdown):
    """A law: no parser is needed where there is no other markup, and nobody can tell."""
    with pytest.MonkeyPatch.context() as patch:
        quickly = spans(markdown)
        patch.setattr(inline, "_ONLY_TEXT", re.compile("(?!)"))
        patch.setattr(inline, "_ONLY_CODE", re.compile("(?!)"))
        assert spans(markdown) == quickly


_MARKUP = st.lists(
    st.sampled_from(["*", "**", "_", "__", "`", "\\", " ", "n", "not", "2", "5", ".", ".com", "/",
                     "://", "https", "@", "everyone", "-", "%", "(", ")", "[1]", "$", ",", "x_y"]),
    max_size=12,
).map("".join)  # fmt: skip
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")


@given(_MARKUP)
@settings(max_examples=1000)
def test_a_reader_sees_what_was_checked(raw):
    """A law: the checks read Markdown, and no markup changes a word, a figure or a link in it."""
    checked = clean(raw).text
    shown = "".join(span.text for span in spans(checked))
    unlinked = "".join(span.text for span in spans(without_links(checked, known=())))

    assert list(words(shown)) == list(words(checked))
    assert _FIGURE.findall(shown) == _FIGURE.findall(checked.replace("\\*", "*"))
    assert not re.search(r"@everyone(?![^\W_])", shown)
    assert not [link for link in (*links_in(unlinked), *hosts_in(unlinked)) if "_" not in link]
