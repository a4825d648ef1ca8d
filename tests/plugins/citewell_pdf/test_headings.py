"""Page furniture and headings of files without bookmarks."""

from __future__ import annotations

from citewell_pdf.headings import Outline, without_running_lines
from citewell_pdf.rows import Row
from citewell_pdf.tables import Block
from citewell_pdf.words import Words

LONG = "Words of the body, of which there are enough to make a line that runs over the whole page"
BODY = Block((f"{LONG}, and then on to the next line, as words in a paragraph do.",) * 5, size=10)


def heading(*lines: str, size: float = 10, emphasis: int = 2) -> Block:
    return Block(lines, size=size, emphasis=emphasis)


def page(*lines: str) -> list[list[Row]]:
    return [
        [
            Row((Words(line, 50, 500, 700 - 12 * index, 710 - 12 * index, 10),))
            for index, line in enumerate(lines)
        ]
    ]


def lines(columns: list[list[Row]]) -> list[str]:
    return [row.cells[0].text for rows in columns for row in rows]


def test_rows_at_the_edge_that_three_pages_share_but_for_numbers_are_left_out():
    pages = [
        page("Acme | Report", f"{name} first", "same", f"{name} last", f"Page {number} of 3")
        for number, name in enumerate(("One", "Two", "Three"), 1)
    ]

    kept = without_running_lines(pages)

    assert [lines(columns) for columns in kept] == [
        ["One first", "same", "One last"],
        ["Two first", "same", "Two last"],
        ["Three first", "same", "Three last"],
    ]


def test_rows_that_two_pages_share_stay():
    pages = [page(f"Page {number}", "text") for number in (1, 2)]

    assert without_running_lines(pages) == pages


def test_a_foot_is_found_below_a_second_column():
    pages = [[*page("head", "one", f"Foot {number}"), *page("b", "c")] for number in range(3)]
    for number, columns in enumerate(pages):
        columns[0][0] = page(f"{'xyz'[number]} head")[0][0]

    assert all("Foot" not in " ".join(lines(columns)) for columns in without_running_lines(pages))


def test_larger_and_bolder_lines_are_headings_and_nest():
    first = [heading("Report", size=20), heading("Debt"), BODY]
    second = [heading("Notes", emphasis=1), BODY, heading("Equity")]
    outline = Outline([first, second])

    assert outline.titles(first) == {1: ("Report",), 2: ("Report", "Debt")}
    assert outline.titles(second) == {
        1: ("Report", "Debt", "Notes"),
        7: ("Report", "Equity"),
    }


def test_a_heading_of_two_lines_is_one():
    page = [heading("Management's Discussion", "and Analysis"), BODY]

    whole = ("Management's Discussion and Analysis",)
    assert Outline([page]).titles(page) == {1: whole, 2: whole}


def test_sentences_and_long_paragraphs_in_bold_are_no_headings():
    page = [heading("Read this first."), heading(*["word " * 20] * 3), BODY]

    assert Outline([page]).titles(page) == {}


def test_bold_is_no_heading_where_everything_is_bold():
    body = Block(BODY.lines, size=10, emphasis=2)
    page = [heading("Words"), body]

    assert Outline([page]).titles(page) == {}
