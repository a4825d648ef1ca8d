"""Page furniture and headings of files without bookmarks."""

from __future__ import annotations

from citewell_pdf.headings import Outline, without_running_lines
from citewell_pdf.tables import Block

LONG = "Words of the body, of which there are enough to make a line that runs over the whole page"
BODY = Block((f"{LONG}, and then on to the next line, as words in a paragraph do.",) * 5, size=10)


def heading(*lines: str, size: float = 10, emphasis: int = 2) -> Block:
    return Block(lines, size=size, emphasis=emphasis)


def test_lines_at_the_edge_that_three_pages_share_but_for_numbers_are_left_out():
    pages = [
        [Block(("Acme | Report",)), BODY, Block((f"Last words {number}", f"Page {number}"))]
        for number in range(1, 4)
    ]
    pages[0][2] = Block(("The end.", "Page 1"))

    kept = without_running_lines(pages)

    assert [block.lines for block in kept[0]] == [BODY.lines, ("The end.",)]
    assert all(len(page) == 2 or page[2].lines for page in kept)


def test_lines_that_two_pages_share_stay():
    pages = [[Block((f"Page {number}",)), BODY] for number in (1, 2)]

    assert without_running_lines(pages) == pages


def test_rows_of_tables_are_no_running_lines():
    pages = [[BODY, Block(("Total | 3",), is_table=True)] for _ in range(5)]

    assert without_running_lines(pages) == pages


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
