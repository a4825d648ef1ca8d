"""A PDF file, page by page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from msgspec.structs import replace

from citewell import Document, DocumentBuilder, DocumentError, PartKind, Place, RawDocument
from citewell_pdf.headings import Outline, without_running_lines
from citewell_pdf.recognition import Recognizer
from citewell_pdf.rows import Row, page_rows
from citewell_pdf.tables import Block, blocks, goes_on
from citewell_pdf.words import page_words

_MAX_DEPTH = 15
_NUMBER = re.compile(r"^\d+")
_MADE_UP = re.compile(
    r"^(untitled|microsoft \w+ -)|\.(docx?|xlsx?|pptx?|html?|indd|tex|dvi)$", re.IGNORECASE
)


_SCAN = (
    "is a scan: it holds no text, only pictures; make it searchable first, for example with "
    '"ocrmypdf scan.pdf searchable.pdf", or set ocr = true in a [loader.pdf] with use = "pdf"'
)
_UNREADABLE = "is a scan: it holds no text, only pictures, and none was recognised in them"


class PdfLoader:
    """Reads the text layer of a PDF; a picture of text is read only with a recogniser."""

    def __init__(self, *, max_pages: int, recognizer: Recognizer | None = None) -> None:
        self._max_pages = max_pages
        self._recognizer = recognizer

    def load(self, raw: RawDocument) -> Document:
        """Return the text of all pages, each row of a table on one line."""
        pdf = self._opened(raw)
        try:
            bookmarks = _bookmarks(pdf)
            pages = _pages(pdf, self._recognizer)
            outline = Outline(pages)
            builder = DocumentBuilder(gap="\n")
            headings: tuple[str, ...] = ()
            above: Block | None = None
            for number, found in enumerate(pages, 1):
                if bookmarks:
                    titles, untitled = _titles(found, bookmarks.get(number, []))
                else:
                    titles, untitled = outline.titles(found), ()
                place = Place(page=number, headings=untitled or headings, line=1)
                headings = _write(builder, found, place, titles, above=above)
                above = found[-1] if found else None
            document = builder.document(raw, title=_title(pdf) or PurePosixPath(raw.id).stem)
        finally:
            pdf.close()
        if not document.text:
            raise DocumentError(_SCAN if self._recognizer is None else _UNREADABLE)
        return document

    def _opened(self, raw: RawDocument) -> pdfium.PdfDocument:
        try:
            pdf = pdfium.PdfDocument(raw.path)
        except pdfium.PdfiumError as error:
            if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
                raise DocumentError(
                    "is encrypted with a password; save a copy without one"
                ) from error
            raise DocumentError("is damaged: it cannot be opened as a PDF") from error
        if not 0 < len(pdf) <= self._max_pages:
            pages = len(pdf)
            pdf.close()
            raise DocumentError(
                f"has {pages} pages, expected 1 to {self._max_pages}; see max_pages of the loader"
            )
        return pdf


def _bookmarks(pdf: pdfium.PdfDocument) -> Mapping[int, list[tuple[str, ...]]]:
    """Return the heading paths that the outline names, by page."""
    pages = defaultdict(list)
    path: list[str] = []
    for bookmark in pdf.get_toc(max_depth=_MAX_DEPTH):
        title = " ".join(bookmark.get_title().split())
        del path[bookmark.level :]
        path.append(title)
        target = bookmark.get_dest()
        index = target.get_index() if target else None
        if title and index is not None:
            pages[index + 1].append(tuple(filter(None, path)))
    return pages


def _pages(pdf: pdfium.PdfDocument, recognizer: Recognizer | None) -> list[list[Block]]:
    """Return what stands on each page, words that run in another direction after the others."""
    sheets = [
        (index, columns) for index in range(len(pdf)) for columns in _sheets(pdf, index, recognizer)
    ]
    pages: list[list[Block]] = [[] for _ in range(len(pdf))]
    kept = without_running_lines([columns for _, columns in sheets])
    for (index, _), columns in zip(sheets, kept, strict=True):
        pages[index].extend(block for column in columns for block in blocks(column))
    return pages


def _sheets(
    pdf: pdfium.PdfDocument, index: int, recognizer: Recognizer | None
) -> list[list[list[Row]]]:
    """Return the columns of a page, by the direction that its words run in."""
    page = pdf[index]
    try:
        found = page_words(page)
        if not found and recognizer is not None and _shows_something(page):
            found = [recognizer.words(page)]
        return [page_rows(words) for words in found]
    finally:
        page.close()


def _shows_something(page: pdfium.PdfPage) -> bool:
    return next(iter(page.get_objects(max_depth=1)), None) is not None


def _write(
    builder: DocumentBuilder,
    found: Sequence[Block],
    place: Place,
    titles: Mapping[int, tuple[str, ...]],
    *,
    above: Block | None,
) -> tuple[str, ...]:
    """Write the page that begins at `place`; return the headings that hold at its end.

    Args:
        builder: of the whole document.
        found: what stands on the page.
        place: of its first line.
        titles: the path of each line that is a heading, by its number.
        above: what ended the page before.
    """
    number = 0
    for block in found:
        kind = PartKind.TABLE if block.is_table else PartKind.PARAGRAPH
        builder.start(kind)
        if block is found[0] and above is not None and goes_on(above, block):
            builder.continue_table()
        for position, line in enumerate(block.lines):
            number += 1
            if number not in titles:
                builder.write(f"{line}\n", place=place if number == 1 else None)
            else:
                place = replace(place, headings=titles[number], line=number)
                builder.start(kind if block.is_table else PartKind.HEADING)
                builder.write(f"{line}\n", place=place)
                if not block.is_table:
                    builder.start(kind)
            if position + 1 == block.header_lines:
                builder.end_header()
    return place.headings


def _titles(
    found: Sequence[Block], bookmarks: Iterable[tuple[str, ...]]
) -> tuple[dict[int, tuple[str, ...]], tuple[str, ...]]:
    """Find the lines that bookmarks point to.

    Return heading paths by line, and the path of a bookmark before them that is on no line.
    """
    lines = [line for block in found for line in block.lines]
    titles: dict[int, tuple[str, ...]] = {}
    untitled: tuple[str, ...] = ()
    searched = 0
    for path in bookmarks:
        number = next(
            (n for n in range(searched, len(lines)) if _is_title(lines[n], path[-1])), None
        )
        if number is not None:
            titles[number + 1] = path
            searched = number + 1
        elif not titles:
            untitled = path
    return titles, untitled


def _is_title(line: str, title: str) -> bool:
    """Tell whether `line` is a heading, or its first line; either may have a number before it."""
    shown, wanted = _bare(line), _bare(title)
    return bool(shown) and (shown == wanted or (len(shown) > 15 and wanted.startswith(shown)))


def _bare(text: str) -> str:
    return _NUMBER.sub("", "".join(filter(str.isalnum, text.lower())))


def _title(pdf: pdfium.PdfDocument) -> str:
    """Return the title in the file's own data, unless a program made it up."""
    title = " ".join(pdf.get_metadata_value("Title").split())
    return title if " " in title and not _MADE_UP.search(title) else ""
