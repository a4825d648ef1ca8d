import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citewell import Document, Part, PartKind, Place, Placed
from citewell.library.splitting import split

EVERYONE = frozenset({"everyone"})


FIRST_LINE = (Placed(0, Place(line=1)),)


def document(text, *parts, places=FIRST_LINE, language="en"):
    return Document(
        id="a.md", title="A", text=text, places=tuple(places), parts=parts, language=language
    )


def texts(made, max_chars=1200):
    return [p.text for p in split(made, library="docs", labels=EVERYONE, max_chars=max_chars)]


def part(text, piece, kind, header=None):
    start = text.index(piece)
    header_end = None if header is None else start + len(header)
    return Part(kind=kind, start=start, end=start + len(piece), header_end=header_end)


# --- random documents ------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["a", "Mr.", "The price is 3.5 %.", "\n", "\n\n", " ", "\t\n \n", "- item\n", "# Title\n"],
) | st.sampled_from(
    ["\u00e9\u0301", "\U0001f600", "\x00", "\u2028", "\r\n", "end.", "\ud800", "word" * 9],
)
KINDS = st.sampled_from(list(PartKind))


@st.composite
def documents(draw):
    text = "".join(draw(st.lists(st.one_of(WORDS, st.text(max_size=30)), max_size=60)))
    cuts = st.lists(st.integers(0, len(text)), max_size=12)
    ends = sorted(set(draw(cuts)))
    parts = []
    for start, end in zip(ends[::2], ends[1::2], strict=False):
        header_end = draw(st.one_of(st.none(), st.integers(start, end)))
        parts.append(Part(kind=draw(KINDS), start=start, end=end, header_end=header_end))
    starts = [0, *sorted(set(draw(cuts)) - {0})]
    place = st.builds(
        Place,
        page=st.one_of(st.none(), st.integers(1, 3)),
        line=st.one_of(st.none(), st.integers(1, 9)),
        headings=st.sampled_from([(), ("A",), ("A", "B")]),
    )
    places = tuple(Placed(start, draw(place)) for start in starts)
    language = draw(st.sampled_from(["en", "de", "ja", "xx", "", "\ud800"]))
    return document(text, *parts, places=places, language=language)


@settings(max_examples=100, deadline=None)
@given(made=documents(), max_chars=st.integers(1, 200))
def test_spans_are_exact_and_nothing_but_blank_space_is_lost(made, max_chars):
    passages = split(made, library="docs", labels=EVERYONE, max_chars=max_chars)

    position = 0
    for passage in passages:
        assert passage.text == made.text[passage.start : passage.end]
        assert passage.text.strip() == passage.text != ""
        assert not made.text[position : passage.start].strip()
        position = passage.end
    assert not made.text[position:].strip()


@settings(max_examples=100, deadline=None)
@given(made=documents(), max_chars=st.integers(1, 200), share=st.floats(0, 1, exclude_max=True))
def test_each_character_keeps_the_place_that_the_document_gives_it(made, max_chars, share):
    for passage in split(made, library="docs", labels=EVERYONE, max_chars=max_chars):
        assert passage.places[0].start == passage.start
        for offset in (passage.start, passage.start + int(share * len(passage.text))):
            assert passage.place_at(offset) == made.place_at(offset)


@settings(max_examples=100, deadline=None)
@given(made=documents(), max_chars=st.integers(1, 200))
def test_size_is_bounded_and_no_passage_runs_over_a_page(made, max_chars):
    headings = [made_part for made_part in made.parts if made_part.kind is PartKind.HEADING]
    for passage in split(made, library="docs", labels=EVERYONE, max_chars=max_chars):
        inner = [heading for heading in headings if passage.start < heading.end <= passage.end]
        body_start = max((heading.end for heading in inner), default=passage.start)
        pages = {made.place_at(offset).page for offset in range(passage.start, passage.end)}
        assert len(made.text[passage.start : body_start].strip()) <= max_chars
        body = made.text[body_start : passage.end].strip()
        blocks = [block for block in made.parts if block.kind in {PartKind.TABLE, PartKind.CODE}]
        with_block = any(b.start < passage.end and b.end > passage.start for b in blocks)
        blank = len(body) - len("".join(body.split()))
        assert len(body) <= (max_chars * 7 // 4 + blank if with_block else max_chars)
        assert len(passage.header) <= max_chars
        assert len(pages) == 1


@settings(max_examples=100, deadline=None)
@given(made=documents(), max_chars=st.integers(1, 200))
def test_the_same_document_gives_the_same_passages_with_ids_of_their_own(made, max_chars):
    first = split(made, library="docs", labels=EVERYONE, max_chars=max_chars)
    second = split(made, library="docs", labels=EVERYONE, max_chars=max_chars)

    assert first == second
    assert len({passage.id for passage in first}) == len(first)
    assert all(len(passage.id) == 32 and int(passage.id, 16) >= 0 for passage in first)


# --- structure -------------------------------------------------------------------------------


def test_a_heading_stays_with_what_follows_and_opens_a_passage():
    text = "# One\n\n## Inner\n\nalpha\n\nbeta\n\n## Other\n\ngamma"
    parts = [
        part(text, "# One", PartKind.HEADING),
        part(text, "## Inner", PartKind.HEADING),
        part(text, "## Other", PartKind.HEADING),
    ]

    assert texts(document(text, *parts)) == [
        "# One\n\n## Inner\n\nalpha\n\nbeta",
        "## Other\n\ngamma",
    ]


def test_a_heading_does_not_count_towards_the_size():
    text = "# " + "h" * 30 + "\n\n" + "x" * 50

    made = document(text, Part(kind=PartKind.HEADING, start=0, end=32))

    assert texts(made, 50) == [text]


def test_paragraphs_are_packed_and_cut_at_sentence_ends():
    text = "Short one.\n\nMr. Smith paid 3.5 dollars. He left. Nobody saw him go away."

    assert texts(document(text), 40) == [
        "Short one.",
        "Mr. Smith paid 3.5 dollars. He left.",
        "Nobody saw him go away.",
    ]


def test_a_word_without_end_is_cut_at_the_bound():
    assert texts(document("x" * 25), 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_a_large_table_is_cut_between_rows_and_each_later_part_has_the_header():
    header = "| name | sum |\n|---|---|\n"
    rows = [f"| row {number} | {number * 11} |" for number in range(12)]
    table = header + "\n".join(rows)
    text = f"In millions.\n\n{table}\n\nAfter."
    made = document(text, part(text, table, PartKind.TABLE, header))

    passages = split(made, library="docs", labels=EVERYONE, max_chars=80)

    *cut, after = passages
    assert after.text == "After."
    assert cut[0].text.startswith(f"In millions.\n\n{header}| row 0")
    assert [line for p in cut for line in p.text.splitlines()][4:] == rows
    assert [p.header for p in cut] == ["", *[header.strip()] * (len(cut) - 1)]
    assert [len(p.text.splitlines()) for p in cut] == [7, 5, 4]


def test_a_table_may_be_half_as_long_again_before_it_is_cut():
    rows = "\n".join(f"| row {number} | {number * 11} |" for number in range(6))

    def cut(max_chars):
        return len(texts(document(rows, part(rows, rows, PartKind.TABLE)), max_chars))

    assert len(rows) == 88
    assert [cut(88), cut(59), cut(58)] == [1, 1, 2]


def test_the_parts_of_a_cut_table_are_of_about_one_size():
    rows = "\n".join(f"| row {number} | {number * 11} |" for number in range(10, 40))

    sizes = [len(text) for text in texts(document(rows, part(rows, rows, PartKind.TABLE)), 200)]

    assert sizes == [186, 186, 135]


def test_a_table_that_fits_stays_whole_with_the_sentence_that_introduces_it():
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    text = f"Sums:\n\n{table}\n\nEnd."

    assert texts(document(text, part(text, table, PartKind.TABLE, "| a | b |\n"))) == [text]


def test_large_code_is_cut_at_blank_lines_then_at_lines():
    code = "def a():\n    return 1\n\n\ndef b():\n    x = 1\n    y = 2\n    return x + y"

    assert texts(document(code, part(code, code, PartKind.CODE)), 30) == [
        "def a():\n    return 1",
        "def b():\n    x = 1\n    y = 2",
        "return x + y",
    ]


def test_a_long_list_is_cut_between_items():
    text = "- first item. It has two sentences.\n- second\n- third item is here"

    assert texts(document(text, part(text, text, PartKind.LIST)), 40) == [
        "- first item. It has two sentences.",
        "- second\n- third item is here",
    ]


def test_a_paragraph_that_runs_over_a_page_is_cut_there():
    places = [Placed(0, Place(page=1, line=1)), Placed(10, Place(page=2, line=1))]

    passages = split(document("one two\nthree four", places=places), library="d", labels=EVERYONE)

    assert [(p.text, p.place.page) for p in passages] == [("one two\nth", 1), ("ree four", 2)]


def test_an_id_tells_texts_positions_and_documents_apart():
    def only_id(text, library):
        return split(document(text), library=library, labels=EVERYONE)[0].id

    ids = {
        only_id("a b", "one"),
        only_id(" a b", "one"),
        only_id("a c", "one"),
        only_id("a b", "x"),
    }

    assert len(ids) == 4


def test_a_document_without_text_has_no_passages():
    assert split(document(" \n\n "), library="docs", labels=EVERYONE) == ()


# --- real documents --------------------------------------------------------------------------


def corpus():
    if "CITEWELL_DATA" not in os.environ:
        pytest.skip("CITEWELL_DATA is not set")
    return Path(os.environ["CITEWELL_DATA"])


def test_every_gold_answer_lies_whole_in_one_passage():
    data = corpus() / "xquad_mini"
    passages = {}
    for path in (data / "corpus").glob("*.md"):
        passages[path.stem] = texts(document(path.read_text()))
    questions = [json.loads(line) for line in (data / "questions.jsonl").read_text().splitlines()]

    answerable = [question for question in questions if not question["unanswerable"]]
    cut = [
        question["id"]
        for question in answerable
        if not any(
            question["answers"][0] in text
            for doc_id in question["doc_ids"]
            for text in passages[doc_id]
        )
    ]

    assert len(answerable) == 473
    assert cut == []
