import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell.engine.citing.source import Source
from citewell.engine.citing.windows import (
    MAX_QUOTE_CHARS,
    Window,
    Windows,
    narrowed,
    row_spans,
    sentence_spans,
)
from passages import passage


def quoted(text, claim):
    span, share = Source(passage(text)).quote(claim)
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

    assert quoted(text, "alpha beta")[0] == text[: text.index(" Beta")]


@given(st.text(st.sampled_from("ab .\n|-“\u00adﬁ１"), max_size=80), st.text(max_size=20))
def test_every_span_is_a_piece_of_the_text(text, claim):
    (start, end), share = Source(passage(text)).quote(claim)
    sentences, rows = (list(spans(text, "en")) for spans in (sentence_spans, row_spans))

    assert 0.0 <= share <= 1.0
    assert 0 <= start <= end <= len(text)
    for spans in (sentences, rows):
        assert all(0 <= first < last <= len(text) for first, last in spans)
        assert spans == sorted(spans)


def test_neighbours_on_both_sides_join_a_window():
    def window(text):
        return quoted(text, "alpha bravo charl delta echos")[0]

    assert window("Alpha bravo. Charl delta echos.") == "Alpha bravo. Charl delta echos."
    assert window("Charl delta echos. Alpha bravo.") == "Charl delta echos. Alpha bravo."
    assert window("Charl delta echos. Other words. Alpha bravo.") == "Charl delta echos."


def test_a_wrapped_sentence_is_quoted_whole():
    assert quoted("Alpha\nis one. Bravo.", "alpha one") == ("Alpha\nis one.", 1.0)


def test_one_row_is_one_line():
    def row(text, claim):
        (start, end), _ = Source(passage(text)).quote(claim, row=True)
        return text[start:end]

    lines = "Item 3. Alpha 7 8\nItem 4. Bravo 9 9\nItem 5. Charl 1 2"
    long = "Alpha is one. " + "Filler words follow. " * 20

    assert row(lines, "Item 4. Bravo | 9 | 9") == "Item 4. Bravo 9 9"
    assert row(lines, "Item 3. Alpha | 7 | 8") == "Item 3. Alpha 7 8"
    assert row(lines, "Item 5. Charl | 1 | 2") == "Item 5. Charl 1 2"
    assert row(long, "Alpha | one") == "Alpha is one."
    assert row("Alpha is one. Bravo is two.", "Alpha | two") == "Alpha is one."
    assert row("Alpha is one. Bravo is two.\n\nMore.", "Bravo | two") == "Bravo is two."


def windows(text):
    return Windows(text, tuple(sentence_spans(text, "en")), "en")


def test_a_window_tells_where_it_is_and_how_much_it_holds():
    three = windows("Alpha bravo. Charl delta. Echos foxtr.")

    assert three.closest("charl delta golfs", joined=True) == Window(1, 1, 2 / 3)
    assert three.closest("alpha charl", joined=True) == Window(0, 1, 1.0)
    assert three.closest("alpha charl", joined=False) == Window(0, 0, 0.5)
    assert three.closest("it is", joined=True) is None
    assert windows("").closest("alpha", joined=True) is None


def test_a_window_reaches_to_both_sides_within_the_text():
    three = windows("Alpha bravo. Charl delta. Echos foxtr.")

    assert three.span(Window(1, 1, 1.0)) == (13, 25)
    assert three.span(Window(1, 1, 1.0), reach=1) == (0, 38)
    assert three.span(Window(0, 0, 1.0), reach=1) == (0, 25)
    assert three.span(Window(2, 2, 1.0), reach=1) == (13, 38)
    assert three.span(Window(0, 2, 1.0), reach=5) == (0, 38)


def test_the_neighbour_that_holds_more_joins_first():
    text = f"Alpha {'x' * 250}. Bravo charl delta {'y' * 200}. Echos foxtr {'z' * 250}."
    other = f"Echos foxtr {'z' * 250}. Bravo charl delta {'y' * 200}. Alpha {'x' * 250}."
    claim = "alpha bravo charl delta echos foxtr"

    assert windows(text).closest(claim, joined=True) == Window(1, 2, 5 / 6)
    assert windows(other).closest(claim, joined=True) == Window(0, 1, 5 / 6)


def test_of_two_neighbours_the_first_joins_when_it_holds_more():
    text = f"Alpha bravo {'x' * 250}. Charl delta. Echos {'y' * 350}."

    assert windows(text).closest("alpha bravo charl delta echos", joined=True) == (
        Window(0, 1, 4 / 5)
    )


def test_words_are_compared_as_in_their_language():
    text = "Die Alpha bleibt. Das ist die Alpha."
    german = Windows(text, tuple(sentence_spans(text, "de")), "de")

    assert german.closest("die Alpha", joined=False) == Window(1, 1, 1.0)


def test_a_window_late_in_the_text_is_measured_from_its_own_start():
    text = "Filler words. " * 60 + "Alpha bravo. Charl delta."

    assert windows(text).closest("alpha bravo charl delta", joined=True) == Window(60, 61, 1.0)


def test_of_equally_close_pieces_the_shorter_is_chosen_then_the_first():
    assert windows("Alpha bravo charl. Alpha bravo.").closest("alpha bravo", joined=False) == (
        Window(1, 1, 1.0)
    )
    assert windows("Alpha bravo. Alpha bravo.").closest("alpha bravo", joined=False) == (
        Window(0, 0, 1.0)
    )


def test_a_neighbour_must_hold_a_fifth_more():
    five = windows("Alpha bravo charl delta. Echos.")
    six = windows("Alpha bravo charl delta golfs. Echos.")

    assert five.closest("alpha bravo charl delta echos", joined=True) == Window(0, 1, 1.0)
    assert six.closest("alpha bravo charl delta golfs echos", joined=True) == Window(0, 0, 5 / 6)


@pytest.mark.parametrize("surplus", [0, 1])
def test_a_joined_window_has_at_most_600_characters(surplus):
    text = f"Alpha {'x' * (600 - 14 + surplus)}. Bravo."

    window = windows(text).closest("alpha bravo", joined=True)

    assert window == (Window(1, 1, 0.5) if surplus else Window(0, 1, 1.0))


@pytest.mark.parametrize(
    ("text", "sentences", "rows"),
    [
        ("One here. Two here.", ["One here.", "Two here."], ["One here.", "Two here."]),
        ("One\nhere. Two here.", ["One\nhere.", "Two here."], ["One", "here. Two here."]),
        ("- one. two\n- three", ["- one. two", "- three"], ["- one. two", "- three"]),
        ("| a. b |\n| c |", ["| a. b |", "| c |"], ["| a. b |", "| c |"]),
        ("# Head\n> quote", ["# Head", "> quote"], ["# Head", "> quote"]),
        ("1. one\n2) two", ["1. one", "2) two"], ["1. one", "2) two"]),
        ("- one\ntwo. three", ["- one\ntwo.", "three"], ["- one", "two. three"]),
        ("one\n- two. three", ["one\n- two.", "three"], ["one", "- two. three"]),
        ("A | b. c\nd | ", ["A | b. c", "d |"], ["A | b. c", "d |"]),
        ("A\nb | c\nDe. Fg\nh | i", ["A", "b | c", "De.", "Fg", "h | i"],
         ["A", "b | c", "De. Fg", "h | i"]),
        ("One | two\nthree. Four.", ["One | two\nthree.", "Four."],
         ["One | two", "three. Four."]),
        ("- one\n- two\n  ", ["- one", "- two"], ["- one", "- two"]),
        (" One.\n\n \nTwo. ", ["One.", "Two."], ["One.", "Two."]),
        ("", [], []),
    ],
)  # fmt: skip
def test_a_text_is_cut_into_sentences_and_rows(text, sentences, rows):
    assert [text[start:end] for start, end in sentence_spans(text, "en")] == sentences
    assert [text[start:end] for start, end in row_spans(text, "en")] == rows


def test_sentences_and_rows_end_as_in_their_language():
    text = "Er kam am 3. Mai an. Ja."

    for spans in (sentence_spans, row_spans):
        assert [text[start:end] for start, end in spans(text, "de")] == [
            "Er kam am 3. Mai an.",
            "Ja.",
        ]


def test_an_overlong_sentence_late_in_the_text_is_measured_from_its_own_start():
    text = "Short one. " * 60 + "x" * 300 + "\n" + "y."

    assert list(sentence_spans(text, "en"))[-1] == (660, 963)


def test_an_overlong_sentence_is_cut_at_its_lines():
    line = "x" * 199

    assert list(sentence_spans(f"{line}\n{line}y", "en")) == [(0, 400)]
    assert list(sentence_spans(f"{line}\n{line}yz", "en")) == [(0, 199), (200, 401)]


def test_a_quote_at_the_limit_is_not_narrowed():
    text = "word " * 239 + "words"

    assert len(text) == MAX_QUOTE_CHARS
    assert narrowed(f" {text} ", (0, len(text) + 2), "word") == (1, len(text) + 1)


def test_a_narrowed_quote_is_made_of_whole_words_inside_its_span():
    text = "alpha 1 outer " + "filler " * 200 + "bravo charl 2 delta " + "filler " * 200 + "alpha 1"

    def part(claim):
        return text[slice(*narrowed(text, (14, len(text) - 8), claim))]

    assert part("bravo charl 2 delta") == "bravo charl 2 delta"
    assert part("ravo charl 2 delt") == "bravo charl 2 delta"
    assert part(" bravo charl 2 delta") == "bravo charl 2 delta"
    assert "alpha" not in part("alpha 1")
    assert len(part("filler " * 190)) <= MAX_QUOTE_CHARS + 12


def test_a_narrowed_quote_ends_with_its_span():
    text = "filler " * 200 + "bravo charlie"

    assert narrowed(text, (0, len(text) - 2), "bravo charl") == (1400, len(text) - 2)


def test_a_narrowed_quote_is_not_longer_than_a_claim_is_read():
    text = "start " + "x" * 1500 + " end of it"

    assert narrowed(text, (0, len(text)), "x" * 1500) == (6, 1506)
    assert narrowed(text, (0, len(text)), "") == (0, len(text))


def test_of_a_short_table_the_row_alone_is_quoted():
    table = "Name | Role | Phone\nMaria Silva | Office manager | 351 001\nJan Novak | IT | 420 444"

    assert quoted(table, "Jan Novak, IT, 420 444") == ("Jan Novak | IT | 420 444", 1.0)
    assert quoted(f"Staff\n{table}", "Jan Novak has 420 444")[0] == "Jan Novak | IT | 420 444"


WRAPPED = """\
Net sales include $3.3 billion of revenue recognized in the three months ended July 2023, and
$3.1 billion of revenue recognized in the three months ended June 2022 that was included in
deferred revenue as of March 2022, $7.0 billion of revenue recognized in the nine months ended
July 2023 that was included in deferred revenue as of September 2022, and $6.3 billion of that
recognized in the nine months ended June 2022 and deferred as of September 2021, and more that
was deferred in the years before, of which nothing has been recognized as yet in any of these
periods, as it depends on services that are to be rendered in the years ahead."""


@pytest.mark.parametrize("above", ["", "Note 2\n", "Desks 5 6\nChairs and tables 7 8\n"])
def test_an_overlong_sentence_of_prose_is_quoted_whole(above):
    assert len(WRAPPED) > 600
    assert quoted(above + WRAPPED, " ".join(WRAPPED.split()))[0] == WRAPPED
    assert quoted(above + WRAPPED, "Revenue of $7.0 billion was deferred")[0] == WRAPPED


def test_overlong_prose_that_no_quote_may_hold_is_cut_at_its_lines():
    text = f"{WRAPPED[:-1]},\n{WRAPPED}"

    assert len(list(sentence_spans(text, "en"))) == 14


def test_a_sentence_joins_that_holds_a_figure_of_the_claim():
    text = "Alpha was in use. Bravo charl delta echos foxtr golfs hotel. It was 7 euros. Much."
    claim = "Bravo charl delta echos foxtr golfs hotel india julie for 7"

    assert "7 euros" in quoted(text, claim)[0]
    assert quoted(text, claim.replace("7", "8"))[0] == (
        "Bravo charl delta echos foxtr golfs hotel."
    )


def test_a_claim_without_words_is_given_the_start_of_a_long_text():
    text = "word " * 400

    span, share = Source(passage(text)).quote("it is")

    assert 0 < span[1] - span[0] <= MAX_QUOTE_CHARS
    assert share == 0.0


def test_a_year_that_stands_beside_needs_no_wider_quote():
    text = "The year was 1999. Staff receive 30 days of paid leave each year. Much."

    assert quoted(text, "In 1999 staff receive 30 days of paid leave.")[0] == (
        "Staff receive 30 days of paid leave each year."
    )


def test_figures_of_a_quote_are_read_as_in_their_language():
    text = "Der Faktor ist 1,234. Die Miete der Halle kostet 1.234 Euro im Monat. Viel."
    source = Source(passage(text, language="de"))

    span, _ = source.quote("Die Miete der Halle kostet 1.234 Euro im Monat.")

    assert text[slice(*span)] == "Die Miete der Halle kostet 1.234 Euro im Monat."


def _line(width, letter="a"):
    return (f"{letter * 4} " * 60)[: width - 1].rstrip().ljust(width - 1, letter) + letter


@pytest.mark.parametrize(
    ("widths", "prose"),
    [
        # Below 60, or below .7 of the widest, a line is a row.
        ((59, 80, 80, 80, 80, 80), 5),
        ((60, 80, 80, 80, 80, 80), 6),
        ((83, 120, 120, 120, 120), 4),
        ((85, 120, 120, 120, 120), 5),
        ((120, 120, 120, 83, 120), 1),
        ((120, 120, 83, 120, 120), 2),
    ],
)
def test_prose_begins_below_the_last_short_line(widths, prose):
    lines = [_line(width) for width in widths]
    lines[-1] += "."
    text = "\n".join(lines)

    pieces = [text[start:end] for start, end in sentence_spans(text, "en")]

    assert pieces == [*lines[:-prose], "\n".join(lines[-prose:])]


@pytest.mark.parametrize(("surplus", "pieces"), [(0, 7), (1, 18)])
def test_overlong_prose_is_one_piece_up_to_the_longest_quote(surplus, pieces):
    rows = [_line(50, "b") for _ in range(6)]
    lines = [*(_line(100) for _ in range(11)), _line(88 + surplus) + "."]
    text = "\n".join((*rows, *lines))

    assert len("\n".join(lines)) == MAX_QUOTE_CHARS + surplus
    assert len(list(sentence_spans(text, "en"))) == pieces


def test_a_short_sentence_late_in_the_text_is_whole():
    text = " ".join(["word"] * 90) + ".\nThis one is short\nand goes on here."

    spans = list(sentence_spans(text, "en"))

    assert text[slice(*spans[-1])] == "This one is short\nand goes on here."


def test_the_rule_below_a_header_is_no_row():
    text = "| Plan | Seats |\n| :--- | ---: |\n| Pro | 50 |\n|---|---|"

    for spans in (sentence_spans, row_spans):
        assert [text[start:end] for start, end in spans(text, "en")] == [
            "| Plan | Seats |",
            "| Pro | 50 |",
        ]


def test_a_row_is_as_close_as_its_header_and_itself():
    text = "Seats of plans.\n\n| Plan | Seats |\n| Pro | 50 |\n\nA | B\nC | D"
    spans = list(sentence_spans(text, "en"))

    headed = Windows(text, spans, "en").closest("The plan Pro has seats")
    bare = Windows(text, spans, "en", headed=False).closest("The plan Pro has seats")

    assert headed == Window(2, 2, 1.0)
    assert bare == Window(1, 1, 2 / 3)


MENU = (
    "Fees of 2023.\n\n| Plan | Seats |\n| free | 3 |\n| pro | 50 |\n| | 60 |\n| team plus | 80 |\n"
    "| team | 90 |\n\nAll prices in euros. Taxes come on top."
)


@pytest.mark.parametrize(
    ("claim", "beside"),
    [
        ("The free plan has 50 seats", ["| Plan | Seats |", "| free | 3 |"]),
        ("The pro plan has 60 seats", ["| Plan | Seats |", "| pro | 50 |", "| | 60 |"]),
        ("The plan team plus", ["| Plan | Seats |", "| team plus | 80 |"]),
        ("Plan pro, plan free", ["| Plan | Seats |", "| free | 3 |", "| pro | 50 |", "| | 60 |"]),
        ("A plan with 80 seats", ["| Plan | Seats |", "| team plus | 80 |"]),
        ("Plan of seats", ["| Plan | Seats |", "| Plan | Seats |", "Fees of 2023."]),
        ("Seats of the team", ["| Plan | Seats |", "| team plus | 80 |", "| team | 90 |",
                               "All prices in euros."]),
        ("Taxes come", ["All prices in euros. Taxes come on top."]),
    ],
)  # fmt: skip
def test_of_a_table_the_rows_that_are_named_are_beside_a_claim(claim, beside):
    spans = list(sentence_spans(MENU, "en"))

    found = [MENU[start:end] for start, end in Windows(MENU, spans, "en").beside(claim, reach=1)]

    assert found == beside


def test_neighbours_that_hold_more_of_a_claim_are_beside_it():
    text = "Staff get leave. Guests get cake at noon. Dogs bark.\n\nCats purr."
    spans = list(sentence_spans(text, "en"))

    assert Windows(text, spans, "en").beside("Staff get leave, guests cake", reach=0) == [(0, 41)]


def test_the_closest_piece_tells_whether_a_table_is_meant():
    text = "Pro costs a lot of money.\n\n| Plan | Seats |\n| pro | 50 |\n| max | 80 |"
    spans = list(sentence_spans(text, "en"))

    found = Windows(text, spans, "en").beside("plan seats costs money", reach=0)

    assert found == [spans[1], spans[1], spans[0]]


def test_each_table_has_its_own_header():
    text = "| Plan | Seats |\n| pro | 50 |\n\n| Item | Price |\n| mug | 5 |\n| pen | 2 |"
    spans = list(sentence_spans(text, "en"))

    assert Windows(text, spans, "en").beside("mug price", reach=0) == spans[2:4]


def test_a_first_row_may_have_a_blank_cell():
    text = "| Plan | Seats |\n| | 50 |\n| max | 80 |"
    spans = list(sentence_spans(text, "en"))

    assert Windows(text, spans, "en").beside("plan max", reach=0) == [spans[0], spans[2]]


def test_all_of_a_text_is_beside_a_claim_without_words():
    spans = list(sentence_spans(MENU, "en"))

    assert Windows(MENU, spans, "en").beside("it is", reach=1) == spans


def test_the_first_row_of_a_further_part_of_a_table_is_no_header():
    text = "| free | 3 |\n| pro | 50 |"
    spans = list(sentence_spans(text, "en"))

    assert Windows(text, spans, "en", headed=False).beside("pro", reach=1) == spans[1:]
    assert Windows(text, spans, "en").beside("pro", reach=1) == spans
