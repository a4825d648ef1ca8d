"""Whatever an answer is made of, all of it reaches people in Slack and in Discord."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from answers import citation
from arbitrary import ANSWERS, BUTTONS, NAMES, bare, surplus
from citewell import Place
from citewell.blocks import (
    Code,
    Heading,
    Json,
    Mark,
    Notice,
    Quote,
    Source,
    SourceList,
    Span,
    Style,
    Table,
    Text,
)
from correspondence import correspondence

ADAPTERS = ("slack", "discord")
# What is added: markup, labels of buttons, the language of code, and a link beside a title.
ADDED = set("#*+,-.:;>`|()19 json open")
# What Slack shows beside a stream: a task, with the sources that can be opened.
_CARD = re.compile(r"^(?:\d+ sources?\n.*|Look(?:ed|ing) in the documents)$", re.MULTILINE)
SOURCE = "https://example.org/leave.html"


@pytest.fixture(scope="module", params=ADAPTERS)
def line(request, tmp_path_factory):
    """An adapter in the stand-in of its service, with a loop to run it on."""
    with correspondence(request.param, tmp_path_factory.mktemp(request.param)) as opened:
        yield opened


def shown(line, states, way="channel"):
    runner, letters = line
    return runner.run(letters.reply(way, states))


def check(seen, blocks):
    """Assert that messages show all of these blocks and nothing else, and do nothing."""
    assert seen
    assert not any(one.is_growing for one in seen)
    buttons = [button for one in seen for button in one.buttons]
    text = "\n".join(_CARD.sub("", one.text, count=1) for one in seen)
    added = set(surplus(blocks, text))
    assert added <= ADDED, f"{sorted(added - ADDED)} was added"
    assert sorted(one.name for one in buttons) == sorted(NAMES)
    assert {link for one in seen for link in one.links} <= {SOURCE}
    assert not [one for one in seen if one.pings or one.images or one.previews]


def growing(blocks, steps):
    """Return states of an answer that ends as these blocks, with its buttons at the end."""
    states = [*_states(blocks)]
    chosen = sorted({step % (len(states) + 1) for step in steps} - {len(states)})
    return [*(states[at] for at in chosen), (*blocks, BUTTONS)]


def _states(blocks):
    for at, block in enumerate(blocks):
        before = blocks[:at]
        match block:
            case Text(parts) | Heading(parts):
                counts = range(1, len(parts) + 1)
                yield from ((*before, replace(block, inlines=parts[:count])) for count in counts)
            case Table(_, rows):
                counts = range(1, len(rows) + 1)
                yield from ((*before, replace(block, rows=rows[:count])) for count in counts)
            case _:
                yield (*before, block)


@settings(max_examples=120, suppress_health_check=[*HealthCheck])
@given(
    ANSWERS,
    st.sampled_from(["channel", "direct", "private"]),
    st.lists(st.integers(0, 999), max_size=5),
)
def test_every_character_mark_source_and_button_survives(line, blocks, way, steps):
    seen = shown(line, growing(blocks, steps), way)

    check(seen, blocks)


@pytest.mark.parametrize(
    "text",
    [
        "x `a https://evil.example/p",
        "x `a` https://evil.example/p",
        "x `a `b `c https://evil.example/p www.evil.example ` d",
        "x `` a https://evil.example/p",
        "`https://evil.example/p",
        "x ``https://evil.example/p",
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        lambda *spans: Text(spans),
        lambda *spans: Heading(spans, 3),
        lambda *spans: Quote(citation(1, "".join(one.text for one in spans))),
    ],
)
def test_ticks_beside_an_address_make_no_link_of_it(line, form, text):
    blocks = (form(Span("` "), Span(text, Style.STRONG)), form(Span(text)))

    check(shown(line, growing(blocks, [0])), blocks)


@pytest.mark.parametrize(
    "spans",
    [
        (Span("0", Style.CODE), Span("``", Style.CODE), Mark(1), Span("\\", Style.CODE)),
        (Span("a", Style.CODE), Span("b", Style.CODE), Span("c`d", Style.CODE)),
        (Span("a", Style.CODE), Span("https://evil.example/p"), Span("`"), Span("b", Style.CODE)),
        (Span("`", Style.CODE), Span("` https://evil.example/p"), Span("b", Style.CODE)),
    ],
)
@pytest.mark.parametrize("form", [Text, lambda spans: Heading(spans, 3)])
def test_pieces_of_code_that_touch_stay_what_they_are(line, form, spans):
    blocks = (form(spans),)

    check(shown(line, growing(blocks, [0, 1, 2])), blocks)


FORMS = {
    "paragraph": lambda text: Text((Span(text), Mark(7), Span(text, Style.STRONG))),
    "code in a line": lambda text: Text((Span("a "), Span(text, Style.CODE), Mark(7))),
    "emphasis": lambda text: Text((Span(text, Style.EMPHASIS), Span(text))),
    "list": lambda text: Text((Span(text),), "-", 1),
    "quotation": lambda text: Text((Span(text), Mark(1)), ">"),
    "heading": lambda text: Heading((Span(text),), 2),
    "code": lambda text: Code(text, "9"),
    "json": Json,
    "notice": Notice,
    "quote": lambda text: Quote(citation(1, text)),
    "table": lambda text: Table(
        ((Span("ColumnA"),), (Span("ColumnB"),)), (((Span(text), Mark(1)), (Span(text),)),)
    ),
    "source": lambda text: SourceList((
        Source(1, (citation(1, text, title=" ".join(f"on {text}".split())[:200], place=Place()),)),
    )),
}


@pytest.mark.parametrize("form", FORMS)
def test_naughty_strings_survive(line, data_dir, form):
    (file,) = data_dir("naughty_strings").glob("*.json")
    strings = json.loads(file.read_text(encoding="utf-8"))
    blocks = [FORMS[form](text) for text in strings]

    seen = shown(line, growing(blocks, range(0, len(blocks), 60)))

    assert len(strings) == 515
    check(seen, blocks)


@pytest.mark.parametrize("way", ["channel", "direct", "private"])
@pytest.mark.parametrize("impossible", ["\0", "\ud83d", "\udfff\0\ud800"])
def test_what_cannot_be_carried_is_replaced_visibly(line, way, impossible):
    text = f"before{impossible}after"
    blocks = [make(text) for make in FORMS.values()]

    seen = shown(line, growing(blocks, range(20)), way)

    check(seen, blocks)
    sent = "".join(one.text for one in seen)
    assert not any(one == "\0" or "\ud800" <= one <= "\udfff" for one in sent)
    assert bare(text) in bare(sent)


@pytest.mark.parametrize("way", ["channel", "direct", "private"])
def test_thirty_thousand_characters_with_sixty_sources_survive(line, way):
    words = [f"word{number} مرحبا 👩‍👩‍👧‍👦 e\u0301" for number in range(1500)]
    paragraphs = [
        Text((Span(" ".join(words[at : at + 25])), Mark(at // 25 + 1)))
        for at in range(0, len(words), 25)
    ]
    sources = SourceList(
        tuple(
            Source(number, (citation(number, f"quote {number} " * 20, title="T", place=Place()),))
            for number in range(1, 61)
        )
    )
    blocks = [*paragraphs, sources]

    seen = shown(line, growing(blocks, range(0, len(blocks), 7)), way)

    assert sum(len(one.text) for one in seen) > 30_000
    check(seen, blocks)


def test_a_language_that_is_no_word_costs_no_code(line):
    blocks = [Code(f"line {number}", "9" * 20_000) for number in range(3)]

    seen = shown(line, growing(blocks, range(3)))

    check(seen, blocks)
