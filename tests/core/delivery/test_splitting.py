"""Whatever an answer holds, all of it arrives, in messages that fit."""

from collections import Counter
from itertools import chain

import pytest
from hypothesis import given
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
    Quote,
    Source,
    SourceList,
    Span,
    Style,
    Table,
    Text,
)
from citewell.delivery.splitting import TooNarrow, split
from citewell.testing import make_claim, make_passages
from citewell.testing.plainchat import plain_text
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
long_words = words | words.map(lambda text: text * 9)
some_inlines = st.lists(spans | st.builds(Mark, st.integers(1, 60)), min_size=1, max_size=8)
many_marks = st.lists(st.builds(Mark, st.integers(1, 60)), min_size=20, max_size=40)
inlines = st.one_of(
    some_inlines, some_inlines, st.builds(list.__add__, some_inlines, many_marks)
).map(tuple)
NAMES = ["quotes", "helpful", "unhelpful", "person", "private", "share"]


@st.composite
def tables(draw):
    width = draw(st.integers(1, 3))
    cells = st.lists(inlines | st.just(()), min_size=width, max_size=width).map(tuple)
    return Table(draw(cells), tuple(draw(st.lists(cells, max_size=4))))


@st.composite
def citations(draw, number=1):
    made = make_citation(number)
    title, uri = draw(long_words), draw(st.none() | st.just("https://example.org/leave"))
    return replace(made, title=title, uri=uri, quote=draw(long_words))


@st.composite
def source_lists(draw):
    numbers = draw(st.lists(st.integers(1, 60), min_size=1, max_size=9, unique=True))
    made = [draw(st.lists(citations(one), min_size=1, max_size=2)) for one in numbers]
    same_title = [[replace(one, title=some[0].title) for one in some] for some in made]
    listed = zip(numbers, same_title, strict=True)
    return SourceList(tuple(Source(one, tuple(some)) for one, some in listed), draw(st.booleans()))


@st.composite
def action_rows(draw):
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    return Actions(tuple(Action(name, draw(words), "a1") for name in names))


blocks = st.lists(
    st.one_of(
        st.builds(Text, inlines, st.sampled_from(["", "-", "1.", ">"])),
        st.builds(Heading, inlines, st.integers(1, 6)),
        st.builds(Code, words | st.text("ab\n ", max_size=200), st.sampled_from(["", "python"])),
        tables(),
        st.builds(Notice, words),
        st.builds(Json, words),
        citations().map(Quote),
        source_lists(),
        action_rows(),
        st.lists(
            st.builds(
                Nearest,
                passage_id=st.just("p"),
                document_id=st.just("d"),
                title=long_words,
                uri=st.none() | st.just("https://example.org/leave"),
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
        case Code(text=text) | Json(text=text) | Notice(text=text):
            return 10 + len(text)
        case Table(header=header, rows=rows):
            return 5 + sum(cost(one) for row in (header, *rows) for cell in row for one in cell)
        case SourceList(sources=some, quoted=quoted):
            cited = [citation for source in some for citation in source.citations]
            quotes = sum(len(one.quote) for one in cited) if quoted else 0
            return quotes + sum(20 + len(source.citations[0].title) for source in some)
        case Quote(citation=citation):
            return len(citation.quote)
        case Actions(actions=some):
            return sum(4 + len(one.label) for one in some)
        case NearestList(nearest=some):
            return sum(8 + len(one.title) for one in some)
    raise AssertionError(part)


def told(some):
    """Return how often each thing is told, in a form that does not depend on the cuts."""
    return Counter(chain.from_iterable(map(things, some)))


def things(block):
    match block:
        case Text(inlines=parts) | Heading(inlines=parts):
            return in_text(parts)
        case Code(text=code) | Json(text=code):
            return code.replace("\n", "")
        case Notice(text=notice):
            return notice
        case Table(header=header, rows=rows):
            cells = [cell for row in rows for cell in row]
            return chain(*map(in_text, cells), () if rows else chain(*map(in_text, header)))
        case Quote(citation=citation):
            return citation.quote
        case SourceList(sources=listed, quoted=quoted):
            quotes = "".join(one.quote for source in listed for one in source.citations)
            titles = "".join(source.citations[0].title for source in listed)
            return chain((one.number for one in listed), titles, quotes if quoted else "")
        case NearestList(nearest=near):
            return "".join(one.title for one in near)
    return (action.name for action in block.actions)


def in_text(parts):
    return chain.from_iterable([one.number] if isinstance(one, Mark) else one.text for one in parts)


@given(blocks, st.integers(60, 400))
def test_nothing_is_lost_and_every_message_fits(some, room):
    def fits(part):
        return len(plain_text(part)) <= room

    messages = split(some, fits)

    assert all(messages)
    assert all(fits(message) for message in messages)
    lost = told(some) - told([block for message in messages for block in message])
    assert not lost


@given(blocks, st.integers(120, 400))
def test_nothing_is_lost_whatever_a_platform_counts(some, room):
    def fits(part):
        return sum(map(cost, part)) <= room

    messages = split(some, fits)

    assert all(fits(message) for message in messages)
    lost = told(some) - told([block for message in messages for block in message])
    assert not lost


def growing(block):
    """Yield a block as it becomes longer; what comes all at once, once."""
    match block:
        case Text(inlines=some) | Heading(inlines=some):
            for at in range(1, len(some) + 1):
                yield replace(block, inlines=some[:at])
        case Table(rows=rows):
            for at in range(1, len(rows) + 1):
                yield replace(block, rows=rows[:at])
        case _:
            yield block


@given(blocks, st.integers(60, 300))
def test_what_was_sent_stays_while_an_answer_grows(some, characters):
    before = []
    for at, block in enumerate(some):
        for grown in growing(block):
            messages = split([*some[:at], grown], room(characters))
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


def room(characters):
    """Return what fits so many characters."""
    return lambda part: len(plain_text(part)) <= characters


def source(number, *, title="Leave", quote="28 days."):
    return Source(number, (replace(make_citation(number), title=title, quote=quote),))


def test_a_quotation_that_fits_no_message_stands_below_its_source():
    long, short = source(1, quote="word " * 100), source(2)

    def fits(part):
        return sum(map(cost, part)) <= 90

    messages = split([SourceList((long, short))], fits)

    first, *quotes, last = [block for message in messages for block in message]
    assert first == SourceList((long,), quoted=False)
    assert "".join(one.inlines[0].text for one in quotes) == "word " * 100
    assert {one.marker for one in quotes} == {">"}
    assert last == SourceList((short,))


def test_sources_keep_their_quotes_where_the_next_message_holds_them():
    listed = SourceList((source(1, quote="word " * 10),))

    def fits(part):
        return sum(map(cost, part)) <= 90

    messages = split([Notice("a" * 40), listed], fits)

    assert messages == [[Notice("a" * 40)], [listed]]


def test_a_title_that_fits_no_message_is_told_all_the_same():
    messages = split([SourceList((source(7, title="word " * 30),))], room(60))

    parts = [inline for message in messages for block in message for inline in block.inlines]
    assert parts[0] == Mark(7)
    assert "word " * 30 in "".join(one.text for one in parts if isinstance(one, Span))


def test_a_quotation_alone_is_cut_and_stays_one():
    (long,) = source(1, quote="word " * 30).citations

    messages = split([Quote(long)], room(60))

    assert len(messages) > 2
    assert "".join(block.inlines[0].text for (block,) in messages) == long.quote
    assert {block.marker for (block,) in messages} == {">"}


def test_buttons_that_fit_no_message_together_come_in_several_rows():
    row = Actions(tuple(Action(name, f"Do something {name}", "a") for name in NAMES))

    messages = split([row], room(60))

    assert len(messages) > 1
    assert sum((block.actions for (block,) in messages), ()) == row.actions


def test_buttons_stay_in_one_row_where_the_next_message_holds_them():
    row = Actions((Action("helpful", "Helpful", "a"), Action("unhelpful", "Not helpful", "a")))

    assert split([Notice("a" * 45), row], room(60)) == [[Notice("a" * 45)], [row]]


def test_the_whole_name_of_a_button_stands_above_it_where_it_is_longer_than_a_message():
    label = "word " * 20

    messages = split([Actions((Action("why", label, "a"),))], room(60))

    *texts, button = [block for message in messages for block in message]
    assert "".join(block.inlines[0].text for block in texts) == label
    assert label.startswith(button.actions[0].label)


def test_rows_of_a_table_that_is_too_wide_name_their_columns():
    header = tuple((Span(name * 4),) for name in ("plan ", "price ", "until "))
    rows = (((Span("basic"),), (Span("7 euros"), Mark(1)), ()),)

    messages = split([Table(header, rows)], room(60))

    said = [block for message in messages for block in message]
    assert "".join(plain_text([one]) for one in said) == (
        "plan plan plan plan : basicprice price price price : 7 euros[1]"
    )


def test_a_row_is_cut_only_where_it_fits_no_message():
    row = ((Span("word " * 8),),)
    table = Table(((Span("Plan"),),), (row,))

    assert split([Notice("a" * 45), table], room(60)) == [[Notice("a" * 45)], [table]]


def test_where_not_even_a_few_words_fit_that_is_said():
    with pytest.raises(TooNarrow, match="Actions"):
        split([Actions((Action("why", "Why", "a"),))], lambda part: sum(map(cost, part)) <= 3)


def test_a_cut_parts_no_character_from_what_belongs_to_it():
    family = "👩\u200d👩\u200d👧"

    messages = split([Text((Span(family * 6),))], lambda part: sum(map(cost, part)) <= 60)

    texts = ["".join(span.text for span in message[0].inlines) for message in messages]
    assert "".join(texts) == family * 6
    assert all(not text.startswith("\u200d") and not text.endswith("\u200d") for text in texts)


@pytest.mark.parametrize("make", [Notice, lambda text: Text((Span(text),)), Code])
def test_no_word_is_torn_that_the_next_message_holds_whole(make):
    word = make("unbelievable " * 8)

    first, *_ = split([Notice("a" * 53), word], room(60))

    assert first == [Notice("a" * 53)]
