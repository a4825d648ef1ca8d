"""Whatever an answer holds, all of it arrives, in messages that fit."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from citewell.blocks import (
    Action,
    Actions,
    Code,
    Heading,
    Json,
    Mark,
    NearestList,
    Notice,
    Source,
    SourceList,
    Span,
    Style,
    Table,
    Text,
)
from citewell.delivery.splitting import TooNarrow, split
from citewell.testing import make_claim, make_passages
from citewell.types.answers import Nearest
from citewell.types.documents import Place


def make_citation(number):
    (passage,) = make_passages("Every employee has 28 days of leave a year.")
    return make_claim("x", {number: passage}).citations[0]


words = st.text(
    st.one_of(
        st.sampled_from("ab .,\n&<>é漢🦊\u200d\ufe0f\u0301\u202e"),
        st.characters(exclude_categories=["Cs"]),
    ),
    min_size=1,
    max_size=60,
)
spans = st.builds(Span, words, st.sampled_from(Style))
inlines = st.lists(spans | st.builds(Mark, st.integers(1, 60)), min_size=1, max_size=8).map(tuple)


@st.composite
def tables(draw):
    width = draw(st.integers(1, 3))
    cells = st.lists(inlines | st.just(()), min_size=width, max_size=width).map(tuple)
    return Table(draw(cells), tuple(draw(st.lists(cells, max_size=4))))


def sources(numbers):
    return SourceList(
        tuple(Source(one, (make_citation(one),)) for one in numbers), quoted=bool(len(numbers) % 2)
    )


blocks = st.lists(
    st.one_of(
        st.builds(Text, inlines, st.sampled_from(["", "-", "1.", ">"])),
        st.builds(Heading, inlines, st.integers(1, 6)),
        st.builds(Code, words | st.text("ab\n ", max_size=200), st.sampled_from(["", "python"])),
        tables(),
        st.builds(Notice, words),
        st.builds(Json, words),
        st.lists(st.integers(1, 60), min_size=1, max_size=9, unique=True).map(sources),
        st.just(Actions((Action("quotes", "Show the quotes", "a1"),))),
        st.lists(
            st.builds(
                Nearest,
                passage_id=st.just("p"),
                document_id=st.just("d"),
                title=words,
                uri=st.none(),
                place=st.just(Place(line=3)),
            ),
            min_size=1,
            max_size=3,
        ).map(lambda some: NearestList(tuple(some))),
    ),
    max_size=7,
)


def cost(part):
    """Return the length of a part as a platform may encode it."""
    match part:
        case Span(text=text):
            return len(text.encode()) + 3 * text.count("&") + 2
        case Mark(number=number):
            return len(str(number)) + 2
        case Text(inlines=some) | Heading(inlines=some):
            return 4 + sum(map(cost, some))
        case Code(text=text) | Json(text=text):
            return 10 + len(text)
        case Notice(text=text):
            return 2 + len(text)
        case Table(header=header, rows=rows):
            return 5 + sum(cost(one) for row in (header, *rows) for cell in row for one in cell)
        case SourceList(sources=some, quoted=quoted):
            return sum(20 + (len(one.citations[0].quote) if quoted else 0) for one in some)
        case NearestList(nearest=some):
            return sum(8 + len(one.title) for one in some)
    return 12


def characters(some, *, kind):
    return "".join(one.text for one in some if isinstance(one, kind))


def told(some):
    """Return everything that blocks tell, in a form that does not depend on the cuts."""
    text, marks, numbers, actions = [], [], [], []
    for block in some:
        match block:
            case Text(inlines=parts) | Heading(inlines=parts):
                text.append(characters(parts, kind=Span))
                marks += [part.number for part in parts if isinstance(part, Mark)]
            case Code(text=code) | Json(text=code):
                text.append(code.replace("\n", ""))
            case Notice(text=notice):
                text.append(notice)
            case Table(rows=rows):
                width = len(block.header)
                for at in range(width):
                    text.append("".join(characters(row[at], kind=Span) for row in rows))
                    marks += [
                        one.number for row in rows for one in row[at] if isinstance(one, Mark)
                    ]
            case SourceList(sources=listed):
                numbers += [one.number for one in listed]
            case NearestList(nearest=near):
                text += [one.title for one in near]
            case Actions():
                actions.append(block)
    return sorted("".join(text)), sorted(marks), numbers, actions


@given(blocks, st.integers(70, 400))
def test_nothing_is_lost_and_every_message_fits(some, room):
    def fits(part):
        return sum(map(cost, part)) <= room

    try:
        messages = split(some, fits)
    except TooNarrow:
        # The header of a table alone may be larger than a message.
        assume(False)

    assert all(messages)
    assert all(fits(message) for message in messages)
    assert told([block for message in messages for block in message]) == told(some)


@given(st.lists(st.tuples(spans, st.integers(1, 9)), min_size=1, max_size=12), st.integers(80, 300))
def test_what_was_sent_stays_while_an_answer_grows(claims, room):
    def fits(part):
        return sum(map(cost, part)) <= room

    before = []
    parts = []
    for span, number in claims:
        parts += [span, Mark(number)]
        messages = split([Text(tuple(parts))], fits)
        # All but the last message are as they were.
        assert messages[: max(len(before) - 1, 0)] == before[:-1]
        before = messages


def test_code_that_fits_a_message_of_its_own_is_not_cut():
    code = Code("\n".join(["x = 1"] * 10), "python")

    messages = split([Text((Span("a" * 60),)), code], lambda part: sum(map(cost, part)) <= 90)

    assert messages[1] == [code]


def test_code_that_is_longer_than_a_message_is_cut_between_lines_and_stays_code():
    code = Code("\n".join(f"line_{number} = {number}" for number in range(40)), "python")

    messages = split([code], lambda part: sum(map(cost, part)) <= 100)

    assert "\n".join(message[0].text for message in messages) == code.text
    assert {message[0].language for message in messages} == {"python"}


def test_each_part_of_a_table_has_its_header():
    header = ((Span("Plan"),), (Span("Price"),))
    rows = tuple(((Span(f"plan {n}"),), (Span(f"{n} euros"),)) for n in range(30))

    messages = split([Table(header, rows)], lambda part: sum(map(cost, part)) <= 120)

    assert len(messages) > 3
    assert all(message[0].header == header for message in messages)
    assert sum((message[0].rows for message in messages), ()) == rows


def test_a_quotation_that_fits_no_message_leaves_its_source():
    long = replace_quote(make_citation(1), "word " * 100)

    messages = split(
        [SourceList((Source(1, (long,)), Source(2, (make_citation(2),))))],
        lambda part: sum(map(cost, part)) <= 90,
    )

    listed = [block for message in messages for block in message]
    assert [source.number for block in listed for source in block.sources] == [1, 2]
    assert not listed[0].quoted


def replace_quote(citation, quote):
    return replace(citation, quote=quote)


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(TooNarrow, match="Actions"):
        split([Actions((Action("why", "Why", "a"),))], lambda part: sum(map(cost, part)) <= 5)


def test_a_cut_parts_no_character_from_what_belongs_to_it():
    family = "👩\u200d👩\u200d👧"

    messages = split([Text((Span(family * 6),))], lambda part: sum(map(cost, part)) <= 60)

    texts = ["".join(span.text for span in message[0].inlines) for message in messages]
    assert "".join(texts) == family * 6
    assert all(not text.startswith("\u200d") and not text.endswith("\u200d") for text in texts)
