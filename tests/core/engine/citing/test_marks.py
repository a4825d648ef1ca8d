import pytest

from citewell.engine.citing.marks import (
    Mark,
    after_marks,
    may_become_mark,
    read_mark,
    without_marks,
)


@pytest.mark.parametrize(
    ("content", "numbers"),
    [
        ("1", (1,)),
        ("12", (12,)),
        ("1234", (1234,)),
        (" 1 ", (1,)),
        ("1, 2", (1, 2)),
        ("1,2,3", (1, 2, 3)),
        ("1; 2", (1, 2)),
        ("1 & 2", (1, 2)),
        ("1-3", (1, 2, 3)),
        ("1–3", (1, 2, 3)),
        ("1 — 2, 5", (1, 2, 5)),
        ("4-4", (4,)),
        ("1-51", tuple(range(1, 52))),
        ("^1", (1,)),
        ("**1**", (1,)),
        ("`1`", (1,)),
        ("*^1*", (1,)),
        ("3 †source", (3,)),
        ("1**,** 2", (1, 2)),
        ("3†source", (3,)),
        ("source 1", (1,)),
        ("Sources 1, 2", (1, 2)),
        ("passage #2", (2,)),
        ("ref. 7", (7,)),
        ("References 1-2", (1, 2)),
        ("\u200b1", (1,)),
        ("0", (0,)),
        ("007", (7,)),
    ],
)
def test_ascii_numbers_are_read(content, numbers):
    assert read_mark(content) == Mark(numbers)


@pytest.mark.parametrize(
    "content",
    ["-1", "1e3", "１", "٣", "²", "½", "12345", "1.5", "12:30", "1,", ",1", "1 1", "3-1", "1-52",
     "1-", "0x1", "2+2", "100%", "$5"],
)  # fmt: skip
def test_what_only_looks_like_a_mark_fails(content):
    assert read_mark(content) == Mark((), failed=True)


@pytest.mark.parametrize(
    "content", ["", " ", "sic", "note 1 of 2", "a1", "1a", "source", "see 1", "…"]
)
def test_other_brackets_are_text(content):
    assert read_mark(content) is None


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("[1] Next", 3),
        (" [1][2] Next", 7),
        (" [1] [2] Next", 8),
        ("【1】 Next", 3),
        ("［1］Next", 3),
        ("[[1]] Next", 5),
        (r"\[1\] Next", 5),
        ("[1](http://x) Next", 13),
        ("[1](see below) Next", 3),
        ("[sic] Next", 0),
        ("Next [1]", 0),
        ("[1", 0),
        ("[99999][1] x", 10),
    ],
)
def test_marks_after_a_full_stop_are_skipped(text, end):
    assert after_marks(text) == end


def test_marks_are_skipped_from_a_given_place():
    assert after_marks("[1] a [2] b", 5) == 9
    assert after_marks("[1] a [2] b", 4) == 4


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("[", True),
        (" [1,", True),
        ("[1, 2", True),
        ("[^", True),
        ("[source", True),
        ("[[1", True),
        ("\\[1", True),
        ("[1]", False),
        ("[word", False),
        ("word [", False),
        ("X[1", False),
        ("", False),
        (" ", False),
        ("[" + "1," * 60, False),
        ("[" + "1" * 119, True),
        ("[" + "1" * 120, False),
    ],
)
def test_an_open_bracket_may_become_a_mark(text, may):
    assert may_become_mark(text, 0) is may


def test_what_stands_before_the_place_does_not_matter():
    assert may_become_mark("[1] word [2", 8)
    assert not may_become_mark("[1 word", 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("28 days [1].", "28 days."),
        ("28 days [1][2, 3] of leave", "28 days of leave"),
        ("28 days[1]of leave", "28 days of leave"),
        ("[1] 28 days\n\n[2]", " 28 days\n\n"),
        ("28 days 【3†source】 [^4] [[5]]", "28 days"),
        ("see [the handbook] and x[i]", "see [the handbook] and x[i]"),
        ("| a [1] |\n| b [x |", "| a |\n| b [x |"),
        ("", ""),
    ],
)
def test_a_text_without_its_marks_is_otherwise_the_same(text, expected):
    assert without_marks(text) == expected
