"""Word documents: paragraphs and tables in the order of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

import docx
from docx.document import Document as WordDocument
from docx.oxml.ns import qn
from lxml.etree import _Element
from msgspec import Struct

from citewell import Document, DocumentBuilder, DocumentError, PartKind, Place, RawDocument
from citewell_office.grids import Cell, Grid

_W_P, _W_TBL, _W_TR, _W_TC = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_CONTAINERS = frozenset({
    *(qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:moveTo"), qn("w:customXml")),
    *(qn("w:smartTag"), qn("w:body")),
})
_W_TEXT, _W_BOX = qn("w:t"), qn("w:txbxContent")
_SPACES = {
    qn("w:tab"): "\t",
    qn("w:br"): "\n",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_LEFT_OUT = frozenset({_FALLBACK, _W_BOX, qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr")})
_HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
_STYLE = f"{qn('w:pPr')}/{qn('w:pStyle')}"
_NUMBERING = f"{qn('w:pPr')}/{qn('w:numPr')}"
_GRID_BEFORE = f"{qn('w:trPr')}/{qn('w:gridBefore')}"
_GRID_SPAN = f"{qn('w:tcPr')}/{qn('w:gridSpan')}"
_V_MERGE = f"{qn('w:tcPr')}/{qn('w:vMerge')}"
_MOST_COLUMNS = 63
"""Of a table in Word."""

_TITLE = 0
_BODY = 10
_MAX_BASES = 12
_MOST_CHARS = 300
"""Of a heading in a place: what is longer was hardly meant as one."""


class DocxLoader:
    """Reads the body of a document; headers, footers and footnotes are left out."""

    def load(self, raw: RawDocument) -> Document:
        """Return the text with its headings and bookmarks."""
        try:
            word = docx.Document(str(raw.path))
            writer = _Writer(_styles(word))
            for block in _blocks(word.element.body):
                writer.write(block)
        except Exception as error:
            raise DocumentError("is damaged: it cannot be opened as a DOCX file") from error
        return writer.builder.document(raw, title=writer.title or PurePosixPath(raw.id).stem)


class _Style(Struct, frozen=True):
    """What a paragraph style stands for; level 0 is the title, 1 to 9 a heading, 10 plain text."""

    level: int = _BODY
    is_list: bool = False


def _styles(word: WordDocument) -> Mapping[str, _Style]:
    elements = {style.style_id: style.element for style in word.styles}
    names = {style.style_id: style.name or "" for style in word.styles}
    found: dict[str, _Style] = {}
    for style_id in elements:
        level: int | None = None
        is_list = False
        current: str | None = style_id
        for _ in range(_MAX_BASES):
            if current not in elements:
                break
            if level is None:
                level = _level(names[current], elements[current])
            is_list = is_list or elements[current].find(_NUMBERING) is not None
            current = _value(elements[current].find(qn("w:basedOn")))
        found[style_id] = _Style(_BODY if level is None else level, is_list)
    return found


def _value(element: _Element | None) -> str | None:
    return None if element is None else element.get(qn("w:val"))


def _level(name: str, style: _Element) -> int | None:
    if name.lower() == "title":
        return _TITLE
    if found := _HEADING.fullmatch(name):
        return int(found[1])
    return _outline_level(style)


def _outline_level(holder: _Element) -> int | None:
    value = _value(holder.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")) or "9"
    return int(value) + 1 if value.isdecimal() and int(value) < 9 else None


def _blocks(holder: _Element) -> Iterator[_Element]:
    """Yield paragraphs and tables, also those in content controls and tracked insertions."""
    pending = [holder]
    while pending:
        element = pending.pop()
        if element.tag in {_W_P, _W_TBL}:
            yield element
        elif element is holder or element.tag in _CONTAINERS:
            pending.extend(reversed(element))


def _text(paragraph: _Element) -> str:
    """Return what a paragraph says, tracked deletions left out."""
    pieces: list[str] = []
    pending = [paragraph]
    while pending:
        element = pending.pop()
        if element.tag == _W_TEXT:
            pieces.append(element.text or "")
        elif element.tag in _SPACES:
            pieces.append(_SPACES[element.tag])
        elif element.tag not in _LEFT_OUT:
            pending.extend(reversed(element))
    return "".join(pieces)


class _Writer:
    def __init__(self, styles: Mapping[str, _Style]) -> None:
        self.builder = DocumentBuilder()
        self.title: str | None = None
        self._styles = styles
        self._open: list[tuple[int, str]] = []
        self._anchor: str | None = None
        self._in_list = False

    def write(self, block: _Element) -> None:
        """Write a paragraph or a table, then the text boxes that hang on it."""
        if block.tag == _W_TBL:
            self._table(block)
            return
        self._paragraph(block)
        for box in block.iter(_W_BOX):
            if next(box.iterancestors(_FALLBACK), None) is None:
                for inner in _blocks(box):
                    self.write(inner)

    def _paragraph(self, paragraph: _Element) -> None:
        style = self._styles.get(_value(paragraph.find(_STYLE)) or "", _Style())
        level = _outline_level(paragraph)
        level = style.level if level is None else level
        text = _text(paragraph).strip()
        if text and level < _BODY:
            self._anchor = None
        bookmarks = (mark.get(qn("w:name")) for mark in paragraph.iter(qn("w:bookmarkStart")))
        self._anchor = next((name for name in bookmarks if name != "_GoBack"), self._anchor)
        if not text:
            return
        if level < _BODY:
            self._heading(level, " ".join(text.split()))
        elif style.is_list or paragraph.find(_NUMBERING) is not None:
            if not self._in_list:
                self.builder.start(PartKind.LIST)
            self.builder.write("\n")
            self.builder.write(f"- {text}", place=self._place())
            self._in_list = True
        else:
            self._start(PartKind.PARAGRAPH)
            self.builder.write(text, place=self._place())

    def _heading(self, level: int, text: str) -> None:
        title = text[:_MOST_CHARS]
        if level == _TITLE:
            self.title = self.title or title
        else:
            while self._open and self._open[-1][0] >= level:
                self._open.pop()
            self._open.append((level, title))
        self._start(PartKind.HEADING)
        self.builder.write(text, place=self._place())

    def _table(self, table: _Element) -> None:
        self._start(PartKind.TABLE)
        rows = [row for row in table.iter(_W_TR) if _owner(row) is table]
        grid = Grid()
        for number, row in enumerate(rows):
            if line := grid.line(_cells(row, table)):
                self.builder.write("\n")
                self.builder.write(line, place=self._place())
            if number == 0 and len(rows) > 1:
                self.builder.end_header()
        self._start(PartKind.PARAGRAPH)

    def _start(self, kind: PartKind) -> None:
        self.builder.start(kind)
        self._in_list = False

    def _place(self) -> Place:
        return Place(headings=tuple(title for _, title in self._open), anchor=self._anchor)


def _owner(element: _Element) -> _Element:
    """Return the table that a row belongs to, or the row that a cell belongs to."""
    return next(element.iterancestors(_W_TBL if element.tag == _W_TR else _W_TR))


def _cells(row: _Element, table: _Element) -> Iterator[Cell]:
    if skipped := _count(row.find(_GRID_BEFORE)):
        yield Cell("", columns=skipped)
    for cell in row.iter(_W_TC):
        if _owner(_owner(cell)) is table:
            merge = cell.find(_V_MERGE)
            yield Cell(
                _cell_text(cell),
                columns=max(_count(cell.find(_GRID_SPAN)), 1),
                continues=merge is not None and _value(merge) != "restart",
            )


def _count(element: _Element | None) -> int:
    value = _value(element) or ""
    return min(int(value), _MOST_COLUMNS) if value.isdecimal() else 0


def _cell_text(cell: _Element) -> str:
    return " ".join(" ".join(_text(paragraph).split()) for paragraph in cell.iter(_W_P)).strip()
