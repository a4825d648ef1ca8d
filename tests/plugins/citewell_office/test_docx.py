"""Word documents as their readers see them."""

import docx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from citewell import PartKind, Place, RawDocument
from citewell_office.docx import DocxLoader

W = nsdecls("w")


@pytest.fixture
def word():
    return docx.Document()


@pytest.fixture
def load(word, tmp_path):
    def load():
        word.save(tmp_path / "file.docx")
        return DocxLoader().load(RawDocument(id="a/file.docx", path=tmp_path / "file.docx"))

    return load


def insert(word, xml):
    word.element.body.insert(0, parse_xml(xml))


def test_text_in_content_controls_and_insertions_is_read(word, load):
    insert(
        word,
        f"<w:sdt {W}><w:sdtContent><w:p><w:r><w:t>Controlled</w:t></w:r>"
        "<w:ins><w:r><w:t xml:space='preserve'> inserted</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText> deleted</w:delText></w:r></w:del>"
        "<w:hyperlink><w:r><w:t xml:space='preserve'> linked</w:t></w:r></w:hyperlink>"
        "</w:p></w:sdtContent></w:sdt>",
    )

    assert load().text == "Controlled inserted linked"


def test_text_box_is_read_once(word, load):
    box = "<w:txbxContent><w:p><w:r><w:t>Boxed</w:t></w:r></w:p></w:txbxContent>"
    insert(
        word,
        f"<w:p {W} xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006'>"
        f"<w:r><w:t>Before</w:t></w:r><w:r><mc:AlternateContent><mc:Choice Requires='wps'>{box}"
        f"</mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
        "</w:p>",
    )

    assert load().text == "Before\n\nBoxed"


def test_style_based_on_a_heading_is_one(word, load):
    style = word.styles.add_style("House chapter", WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = word.styles["Heading 2"]
    word.add_heading("Part", 1)
    word.add_paragraph("Chapter", style=style)
    word.add_paragraph("Text")

    document = load()

    assert document.place_at(document.text.index("Text")).headings == ("Part", "Chapter")


def test_outline_level_makes_a_heading(word, load):
    insert(
        word,
        f"<w:p {W}><w:pPr><w:outlineLvl w:val='0'/></w:pPr><w:r><w:t>Chapter</w:t></w:r></w:p>",
    )
    word.add_paragraph("Text")

    document = load()

    assert document.place_at(document.text.index("Text")) == Place(headings=("Chapter",))


def test_title_names_the_document_and_opens_no_section(word, load):
    word.add_paragraph("Handbook", style="Title")
    word.add_paragraph("Text")

    document = load()

    assert document.title == "Handbook"
    assert document.place_at(document.text.index("Text")) == Place()


def fill(word, *rows):
    table = word.add_table(len(rows), len(rows[0]))
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    return table


def test_merged_cell_leaves_the_others_under_their_titles(word, load):
    word.add_heading("Rooms", 1)
    table = fill(word, ("a", "b", "c"), ("d", "", "e"), ("f", "g", "h"))
    table.cell(1, 0).merge(table.cell(1, 1))

    document = load()

    assert document.text.splitlines()[2:] == ["a | b | c", "d |  | e", "f | g | h"]
    part = document.parts[-1]
    assert part.kind is PartKind.TABLE
    assert document.text[part.start : part.header_end] == "a | b | c"
    assert document.place_at(document.text.index("e\n")) == Place(headings=("Rooms",))


def test_cell_over_several_rows_is_said_in_each(word, load):
    table = fill(word, ("a", "b", "c"), ("d", "1", "2"), ("", "3", "4"), ("", "5", "6"))
    table.cell(1, 0).merge(table.cell(3, 0))

    assert load().text.splitlines() == ["a | b | c", "d | 1 | 2", "d | 3 | 4", "d | 5 | 6"]


def test_cell_over_rows_and_columns_keeps_its_columns(word, load):
    table = fill(word, ("a", "b", "c"), ("d", "", "1"), ("", "", "2"), ("e", "f", "3"))
    table.cell(1, 0).merge(table.cell(2, 1))

    assert load().text.splitlines() == ["a | b | c", "d |  | 1", "d |  | 2", "e | f | 3"]


def test_row_that_begins_late_or_ends_early_keeps_its_columns(word, load):
    table = fill(word, ("a", "b", "c"), ("", "1", "2"), ("all", "", ""), ("", "", ""), ("d",) * 3)
    table.cell(2, 0).merge(table.cell(2, 2))
    row = table.rows[1]._tr
    row.remove(row.tc_lst[0])
    row.insert(0, parse_xml(f"<w:trPr {W}><w:gridBefore w:val='1'/></w:trPr>"))

    assert load().text.splitlines() == ["a | b | c", " | 1 | 2", "all", "d | d | d"]


@pytest.mark.parametrize(("span", "cells"), [("many", 2), ("0", 2), ("9999999", 64)])
def test_span_that_no_table_has_is_bounded(word, load, span, cells):
    table = fill(word, ("a", "b"))
    table.cell(0, 0)._tc.get_or_add_tcPr().append(
        parse_xml(f"<w:gridSpan {W} w:val='{span}'/>"),
    )

    assert len(load().text.split("|")) == cells


def test_list_is_one_part(word, load):
    word.add_paragraph("Before")
    for text in ("one", "two"):
        word.add_paragraph(text, style="List Bullet")
    word.add_paragraph("After")

    document = load()

    assert document.text == "Before\n\n- one\n- two\n\nAfter"
    assert [part.kind for part in document.parts] == [
        PartKind.PARAGRAPH,
        PartKind.LIST,
        PartKind.PARAGRAPH,
    ]
