"""PDF pages give the lines that a reader sees."""

from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from citewell import DocumentError, PartKind, RawDocument
from citewell.library.splitting import split
from citewell_pdf.pages import PdfLoader

LEFT = (
    "The left column tells how",
    "the workshop began, with",
    "two benches and a lathe,",
    "and how it grew until the",
    "roof had to be raised by",
    "a storey in the spring.",
    "Nobody had planned that.",
)
RIGHT = (
    "The right column is about",
    "people: the first welder,",
    "her apprentice, and those",
    "who came later and stayed",
    "for longer than they had",
    "thought they ever would.",
    "Some still come by bike.",
)


@pytest.fixture
def canvas(tmp_path):
    return Canvas(str(tmp_path / "file.pdf"), pagesize=A4, invariant=True)


def loaded(canvas, *, name="file.pdf", max_pages=100):
    canvas.save()
    raw = RawDocument(id=name, path=Path(canvas._filename))
    return PdfLoader(max_pages=max_pages).load(raw)


def table(document):
    (part,) = (part for part in document.parts if part.kind is PartKind.TABLE)
    return (
        document.text[part.start : part.header_end or part.start].splitlines(),
        document.text[part.header_end or part.start : part.end].strip().splitlines(),
    )


def draw(canvas, rows, *, height=700.0, rights=(330, 420, 510)):
    for row in rows:
        canvas.drawString(72, height, row[0])
        for right, cell in zip(rights, row[1:], strict=False):
            canvas.drawRightString(right, height, cell)
        height -= 15


def test_rows_of_a_table_are_lines_under_their_header(canvas):
    draw(canvas, [("", "2024", "2023"), ("Net sales", "38,410", "33,975"), ("Costs", "(7)", "8")])

    header, body = table(loaded(canvas))

    assert header == ["2024 | 2023"]
    assert body == ["Net sales | 38,410 | 33,975", "Costs | (7) | 8"]


def test_table_drawn_by_columns_is_read_by_rows(canvas):
    heights = [700 - 15 * n for n in range(8)]
    for n, height in enumerate(heights):
        canvas.drawString(72, height, f"Item {n}")
    for n, height in enumerate(heights):
        canvas.drawRightString(300, height, f"{n},000")

    _, body = table(loaded(canvas))

    assert body == [f"Item {n} | {n},000" for n in range(8)]


def test_missing_figure_leaves_its_column_empty(canvas):
    draw(canvas, [("A", "1", "2", "3"), ("B", "4", "", "6"), ("C", "7", "8", "9")])

    _, body = table(loaded(canvas))

    assert body == ["A | 1 | 2 | 3", "B | 4 |  | 6", "C | 7 | 8 | 9"]


def test_stacked_column_titles_are_joined_and_spanning_ones_stay(canvas):
    for left, text in ((290, "Three months ended"), (440, "Nine months ended")):
        canvas.drawString(left, 730, text)
    for right, upper in ((330, "July 1,"), (400, "June 25,"), (480, "July 1,"), (550, "June 25,")):
        canvas.drawRightString(right, 716, upper)
    for right, lower in ((330, "2023"), (400, "2022"), (480, "2023"), (550, "2022")):
        canvas.drawRightString(right, 706, lower)
    draw(
        canvas,
        [("Products", "60", "63", "230", "245"), ("Services", "21", "19", "62", "58")],
        height=690,
        rights=(330, 400, 480, 550),
    )

    header, body = table(loaded(canvas))

    assert header == [
        "Three months ended | Nine months ended",
        "July 1, 2023 | June 25, 2022 | July 1, 2023 | June 25, 2022",
    ]
    assert body[0] == "Products | 60 | 63 | 230 | 245"


def test_currency_signs_belong_to_their_figure(canvas):
    for height, label, figure in ((700, "Gross margin", "36,413"), (685, "Costs", "(81)")):
        canvas.drawString(72, height, label)
        canvas.drawString(280, height, "$")
        canvas.drawRightString(350, height, figure)

    _, body = table(loaded(canvas))

    assert body == ["Gross margin | $ 36,413", "Costs | $ (81)"]


def test_columns_of_prose_are_read_one_after_the_other(canvas):
    for left, column in ((72, LEFT), (320, RIGHT)):
        for number, line in enumerate(column):
            canvas.drawString(left, 700 - 14 * number, line)

    document = loaded(canvas)

    assert document.text.splitlines() == [*LEFT, *RIGHT]
    assert not [part for part in document.parts if part.kind is PartKind.TABLE]


def test_page_that_is_shown_turned_is_read_as_shown(canvas):
    canvas.setPageRotation(90)
    canvas.rotate(90)
    for number, line in enumerate(LEFT):
        canvas.drawString(100, -100 - 14 * number, line)

    assert loaded(canvas).text.splitlines() == list(LEFT)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_words_that_run_in_another_direction_are_read_after_the_others(canvas, degrees):
    canvas.saveState()
    canvas.translate(300, 400)
    canvas.rotate(degrees)
    for number, line in enumerate(LEFT):
        canvas.drawString(0, -14 * number, line)
    canvas.restoreState()
    canvas.drawString(72, 780, "The page is shown upright.")

    document = loaded(canvas)

    assert document.text.splitlines() == ["The page is shown upright.", *LEFT]
    assert {part.kind for part in document.parts} == {PartKind.PARAGRAPH}


def test_table_that_lies_on_its_side_is_read_by_rows(canvas):
    canvas.rotate(90)
    canvas.translate(0, -800)
    draw(canvas, [("", "2024", "2023"), ("Net sales", "38,410", "33,975"), ("Costs", "(7)", "8")])

    assert table(loaded(canvas)) == (
        ["2024 | 2023"],
        ["Net sales | 38,410 | 33,975", "Costs | (7) | 8"],
    )


@pytest.mark.parametrize("degrees", [-60, 30, 45, 135])
def test_watermark_is_left_out(canvas, degrees):
    canvas.drawString(72, 700, "The text begins")
    canvas.saveState()
    canvas.translate(300, 400)
    canvas.rotate(degrees)
    canvas.setFont("Helvetica-Bold", 60)
    canvas.drawString(0, 0, "DRAFT COPY")
    canvas.restoreState()
    canvas.drawString(72, 686, "and goes on.")

    document = loaded(canvas)

    assert document.text.splitlines() == ["The text begins", "and goes on."]
    assert document.place_at(len(document.text) - 1).headings == ()


@pytest.mark.parametrize("degrees", [-3, 3])
def test_page_that_was_scanned_slightly_askew_is_read(canvas, degrees):
    canvas.rotate(degrees)
    canvas.drawString(72, 700, "Shown")

    assert loaded(canvas).text == "Shown"


def test_upright_letters_that_are_slanted_are_no_watermark(canvas):
    text = canvas.beginText()
    text.setTextTransform(1, 0, 0.34, 1, 72, 700)
    text.textLine("Shown")
    canvas.drawText(text)

    assert loaded(canvas).text == "Shown"


def test_running_foot_is_found_on_a_page_with_words_on_their_side(canvas):
    for number, name in enumerate(("one", "two", "three"), 1):
        canvas.drawString(72, 700, f"Page {name} begins.")
        canvas.drawString(72, 30, f"Acme, page {number} of 3")
        canvas.rotate(90)
        for line in range(5):
            canvas.drawString(100, -300 - 14 * line, f"{name} side {'abcde'[line]}")
        canvas.showPage()

    text = loaded(canvas).text

    assert "Acme" not in text
    assert text.startswith("Page one begins.\none side a\n")


def test_lists_are_no_tables(canvas):
    for number, line in enumerate(LEFT):
        canvas.drawString(72, 700 - 14 * number, f"{number + 1}.")
        canvas.drawString(100, 700 - 14 * number, line)

    document = loaded(canvas)

    assert document.text.splitlines() == [f"{n}. {line}" for n, line in enumerate(LEFT, 1)]


def test_title_of_the_file_is_used_unless_a_program_made_it_up(canvas):
    canvas.setTitle("Microsoft Word - report final.docx")
    canvas.drawString(72, 700, "words")
    assert loaded(canvas, name="a/report.pdf").title == "report"


def test_title_of_the_file_is_used(canvas):
    canvas.setTitle("Annual report 2024")
    canvas.drawString(72, 700, "words")

    assert loaded(canvas).title == "Annual report 2024"


def test_pictures_of_text_are_refused_with_advice(canvas):
    canvas.rect(10, 10, 100, 100, fill=1)
    canvas.showPage()

    with pytest.raises(DocumentError, match="is a scan: it holds no text, only pictures"):
        loaded(canvas)


def test_too_many_pages_are_refused(canvas):
    for _ in range(4):
        canvas.drawString(72, 700, "words")
        canvas.showPage()

    with pytest.raises(DocumentError, match="has 4 pages, expected 1 to 3"):
        loaded(canvas, max_pages=3)


@pytest.mark.parametrize(
    ("page", "row"),
    [
        (4, "Gross margin | 36,413 | 35,885 | 128,721 | 132,687"),
        (4, "July 1, 2023 | June 25, 2022 | July 1, 2023 | June 25, 2022"),
        (18, "Greater China | 15,758 | 14,604 | 8 % | 57,475 | 58,730 | (2)%"),
    ],
)
def test_statements_of_a_filing_are_rows(data_dir, page, row):
    path = data_dir("sec10q_aapl") / "corpus" / "2023-q3-aapl.pdf"

    document = PdfLoader(max_pages=100).load(RawDocument(id=path.name, path=path))

    starts = [at for at in range(len(document.text)) if document.text.startswith(f"{row}\n", at)]
    assert page in {document.place_at(start).page for start in starts}


# --- tables over several pages -----------------------------------------------------------------


def passages_of(document, **settings):
    return [
        one
        for one in split(document, library="docs", labels=frozenset(), **settings)
        if "Region" in one.text
    ]


def long_table(canvas, pages, *, header_on_each=False, rights=(330, 420)):
    """Draw a table that fills pages."""
    for page in range(pages):
        rows = [(f"Region {page * 40 + n}", f"{n},100", f"{n},200") for n in range(40)]
        has_header = header_on_each or not page
        head = [("", "Net sales", "Costs")] if has_header else []
        draw(canvas, head + rows, height=780.0, rights=rights)
        canvas.showPage()


@pytest.mark.parametrize("header_on_each", [False, True])
def test_a_table_that_goes_on_over_pages_keeps_its_header_in_every_passage(canvas, header_on_each):
    long_table(canvas, 3, header_on_each=header_on_each)

    found = passages_of(loaded(canvas), max_chars=400)

    assert len(found) > 6
    assert {one.places[0].place.page for one in found} == {1, 2, 3}
    for one in found:
        assert "Net sales | Costs" in (one.header or one.text)
    rows = [row for one in found for row in one.text.splitlines() if row.startswith("Region")]
    assert [row.partition(" |")[0] for row in rows] == [f"Region {n}" for n in range(120)]


def test_another_table_of_the_next_page_takes_no_header_over(canvas):
    draw(canvas, [("", "Net sales", "Costs"), ("Region 1", "1,100", "1,200"), ("Sum", "1", "2")])
    canvas.showPage()
    draw(canvas, [("Region 2", "7"), ("Region 3", "8")], rights=(520,))

    first, second = passages_of(loaded(canvas))

    assert "Net sales" in first.text
    assert second.header == ""


def test_a_table_after_other_text_takes_no_header_over(canvas):
    draw(canvas, [("", "Net sales", "Costs"), ("Region 1", "1,100", "1,200"), ("Sum", "1", "2")])
    canvas.showPage()
    canvas.drawString(72, 780, "The number of shops, by region, as of the end of the year.")
    draw(canvas, [("Region 2", "7", "9"), ("Region 3", "8", "9")])

    *_, last = passages_of(loaded(canvas))

    assert "Net sales" not in f"{last.header} {last.text}"


def test_columns_that_are_empty_on_the_next_page_keep_the_header(canvas):
    long_table(canvas, 1)
    draw(canvas, [("Region 90", "", "7"), ("Region 91", "", "8")], rights=(330, 420))

    *_, last = passages_of(loaded(canvas))

    assert last.header == "Net sales | Costs"
