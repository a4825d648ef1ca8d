import json
import re
from collections import Counter
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import answers
from answers import citation, growing
from citewell.blocks import Heading, Mark, Notice, Source, SourceList, Span, Style, Table, Text
from citewell.cli.page import page
from citewell.cli.pipe import plain
from citewell.cli.printing import open_printer
from citewell.cli.terminal import Screen
from citewell_formats.prose import Prose

STYLING = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b\x07]*\x1b\\")
BACK = re.compile(r"\x1b\[(\d+)F\x1b\[J")
FOOTNOTES = Prose(quoted=True, styled=True, offers_why=True)


@pytest.fixture(autouse=True)
def _colours(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)


def screen(width=40):
    out = StringIO()
    return Screen(out, width=width), out


def seen(out):
    """Return what stands on the screen: goes back as the terminal does, forgets the styling."""
    lines = [""]
    for part in re.split(r"(\x1b\[\d+F\x1b\[J)", STYLING.sub("", out.getvalue())):
        back = BACK.fullmatch(part)
        if back:
            lines = [*lines[: -1 - int(back[1])], ""]
        else:
            first, *rest = part.split("\n")
            lines[-1] += first
            lines += rest
    return "\n".join(lines)


@settings(max_examples=50, deadline=None)
@given(whole=answers.answers, width=st.integers(20, 100))
def test_a_growing_answer_ends_as_if_it_had_been_shown_at_once(whole, width):
    grown, out_grown = screen(width)
    at_once, out_at_once = screen(width)

    for partial in growing(whole):
        grown.show(FOOTNOTES.render(partial))
    grown.end(FOOTNOTES.render(whole))
    at_once.end(FOOTNOTES.render(whole))

    assert seen(out_grown) == seen(out_at_once)


@settings(max_examples=50, deadline=None)
@given(whole=answers.answers)
def test_a_screen_obeys_nothing_but_its_own_styling(whole):
    printer, out = screen()

    printer.end(FOOTNOTES.render(whole))

    assert not re.search(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", STYLING.sub("", out.getvalue())
    )


def test_naughty_strings_are_shown_and_not_obeyed(data_dir):
    (file,) = data_dir("naughty_strings").glob("*.json")
    printer, out = screen(80)

    for text in filter(str.strip, json.loads(file.read_text(encoding="utf-8"))):
        cited = citation(1, text, title=text, uri=f"https://example.org/{text}")
        printer.end(FOOTNOTES.render(answers.answer(answers.claim(text, cited))))

    assert seen(out).count("1 of 1 statement supported") > 500
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", seen(out))


@settings(max_examples=50, deadline=None)
@given(whole=answers.answers)
def test_a_screen_shows_every_letter_that_a_pipe_gets(whole):
    blocks = [block for block in FOOTNOTES.render(whole) if not isinstance(block, Table)]
    printer, out = screen(90)

    printer.end(blocks)

    assert letters(seen(out)) == letters(plain(page(blocks)))


def letters(text):
    return re.sub(r"[\W_]", "", text)


def test_paragraphs_wrap_and_items_hang():
    printer, out = screen(24)

    printer.end([Text((Span("one two three four five six seven"), Mark(1)), "-")])

    assert seen(out) == "- one two three four\n  five six seven [1]\n"


def test_only_what_changed_is_written_again():
    printer, out = screen()
    printer.show([Text((Span("One."),))])
    printer.show([Text((Span("One."),)), Text((Span("Two."),))])
    assert out.getvalue() == "One.\n\nTwo.\n"

    printer.show([Text((Span("One."),)), Text((Span("Two."), Span(" Three.")))])

    assert out.getvalue().endswith("\x1b[1F\x1b[JTwo. Three.\n")


def test_a_status_gives_way_to_the_answer():
    printer, out = screen()
    printer.status("Searching")

    printer.end([Notice("The documents do not say.")])
    printer.end([Notice("Next.")])

    assert seen(out) == "The documents do not say.\nNext.\n"


def test_looks_are_styles_of_the_terminal():
    printer, out = screen()

    printer.end([Heading((Span("Leave"), Mark(1)), 1), Text((Span("em", Style.EMPHASIS),))])

    assert out.getvalue() == "\x1b[1mLeave\x1b[0m\x1b[36m [1]\x1b[0m\n\n\x1b[3mem\x1b[0m\n"


def test_no_colour_when_the_user_wants_none(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    printer, out = screen()

    printer.end([Text((Span("a"), Mark(1)))])

    assert "36m" not in out.getvalue()


def test_a_source_is_a_link_and_its_wrapped_quote_is_set_anew():
    quote = f"{'word ' * 9}\nends here.\n\n| a |\n| b |"
    printer, out = screen(72)

    printer.end([SourceList((Source(1, (citation(1, quote),)),))])

    assert re.search(r"\x1b\]8;id=\d+;https://example.org/leave.html\x1b\\", out.getvalue())
    assert seen(out).splitlines()[1:] == [
        "[1] Leave, Annual leave, line 12  https://example.org/leave.html",
        f"    │ {'word ' * 9}ends here.",
        "    │",
        "    │ | a |",
        "    │ | b |",
    ]


def test_tables_fit_the_screen():
    header = ((Span("Country"),), (Span("Days"),))
    printer, out = screen(30)

    printer.end([Table(header, (((Span("Germany " * 6),), (Span("30"), Mark(1))),))])

    assert max(map(len, seen(out).splitlines())) <= 30
    assert "30 [1]" in seen(out)


WIDE = Table(
    tuple((Span(title),) for title in ("library", "documents", "passages", "readers")),
    (
        ((Span("handbook"),), (Span("1,234,567"),), (Span("98,765,432"), Mark(1)), (Span("all"),)),
        ((Span("wiki"),), (Span("-12.5 %"),), (Span("7"),), (Span("people-team, everyone"),)),
    ),
)


@pytest.mark.parametrize("width", [20, 30, 40, 48, 60, 96])
def test_a_narrow_table_breaks_no_figure(width):
    printer, out = screen(width)

    printer.end([WIDE])

    shown = seen(out)
    assert max(map(len, shown.splitlines())) <= width
    for whole in ("library", "handbook", "1,234,567", "98,765,432", "people-team,", "-12.5"):
        assert whole in shown


def test_a_table_that_is_too_wide_is_stacked():
    printer, out = screen(26)

    printer.end([WIDE])

    assert seen(out) == (
        "library: handbook\ndocuments: 1,234,567\npassages: 98,765,432 [1]\nreaders: all\n\n"
        "library: wiki\ndocuments: -12.5 %\npassages: 7\nreaders: people-team,\n  everyone\n"
    )


def test_a_wide_table_without_rows_names_its_columns():
    printer, out = screen(26)

    printer.end([Table(WIDE.header, ())])

    assert seen(out) == "library:\ndocuments:\npassages:\nreaders:\n"


@settings(max_examples=50, deadline=None)
@given(
    rows=st.lists(
        st.lists(st.text("ab1,.- 漢", max_size=60), min_size=4, max_size=4), min_size=1, max_size=4
    ),
    width=st.integers(20, 96),
)
def test_no_width_costs_a_table_a_character(rows, width):
    printer, out = screen(width)
    cells = tuple(tuple((Span(cell),) for cell in row) for row in rows)

    printer.end([Table(cells[0], cells)])

    assert Counter(letters(seen(out))) >= Counter(letters("".join(map("".join, rows))))


class _Terminal(StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("out", "term", "expected"),
    [
        (_Terminal(), "xterm", "Screen"),
        (_Terminal(), "dumb", "Pipe"),
        (StringIO(), "xterm", "Pipe"),
    ],
)
def test_the_printer_suits_the_output(monkeypatch, out, term, expected):
    monkeypatch.setenv("TERM", term)

    assert type(open_printer(out)).__name__ == expected
