from io import StringIO

import pytest

from answers import PLACE, citation
from citewell import Nearest, Place
from citewell.blocks import (
    Action,
    Actions,
    Block,
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
from citewell.cli.pipe import Pipe


def printed(*blocks: Block, where: str = "") -> str:
    out = StringIO()
    Pipe(out, where=where).end(blocks)
    return out.getvalue()


def shown(*blocks: Block) -> list[str]:
    return printed(*blocks).splitlines()


def test_text_with_marks():
    strong, code = Span("this", Style.STRONG), Span("x[1]", Style.CODE)

    marked = Text((Span("Read "), strong, Span(", "), code, Span("."), Mark(1), Mark(12)))

    assert shown(marked) == ["Read this, `x[1]`. [1][12]"]


def test_paragraphs_stand_apart_and_items_together():
    blocks = [
        Heading((Span("Leave"),), 1),
        Text((Span("One"),), "-"),
        Text((Span("Two\nmore"),), "-", 1),
        Text((Span("Said\nso"),), ">"),
        Text((Span("End"),)),
    ]

    assert shown(*blocks) == [
        *["Leave", "", "- One", "  - Two", "    more", "> Said", "> so", "", "End"]
    ]


def test_code_and_tables_keep_their_lines():
    table = Table(((Span("Country"),), (Span("Days"),)), (((Span("Peru"),), (Mark(1),)),))

    assert shown(Code("if x:\n    y")) == ["    if x:", "        y"]
    assert shown(table) == ["Country | Days", "------- | ----", "Peru    | [1]"]


def test_sources_with_place_address_and_exact_quotes():
    other = citation(1, "a\n b", place=Place(page=2), start=90)

    lines = shown(SourceList((Source(1, (citation(1), other)),)))

    assert lines == [
        "Sources",
        "[1] Leave, Annual leave, line 12  https://example.org/leave.html",
        "    │ Everyone has 25 days.",
        "    page 2",
        "    │ a",
        "    │  b",
    ]


def test_sources_without_quotes_take_a_line_each():
    sources = SourceList((Source(1, (citation(1, uri=None),)),), quoted=False)

    assert shown(sources) == ["Sources", "[1] Leave, Annual leave, line 12"]


def test_what_stands_below_an_answer():
    nearest = Nearest(passage_id="p", document_id="d", title="Leave", uri=None, place=PLACE)
    actions = Actions((Action("why", "Why", "7m2kq4x9ab"), Action("helpful", "Good", "7m2kq4x9ab")))

    assert shown(NearestList((nearest,)), Notice("Nothing."), actions) == [
        *["Nearest", "  - Leave, Annual leave, line 12", "", "Nothing.", "citewell why 7m2kq4x9ab"]
    ]


def test_json_stays_as_it_is():
    assert shown(Json('{\n  "a": 1\n}')) == ["{", '  "a": 1', "}"]


@pytest.mark.parametrize(
    "block",
    [
        Text((Span("\x1b[2J"),), "\x1b"),
        Heading((Span("\x1b[2J"),), 1),
        Code("\x1b[2J"),
        Table(((Span("\x1b"),),), (((Span("\x1b"),),),)),
        Quote(citation(1, "\x1b[2J")),
        SourceList((Source(1, (citation(1, "\x1b", title="\x1b", uri="x:\x1b"),)),)),
        NearestList((
            Nearest(passage_id="p", document_id="d", title="\x1b", uri="\x1b", place=PLACE),
        )),
        Notice("\x1b"),
        Actions((Action("why", "", "\x1b"),)),
        Json("\x1b"),
    ],
    ids=lambda block: type(block).__name__,
)
def test_no_block_lets_an_escape_through(block):
    text = printed(block)

    assert "␛" in text
    assert "\x1b" not in text


def test_a_pipe_gets_the_complete_answer_once():
    out = StringIO()
    pipe = Pipe(out)

    pipe.status("Searching")
    pipe.show([Text((Span("One"),))])
    pipe.end([Text((Span("One two"),))])

    assert out.getvalue() == "One two\n"


def test_a_list_starts_apart_from_the_text_before():
    assert shown(Text((Span("These:"),)), Text((Span("One"),), "1.")) == ["These:", "", "1. One"]


def test_an_empty_answer_shows_nothing():
    assert printed() == ""


def test_a_hint_names_the_same_documents():
    actions = Actions((Action("why", "Why", "7m2kq4x9ab"),))

    assert printed(actions, where=" --docs handbook") == "citewell why 7m2kq4x9ab --docs handbook\n"
