import pytest

from citewell.engine.citing.emphasis import at_borders, with_code


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        ("**n**ot and 2**5**", "not and 25"),
        ("**25**% of **Yes**/**No**", "25% of Yes/No"),
        ("**very n**ot", "**very not"),
        ("https:_/_/x", "https://x"),
        ("$**5** -**5** @*here*", "$5 -5 @here"),
        ("a***b***c a__*b*__", "abc ab"),
        ("a_b**c** 2*3**4**", "a_bc 2*34"),
        ("(**not**), “*so*”… **x:** ***y***.", "(**not**), “*so*”… **x:** ***y***."),
        ("2*3*4 of *all*", "2*3*4 of *all*"),
        ("data_dir and a__b *x*", "data_dir and a__b *x*"),
        ("2**10 is it", "2**10 is it"),
        ("a_b is 2**10", "a_b is 2**10"),
        (r"\*\*/\*.md and *x*", r"\*\*/\*.md and *x*"),
        (r"a\*b** c**d", r"a\*b** cd"),
        ("_26 days_ are", "*26 days* are"),
        ("__init__ and (_evil.example_).", "**init** and (*evil.example*)."),
        ("_a data_dir b_ c", "*a data_dir b* c"),
        ("_foo and _bar", "_foo and _bar"),
        ("foo_ and bar_", "foo_ and bar_"),
        ("_ a _ b", "_ a _ b"),
        ("*a* _b", "*a* _b"),
        ("** **", "** **"),
        ("", ""),
    ],
)
def test_emphasis_is_kept_at_the_borders_of_words(text, joined):
    assert at_borders(text) == joined
    assert at_borders(joined) == joined


A, B = "\ue000", "\ue001"


@pytest.mark.parametrize(
    ("text", "a", "placed"),
    [
        (f"n{A}t", "`o`", "not"),
        (f"2{A} days", "`5`", "25 days"),
        (f"{A}s", "`Widget`", "Widgets"),
        (f"{A}s", "`` data_dir ``", "data_dirs"),
        (f"{A}s", "`--flag`", "`--flag` s"),
        (f"x{A}", "`[1]`", "x `[1]`"),
        (f"X{A}y", "`.`", "X `.` y"),
        (f"x{A}y", "`_a`", "x `_a` y"),
        (f"{A}.com", "`evil`", "evil.com"),
        (f"x {A}.://", "`[n]`", "x `[n]` .://"),
        (f"{A}://", "`https`", "https://"),
        (f"({A}), “{A}”. {A}'s: {A}", "`a`", "(`a`), “`a`”. `a`'s: `a`"),
        (f"{A}/{B}, non-{A}, {A}-like", "`a`", "`a`/`b`, non-`a`, `a`-like"),
        (f"2-{A} -{A} {A}/2", "`5`", "2-5 -5 5/2"),
        (f"**{A}** *{A} x*", "`a`", "**`a`** *`a` x*"),
        (f"{A}**, x", "`a`", "`a`**, x"),
        (f"{A}{B}", "`a`", "ab"),
        ("none", "`a`", "none"),
    ],
)
def test_code_that_joins_a_word_is_part_of_it(text, a, placed):
    assert with_code(text, {A: a, B: "`b`"}) == placed
