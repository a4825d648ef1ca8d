"""Every character, mark, source and button survives, and nothing else becomes a link or a ring."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import convert

from answers import citation
from citewell import Nearest, Place
from citewell.blocks import (
    Action,
    Actions,
    Code,
    Heading,
    Json,
    Mark,
    NearestList,
    Notice,
    Quote,
    Source,
    SourceList,
    Span,
    Style,
    Table,
    Text,
)
from citewell.delivery.splitting import split
from citewell_discord.encoding import components, fits
from citewell_discord.linking import described, link, linked
from citewell_discord.markup import escaped, inline, possible, styled
from citewell_discord.paging import paged
from citewell_discord.testing.bodies import Component, MessageBody
from citewell_discord.testing.message_rules import drafted
from citewell_discord.testing.messages import MessageFlags
from citewell_discord.testing.rendering import _CODE, _MENTION, links_in
from citewell_discord.testing.visible import visible

TRICKS = st.sampled_from([
    "*", "**", "_", "~~", "`", "```", "||", "> ", "# ", "-# ", "- ", "1. ", "\\", "\n", " ",
    "@everyone", "@here", "<@123>", "<@&123>", "<#123>", "<:x:1>", "<t:1>", "</ask:1>", "[a](",
    "[a](http://x.example)", "[a](<http://x.example>)", "http://x.example", "https://",
    "discord.gg/abc", "discord://x", "www.x.example", "\u200b", "(", ")", "[", "]", "<", ">",
    "a", "b", "1", "@", "://", "\u202e", "\ud800", "é", "👩‍👩‍👧",
])  # fmt: skip
# A message of one invisible character stands for one without any.
TEXTS = st.one_of(st.text(), st.lists(TRICKS, max_size=12).map("".join)).filter(
    lambda text: text != "\u200b"
)


def found(markdown):
    return links_in(markdown), _MENTION.findall(_CODE.sub(" ", markdown))


def accepted(parts):
    """Return what the double makes of components, which refuses what Discord refuses."""
    body = MessageBody(
        components=convert(parts, list[Component]), flags=int(MessageFlags.COMPONENTS_V2)
    )
    return drafted(body)


def shown(parts):
    return "\n".join(visible(one["content"]) for one in parts if one["type"] == 10)


@given(TEXTS)
@example("\\")
@example("[a](<http://x.example>)")
@example("discord.gg/abc https://x.example/?a=(b)")
@example("@everyone <@1> <@!1> <@&1> <#1> @\u200beveryone <\u200b@1>")
def test_text_is_shown_as_it_is(text):
    markdown = escaped(text)

    assert visible(markdown) == possible(text)
    assert found(markdown) == ([], [])


@given(TEXTS, st.sampled_from(Style))
def test_styled_text_keeps_its_characters(text, style):
    markdown = styled(text, style)

    assert visible(markdown) == possible(text)
    links, mentions = found(markdown)
    assert (links, mentions) == ([], []) or style is Style.CODE


INLINES = st.lists(
    st.one_of(st.builds(Span, TEXTS, st.sampled_from(Style)), st.builds(Mark, st.integers(1, 60))),
    max_size=6,
).map(tuple)


def plain(inlines):
    return "".join(f"[{one.number}]" if isinstance(one, Mark) else one.text for one in inlines)


@given(INLINES)
def test_paragraphs_keep_their_characters_and_marks(inlines):
    (part,) = components([Text(inlines)])

    assert visible(part["content"]) == possible(plain(inlines)) or not plain(inlines).strip()
    assert found(part["content"])[0] == []


@given(TEXTS, st.sampled_from(["", "python", "no such\nlanguage", "`"]))
def test_code_keeps_its_characters(text, language):
    (part,) = components([Code(text, language)])

    assert visible(part["content"]) == possible(text)
    assert found(part["content"]) == ([], [])


CELLS = st.lists(st.builds(Span, TEXTS, st.sampled_from(Style)), max_size=2).map(tuple)


@settings(max_examples=60)
@given(st.data(), st.integers(1, 3))
def test_tables_keep_their_characters(data, width):
    row = st.lists(CELLS, min_size=width, max_size=width).map(tuple)
    table = Table(data.draw(row), tuple(data.draw(st.lists(row, max_size=4))))
    (part,) = components([table])
    text = "".join(visible(part["content"]).split())

    for cell in (cell for line in table.rows for cell in line):
        assert "".join(possible(plain(cell)).split()) in text
    assert found(part["content"])[0] == []


BLOCKS = st.one_of(
    st.builds(Text, INLINES, st.sampled_from(["", "-", "1.", ">"]), st.integers(0, 3)),
    st.builds(Heading, INLINES, st.integers(1, 6)),
    st.builds(Code, TEXTS),
    st.builds(Json, TEXTS),
    st.builds(Notice, TEXTS),
    st.builds(
        lambda quote, quoted, count: SourceList(
            tuple(Source(at + 1, (citation(at + 1, quote),)) for at in range(count)), quoted
        ),
        TEXTS,
        st.booleans(),
        st.integers(1, 60),
    ),
)
BUTTONS = Actions(
    tuple(
        Action(one, one, "a1")
        for one in ("quotes", "helpful", "unhelpful", "person", "private", "share")
    )
)


@settings(max_examples=60)
@given(st.lists(BLOCKS, max_size=8), st.integers(1, 30))
def test_what_fits_is_taken(blocks, times):
    messages = split([*blocks * times, BUTTONS], fits)

    for message in messages:
        for growing in (False, True):
            draft = accepted(components(message, marker=512, growing=growing))
            assert draft.is_v2
            assert draft.components[0].id == 512 or draft.components[0].type == 1
    names = [
        button.label
        for message in messages
        for row in accepted(components(message)).components
        if row.type == 1
        for button in row.components
    ]
    assert names == [one.label for one in BUTTONS.actions]


@settings(max_examples=40)
@given(st.lists(BLOCKS, min_size=1, max_size=6))
def test_what_fits_still_fits_without_some_of_it(blocks):
    many = blocks * 5
    whole = [fits(many[:count]) for count in range(len(many) + 1)]

    assert whole == sorted(whole, reverse=True)


def test_a_long_answer_keeps_every_word():
    words = " ".join(f"word{at}" for at in range(5000))
    messages = split([Text((Span(words),)), BUTTONS], fits)
    text = " ".join(shown(components(message)) for message in messages)

    assert re.findall(r"word\d+", text) == [f"word{at}" for at in range(5000)]
    assert len(messages) > 5


# --- sources ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("https://example.org/a_(b)", "https://example.org/a_%28b%29"),
        ("https://example.org/<x>", "https://example.org/%3Cx%3E"),
        ("https://example.org/é", "https://example.org/%C3%A9"),
        ("http://example.org/#there", "http://example.org/#there"),
        ("file:///a.md", None),
        ("javascript:alert(1)", None),
        ("discord://a", None),
        ("https://", None),
        ("http://[", None),
        (f"https://example.org/{'a' * 1000}", None),
        (None, None),
    ],
)
def test_only_stored_addresses_of_the_web_are_linked(uri, expected):
    assert link(uri, Place()) == expected


def test_a_link_leads_to_the_place():
    assert link("https://example.org/a", Place(page=3)) == "https://example.org/a#page=3"
    assert link("https://example.org/a", Place(anchor="b", page=3)) == "https://example.org/a#b"


@given(TEXTS)
def test_a_title_leads_to_its_source_and_nowhere_else(title):
    markdown = linked(title, "https://example.org/a", Place())

    (only,) = links_in(markdown, previewed=True)
    assert (only.url, only.is_previewed) == ("https://example.org/a", False)
    words = " ".join(possible(title).split())
    assert words[:200] in visible(markdown)


def test_sources_stand_below_a_line_with_title_place_and_link():
    place = Place(page=3, headings=("Leave", "Annual leave"), line=7)
    first = citation(1, "28 days", title="Leave", place=place)
    second = citation(1, "expire", title="Leave", place=Place(page=4), start=50)
    blocks = [Text((Span("28 days "), Mark(1))), SourceList((Source(1, (first, second)),), False)]
    body, line, sources = components(blocks)

    assert (body["content"], line["type"]) == ("28 days [1]", 14)
    assert sources["content"] == (
        "[1] [Leave](<https://example.org/leave.html#page=3>), page 3, Annual leave, line 7; page 4"
    )


def test_quotes_stand_below_their_source_if_wanted():
    blocks = [SourceList((Source(1, (citation(1, "28 *days*"),)),), quoted=True)]

    assert components(blocks)[0]["content"].endswith("\n> 28 \\*days\\*")
    assert components([Quote(citation(1, "28 days"))])[0]["content"] == "> 28 days"


def test_many_places_of_one_source_are_counted():
    many = tuple(
        citation(1, "x", start=at, place=Place(headings=(f"Heading {at} {'x' * 80}",)))
        for at in range(60)
    )
    (part,) = components([SourceList((Source(1, many),), quoted=False)])

    assert fits([SourceList((Source(1, many),), quoted=False)])
    assert re.search(r"and \d+ more places$", part["content"])


def test_where_to_look_is_linked():
    nearest = Nearest(
        passage_id="p",
        document_id="d",
        title="Leave",
        uri="https://example.org/",
        place=Place(line=3),
    )
    (part,) = components([NearestList((nearest,))])

    assert part["content"] == "- [Leave](<https://example.org/>), line 3"


def test_a_title_is_not_repeated_in_its_place():
    assert described(Place(headings=("Leave", "Sick")), "Leave") == "Sick"
    assert described(Place(slide=2, sheet="S", cell="A1")) == "slide 2, sheet S, cell A1"


def test_entries_of_a_list_stand_close():
    item = Text((Span("one"),), "-")
    deeper = Text((Span("two\nlines"),), "1.", 1)
    (part,) = components([Text((Span("So:"),)), item, deeper, Text((Span("Yes."),))])

    assert part["content"] == "So:\n\n- one\n  1. two\n    lines\n\nYes."


def test_headings_have_three_levels():
    (part,) = components([Heading((Span("a"),), 1), Heading((Span("b"),), 4)])

    assert part["content"] == "# a\n\n**b**"


def test_buttons_alone_are_found_again():
    assert [one["id"] for one in components([BUTTONS], marker=512) if "id" in one] == [512]


def test_a_notice_below_sources_is_small():
    sources = SourceList((Source(1, (citation(),)),), quoted=False)

    assert components([Notice("Nothing found.")])[0]["content"] == "Nothing found."
    assert components([sources, Notice("1 of 1")])[0]["content"].endswith("\n\n-# 1 of 1")


def test_an_aligned_table_is_code_and_a_wide_one_a_list():
    cells = ((Span("Kind"),), (Span("Days"),))
    narrow = Table(cells, (((Span("Leave"),), (Span("28"), Mark(1))),))
    wide = Table(cells, (((Span("x" * 80),), (Span("28"), Mark(1))),))

    assert components([narrow])[0]["content"] == (
        "```\nKind  | Days\n------+------\nLeave | 28[1]\n```"
    )
    assert components([wide])[0]["content"] == f"- **Kind:** {'x' * 80}; **Days:** 28[1]"


@given(st.lists(TEXTS.map(lambda text: escaped(text) * 20), max_size=5))
def test_pages_are_short_enough_and_keep_the_text(entries):
    pages = paged(entries)

    assert all(len(page) <= 4000 for page in pages)
    assert all(accepted([{"type": 10, "content": page or "."}]) for page in pages)


def test_code_that_goes_on_is_opened_again():
    pages = paged(["```python\n" + "\n".join(["print(1)"] * 1000) + "\n```"])

    assert len(pages) > 1
    assert all(page.startswith("```python\n") and page.endswith("\n```") for page in pages)


@pytest.mark.parametrize("style", [Style.EMPHASIS, Style.CODE, Style.STRONG])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https:", "//evil.example/`*\n"),
        ("https:/", "/evil.example/`*\n"),
        ("@", "everyone`*\n"),
        ("<", "@123456789012345678>`*\n"),
        ("[the portal]", "(https://evil.example/`*\n)"),
        ("discord", ".gg/`*\n"),
    ],
)
def test_pieces_in_other_styles_join_to_no_link_and_no_ping(first, second, style):
    for inlines in ((first, second), (first, "", second), (first[:-1], first[-1], second)):
        spans = [Span(one, Style.PLAIN if one != second else style) for one in inlines]
        shown = inline(spans)

        assert not re.search(r"https?://|discord\.gg|@everyone|(?<!\\)<@|\]\(", shown)
        assert (
            re.sub(r"[\u200b\\*]", "", shown).strip() == re.sub(r"[*]", "", first + second).strip()
        )
