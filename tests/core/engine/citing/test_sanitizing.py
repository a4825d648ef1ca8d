import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from citewell.engine.citing.marks import CLOSING, MAX_CONTENT_CHARS, OPENING, read_mark
from citewell.engine.citing.sanitizing import (
    REMOVED_LINK,
    clean,
    harmless,
    hosts_in,
    links_in,
    without_links,
)


@pytest.mark.parametrize(
    ("raw", "text", "numbers"),
    [
        ("in 1999 [1].", "in 1999.", (1,)),
        ("in 1999.[1]", "in 1999.", (1,)),
        ("[1] says so", "says so", (1,)),
        ("a [1][2], b [1, 2]; c [2-3] d", "a, b; c d", (1, 2, 3)),
        ("word[1]word", "word word", (1,)),
        ("word[1] word", "word word", (1,)),
        ("[[1]] x [1 [2]] y", "x y", (1, 2)),
        (r"x \[1\] y", "x y", (1,)),
        ("x [^1] y", "x y", (1,)),
        ("x 【1】 ［2］ y", "x y", (1, 2)),
        ("x [1](http://evil.example/a) y", "x y", (1,)),
        ('x [1](<http://evil.example> "title") y', "x y", (1,)),
        ("x &#91;1&#93; y", "x y", (1,)),
        ("x [<b>1</b>] y", "x y", (1,)),
        ("x [\u200b1] y", "x y", (1,)),
        ("**[1]** x", "x", (1,)),
        ("`[1]` x [2]", "`[1]` x", (2,)),
        ("``a ` [1]`` x", "``a ` [1]`` x", ()),
        ("a ` stray [1] x", "a stray x", (1,)),
        ("[`1`] x", "x", (1,)),
        ("[sic] x [see below]", "[sic] x [see below]", ()),
        ("[] x", "x", ()),
        ("x [ y", "x y", ()),
        ("x ] y", "x y", ()),
        ("1] x [1", "1 x 1", ()),
        (f"[{'a' * 130} 1] x", f"[{'a' * 130} 1] x", ()),
        (f"x [1{' ' * 200}] y", "x y", (1,)),
        ("x[1]a, b", "x a, b", (1,)),
        ("x [1]. y", "x. y", (1,)),
        ("x [1][2]y", "x y", (1, 2)),
        ("【sic】 【a](b) c", "【sic】 【a】(b) c", ()),
        ("`a` b\\", "`a` b\\", ()),
        ("``x `a` [1] y", "x `a` y", (1,)),
        ("[a]![x](y)(b) c", "a c", ()),
        ("x `a` y `b` z `c` &amp; [1]", "x `a` y `b` z `c` &", (1,)),
        ("`a` &#xE000;&#8203;x", "`a` x", ()),
    ],
)
def test_marks_leave_the_text(raw, text, numbers):
    cleaned = clean(raw)

    assert (cleaned.text, cleaned.numbers) == (text, numbers)
    assert cleaned.failed == ()


@pytest.mark.parametrize("mark", ["[１]", "[-1]", "[1e3]", "[99999]", "[²]", "[1.5]"])
def test_failed_marks_vanish_and_are_named(mark):
    cleaned = clean(f"x {mark} y")

    assert cleaned.text == "x y"
    assert cleaned.numbers == ()
    assert cleaned.failed == (mark,)


@pytest.mark.parametrize(
    ("raw", "text", "failed"),
    [
        ("six months ⑦ [1].", "six months.", ("⑦",)),
        ("six months⑦⓫!", "six months!", ("⑦⓫",)),
        ("six months. ⁷", "six months.", ("⁷",)),
        ("six months.¹²", "six months.", ("¹²",)),
        ("six months⁽⁷⁾.", "six months.", ("⁽⁷⁾",)),
        ("five m²", "five m²", ()),
        ("five km² a day", "five km² a day", ()),
        ("⑦ months", "⑦ months", ()),
    ],
)
def test_small_digits_that_end_a_piece_are_no_marks(raw, text, failed):
    assert (clean(raw).text, clean(raw).failed) == (text, failed)


def test_a_bracket_longer_than_any_mark_vanishes_when_it_looks_like_one():
    longest, longer = "1, " * 39 + "1", "1, " * 40 + "1"

    assert len(longest) == MAX_CONTENT_CHARS - 2
    assert clean(f"x [{longest}] y").numbers == (1,)
    assert clean(f"x [{longer}] y").text == "x y"
    assert clean(f"x [{longer}] y").failed == (f"[{longer[:MAX_CONTENT_CHARS]}]",)


def test_there_are_only_so_many_code_spans():
    assert clean("`a` " * 6401).text == "`a` " * 6400 + "a"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("see [docs](http://evil.example) now", "see docs now"),
        ('see [docs](http://evil.example "title") now', "see docs now"),
        ("see [docs](<http://evil.example>) now", "see docs now"),
        ("see [docs](a_(b)) now", "see docs now"),
        ("see ![alt](http://evil.example/x.png) now", "see now"),
        ("![x](y) z", "z"),
        ("a![x](y) b", "a b"),
        ("[x!](y)", "x!"),
        ("see ![alt][ref] now", "see [alt] [ref] now"),
        ("see [a][b] now", "see [a] [b] now"),
        ("[a]: http://evil.example", "[a] : http://evil.example"),
        ("[a] (b)", "[a] (b)"),
        ("[a](not a link)", "[a] (not a link)"),
        ("[text [1] more](http://evil.example)", "text more"),
        ("[![x](y)](z)", ""),
        ("<http://evil.example|text>", "text"),
        ("<https://evil.example>", "https://evil.example"),
        ("<mailto:a@evil.example>", "mailto:a@evil.example"),
        ("<a@evil.example>", "a@evil.example"),
        ("<img src=x onerror=alert(1)> y", "y"),
        ("<b>bold</b> <BR/> <br /> z", "bold z"),
        ("<!-- hidden [1] --> z", "z"),
        ("<scr<b></b>ipt>alert(1)</script>", "< script>alert(1)"),
        ("List<String> x<y", "List< String> x< y"),
        ("a < b and 3<4", "a < b and 3<4"),
        ("&lt;img src=x&gt; z", "z"),
        ("&amp;lt;b&amp;gt; z", "z"),
        ("&amp;amp;amp;lt;b z", "& lt;b z"),
        ("AT&T &nosuch1; z", "AT&T & nosuch1; z"),
        ("<@U123> <@!1> <#C1> <!here> <:e:12> <a:b:1> <t:1:R> </cmd:12>",
         "@U123 @!1 #C1 !here :e:12 a:b:1 t:1:R /cmd:12"),
        ("@everyone @here @Channel", "@\u200beveryone @\u200bhere @\u200bChannel"),
        ("@group @Everyone1 @here_", "@\u200bgroup @Everyone1 @\u200bhere_"),
        ("me@heretic.example", "me@heretic.example"),
        ("a\x1b[31mb\x07\u202ec\u200b\ue000\ud800", "a31mbc\ufffd"),
        ("می\u200cخواهم 👩\u200d💻 ❤\ufe0f", "می\u200cخواهم 👩\u200d💻 ❤\ufe0f"),
        ("n\u200dot é\u200cя\u200d2\ufe0f5 a\u034fb\u3164c", "not éя25 abc"),
        ("\u034fa \u2800b \u1160c", "a b c"),
        ("a\n b\t c\u2028d", "a b c d"),
        (r"\*stars\* stay", r"\*stars\* stay"),
        (r"\\[a\\] \`b\`", "[a] b"),
        ("`<b> &lt; [1] @everyone`", "`<b> &lt; [1] @\u200beveryone`"),
        ("``x`` `y", "``x`` y"),
        ("a **** b ____ c", "a b c"),
        ("a ** b **c** __d__", "a ** b **c** **d**"),
        (r"5\.75 is 25\% of \$1 at evil\.example\/x", "5.75 is 25% of $1 at evil.example/x"),
        (r"\\*a\\\*b \[1]* \ [1]. \\ [1]*", r"\*a\*b* . \*"),
        ("@**everyone** and h**ttps:**//evil.example", "@\u200beveryone and https://evil.example"),
        (r"\****.", r"\****."),
        ("a\rb\x1cc\u0378d", "a b cd"),
        ("a\x1bb", "ab"),
        ("a\u202eb", "ab"),
    ],
)  # fmt: skip
def test_markup_is_made_harmless(raw, text):
    assert clean(raw).text == text


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://a.example/b?c=d.", {"https://a.example/b?c=d"}),
        ("(see www.a.example)", {"www.a.example"}),
        ("mail a.b@c.example, now", {"a.b@c.example"}),
        ("at a.example/path!", {"a.example/path"}),
        ("javascript:alert data:text/html,x tel:123", {"javascript:alert", "data:text/html,x",
                                                       "tel:123"}),
        ("slack://open ftp://x", {"slack://open", "ftp://x"}),
        ("a and/or b, e.g. this; 1.5/2", set()),
        ("data: none", set()),
        ("Node.js", set()),
    ],
)  # fmt: skip
def test_links_are_found(text, links):
    assert links_in(text) == links
    assert clean(text).links == links


def test_hosts_are_found():
    assert hosts_in("ask evil.example or Node.js, e.g. 1.5, a@b.example, c.example/d") == {
        "evil.example",
        "Node.js",
    }


def test_unknown_links_are_taken_out():
    text = "see https://a.example/b. or https://evil.example/b?x=1, evil.example, good.example"

    kept = without_links(text, known={"https://a.example/b", "good.example"})

    assert kept == (f"see https://a.example/b. or {REMOVED_LINK}, evil.\u200bexample, good.example")


def test_a_link_that_only_begins_like_a_known_one_is_taken_out():
    known = {"https://a.example/b"}

    assert without_links("https://a.example/b?leak=1", known=known) == REMOVED_LINK
    assert without_links("https://a.example/", known=known) == REMOVED_LINK


def test_code_keeps_its_lines():
    assert harmless("a\n\tb [1] <b>\x1b\u202e @here") == "a\n\tb [1] <b> @\u200bhere"
    assert harmless("plain [1]") == "plain [1]"


@pytest.mark.parametrize(
    ("raw", "text", "numbers", "failed"),
    [
        ("<`a`", "< a", (), ()),
        ("\\ ² 】²", "\\", (), ("²", "²")),
        ("`】]】²>1`²】[11]]", "`】]】²>1`", (11,), ("²",)),
        ("][*]*<[&1】", "<", (), ("[&1]",)),
    ],
)
def test_what_comes_together_is_taken_out_as_well(raw, text, numbers, failed):
    cleaned = clean(raw)

    assert (cleaned.text, cleaned.numbers, cleaned.failed) == (text, numbers, failed)


_ODD = st.text(
    st.sampled_from("[]()`*_#>|~\\!<>@&;:.,/ \n\t1230１ab【】\u200b\ue000\x1b"), max_size=60
)
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)")


@given(_ODD)
def test_what_is_clean_stays_as_it_is(raw):
    once = clean(raw)

    again = clean(once.text)

    assert again.text == once.text
    assert again.numbers == again.failed == ()


@given(_ODD | st.text(max_size=60))
@example("![:】")
@example("![a](b】")
def test_nothing_that_acts_is_left(raw):
    prose = _CODE_SPAN.sub("code", clean(raw).text)

    assert "\n" not in prose
    assert "`" not in prose
    assert not re.search(r"<[A-Za-z/!?@#&:]|\]\(|\]:|!\[", prose)
    opened, closed = (sum(prose.count(c) for c in signs) for signs in (OPENING, CLOSING))
    assert opened == closed
    for inside in re.findall(r"\[([^\[\]]*)\]", prose):
        assert read_mark(inside) is None
