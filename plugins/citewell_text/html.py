"""HTML as the text that a reader sees."""

from __future__ import annotations

import re
from typing import cast

from lxml import etree

from citewell import Document, DocumentBuilder, DocumentError, PartKind, Place, RawDocument
from citewell_text.decoding import read_text, stem
from citewell_text.outline import Outline, folded

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LISTS = frozenset({"ul", "ol", "menu"})
_BLOCKS = _HEADINGS | {
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details"),
    *("dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header"),
    *("hr", "legend", "main", "p", "section", "summary", "table", "tbody", "td", "tfoot", "th"),
    *("thead", "tr"),
}
_UNSEEN = frozenset({
    *("audio", "base", "button", "canvas", "datalist", "embed", "head", "iframe", "input", "link"),
    *("map", "math", "meta", "nav", "noscript", "object", "script", "select", "style", "svg"),
    *("template", "textarea", "title", "video"),
})
_UNSEEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_SELF_LINKS = frozenset({"¶", "#", "🔗", "§"})
_LAYOUT = (*_HEADINGS, "table", "pre")
_DECLARED = re.compile(
    rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE
)
# A longer text is not said again in each row of a cell that reaches over several.
_REPEATED_CHARS = 200
# Source: HTML Living Standard, 4.9.11, allows 1,000 columns and 65,534 rows; nobody reads so wide.
_MOST_COLUMNS, _MOST_ROWS = 64, 1000
_MOST_LINES = 65535
"""From this line on, libxml2 no longer says where an element stands."""


class HtmlLoader:
    """Reads HTML with libxml2's parser; nothing that a page names is fetched."""

    def __init__(self, *, encoding: str | None = None) -> None:
        self._encoding = encoding

    def load(self, raw: RawDocument) -> Document:
        """Return the text of the page, of its `<main>` alone where there is one."""
        text = read_text(raw.path, encoding=self._encoding, declared=_DECLARED)
        parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, no_network=True)
        try:
            page = etree.fromstring(text.encode("utf-8", "replace"), parser)
        except etree.XMLSyntaxError:
            page = None
        if any(entry.type_name == "ERR_NO_MEMORY" for entry in parser.error_log):
            raise MemoryError
        if page is None:
            raise DocumentError("holds no HTML")
        if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
            raise DocumentError("is nested too deeply to read")
        writer = _Writer()
        writer.write(_main(page))
        title = writer.outline.title or folded(page.findtext(".//title") or "") or stem(raw)
        return writer.builder.document(raw, title=title)


def _main(page: etree._Element) -> etree._Element:
    mains = [
        element for element in page.iter() if element.tag == "main" or element.get("role") == "main"
    ]
    return mains[0] if len(mains) == 1 else page


def _seen_text(element: etree._Element) -> str:
    """Return the text of an element as a reader sees it."""
    parts = []
    walker = etree.iterwalk(element, events=("start", "end", "comment", "pi"))
    for event, inner in walker:
        if event != "start":
            parts.append("" if inner is element else inner.tail)
        elif inner is element or _is_seen(inner):
            parts.append(inner.text)
        else:
            walker.skip_subtree()
    return "".join(part for part in parts if part and part.strip() not in _SELF_LINKS)


def _whole_number(element: etree._Element, attribute: str, default: int) -> int:
    value = element.get(attribute, "").strip()
    return int(value) if re.fullmatch(r"-?[0-9]{1,9}", value) else default


def _inner_text(element: etree._Element) -> str:
    return "".join(map(str, element.itertext()))


def _is_seen(element: etree._Element) -> bool:
    if element.tag in _UNSEEN or "hidden" in element.attrib:
        return False
    if element.get("aria-hidden") == "true" or element.get("role") == "navigation":
        return False
    if element.tag == "a" and folded(_inner_text(element)) in _SELF_LINKS:
        return False
    return not _UNSEEN_STYLE.search(element.get("style", ""))


class _Items:
    """Counts the items of an ordered list as a browser does."""

    def __init__(self, first: int, step: int) -> None:
        self._next, self._step = first, step

    @classmethod
    def of(cls, items: etree._Element) -> _Items:
        step = -1 if "reversed" in items.attrib else 1
        first = 1 if step > 0 else sum(1 for _ in items.iterchildren("li"))
        return cls(_whole_number(items, "start", first), step)

    def take(self, item: etree._Element) -> int:
        number = _whole_number(item, "value", self._next)
        self._next = number + self._step
        return number


class _Writer:
    """Walks through a page and writes down what is seen, and where."""

    def __init__(self) -> None:
        self.builder = DocumentBuilder()
        self.outline = Outline()
        self._headings: tuple[str, ...] = ()
        self._anchor: str | None = None
        self._line = 1
        self._place: Place | None = None
        self._lead = ""
        self._lists: list[_Items | None] = []
        self._table: etree._Element | None = None
        self._column = self._wide = 0
        self._from_above: dict[int, tuple[int, str]] = {}
        self._header_rows = False
        self._pre = 0

    def write(self, root: etree._Element) -> None:
        """Write what stands in `root`."""
        skipped: etree._Element | None = None
        walker = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
        for event, element in walker:
            if event == "start":
                self._stand(element)
                if _is_seen(element):
                    self._enter(element)
                    self._write(element.text)
                else:
                    self._line += _inner_text(element).count("\n")
                    skipped = element
                    walker.skip_subtree()
                continue
            if event != "end":
                self._line += (element.text or "").count("\n")
            elif element is skipped:
                skipped = None
            else:
                self._leave(element)
            if element is not root:
                self._write(element.tail)

    def _stand(self, element: etree._Element) -> None:
        line = cast("int | None", element.sourceline)  # which the stubs leave out
        if line is not None and line < _MOST_LINES:
            self._line = line

    # --- elements ----------------------------------------------------------------------------

    def _enter(self, element: etree._Element) -> None:
        tag = element.tag
        named = element.get("id") or (element.get("name") if tag == "a" else None)
        self._anchor = named or self._anchor
        if tag == "br":
            self._lead = " " if self._table is not None else "\n"
        elif self._table is not None:
            self._enter_in_table(element)
        elif tag == "table" and next(element.iterdescendants(*_LAYOUT), None) is None:
            self._table = element
            self._from_above.clear()
            self._header_rows = True
            self._start(PartKind.TABLE)
        elif tag in _HEADINGS:
            self._start(PartKind.HEADING)
            self._headings = self.outline.enter(int(tag[1]), folded(_seen_text(element)))
        elif tag == "pre":
            self._pre += 1
            self._start(PartKind.CODE)
        elif tag in _LISTS or tag == "li":
            self._enter_list(element)
        elif tag in _BLOCKS:
            self._break()

    def _enter_list(self, element: etree._Element) -> None:
        if element.tag != "li":
            if not self._lists:
                self._start(PartKind.LIST)
            self._lists.append(_Items.of(element) if element.tag == "ol" else None)
            return
        items = self._lists[-1] if self._lists else None
        bullet = "- " if items is None else f"{items.take(element)}. "
        self._lead = "\n" + "  " * (len(self._lists) - 1) + bullet

    def _enter_in_table(self, element: etree._Element) -> None:
        if element.tag == "tr":
            self._lead, self._column = "\n", 0
        elif element.tag in {"td", "th"}:
            self._enter_cell(element)
        elif element.tag in {"thead", "tbody", "tfoot"}:
            self._from_above.clear()
        elif element.tag in _BLOCKS or element.tag == "li":
            self._lead = self._lead or " "

    def _enter_cell(self, cell: etree._Element) -> None:
        """Begin a cell, behind those that reach down from the rows above."""
        self._write_from_above()
        room = _MOST_COLUMNS - self._column
        self._wide = max(1, min(_whole_number(cell, "colspan", 1), room))
        rows = min(_whole_number(cell, "rowspan", 1), _MOST_ROWS) - 1
        if rows > 0:
            text = folded(_seen_text(cell))
            for column in range(self._column, self._column + self._wide):
                self._from_above[column] = rows, text if len(text) <= _REPEATED_CHARS else ""
                text = ""
        self._next_column()

    def _write_from_above(self) -> None:
        while found := self._from_above.pop(self._column, None):
            rows, text = found
            if rows > 1:
                self._from_above[self._column] = rows - 1, text
            self._next_column()
            if text:
                self._emit(text)

    def _next_column(self) -> None:
        if self._column:
            self._lead = f"{self._lead.rstrip(' ')} | "
        self._column += 1

    def _leave(self, element: etree._Element) -> None:
        tag = element.tag
        if element is self._table:
            self._table = None
            self._start(PartKind.PARAGRAPH)
        elif self._table is not None:
            if tag == "tr":
                self._leave_row(element)
            elif tag in {"td", "th"}:
                for _ in range(1, self._wide):
                    self._next_column()
        elif tag in _LISTS and self._lists:
            self._lists.pop()
            if not self._lists:
                self._start(PartKind.PARAGRAPH)
        elif tag == "pre":
            self._pre -= 1
            self._start(PartKind.LIST if self._lists else PartKind.PARAGRAPH)
        elif tag in _BLOCKS:
            self._break()

    def _leave_row(self, row: etree._Element) -> None:
        self._write_from_above()
        cells = [cell.tag for cell in row.iterchildren("td", "th")]
        parent = row.getparent()
        is_header = parent is not None and parent.tag == "thead"
        self._header_rows &= is_header or set(cells) == {"th"}
        if self._header_rows:
            self.builder.end_header()

    def _start(self, kind: PartKind) -> None:
        self.builder.start(kind)
        self._lead = ""
        self._place = None

    def _break(self) -> None:
        if not self._lists:
            self._start(PartKind.PARAGRAPH)
        elif not self._lead:
            self._lead = "\n" + "  " * len(self._lists)

    # --- text --------------------------------------------------------------------------------

    def _write(self, text: str | None) -> None:
        for position, line in enumerate((text or "").split("\n")):
            if position:
                self._line += 1
                self._lead = "\n" if self._pre else self._lead or " "
            words = line if self._pre else folded(line)
            if not words:
                self._lead = self._lead or (" " if line else "")
                continue
            if line[:1].isspace() and not self._pre:
                self._lead = self._lead or " "
            self._emit(words)
            if line[-1:].isspace() and not self._pre:
                self._lead = " "

    def _emit(self, words: str) -> None:
        before, newline, lead = self._lead.rpartition("\n")
        if newline:
            self.builder.write(before + newline)
        place = Place(headings=self._headings, line=self._line, anchor=self._anchor)
        fresh = None if place == self._place and not newline else place
        self.builder.write(lead + words, place=fresh)
        self._place = place
        self._lead = ""
