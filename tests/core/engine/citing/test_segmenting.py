import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.engine.citing.segmenting import (
    MAX_CODE_CHARS,
    MAX_LINE_CHARS,
    Piece,
    PieceKind,
    Segmenter,
)

SENTENCE, QUOTATION, HEADING, CODE, ROW = PieceKind


def pieces(*parts: str) -> list[Piece]:
    segmenter = Segmenter("en")
    found = [piece for part in parts for piece in segmenter.feed(part)]
    return [*found, *segmenter.finish()]


def seen(text):
    return [(piece.kind, piece.lead, piece.body) for piece in pieces(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two.", [(SENTENCE, "", "One."), (SENTENCE, " ", "Two.")]),
        ("One\ntwo. Three.", [(SENTENCE, "", "One\ntwo."), (SENTENCE, " ", "Three.")]),
        ("In 1999.[2]Two.", [(SENTENCE, "", "In 1999.[2]"), (SENTENCE, "", "Two.")]),
        ("One.\nTwo.", [(SENTENCE, "", "One."), (SENTENCE, " ", "Two.")]),
        ("\n\nOne.\n\n\nTwo.", [(SENTENCE, "", "One."), (SENTENCE, "\n\n", "Two.")]),
        ("- One.\n- Two. Three.\n", [(SENTENCE, "- ", "One."), (SENTENCE, "\n- ", "Two."),
                                     (SENTENCE, " ", "Three.")]),
        ("1. One\n2) Two\n  * Three", [(SENTENCE, "1. ", "One"), (SENTENCE, "\n2) ", "Two"),
                                       (SENTENCE, "\n  * ", "Three")]),
        ("- One\n\n\n- Two", [(SENTENCE, "- ", "One"), (SENTENCE, "\n\n- ", "Two")]),
        ("- One\n  goes on", [(SENTENCE, "- ", "One\n  goes on")]),
        ("- One\n\n    Two in it", [(SENTENCE, "- ", "One"), (SENTENCE, "\n\n", "Two in it")]),
        ("- One\n\nTwo\n2. three", [(SENTENCE, "- ", "One"), (SENTENCE, "\n\n", "Two\n2. three")]),
        ("- One\n\n  Two\n2. three", [(SENTENCE, "- ", "One"), (SENTENCE, "\n\n", "Two"),
                                     (SENTENCE, "\n", "2. three")]),
        ("One.\n\n2. two\n3. three", [(SENTENCE, "", "One."),
                                     (SENTENCE, "\n\n", "2. two\n3. three")]),
        ("One.\n\n2.\ntwo\n3. three", [(SENTENCE, "", "One."),
                                      (SENTENCE, "\n\n", "2.\ntwo\n3. three")]),
        ("One.\n\n1. Two\n2. Three", [(SENTENCE, "", "One."), (SENTENCE, "\n\n1. ", "Two"),
                                     (SENTENCE, "\n2. ", "Three")]),
        ("One.\n\n1.\nTwo\n2. Three", [(SENTENCE, "", "One."), (SENTENCE, "\n\n1. ", "Two"),
                                      (SENTENCE, "\n2. ", "Three")]),
        ("1. One\n\nTwo\n\n2. Three", [(SENTENCE, "1. ", "One"), (SENTENCE, "\n\n", "Two"),
                                     (SENTENCE, "\n\n2. ", "Three")]),
        ("1. One\n\t1. Two\n    2. Three\n2. Four\n    3. five",
         [(SENTENCE, "1. ", "One"), (SENTENCE, "\n    1. ", "Two"),
          (SENTENCE, "\n    2. ", "Three"),
          (SENTENCE, "\n2. ", "Four"), (SENTENCE, "\n", "3. five")]),
        ("Receive:\n\n30. days", [(SENTENCE, "", "Receive:"), (SENTENCE, "\n\n", "30. days")]),
        ("- 30. days", [(SENTENCE, "- ", "30. days")]),
        ("1.\n# Head\n    text", [(HEADING, "1. ", "Head"), (SENTENCE, "\n", "text")]),
        ("- One\n  # Head\n    text", [(SENTENCE, "- ", "One"), (HEADING, "\n", "Head"),
                                      (SENTENCE, "\n", "text")]),
        ("1. # Head\n    text", [(HEADING, "1. ", "Head"), (SENTENCE, "\n", "text")]),
        ("- One\n\n    - Two", [(SENTENCE, "- ", "One"), (SENTENCE, "\n\n    - ", "Two")]),
        ("> One\n    Two", [(QUOTATION, "> ", "One"), (SENTENCE, "\n", "Two")]),
        ("-\nOne", [(SENTENCE, "- ", "One")]),
        ("-\n# One", [(HEADING, "- ", "One")]),
        ("-\n\nOne", [(SENTENCE, "", "One")]),
        ("In the year\n1999. It was.", [(SENTENCE, "", "In the year\n1999."),
                                        (SENTENCE, " ", "It was.")]),
        ("Steps\n1. One", [(SENTENCE, "", "Steps"), (SENTENCE, "\n1. ", "One")]),
        ("# Title #\nText", [(HEADING, "", "Title"), (SENTENCE, "\n", "Text")]),
        ("###### Six\n####### Seven", [(HEADING, "", "Six"), (SENTENCE, "\n", "####### Seven")]),
        ("#hash tag", [(SENTENCE, "", "#hash tag")]),
        ("#\nText", [(SENTENCE, "", "Text")]),
        ("Text\n## Title", [(SENTENCE, "", "Text"), (HEADING, "\n", "Title")]),
        ("> One\n> two\n\n> Three", [(QUOTATION, "> ", "One two"), (QUOTATION, "\n\n> ", "Three")]),
        ("> One\n>\n> Two", [(QUOTATION, "> ", "One"), (QUOTATION, "\n\n> ", "Two")]),
        ("> One\nTwo", [(QUOTATION, "> ", "One"), (SENTENCE, "\n", "Two")]),
        (">> One", [(QUOTATION, "> ", "One")]),
        ("Text\n> One", [(SENTENCE, "", "Text"), (QUOTATION, "\n> ", "One")]),
        ("```py\nx[1]\n\ny\n```\nText", [(CODE, "", "x[1]\n\ny"), (SENTENCE, "\n", "Text")]),
        ("~~~\n```\n~~~", [(CODE, "", "```")]),
        ("````\n```\n````", [(CODE, "", "```")]),
        ("```\nopen [1]", [(CODE, "", "open [1]")]),
        ("```\nopen\n``", [(CODE, "", "open\n``")]),
        ("```\n```", [(CODE, "", "")]),
        ("```\n```\nText", [(CODE, "", ""), (SENTENCE, "\n", "Text")]),
        ("```code``` is inline. Yes.", [(SENTENCE, "", "```code``` is inline."),
                                        (SENTENCE, " ", "Yes.")]),
        ("```code``` one.\nTwo.", [(SENTENCE, "", "```code``` one."), (SENTENCE, " ", "Two.")]),
        ("- ```\n  x\n  ```", [(CODE, "- ", "  x")]),
        ("Text\n```\nx\n```", [(SENTENCE, "", "Text"), (CODE, "\n", "x")]),
        ("    code [1]", [(CODE, "", "    code [1]")]),
        ("\tcode", [(CODE, "", "\tcode")]),
        ("   text", [(SENTENCE, "", "text")]),
        ("Text\n    goes on", [(SENTENCE, "", "Text\n    goes on")]),
        ("Text\n\n    code", [(SENTENCE, "", "Text"), (CODE, "\n\n", "    code")]),
        ("Text\n\n---\n\nMore", [(SENTENCE, "", "Text"), (SENTENCE, "\n\n", "More")]),
        ("Text\n***\nMore", [(SENTENCE, "", "Text"), (SENTENCE, "\n\n", "More")]),
        ("Title\n=====\nMore", [(SENTENCE, "", "Title"), (SENTENCE, "\n\n", "More")]),
        ("--- dashes lead", [(SENTENCE, "", "--- dashes lead")]),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\nText",
         [(ROW, "", "| 1 | 2 |"), (ROW, "\n", "| 3 | 4 |"), (SENTENCE, "\n", "Text")]),
        ("| a | b |\n|---|\n| 1 | 2 |",
         [(SENTENCE, "", "| a | b |"), (SENTENCE, "\n", "| 1 | 2 |")]),
        ("| a |", [(SENTENCE, "", "| a |")]),
        ("| a |\n| b |\n\nText", [(SENTENCE, "", "| a |"), (SENTENCE, "\n", "| b |"),
                                  (SENTENCE, "\n\n", "Text")]),
        ("| a |\n|---|\n", [(ROW, "", "")]),
        ("a | b\n---|---", [(SENTENCE, "", "a | b\n---|---")]),
        ("[1]\n\n* * *\n\n.", []),
        ("", []),
        ("\n", []),
    ],
)  # fmt: skip
def test_output_is_cut_into_pieces(text, expected):
    assert [(kind, lead, body) for kind, lead, body in seen(text) if _says_something(body)] == [
        (kind, lead, body) for kind, lead, body in expected
    ]


def _says_something(body):
    return body != "[1]"


def test_a_heading_has_its_level():
    assert [piece.level for piece in pieces("# A\n### B\n")] == [1, 3]


def test_a_code_block_has_its_language_and_its_fences():
    (piece,) = pieces("~~~ py x\na\n~~~\n")

    assert piece.language == "py x"
    assert piece.raw == "~~~ py x\na\n~~~"


def test_the_first_row_carries_the_header():
    first, second = pieces("| a |\n|---|\n| 1 |\n| 2 |\n")

    assert first.header == second.header == "| a |"
    assert first.rule == second.rule == "|---|"
    assert first.raw == "| a |\n|---|\n| 1 |"
    assert second.raw == "| 2 |"


def test_a_table_without_rows_is_one_piece():
    (piece,) = pieces("| a |\n|---|\n")

    assert (piece.raw, piece.body, piece.header) == ("| a |\n|---|\n", "", "| a |")


def test_indented_code_keeps_its_characters():
    first, second = pieces("    a [1]\n\n    " + "x" * MAX_LINE_CHARS)

    assert (first.raw, first.body, first.oversize) == ("    a [1]", "    a [1]", False)
    assert second.oversize


def test_two_tables_have_their_own_headers():
    rows = pieces("| a |\n|---|\n| 1 |\n\n| b |\n|---|\n| 2 |\n")

    assert [row.header for row in rows] == ["| a |", "| b |"]
    assert [row.raw.count("\n") for row in rows] == [2, 2]


def test_pieces_keep_the_characters_of_the_model():
    raw = [piece.raw for piece in pieces("- **One** [1].  Two [2].\n> Three [3]\n> four\n")]

    assert raw == ["**One** [1].", "Two [2].", "> Three [3]\n> four"]


def test_a_lone_surrogate_is_replaced():
    assert [piece.raw for piece in pieces("a \ud800 b")] == ["a \ufffd b"]


def test_a_sentence_is_given_out_when_the_next_has_begun():
    segmenter = Segmenter("en")

    assert list(segmenter.feed("One here. Two")) == []
    assert [piece.raw for piece in segmenter.feed(" here")] == ["One here."]


def test_an_overlong_line_says_so():
    long = "x" * MAX_LINE_CHARS

    (heading,) = pieces(f"# {long}")
    (quotation,) = pieces(f"> {long}")
    (row,) = pieces(f"| a |\n|---|\n| {long} |")

    assert heading.oversize
    assert quotation.oversize
    assert row.oversize
    assert len(row.raw) <= MAX_LINE_CHARS + 20


def test_a_line_at_the_cap_does_not():
    (heading,) = pieces("# " + "x" * (MAX_LINE_CHARS - 2))

    assert not heading.oversize
    assert len(heading.raw) == MAX_LINE_CHARS


def test_a_quotation_at_the_cap_is_whole():
    (quotation,) = pieces("> " + "x" * (MAX_LINE_CHARS - 2))

    assert not quotation.oversize
    assert len(quotation.raw) == MAX_LINE_CHARS


def test_overlong_code_is_passed_over():
    (code,) = pieces("```\n" + "line of code\n" * 4000 + "```\n")

    assert code.oversize
    assert len(code.raw) <= MAX_CODE_CHARS + 10


def test_code_at_the_cap_is_whole():
    (code,) = pieces("```\n" + "x" * (MAX_CODE_CHARS - 4) + "\n```")

    assert not code.oversize
    assert len(code.body) == MAX_CODE_CHARS - 4


def test_an_endless_quotation_is_given_out_in_parts():
    found = pieces("> words of a quotation\n" * 1000)

    assert len(found) > 4
    assert all(len(piece.raw) < 1.1 * MAX_LINE_CHARS for piece in found)
    assert all(piece.oversize for piece in found[:-1])


_MARKDOWN = st.lists(
    st.sampled_from(
        ["# ", "- ", "1. ", "> ", "```", "~~~", "| a |", "|---|", "\n", "\n\n", "    ", "\t", "---",
         "***", "One. ", "Two.[1]", " [1, ", "2] ", "`", '"', "(", ")", "word ", "。", "x", " ",
         "==="]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(_MARKDOWN, st.data())
def test_how_the_stream_is_cut_does_not_matter(text, data):
    whole = pieces(text)
    cut = data.draw(st.integers(0, len(text)))

    assert pieces(text[:cut], text[cut:]) == whole
    assert pieces(*text) == whole


@pytest.mark.parametrize("unit", ["[1]", "e.g. ", "word ", "[", "`a ", '"a. ', "| a |\n", "\n",
                                  "> ", "- ", "A (. ", "# ", "```\n", "x"])  # fmt: skip
def test_work_grows_with_the_length_and_not_faster(unit):
    """Count the characters that the sentence splitter and the pieces hold, not the time."""
    short, long = (pieces(unit * (size // len(unit))) for size in (30_000, 60_000))

    assert sum(len(piece.raw) for piece in long) <= 2.2 * sum(len(p.raw) for p in short) + 30_000
    assert len(long) <= 2.2 * len(short) + 4
    assert max((len(piece.raw) for piece in long), default=0) <= MAX_CODE_CHARS + 10
