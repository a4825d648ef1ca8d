import itertools
import re

import pytest
from hypothesis import given
from msgspec.structs import replace

import answers
from answers import UNSUPPORTED, answer, citation, claim, growing, refusal
from citewell import ClaimKind, Outcome
from citewell.blocks import (
    Action,
    Actions,
    Code,
    Heading,
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
from citewell_formats.prose import Prose

FOOTNOTES = Prose(quoted=True, styled=True, offers_why=True)
PLAIN = Prose(quoted=False, styled=False, offers_why=False)
STYLES = pytest.mark.parametrize("prose", [FOOTNOTES, PLAIN], ids=["footnotes", "plain"])


@STYLES
def test_who_answered_in_place_of_another_stands_below(prose):
    said = claim("Everyone has 25 days.", citation(1), lead="")
    note = "answered by quotes, because tuned could not answer"

    noted = prose.render(answer(said, note=note))
    plain = prose.render(answer(said))

    assert [block for block in noted if block not in plain] == [Notice(note)]
    assert noted.index(Notice(note)) == plain.index(Notice("1 of 1 statement supported")) + 1
    assert Notice(note) not in prose.render(answer(said, note=note, complete=False))


def test_an_answer_is_text_with_marks_then_sources_then_how_much_is_supported():
    cited = citation(1)

    blocks = FOOTNOTES.render(answer(claim("Everyone has 25 days.", cited, lead="")))

    assert blocks == (
        Text((Span("Everyone has 25 days."), Mark(1))),
        SourceList((Source(1, (cited,)),)),
        Notice("1 of 1 statement supported"),
        Actions((Action("why", "Why this answer", "7m2kq4x9ab"),)),
    )


def test_plain_shows_no_quotes_styles_or_actions():
    cited = citation(1)

    blocks = PLAIN.render(answer(claim("Everyone has **25** days.", cited)))

    assert blocks == (
        Text((Span("Everyone has 25 days."), Mark(1))),
        SourceList((Source(1, (cited,)),), quoted=False),
        Notice("1 of 1 statement supported"),
    )


def test_a_refusal_names_the_nearest_sources():
    refused = refusal()

    blocks = FOOTNOTES.render(refused)

    assert blocks[:2] == (Notice("The documents do not say."), NearestList(refused.nearest))


def test_an_answer_without_sources_begins_with_its_label():
    free = answer(
        claim("Paris.", verdict=UNSUPPORTED),
        outcome=Outcome.UNSOURCED,
        notice="answered without sources",
    )

    blocks = PLAIN.render(free)

    assert blocks == (Notice("answered without sources"), Text((Span("Paris."),)))


def test_a_dropped_statement_is_counted_and_not_shown():
    blocks = PLAIN.render(
        answer(
            claim("Everyone has 25 days.", citation(1)),
            claim("Bob has 40.", verdict=UNSUPPORTED, shown=False),
        )
    )

    assert Notice("1 of 2 statements supported") in blocks
    assert "Bob" not in str(blocks)


def test_a_statement_that_is_shown_without_support_is_marked():
    blocks = FOOTNOTES.render(answer(claim("Bob has 40.", verdict=UNSUPPORTED), complete=False))

    assert blocks == (Text((Span("Bob has 40."), Span(" (unsupported)", Style.EMPHASIS))),)


def test_a_heading_is_no_statement():
    blocks = PLAIN.render(
        answer(
            claim("## Leave", kind=ClaimKind.HEADING, lead=""),
            claim("Everyone has 25 days.", citation(1), lead="\n\n"),
        )
    )

    assert blocks[0] == Heading((Span("Leave"),), 2)
    assert Notice("1 of 1 statement supported") in blocks


def test_quotes_of_one_source_stand_together():
    first, second = citation(1, "one", start=5), citation(1, "two", start=50)

    blocks = PLAIN.render(answer(claim("A.", second), claim("B.", first), claim("C.", second)))

    assert SourceList((Source(1, (first, second)),), quoted=False) in blocks


@pytest.mark.parametrize(
    ("leads", "expected"),
    [
        (["", " "], [("", 0, "one two")]),
        (["", "- "], [("", 0, "one"), ("-", 0, "two")]),
        (["\u2022 ", "\n\u2022 "], [("-", 0, "one"), ("-", 0, "two")]),
        (["", "\n"], [("", 0, "one\ntwo")]),
        (["", "\n\n"], [("", 0, "one"), ("", 0, "two")]),
        (["- ", "\n- "], [("-", 0, "one"), ("-", 0, "two")]),
        (["* ", "\n  + "], [("-", 0, "one"), ("-", 1, "two")]),
        (["1. ", "\n2) "], [("1.", 0, "one"), ("2)", 0, "two")]),
        (["1. ", "\n   - "], [("1.", 0, "one"), ("-", 1, "two")]),
        (["> ", " "], [(">", 0, "one two")]),
        (["> - ", "\n> - "], [("-", 0, "one"), ("-", 0, "two")]),
    ],
)
def test_leads_become_paragraphs_and_items(leads, expected):
    texts = ["one", "two"]

    blocks = PLAIN.render(
        answer(*(claim(t, lead=lead) for t, lead in zip(texts, leads, strict=True)), complete=False)
    )

    assert [
        (block.marker, block.depth, "".join(span.text for span in block.inlines))
        for block in blocks
    ] == expected


def test_nesting_follows_the_indents():
    leads = ["- ", "\n\n  ", "\n  - ", " ", "\n      - ", "\n  - ", "\n  > ", "\n- "]

    blocks = PLAIN.render(answer(*(claim("x", lead=lead) for lead in leads), complete=False))

    assert [(block.marker, block.depth, len(block.inlines)) for block in blocks] == [
        *[("-", 0, 1), ("", 0, 1), ("-", 1, 3), ("-", 2, 1), ("-", 1, 1), (">", 0, 1), ("-", 0, 1)]
    ]


def test_styles_are_kept_where_they_are_wanted():
    strong = claim("**Bob** has 40.", verdict=UNSUPPORTED)

    (styled,) = FOOTNOTES.render(answer(strong, complete=False))
    (plain,) = PLAIN.render(answer(strong, complete=False))

    assert styled.inlines == (
        *(Span("Bob", Style.STRONG), Span(" has 40.")),
        Span(" (unsupported)", Style.EMPHASIS),
    )
    assert plain.inlines == (Span("Bob has 40."), Span(" (unsupported)"))


def test_a_heading_may_lack_its_hashes():
    blocks = PLAIN.render(answer(claim("Leave", kind=ClaimKind.HEADING), complete=False))

    assert blocks == (Heading((Span("Leave"),), 2),)


def test_a_table_may_begin_without_a_row():
    head = claim("| a | b |\n|---|---|", kind=ClaimKind.TABLE)

    (table,) = PLAIN.render(answer(head, complete=False))

    assert table == Table(((Span("a"),), (Span("b"),)), ())


def test_a_second_header_begins_a_second_table():
    first, second = (
        claim(f"| {name} |\n|---|\n| 1 |", kind=ClaimKind.TABLE) for name in ("a", "b")
    )

    blocks = PLAIN.render(answer(first, second, complete=False))

    assert blocks == (
        Table(((Span("a"),),), (((Span("1"),),),)),
        Table(((Span("b"),),), (((Span("1"),),),)),
    )


def test_the_item_of_a_dropped_statement_goes_on_with_the_next():
    blocks = PLAIN.render(
        answer(
            claim("One.", lead="- "),
            claim("Bob has 40.", lead="\n- ", shown=False),
            claim("Two."),
            complete=False,
        )
    )

    assert blocks == (Text((Span("One."),), "-"), Text((Span("Two."),), "-"))


def test_rows_of_a_table_join_and_carry_their_marks():
    head = "| Country | Days |\n|---|--:|\n| Germany | 30 |"

    (table,) = PLAIN.render(
        answer(
            claim(head, citation(1), kind=ClaimKind.TABLE, lead=""),
            claim("| France \\| Paris | `25` |", citation(2), kind=ClaimKind.TABLE, lead="\n"),
            complete=False,
        )
    )

    assert table == Table(
        ((Span("Country"),), (Span("Days"),)),
        (
            ((Span("Germany"),), (Span("30"), Mark(1))),
            ((Span("France | Paris"),), (Span("`25`"), Mark(2))),
        ),
    )


def test_a_row_without_its_header_and_with_too_many_cells_loses_nothing():
    rows = ["| a | b | c |", "| d | e | f | g |", "| h |"]

    (block,) = PLAIN.render(
        answer(*(claim(row, kind=ClaimKind.TABLE) for row in rows), complete=False)
    )

    assert block == Table(
        ((), (), ()),
        (
            ((Span("a"),), (Span("b"),), (Span("c"),)),
            ((Span("d"),), (Span("e"),), (Span("f"), Span(" | "), Span("g"))),
            ((Span("h"),), (), ()),
        ),
    )


def test_code_loses_its_fences_and_keeps_its_language():
    code = "~~~python\nprint('```')\n\n~~~"

    blocks = PLAIN.render(
        answer(claim(code, citation(3), kind=ClaimKind.CODE, lead=""), complete=False)
    )

    assert blocks == (Code("print('```')", "python"), Text((Mark(3),)))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```\n  if x:\n    y  \n```\n", Code("  if x:\n    y  ")),
        ("```sh\nls", Code("ls", "sh")),
        ("```\nX\n```", Code("X")),
        ("x = 1", Code("x = 1")),
    ],
)
def test_code_keeps_its_blanks(text, code):
    assert PLAIN.render(answer(claim(text, kind=ClaimKind.CODE), complete=False)) == (code,)


@STYLES
@given(whole=answers.answers)
def test_what_is_shown_only_grows(prose, whole):
    renderings = [prose.render(seen) for seen in growing(whole)]

    for before, after in itertools.pairwise(renderings):
        assert tuple(before[:-1]) == tuple(after[: max(len(before) - 1, 0)])
        if before:
            assert _begins_with(after[len(before) - 1], before[-1])


def _begins_with(longer, shorter):
    match shorter:
        case Text():
            grown = longer.inlines[: len(shorter.inlines)]
            return replace(longer, inlines=grown) == shorter
        case Table():
            return replace(longer, rows=longer.rows[: len(shorter.rows)]) == shorter
    return longer == shorter


@STYLES
@given(whole=answers.answers)
def test_every_letter_and_citation_that_is_shown_appears(prose, whole):
    blocks = prose.render(whole)

    expected = "".join(
        _letters(_without_language(one)) + _numbers(one) for one in whole.claims if one.shown
    )
    assert _read(blocks) == expected
    listed = [one for block in blocks if isinstance(block, SourceList) for one in block.sources]
    assert [one for source in listed for one in source.citations] == list(whole.citations)


def _without_language(one):
    return one.text.removeprefix("```sh") if one.kind is ClaimKind.CODE else one.text


def _letters(text):
    return re.sub(r"[\W_]", "", text)


def _numbers(one):
    return "".join(f"[{number}]" for number in sorted({c.number for c in one.citations}))


def _read(blocks):
    return "".join(map(_read_block, blocks))


def _read_block(block):
    match block:
        case Text() | Heading():
            return _read_inlines(block.inlines)
        case Code():
            return _letters(block.text)
        case Table():
            cells = [cell for row in (block.header, *block.rows) for cell in row]
            return "".join(map(_read_inlines, cells))
    return ""


def _read_inlines(inlines):
    return "".join(
        f"[{inline.number}]"
        if isinstance(inline, Mark)
        else _letters(inline.text.replace(" (unsupported)", ""))
        for inline in inlines
    )
