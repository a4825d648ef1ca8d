import json

import pytest
from hypothesis import given

import answers
from answers import UNSUPPORTED, answer, citation, claim, growing, refusal
from citewell import ClaimKind
from citewell_formats.document import JsonDocument


def document(whole, **settings):
    (block,) = JsonDocument(**settings).render(whole)
    return json.loads(block.text)


PLACE = {
    "page": None,
    "slide": None,
    "headings": ["Leave", "Annual leave"],
    "line": 12,
    "anchor": None,
    "sheet": None,
    "cell": None,
    "uri": None,
}
SOURCE = {
    "document_id": "handbook:leave.md",
    "passage_id": "passage-2",
    "title": "Leave",
    "uri": "https://example.org/leave.html",
    "place": PLACE,
}


def test_a_program_finds_the_answer_and_where_each_quote_stands():
    cited = citation(2, "25 days", start=7)

    read = document(
        answer(
            claim("Everyone has 25 days.", cited, lead=""),
            model="quotes",
            note="instead",
            generation="3f2a91c0",
        )
    )

    assert read == {
        "schema": "citewell.answer/1",
        "id": "7m2kq4x9ab",
        "question_id": "q1",
        "outcome": "answered",
        "notice": "",
        "model": "quotes",
        "note": "instead",
        "generation": "3f2a91c0",
        "text": "Everyone has 25 days. [2]",
        "statements": {"supported": 1, "total": 1},
        "claims": [
            {
                "kind": "sentence",
                "text": "Everyone has 25 days.",
                "sources": [2],
                "supported": True,
                "check": "containment",
                "reason": "all words are in [1]",
                "score": 1.0,
            }
        ],
        "sources": [
            {
                "number": 2,
                "citations": [
                    SOURCE | {"content_hash": "0" * 32, "start": 7, "end": 14, "quote": "25 days"}
                ],
            }
        ],
        "nearest": [],
    }


def test_a_refusal_says_where_to_look():
    read = document(refusal())

    assert (read["outcome"], read["notice"]) == ("refused", "The documents do not say.")
    assert read["nearest"] == [SOURCE | {"passage_id": "passage-1"}]


def test_what_was_dropped_is_counted_only():
    dropped = claim("Bob has 40.", verdict=UNSUPPORTED, shown=False)

    read = document(answer(claim("A.", citation()), dropped))

    assert read["statements"] == {"supported": 1, "total": 2}
    assert "Bob" not in json.dumps(read)


def test_marks_do_not_break_tables_and_code():
    row = claim("| a | b |\n", citation(1), citation(3), kind=ClaimKind.TABLE, lead="")
    code = claim("```\nx\n```\n", citation(2), kind=ClaimKind.CODE, lead="\n\n")

    read = document(answer(row, code))

    assert read["text"] == "| a | b [1][3] |\n\n```\nx\n```\n[2]"


@pytest.mark.parametrize(
    ("indent", "beginning"), [(None, '{"schema"'), (2, '{\n  "schema"'), (4, '{\n    "schema"')]
)
def test_the_indent_is_a_setting(indent, beginning):
    (block,) = JsonDocument(indent=indent).render(answer(claim("A.")))

    assert block.text.startswith(beginning)


@given(whole=answers.answers)
def test_only_the_complete_answer_is_shown_and_cannot_steer_a_terminal(whole):
    *partial, complete = [JsonDocument().render(seen) for seen in growing(whole)]

    assert not any(partial)
    assert complete[0].text.replace("\n", "").isascii()
    assert complete[0].text.replace("\n", "").isprintable()
    quotes = [
        one["quote"]
        for source in json.loads(complete[0].text)["sources"]
        for one in source["citations"]
    ]
    assert quotes == [one.quote for one in whole.citations]
