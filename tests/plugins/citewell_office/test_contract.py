"""The Office loaders keep what every loader promises."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import docx
import openpyxl
import pptx
from pptx.util import Inches

from citewell import Place
from citewell.testing import LoaderContract


class TestDocx(LoaderContract):
    name = "docx"
    quotes = {
        "The door closes at 22:00.": Place(headings=("Opening hours",)),
        "Guests sign in": Place(headings=("Opening hours", "Visitors")),
        "Elm | 12": Place(headings=("Rooms",)),
    }

    def samples(self, folder: Path) -> Sequence[Path]:
        word = docx.Document()
        word.add_paragraph("Office handbook", style="Title")
        word.add_heading("Opening hours", 1)
        word.add_paragraph("The door closes at 22:00.")
        word.add_heading("Visitors", 2)
        word.add_paragraph("Guests sign in", style="List Bullet")
        word.add_heading("Rooms", 1)
        table = word.add_table(2, 2)
        for row, texts in zip(table.rows, (("Room", "Seats"), ("Elm", "12")), strict=True):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
        word.save(folder / "handbook.docx")
        return (folder / "handbook.docx",)


class TestXlsx(LoaderContract):
    name = "xlsx"
    quotes = {
        "Room costs": Place(sheet="Rooms", cell="A1"),
        "Elm": Place(sheet="Rooms", cell="A4"),
        "€1,250.50": Place(sheet="Rooms", cell="B4"),
        "12.5%": Place(sheet="Rooms", cell="C4"),
        "2025-03-01": Place(sheet="Rooms", cell="D4"),
        "unplanned": Place(sheet="Notes", cell="B2"),
    }

    def samples(self, folder: Path) -> Sequence[Path]:
        workbook = openpyxl.Workbook()
        rooms = workbook.worksheets[0]
        rooms.title = "Rooms"
        rooms.append(["Room costs"])
        rooms.append([])
        rooms.append(["Room", "Rent", "Share", "Since"])
        rooms.append(["Elm", 1250.5, 0.125, date(2025, 3, 1)])
        rooms["B4"].number_format = '"€"#,##0.00'
        rooms["C4"].number_format = "0.0%"
        notes = workbook.create_sheet("Notes")
        notes["B2"] = "unplanned"
        hidden = workbook.create_sheet("Hidden")
        hidden["A1"] = "nobody sees this"
        hidden.sheet_state = "hidden"
        workbook.save(folder / "rooms.xlsx")
        return (folder / "rooms.xlsx",)


class TestPptx(LoaderContract):
    name = "pptx"
    quotes = {
        "Guests sign in": Place(slide=1, headings=("Visitors",)),
        "Remind them of the badge": Place(slide=1, headings=("Visitors",)),
        "Elm | 12": Place(slide=2, headings=("Rooms",)),
    }

    def samples(self, folder: Path) -> Sequence[Path]:
        deck = pptx.Presentation()
        first = deck.slides.add_slide(deck.slide_layouts[1])
        first.shapes.title.text = "Visitors"
        first.placeholders[1].text = "Guests sign in\nThey wear a badge"
        first.notes_slide.notes_text_frame.text = "Remind them of the badge"
        second = deck.slides.add_slide(deck.slide_layouts[5])
        second.shapes.title.text = "Rooms"
        frame = second.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1))
        for row, texts in zip(frame.table.rows, (("Room", "Seats"), ("Elm", "12")), strict=True):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
        deck.save(folder / "deck.pptx")
        return (folder / "deck.pptx",)
