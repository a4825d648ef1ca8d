"""PowerPoint presentations, slide by slide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

import pptx

from citewell import Document, DocumentBuilder, DocumentError, PartKind, Place, RawDocument
from citewell_office.grids import Cell, Grid


class PptxLoader:
    """Reads titles, text, tables and notes; pictures and charts are left out."""

    def __init__(self, *, notes: bool) -> None:
        self._notes = notes

    def load(self, raw: RawDocument) -> Document:
        """Return the text of the slides that are shown."""
        builder = DocumentBuilder()
        titles: list[str] = []
        try:
            for number, slide in enumerate(pptx.Presentation(str(raw.path)).slides, start=1):
                if slide.element.get("show") != "0":
                    titles.append(self._slide(builder, slide, number))
        except Exception as error:
            raise DocumentError("is damaged: it cannot be opened as a PPTX file") from error
        title = next(filter(None, titles), "") or PurePosixPath(raw.id).stem
        return builder.document(raw, title=title)

    def _slide(self, builder: DocumentBuilder, slide: Any, number: int) -> str:
        """Write a slide; return its title."""
        heading = slide.shapes.title
        title = _folded(heading.text_frame.text) if heading is not None else ""
        place = Place(slide=number, headings=(title,) if title else ())
        builder.start(PartKind.HEADING)
        builder.write(title, place=place)
        for shape in _shapes(slide.shapes):
            if heading is not None and shape.shape_id == heading.shape_id:
                continue
            if shape.has_text_frame:
                _text(builder, shape.text_frame, place)
            elif getattr(shape, "has_table", False):
                _table(builder, shape.table, place)
        if self._notes and slide.has_notes_slide:
            frame = slide.notes_slide.notes_text_frame
            if frame is not None:
                _text(builder, frame, place)
        return title


def _shapes(shapes: Iterable[Any]) -> Iterator[Any]:
    """Yield shapes in the order of the slide, those in groups in place of the group."""
    pending = [iter(shapes)]
    while pending:
        shape = next(pending[-1], None)
        if shape is None:
            pending.pop()
        elif hasattr(shape, "shapes"):
            pending.append(iter(shape.shapes))
        else:
            yield shape


def _text(builder: DocumentBuilder, frame: Any, place: Place) -> None:
    paragraphs = [
        ("  " * paragraph.level, text)
        for paragraph in frame.paragraphs
        if (text := _folded(paragraph.text))
    ]
    kind = PartKind.LIST if len(paragraphs) > 1 else PartKind.PARAGRAPH
    builder.start(kind)
    for indent, text in paragraphs:
        bullet = f"{indent}- " if kind is PartKind.LIST else ""
        builder.write(f"\n{bullet}{text}", place=place)


def _table(builder: DocumentBuilder, table: Any, place: Place) -> None:
    builder.start(PartKind.TABLE)
    grid = Grid()
    for position, row in enumerate(table.rows):
        if line := grid.line(map(_cell, row.cells)):
            builder.write(f"\n{line}", place=place)
        if position == 0 and table.first_row:
            builder.end_header()


def _cell(cell: Any) -> Cell:
    """Return a cell; those that a merged cell covers are there and empty."""
    merge = cell._tc  # noqa: SLF001 - python-pptx does not say which way a cell is covered
    if merge.hMerge:
        return Cell("")
    return Cell(_folded(cell.text), continues=merge.vMerge)


def _folded(text: str) -> str:
    return " ".join(text.split())
