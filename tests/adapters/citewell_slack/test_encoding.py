"""Every block is shown whole, within the limits of Slack, and `fits` says so truly."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from answers import PLACE, answers, citation
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
from citewell_formats.prose import Prose
from citewell_slack import encoding
from citewell_slack.encoding import Encoder, fits
from citewell_slack.places import address, placed
from citewell_slack.testing import rendered
from citewell_slack.testing.blocks import check_blocks
from citewell_slack.testing.limits import Limits


@dataclass
class Shown:
    blocks: list = field(default_factory=list)
    text: str = ""


ENCODER = Encoder(has_person=lambda: True)


def seen(*blocks):
    encoded = ENCODER.encode(blocks)
    Limits().check_blocks(check_blocks(encoded))
    return rendered(Shown(encoded))


def bare(text):
    """Return the letters and digits of a text."""
    return "".join(filter(str.isalnum, text))


def test_text_that_follows_on_text_is_one_block():
    encoded = ENCODER.encode([
        Heading((Span("Leave"),), 2),
        Text((Span("You have "), Span("28", Style.STRONG), Span(" days"), Mark(1))),
        Text((Span("one"),), "-"),
        Text((Span("two"),), "-", 1),
        Text((Span("said"),), ">"),
        Code("x = 1", "py"),
        Json("{}"),
    ])

    assert encoded == [
        {
            "type": "markdown",
            "text": "## Leave\n\nYou have **28** days[1]\n\n- one\n    - two\n> said\n\n"
            "```py\nx = 1\n```\n\n```json\n{}\n```",
        }
    ]


def test_a_source_has_its_title_place_link_and_quotes():
    source = Source(
        1, (citation(1), citation(1, "Unused days expire.", start=9, place=Place(line=40)))
    )
    shown = seen(SourceList((source,)))

    assert shown.text.splitlines() == [
        "[1] Leave, Annual leave, line 12; line 40",
        "Everyone has 25 days.",
        "Unused days expire.",
    ]
    assert [one.url for one in shown.links] == ["https://example.org/leave.html"]
    assert "Everyone" not in seen(SourceList((source,), quoted=False)).text


def test_sources_of_two_documents_under_one_number_are_both_named():
    source = Source(1, (citation(1), citation(1, "Other.", title="Sick", uri=None)))

    text = seen(SourceList((source,))).text
    assert "[1] Leave" in text
    assert "Sick" in text


@pytest.mark.parametrize(
    "uri", ["file:///x", "javascript:alert(1)", "mailto:a@b.c", None, "https://[bad", "http:x"]
)
def test_what_is_not_on_the_web_is_no_link(uri):
    assert seen(SourceList((Source(1, (citation(1, uri=uri),)),))).links == []
    assert address(uri, Place()) is None


def test_links_lead_to_the_place():
    uri = "https://example.org/a b.pdf"

    assert address(uri, Place(page=3)) == "https://example.org/a%20b.pdf#page=3"
    assert address(uri, Place(anchor="top")) == "https://example.org/a%20b.pdf#top"
    assert address("https://x.y/#z", Place(anchor="top")) == "https://x.y/#z"
    assert address(f"https://x.y/{'a' * 3000}", Place()) is None


def test_places_are_said_in_words():
    assert placed(Place(page=3, line=9), "Leave") == "page 3"
    assert placed(Place(slide=2), "Leave") == "slide 2"
    assert placed(Place(sheet="Pay", cell="B2"), "Leave") == "sheet Pay, cell B2"
    assert placed(Place(line=9), "Leave") == "line 9"
    assert placed(Place(headings=("Leave", "Sick"), line=9), "Leave") == "Sick, line 9"
    assert placed(Place(headings=("Sick", "Notes")), "Leave") == "Sick \u203a Notes"
    assert placed(Place(), "Leave") == ""


def test_where_to_look_is_named():
    nearest = Nearest(
        passage_id="p",
        document_id="d",
        title="Leave",
        uri="https://example.org/leave.html",
        place=PLACE,
    )

    assert "Leave, Annual leave, line 12" in seen(NearestList((nearest,))).text


def test_a_reference_stands_where_there_is_no_button():
    shown = seen(Actions((Action("why", "Why this answer", "a1"),)))

    assert shown.text == "Why this answer: citewell why a1"
    assert shown.buttons == []


def test_a_wide_table_is_shown_as_lines():
    row = tuple((Span(f"c{number}"),) for number in range(25))
    shown = seen(Table(row, (row,)))

    assert shown.text.count("c24") == 2


def test_cells_keep_marks_and_styles():
    shown = seen(Table(((Span("a"),), ()), (((Span("b", Style.CODE), Mark(2)), (Mark(3),)),)))

    assert shown.text.splitlines() == ["a", " ", "b[2]", "[3]"]


def test_only_one_table_fits_a_message():
    table = Table(((Span("a"),),), (((Span("b"),),),))

    assert ENCODER.fits([table])
    assert not ENCODER.fits([table, table])


def test_a_quote_shows_the_stored_text():
    assert seen(Quote(citation(1, "a *b*\n<c>"))).text == "> a *b*\n> <c>"


def test_what_nothing_can_show_is_refused():
    from citewell import DeliveryError

    with pytest.raises(DeliveryError):
        ENCODER.encode(["text"])


_INLINES = st.lists(
    st.one_of(
        st.builds(Span, st.text(max_size=400), st.sampled_from(Style)),
        st.builds(Mark, st.integers(1, 60)),
    ),
    max_size=4,
).map(tuple)
_CITATIONS = st.builds(citation, st.integers(1, 60), st.text(min_size=1, max_size=300))
_BLOCKS = st.one_of(
    st.builds(Text, _INLINES, st.sampled_from(["", "-", "1.", ">"]), st.integers(0, 3)),
    st.builds(Heading, _INLINES, st.integers(1, 6)),
    st.builds(Code, st.text(max_size=3000), st.text(max_size=9)),
    st.builds(Notice, st.text(max_size=3500)),
    st.integers(1, 25).flatmap(
        lambda width: st.builds(
            Table,
            st.tuples(*[_INLINES] * width),
            st.lists(st.tuples(*[_INLINES] * width), max_size=4).map(tuple),
        )
    ),
    st.lists(_CITATIONS, min_size=1, max_size=9).map(
        lambda found: SourceList(tuple(Source(one.number, (one,)) for one in found))
    ),
    st.builds(Quote, _CITATIONS),
)


@hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(_BLOCKS, max_size=8))
def test_what_fits_is_taken_whole_without_links_or_mentions(blocks):
    encoded = ENCODER.encode(blocks)
    if not encoded or not fits(encoded):
        return
    Limits().check_blocks(check_blocks([*encoded, encoding.context("…")]))
    shown = rendered(Shown(encoded))

    assert (shown.mentions, shown.images) == ([], [])
    assert {one.url for one in shown.links} <= {"https://example.org/leave.html"}


@hypothesis_settings(max_examples=100, deadline=None)
@given(answers)
def test_every_letter_of_an_answer_is_shown(answer):
    blocks = Prose(quoted=True, styled=True, offers_why=True).render(answer)
    shown = bare(rendered(Shown(ENCODER.encode(blocks))).text)

    for block in blocks:
        if isinstance(block, Text | Heading):
            words = "".join(
                one.text if isinstance(one, Span) else str(one.number) for one in block.inlines
            )
            assert bare(words) in shown
        elif isinstance(block, Code | Notice):
            assert bare(block.text) in shown
        elif isinstance(block, SourceList):
            quotes = [one.quote for source in block.sources for one in source.citations]
            assert all(bare(quote) in shown for quote in quotes)


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(_BLOCKS, min_size=1, max_size=8), st.integers(0, 7))
def test_what_fits_still_fits_without_some_of_it(blocks, index):
    if ENCODER.fits(blocks):
        assert ENCODER.fits([one for at, one in enumerate(blocks) if at != index])
