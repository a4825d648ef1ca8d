import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.engine.citing.aligning import MAX_QUOTE_CHARS, Aligner, Folding

TEXT = "The ﬁrst ofﬁce opened in Zü\u00adrich — the “old\nmill”. It has 1,234 seats. It's “open”."


def found(text, quotation, **options):
    span = Aligner(text, "en").find(quotation, **options)
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

    assert Aligner(text, "en").find("paid leave") == (14, 24)


@pytest.mark.parametrize(
    ("quotation", "stored"),
    [
        ("The first … opened ... the old mill", ["The ﬁrst", "opened", "the “old\nmill"]),
        ("It has [...] seats", ["It has", "seats"]),
        ("seats", ["seats"]),
        ("seats … It has", []),
        ("seats … seats", []),
        ("seats ... . It's", ["seats", ". It's"]),
        ("The first … nowhere", []),
        ("...", []),
    ],
)
def test_a_quotation_with_gaps_is_found_in_order(quotation, stored):
    spans = Aligner(TEXT, "en").find_elided(quotation)

    assert [TEXT[slice(*span)] for span in spans] == stored


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
    span = Aligner(CODE, "en").find_code(code)

    assert span is not None
    assert CODE[slice(*span)] == stored


@pytest.mark.parametrize(
    "code",
    ["run(b[2])", "un(b[1])", "run(b", "run(b[1])\nif a:", "IF a:", "if a:\n\nor", "call(y)", ""],
)
def test_other_code_is_not_found(code):
    assert Aligner(CODE, "en").find_code(code) is None
    assert Aligner("ab cd", "en").find_code("b") is None
    assert Aligner("ab cd", "en").find_code("c") is None
    assert Aligner("ask “x”", "en").find_code('ask "x"') is None


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a:\n   run(b)", "   run(b)"), ("X run(b)", "run(b)"), ("\t run(b)", "\t run(b)"),
     (" run(b)", " run(b)")],
)  # fmt: skip
def test_only_the_indentation_belongs_to_code(text, stored):
    span = Aligner(text, "en").find_code("run(b)")

    assert span is not None
    assert text[slice(*span)] == stored


def quoted(text, claim):
    span, share = Aligner(text, "en").best_window(claim)
    return text[slice(*span)], share


PROSE = (
    "Staff receive thirty days of leave. Unused days lapse in March.\n\n"
    "Requests go to the manager. The manager answers in a week.\n\n"
    "- Sick notes reach payroll.\n- Payroll pays on Friday.\n\n"
    "| Kenya | 21 |\n| France | 25 |"
)


@pytest.mark.parametrize(
    ("claim", "window", "share"),
    [
        ("Unused days lapse", "Unused days lapse in March.", 1.0),
        ("thirty days of leave", "Staff receive thirty days of leave.", 1.0),
        ("The manager answers requests in a week",
         "Requests go to the manager. The manager answers in a week.", 1.0),
        ("Payroll pays on Friday", "- Payroll pays on Friday.", 1.0),
        ("France | 25", "| France | 25 |", 1.0),
        ("Kenya | 21", "| Kenya | 21 |", 1.0),
        ("Unused holidays vanish", "Unused days lapse in March.", 1 / 3),
    ],
)  # fmt: skip
def test_the_closest_sentences_are_quoted(claim, window, share):
    assert quoted(PROSE, claim) == (window, share)


def test_without_words_the_whole_text_is_the_window():
    assert quoted(" short text ", "it is") == ("short text", 0.0)
    assert quoted("", "thirty days") == ("", 0.0)


def test_a_table_of_a_pdf_is_quoted_by_its_lines():
    lines = [f"Item {letter * 4} costs and further words {number}" for number, letter in
             enumerate("abcdefghijkl", 10)]  # fmt: skip

    assert quoted("\n".join(lines), "Item gggg | 16")[0] == lines[6]


def test_a_long_sentence_is_narrowed_in_whole_words():
    text = " ".join(f"word{number} stands" for number in range(300)) + "."

    window, _ = quoted(text, "word150 stands word151 stands word152")

    assert "word150 stands word151" in window
    assert len(window) <= MAX_QUOTE_CHARS + 20
    assert f" {window} " in f" {text} "


def test_a_window_does_not_grow_too_long():
    text = "Alpha " + "filler " * 60 + "ends. Beta " + "filler " * 60 + "ends."

    assert quoted(text, "alpha beta")[0].startswith("Alpha")
    assert len(quoted(text, "alpha beta")[0]) < MAX_QUOTE_CHARS


@given(st.text(st.sampled_from("ab .\n|-“\u00adﬁ１"), max_size=80), st.text(max_size=20))
def test_every_span_is_a_piece_of_the_text(text, claim):
    aligner = Aligner(text, "en")
    (start, end), share = aligner.best_window(claim)
    spans = [(start, end), *aligner.units, *filter(None, [aligner.find(claim)])]

    assert 0.0 <= share <= 1.0
    assert all(0 <= first <= last <= len(text) for first, last in spans)
    assert list(aligner.units) == sorted(aligner.units)


@given(st.text(st.sampled_from("abc .,\n“”ﬁ\u00adÉ"), min_size=1, max_size=60), st.data())
def test_a_stretch_between_words_is_always_found(text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    part = text[start:end]
    begins = start == 0 or not (text[start - 1].isalnum() and text[start].isalnum())
    ends = end == len(text) or not (text[end - 1].isalnum() and text[end].isalnum())

    span = Aligner(text, "en").find(part)

    if part.strip() and begins and ends:
        assert span is not None
        letters = [c for c in part if c.isalnum()]
        assert [c for c in text[slice(*span)] if c.isalnum()] == letters
