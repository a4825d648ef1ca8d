import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.engine.citing.aligning import Aligner, Folding

TEXT = "The ﬁrst ofﬁce opened in Zü\u00adrich — the “old\nmill”. It has 1,234 seats. It's “open”."


def found(text, quotation, **options):
    span = Aligner(text).find(quotation, **options)
    return None if span is None else text[slice(*span)]


@pytest.mark.parametrize(
    ("quotation", "stored"),
    [
        ("It has 1,234 seats.", "It has 1,234 seats."),
        ("It  has\n1,234 seats", "It has 1,234 seats"),
        ("The first office opened", "The ﬁrst ofﬁce opened"),
        ('in Zürich - the "old mill"', "in Zü\u00adrich — the “old\nmill”"),
        ("It's", "It's"),
        ("It’s", "It's"),
        ("zurich the old mill it has", "Zü\u00adrich — the “old\nmill”. It has"),
        ("has, 1234 seats!", "has 1,234 seats"),
        ("OFFICE", "ofﬁce"),
    ],
)
def test_a_quotation_is_found_under_folding(quotation, stored):
    assert found(TEXT, quotation) == stored


@pytest.mark.parametrize(
    "quotation", ["It has 1,235 seats", "ofﬁces", "ice opened", "he first", "", "  ", "…", "It had"]
)
def test_what_does_not_stand_there_is_not_found(quotation):
    assert found(TEXT, quotation) is None


def test_blanks_are_folded_and_not_lost():
    assert found("ab cd", "abcd", folding=[Folding.SPACE]) is None
    assert found("ab cd", "abcd", folding=[Folding.FORM]) is None
    assert found("ab  \n cd", "ab cd", folding=[Folding.SPACE]) == "ab  \n cd"


def test_the_first_place_that_fits_is_found():
    assert Aligner("unpaid, paid, paid").find("paid") == (8, 12)


def test_the_mildest_folding_decides():
    text = "ab-c and A B C"

    assert found(text, "A B C") == "A B C"
    assert found(text, "a b c") == "ab-c"
    assert found(text, "a b c", folding=[Folding.SPACE]) is None
    assert found(text, "A B\tC", folding=[Folding.SPACE]) == "A B C"
    assert found("a “b” c", 'a "b" c', folding=[Folding.FORM]) == "a “b” c"
    assert found("a “b” c", 'a "b" c', folding=[Folding.SPACE]) is None
    assert found("a “b” c", "A b C", folding=[Folding.FORM]) is None


def test_a_later_place_counts_when_the_first_is_inside_a_word():
    text = "unpaid leave, paid leave"

    assert Aligner(text).find("paid leave") == (14, 24)


@pytest.mark.parametrize(
    ("quotation", "stored"),
    [
        ("The first office … the old mill ... has 1,234 seats",
         ["The ﬁrst ofﬁce", "the “old\nmill", "has 1,234 seats"]),
        ("The first office [...] the old mill", ["The ﬁrst ofﬁce", "the “old\nmill"]),
        ("The first … the old mill", []),
        ("The first office … mill", []),
        ("seats", ["seats"]),
        ("… seats …", ["seats"]),
        ("It has 1,234 … the old mill", []),
        ("it has 1,234 … it has 1,234", []),
        ("The first office … nowhere to be found", []),
        ("It has ... 1,234", ["It has 1,234"]),
        ("...", []),
    ],
)  # fmt: skip
def test_a_quotation_with_gaps_is_found_in_order(quotation, stored):
    spans = Aligner(TEXT).find_elided(quotation)

    assert [TEXT[slice(*span)] for span in spans] == stored


def elided(text, language="en"):
    spans = Aligner(text, language).find_elided("ab cd ef … gh ij kl")
    return [text[slice(*span)] for span in spans]


@pytest.mark.parametrize(
    ("gap", "found"),
    [
        (" and ", True),
        (" x" * 149 + "  ", True),
        (" x" * 149 + "   ", False),
        (".\nx ", True),
        (".\n\nx ", False),
        (".\n \t\nx ", False),
        (" do not ", False),
        (" nicht ", True),
    ],
)
def test_what_is_left_out_is_short_and_turns_nothing_round(gap, found):
    stored = ["ab cd ef", "gh ij kl"] if found else []

    assert elided(f"ab cd ef{gap}gh ij kl") == stored


def test_what_is_left_out_by_mistake_is_found_as_a_whole():
    assert elided("ab cd ef gh ij kl") == ["ab cd ef gh ij kl"]
    assert elided("ab cd ef ... gh ij kl") == ["ab cd ef ... gh ij kl"]


def test_what_is_left_out_is_read_in_its_language():
    assert Aligner("ab cd ef not gh ij kl").find_elided("ab cd ef … gh ij kl") == ()
    assert elided("ab cd ef nicht gh ij kl", "de") == []
    assert elided("ab cd ef not gh ij kl", "de") == ["ab cd ef", "gh ij kl"]


def test_the_next_part_is_looked_for_behind_the_one_before():
    assert elided("gh ij kl, ab cd ef and gh ij kl") == ["ab cd ef", "gh ij kl"]
    assert elided("xgh ij kl, ab cd ef") == []
    assert Aligner("ab, ab").find("ab", start=0) == (0, 2)
    assert Aligner("ab, ab").find("ab", start=1) == (4, 6)
    assert Aligner("ab, ab").find("ab", start=4) == (4, 6)
    assert Aligner("ab, ab").find("ab", start=5) is None


CODE = 'Run this:\n\n    if a:\n        run(b[1])\n\nor `ask "x"` or call(y).'


@pytest.mark.parametrize(
    ("code", "stored"),
    [
        ("if a:\n    run(b[1])", "    if a:\n        run(b[1])"),
        ("  if a:   run(b[1])", "    if a:\n        run(b[1])"),
        ("run(b[1])", "        run(b[1])"),
        ('ask "x"', 'ask "x"'),
        ("call(y).", "call(y)."),
        ("Run this:", "Run this:"),
        ("x", "x"),
    ],
)
def test_code_is_found_with_its_indentation(code, stored):
    span = Aligner(CODE).find_code(code)

    assert span is not None
    assert CODE[slice(*span)] == stored


@pytest.mark.parametrize(
    "code",
    ["run(b[2])", "un(b[1])", "run(b", "run(b[1])\nif a:", "IF a:", "if a:\n\nor", "call(y)", ""],
)
def test_other_code_is_not_found(code):
    assert Aligner(CODE).find_code(code) is None
    assert Aligner("ab cd").find_code("b") is None
    assert Aligner("ab cd").find_code("c") is None
    assert Aligner("ask “x”").find_code('ask "x"') is None


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a:\n   run(b)", "   run(b)"), ("X run(b)", "run(b)"), ("\t run(b)", "\t run(b)"),
     (" run(b)", " run(b)")],
)  # fmt: skip
def test_only_the_indentation_belongs_to_code(text, stored):
    span = Aligner(text).find_code("run(b)")

    assert span is not None
    assert text[slice(*span)] == stored


@given(st.text(st.sampled_from("abc .,\n“”ﬁ\u00adÉ"), min_size=1, max_size=60), st.data())
def test_a_stretch_between_words_is_always_found(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    part = text[start:end]
    begins = start == 0 or not (text[start - 1].isalnum() and text[start].isalnum())
    ends = end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum())

    span = Aligner(text).find(part)

    if part.strip() and begins and ends:
        assert span is not None
        letters = [c for c in part if c.isalnum()]
        assert [c for c in text[slice(*span)] if c.isalnum()] == letters
