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


def test_merged_cells_are_said_once(word, load):
    table = word.add_table(3, 3)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"c{number}"
    table.cell(1, 0).merge(table.cell(1, 1))

    document = load()

    assert document.text.splitlines() == ["c0 | c1 | c2", "c3 c4 | c5", "c6 | c7 | c8"]
    assert [(part.kind, part.header_end) for part in document.parts] == [(PartKind.TABLE, 12)]


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
