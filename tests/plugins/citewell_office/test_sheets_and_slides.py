"""Workbooks and presentations as their readers see them."""

import sys

import openpyxl
import pptx
import pytest
from pptx.util import Inches

from citewell import DocumentError, MissingExtra, PartKind, Place, RawDocument
from citewell_office.plugin import PptxConfig, build_pptx
from citewell_office.pptx import PptxLoader
from citewell_office.xlsx import XlsxLoader


def load_xlsx(workbook, folder, **options):
    workbook.save(folder / "file.xlsx")
    loader = XlsxLoader(**{"header": True, "max_cells": 1000} | options)
    return loader.load(RawDocument(id="file.xlsx", path=folder / "file.xlsx"))


def load_pptx(deck, folder, *, notes=True):
    deck.save(folder / "file.pptx")
    raw = RawDocument(id="file.pptx", path=folder / "file.pptx")
    return PptxLoader(notes=notes).load(raw)


def tables(document):
    return [
        (
            document.text[part.start : part.header_end or part.start],
            document.text[: part.end][part.start :],
        )
        for part in document.parts
        if part.kind is PartKind.TABLE
    ]


def test_empty_row_parts_two_tables(tmp_path):
    workbook = openpyxl.Workbook()
    for row in (["a", "b"], [1, 2], [], ["c", "d"], [3, 4]):
        workbook.worksheets[0].append(row)

    document = load_xlsx(workbook, tmp_path)

    assert tables(document) == [("a | b", "a | b\n1 | 2"), ("c | d", "c | d\n3 | 4")]


def test_figures_name_no_columns(tmp_path):
    workbook = openpyxl.Workbook()
    for row in ([1, 2], [3, 4]):
        workbook.worksheets[0].append(row)

    assert tables(load_xlsx(workbook, tmp_path)) == [("", "1 | 2\n3 | 4")]


def test_empty_cells_keep_the_columns_apart(tmp_path):
    workbook = openpyxl.Workbook()
    for row in (["a", "b", "c"], [1, None, 3], [None, 5]):
        workbook.worksheets[0].append(row)

    document = load_xlsx(workbook, tmp_path)

    assert document.text.splitlines() == ["a | b | c", "1 |  | 3", " | 5"]
    assert document.place_at(document.text.index("5")) == Place(sheet="Sheet", cell="B3")


def test_cell_over_several_rows_is_said_in_each(tmp_path):
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet["B2"], sheet["C2"], sheet["D2"] = "Region", "Quarter", "Sales"
    for row, cells in enumerate((("North", "Q1", 5), (None, "Q2", 6), ("South", "Q1", 7)), 3):
        for column, value in enumerate(cells, 2):
            sheet.cell(row, column, value)
    sheet["D6"] = 8
    sheet.merge_cells("B3:B4")
    sheet.merge_cells("B5:C6")

    document = load_xlsx(workbook, tmp_path)

    # A merged cell keeps only the text of its first.
    assert document.text.splitlines() == [
        "Region | Quarter | Sales",
        "North | Q1 | 5",
        "North | Q2 | 6",
        "South |  | 7",
        "South |  | 8",
    ]
    second = document.text.rindex("North")
    assert document.place_at(second) == Place(sheet="Sheet", cell="B4")
    assert document.place_at(second + len("North | Q2 | ")) == Place(sheet="Sheet", cell="D4")


def test_cell_over_rows_that_are_empty_makes_no_row(tmp_path):
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet["A1"], sheet["B1"], sheet["B4"] = "title", "a", "b"
    sheet.merge_cells("A1:A3")

    assert load_xlsx(workbook, tmp_path).text.splitlines() == ["title | a", "", "b"]


def test_cells_that_are_said_again_count(tmp_path):
    workbook = openpyxl.Workbook()
    sheet = workbook.worksheets[0]
    sheet["A1"], sheet["B1"], sheet["B2"] = "a", 1, 2
    sheet.merge_cells("A1:A2")

    with pytest.raises(DocumentError, match="more than 3 cells"):
        load_xlsx(workbook, tmp_path, max_cells=3)


def test_too_many_cells_are_refused(tmp_path):
    workbook = openpyxl.Workbook()
    workbook.worksheets[0].append([1, 2, 3])

    with pytest.raises(DocumentError, match="more than 2 cells; raise max_cells"):
        load_xlsx(workbook, tmp_path, max_cells=2)


def test_shapes_in_groups_are_read_in_their_order(tmp_path):
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    box = (Inches(1), Inches(1), Inches(1), Inches(1))
    slide.shapes.add_textbox(*box).text_frame.text = "first"
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(*box).text_frame.text = "second"
    group.shapes.add_group_shape().shapes.add_textbox(*box).text_frame.text = "third"
    slide.shapes.add_textbox(*box).text_frame.text = "fourth"

    document = load_pptx(deck, tmp_path)

    assert document.text.split() == ["first", "second", "third", "fourth"]
    assert document.title == "file"
    assert document.place_at(0) == Place(slide=1)


def test_hidden_slide_is_left_out_and_counted(tmp_path):
    deck = pptx.Presentation()
    for title in ("one", "two", "three"):
        deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = title
    deck.slides[1].element.set("show", "0")

    document = load_pptx(deck, tmp_path)

    assert document.text == "one\n\nthree"
    assert document.place_at(document.text.index("three")).slide == 3


def test_merged_cells_of_a_slide_keep_rows_under_their_titles(tmp_path):
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    box = (Inches(1), Inches(1), Inches(4), Inches(2))
    table = slide.shapes.add_table(5, 3, *box).table
    rows = (("a", "b", "c"), ("d", "", "1"), ("", "", "2"), ("", "", ""), ("e", "f", "3"))
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table.cell(1, 0).merge(table.cell(2, 1))

    document = load_pptx(deck, tmp_path)

    assert tables(document) == [("a | b | c", "a | b | c\nd |  | 1\nd |  | 2\ne | f | 3")]


def test_notes_can_be_left_out(tmp_path):
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    slide.shapes.title.text = "title"
    slide.notes_slide.notes_text_frame.text = "note"

    assert load_pptx(deck, tmp_path).text == "title\n\nnote"
    assert load_pptx(deck, tmp_path, notes=False).text == "title"


async def test_missing_extra_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "pptx", None)

    with pytest.raises(MissingExtra, match=r'pip install "citewell\[pptx\]"'):
        async with build_pptx(PptxConfig(), None):
            pass
