"""No characters of an answer become markup, a mention, a link or an image."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.blocks import Mark, Span, Style
from citewell_slack.escaping import code, fenced, inlines, plain, unescaped
from citewell_slack.testing import rendered


@dataclass
class Shown:
    blocks: list = field(default_factory=list)
    text: str = ""


def seen(markdown):
    return rendered(Shown([{"type": "markdown", "text": markdown}]))


HOSTILE = (
    "<!channel>",
    "<@U123>",
    "<#C123|x>",
    "<!subteam^S1>",
    "<https://evil.example|click>",
    "[click](https://evil.example)",
    "![x](https://evil.example/a.png)",
    "https://evil.example",
    "www.evil.example",
    "[x]: https://evil.example",
    "&lt;!here&gt;",
    "`<!here>`",
    "``` <@U123>",
    "\\[x](https://evil.example)",
    "a\n[x](\nhttps://evil.example)",
)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("style", [*Style])
def test_hostile_text_stays_text(text, style):
    shown = seen(inlines([Span(f"see {text} now", style), Mark(1), Span("(https://evil.example)")]))

    assert (shown.links, shown.mentions, shown.images) == ([], [], [])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_code_stays_code(text):
    shown = seen(f"{fenced(text, 'py](http://evil.example)')}\n\n{code(text)}")

    assert (shown.links, shown.mentions, shown.images) == ([], [], [])
    assert text in shown.text


@given(st.text(alphabet=st.sampled_from("ab1 .*_`~[]()<>&!#-+=|\\:/\n@"), max_size=60))
def test_every_character_is_shown(text):
    shown = seen(plain(text))

    assert shown.text == text
    assert (shown.links, shown.mentions, shown.images) == ([], [], [])


@given(st.text(alphabet=st.sampled_from("ab <>&;lgtamp"), max_size=40))
def test_unescaping_undoes_what_slack_escapes(text):
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    assert unescaped(escaped) == text


def test_a_mark_is_a_number_in_brackets_and_no_link():
    shown = seen(inlines([Span("28 days"), Mark(1), Mark(2), Span("(a year)")]))

    assert shown.text == "28 days[1][2](a year)"
    assert shown.links == []


def test_words_with_underscores_stay_readable():
    assert plain("set data_dir to 2 * 3") == "set data_dir to 2 \\* 3"


def test_style_leaves_the_blanks_outside():
    assert inlines([Span("a"), Span(" b ", Style.STRONG), Span("c")]) == "a **b** c"
