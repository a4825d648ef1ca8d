"""PDF, Word, PowerPoint and Excel files, written with what stands where in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from pptx.util import Inches
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from citewell import Place


def write(folder: Path) -> dict[Path, dict[str, Place]]:
    """Write one file a format into `folder`; return what is quoted from each, and its place."""
    return {
        folder / "report.pdf": _pdf(folder / "report.pdf"),
        folder / "travel.docx": _docx(folder / "travel.docx"),
        folder / "kickoff.pptx": _pptx(folder / "kickoff.pptx"),
        folder / "budget.xlsx": _xlsx(folder / "budget.xlsx"),
    }


# --- PDF -------------------------------------------------------------------------------------

# Pages of sections: depth in the outline, title, then lines; a tuple is a row of a table. Lines
# that begin with "> " are quoted.
_REPORT: Sequence[Sequence[tuple[int, str, Sequence[str | tuple[str, ...]]]]] = (
    (
        (
            0,
            "The year in brief",
            (
                "> Larkspur sold 11,204 cargo bicycles in 2024, more than in any year before.",
                "The workshop in Ghent opened in March and reached full capacity in October.",
                "> For the first time more than half of all bicycles left with a motor.",
                "",
                "Nobody lost work through the new paint line; six people moved to assembly.",
                "> The accident rate fell to 1.8 per million hours worked.",
            ),
        ),
    ),
    (
        (
            0,
            "Figures",
            (
                "> All amounts are in thousands of euros and unaudited.",
                ("", "2024", "2023"),
                ("> Net sales", "38,410", "33,975"),
                ("> Cost of materials", "(17,066)", "(15,902)"),
                ("> Gross profit", "21,344", "18,073"),
                ("> Wages and salaries", "(12,480)", "(11,015)"),
                ("> Operating result", "3,127", "2,218"),
            ),
        ),
        (
            1,
            "Sales by country",
            (
                "> Sales in Germany overtook those in the Netherlands in the third quarter.",
                ("Country", "2024", "2023"),
                ("> Germany", "13,870", "10,204"),
                ("> Netherlands", "12,115", "12,640"),
                ("> Belgium", "8,020", "7,331"),
            ),
        ),
    ),
    (
        (
            1,
            "Investments",
            (
                "> The paint line in Ghent cost 2.4 million euros, 0.3 million less than planned.",
                "A second hall in Utrecht is rented from May on, for ten years.",
                "> A laser cutter worth 310,000 euros was ordered for the frame shop.",
            ),
        ),
        (
            0,
            "Outlook",
            (
                "> We expect to sell between 12,000 and 12,500 bicycles in 2025.",
                "Prices of aluminium are hedged until September.",
                "> The board proposes a dividend of 1.10 euros a share.",
            ),
        ),
    ),
    (
        (
            0,
            "Risks",
            (
                "> One supplier delivers 61% of all motors; a second one is being tested.",
                "Fire insurance covers both workshops up to 25 million euros.",
            ),
        ),
        (
            1,
            "Recalls",
            (
                "> In June 840 forks of batch 2023-48 were recalled and replaced.",
                "> No injury was reported.",
                "The cost of 96,000 euros was borne by the supplier.",
            ),
        ),
    ),
)


def _pdf(path: Path) -> dict[str, Place]:
    canvas = Canvas(str(path), pagesize=A4, invariant=True)
    quotes: dict[str, Place] = {}
    headings: list[str] = []
    for page, sections in enumerate(_REPORT, start=1):
        height = 780
        for depth, title, lines in sections:
            headings = [*headings[:depth], title]
            canvas.bookmarkPage(title)
            canvas.addOutlineEntry(title, title, level=depth)
            canvas.setFont("Helvetica-Bold", 14)
            canvas.drawString(72, height, title)
            canvas.setFont("Helvetica", 10)
            height -= 26
            for line in lines:
                quote = _drawn(canvas, line, height)
                if quote:
                    quotes[quote] = Place(page=page, headings=tuple(headings))
                height -= 15
            height -= 20
        canvas.showPage()
    canvas.save()
    return quotes


def _drawn(canvas: Canvas, line: str | tuple[str, ...], height: float) -> str | None:
    """Draw a line or a row; return the quote that it is, if it is one."""
    cells = (line,) if isinstance(line, str) else line
    is_quote = cells[0].startswith("> ")
    cells = (cells[0].removeprefix("> "), *cells[1:])
    canvas.drawString(72, height, cells[0])
    for column, cell in enumerate(cells[1:]):
        canvas.drawRightString(330 + 90 * column, height, cell)
    return " | ".join(cells) if is_quote else None


# --- Word ------------------------------------------------------------------------------------

# Level and title of a section, its bookmark, paragraphs as (style, text); True: it is quoted.
_TRAVEL: Sequence[tuple[int, str, str | None, Sequence[tuple[str, str, bool]]]] = (
    (
        1,
        "Before you book",
        None,
        (
            ("Normal", "Ask whether a call would do instead of the journey.", True),
            ("Normal", "Journeys of more than 500 euros need a yes from your team lead.", True),
            ("List Bullet", "Book at least two weeks ahead.", True),
            ("List Bullet", "Use the shared account of the booking desk.", True),
        ),
    ),
    (
        1,
        "Ways to travel",
        "ways",
        (
            (
                "Normal",
                "The greenest way that takes at most twice as long is the one we take.",
                True,
            ),
        ),
    ),
    (
        2,
        "By train",
        None,
        (
            ("Normal", "Second class is the rule; from four hours on, first class is fine.", True),
            ("Normal", "Night trains count as a hotel night and may cost up to 180 euros.", True),
        ),
    ),
    (
        3,
        "Rail cards",
        "railcards",
        (
            ("Normal", "A rail card is paid when it saves more than it costs within a year.", True),
            ("Normal", "You may use it for your own trips, too.", True),
        ),
    ),
    (
        2,
        "By air",
        None,
        (
            ("Normal", "Flights under 700 kilometres are not reimbursed.", True),
            ("List Number", "Ask the climate desk for an exception.", True),
            ("List Number", "Attach the answer to your expense report.", True),
        ),
    ),
    (
        1,
        "Daily allowance",
        None,
        (("Normal", "The allowance covers meals and small change.", True),),
    ),
    (
        1,
        "Accidents abroad",
        "accidents",
        (
            ("Normal", "Call the insurer first: the number is on the back of your badge.", True),
            ("Normal", "Then call the front desk, at any hour.", True),
            ("Intense Quote", "No journey is worth a risk to your health.", True),
        ),
    ),
)
_ALLOWANCE = (
    ("Country", "Full day", "Half day"),
    ("Netherlands", "42 euros", "21 euros"),
    ("Germany", "38 euros", "19 euros"),
    ("France", "46 euros", "23 euros"),
    ("Switzerland", "64 euros", "32 euros"),
)


def _docx(path: Path) -> dict[str, Place]:
    word = docx.Document()
    word.add_paragraph("Travel policy", style="Title")
    quotes: dict[str, Place] = {}
    headings: list[str] = []
    for level, title, bookmark, paragraphs in _TRAVEL:
        headings = [*headings[: level - 1], title]
        place = Place(headings=tuple(headings), anchor=bookmark)
        word.add_heading(title, level)
        if bookmark:
            _mark(word.element.body.findall(qn("w:p"))[-1], bookmark)
        for style, text, is_quoted in paragraphs:
            word.add_paragraph(text, style=style)
            if is_quoted:
                quotes[text] = place
        if title == "Daily allowance":
            _fill(word.add_table(len(_ALLOWANCE), 3), _ALLOWANCE)
            quotes |= {" | ".join(row): place for row in _ALLOWANCE[1:]}
    word.save(str(path))
    return quotes


def _mark(paragraph: Any, name: str) -> None:
    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    for element in (start, end):
        element.set(qn("w:id"), str(len(name)))
    start.set(qn("w:name"), name)
    paragraph.insert(1, start)
    paragraph.append(end)


def _fill(table: Any, rows: Sequence[Sequence[str]]) -> None:
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text


# --- PowerPoint ------------------------------------------------------------------------------

# Title, lines of the text, rows of a table, notes.
_KICKOFF: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]], str]] = (
    ("Project Heron", ("A lighter frame by spring",), (), "Welcome everybody by name."),
    (
        "Why now",
        (
            "Customers carry 40 kg on average",
            "The frame alone weighs 19.6 kg",
            "Two rivals announced lighter models",
        ),
        (),
        "The weight comes from our own survey of 612 riders.",
    ),
    (
        "Milestones",
        (),
        (
            ("Step", "Due", "Owner"),
            ("Drawing frozen", "14 February", "Ines"),
            ("First weld", "3 March", "Tomasz"),
            ("Fatigue test passed", "28 April", "Ines"),
            ("Series start", "2 June", "Marit"),
        ),
        "",
    ),
    (
        "Budget",
        ("Tooling: 140,000 euros", "Tests: 55,000 euros", "Reserve: ten percent"),
        (),
        "Finance agreed by mail on 9 January.",
    ),
    (
        "Risks",
        ("The alloy may crack below -15 degrees", "The welding robot is booked until March"),
        (),
        "Ask Tomasz about the crack seen in 2022.",
    ),
    ("Next steps", ("Everybody reads the drawing by Friday",), (), "End ten minutes early."),
)


def _pptx(path: Path) -> dict[str, Place]:
    deck = pptx.Presentation()
    quotes: dict[str, Place] = {}
    for number, (title, lines, rows, notes) in enumerate(_KICKOFF, start=1):
        slide: Any = deck.slides.add_slide(deck.slide_layouts[1 if lines else 5])
        slide.shapes.title.text = title
        if lines:
            slide.placeholders[1].text = "\n".join(lines)
        if rows:
            size = Inches(1), Inches(2), Inches(8), Inches(3)
            _fill(slide.shapes.add_table(len(rows), len(rows[0]), *size).table, rows)
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
        said = [*lines, *(" | ".join(row) for row in rows), notes]
        quotes |= {text: Place(slide=number, headings=(title,)) for text in said if text}
    deck.save(str(path))
    return quotes


# --- Excel -----------------------------------------------------------------------------------


def _xlsx(path: Path) -> dict[str, Place]:
    workbook = openpyxl.Workbook()
    costs: Any = workbook.worksheets[0]
    costs.title = "Costs"
    costs["A1"] = "Budget of the frame shop"
    costs.append([])
    costs.append(["Item", "Planned", "Spent", "Share", "Approved on"])
    costs.append(["Welding gas", 18250, 17904.5, 0.981, date(2025, 1, 14)])
    costs.append(["Steel tubes", 96400, 101233, 1.05, date(2025, 1, 21)])
    costs.append(["Grinding discs", 4310, 2987.25, 0.693, date(2025, 2, 4)])
    costs.append(["Robot service", 22000, None, None, date(2025, 2, 18)])
    for row in range(4, 8):
        costs[f"B{row}"].number_format = '"€"#,##0'
        costs[f"C{row}"].number_format = '"€"#,##0.00'
        costs[f"D{row}"].number_format = "0.0%"
    costs["H12"] = "Checked by Marit"
    hours: Any = workbook.create_sheet("Hours")
    hours["B2"], hours["C2"] = "Team", "Hours a week"
    hours["B3"], hours["C3"] = "Early shift", 412
    hours["B4"], hours["C4"] = "Late shift", 388
    hours["B6"], hours["C6"] = "Overtime reason", "Week"
    hours["B7"], hours["C7"] = "Robot failure", "W07"
    workbook.save(path)
    shown = {
        "Costs": {
            "A1": "Budget of the frame shop",
            "A4": "Welding gas",
            "B4": "€18,250",
            "C4": "€17,904.50",
            "D4": "98.1%",
            "E4": "2025-01-14",
            "A5": "Steel tubes",
            "B5": "€96,400",
            "C5": "€101,233.00",
            "D5": "105.0%",
            "E5": "2025-01-21",
            "C6": "€2,987.25",
            "D6": "69.3%",
            "E7": "2025-02-18",
            "H12": "Checked by Marit",
        },
        "Hours": {
            "B3": "Early shift",
            "C3": "412",
            "C4": "388",
            "B7": "Robot failure",
            "C7": "W07",
        },
    }
    return {
        text: Place(sheet=sheet, cell=cell)
        for sheet, cells in shown.items()
        for cell, text in cells.items()
    }
