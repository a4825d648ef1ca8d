import json

from hypothesis import given

import answers
from answers import UNSUPPORTED, answer, citation, claim, growing, refusal
from citewell import ClaimKind
from citewell_formats.document import JsonDocument


def document(whole, **settings):
    (block,) = JsonDocument(**settings).render(whole)
    return json.loads(block.text)


def test_a_program_finds_the_answer_and_where_each_quote_stands():
    cited = citation(2, "25 days", start=7)

    read = document(answer(claim("Everyone has 25 days.", cited, lead="")))

    assert read["schema"] == "citewell.answer/1"
    assert (read["id"], read["outcome"]) == ("7m2kq4x9ab", "answered")
    assert read["text"] == "Everyone has 25 days. [2]"
    assert read["statements"] == {"supported": 1, "total": 1}
    assert read["claims"][0]["sources"] == [2]
    (source,) = read["sources"]
    assert source["number"] == 2
    assert source["citations"][0] | {"place": None} == {
        "document_id": "handbook:leave.md",
        "passage_id": "passage-2",
        "content_hash": "0" * 32,
        "title": "Leave",
        "uri": "https://example.org/leave.html",
        "place": None,
        "start": 7,
        "end": 14,
        "quote": "25 days",
    }
    assert source["citations"][0]["place"]["line"] == 12


def test_a_refusal_says_where_to_look():
    read = document(refusal())

    assert (read["outcome"], read["notice"]) == ("refused", "The documents do not say.")
    assert [nearest["title"] for nearest in read["nearest"]] == ["Leave"]


def test_what_was_dropped_is_counted_only():
    dropped = claim("Bob has 40.", verdict=UNSUPPORTED, shown=False)

    read = document(answer(claim("A.", citation()), dropped))

    assert read["statements"] == {"supported": 1, "total": 2}
    assert "Bob" not in json.dumps(read)


def test_marks_do_not_break_tables_and_code():
    row = claim("| a | b |", citation(1), kind=ClaimKind.TABLE, lead="")
    code = claim("```\nx\n```", citation(2), kind=ClaimKind.CODE, lead="\n\n")

    read = document(answer(row, code))

    assert read["text"] == "| a | b [1] |\n\n```\nx\n```\n[2]"


def test_one_line_is_written_without_an_indent():
    (block,) = JsonDocument(indent=None).render(answer(claim("A.")))

    assert "\n" not in block.text


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
