"""Markdown, kept verbatim: the parser only says what stands on which line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

from citewell import Document, Part, PartKind, Place, Placed, RawDocument
from citewell_text.decoding import read_text, stem
from citewell_text.outline import Anchors, Outline, folded

_KINDS = {
    "heading_open": PartKind.HEADING,
    "paragraph_open": PartKind.PARAGRAPH,
    "blockquote_open": PartKind.PARAGRAPH,
    "html_block": PartKind.PARAGRAPH,
    "bullet_list_open": PartKind.LIST,
    "ordered_list_open": PartKind.LIST,
    "table_open": PartKind.TABLE,
    "fence": PartKind.CODE,
    "code_block": PartKind.CODE,
    "front_matter": PartKind.CODE,
}
_WHOLE = frozenset({PartKind.TABLE, PartKind.CODE})
_TITLE = re.compile(r"^title:[ \t]*(['\"]?)(.+?)\1[ \t]*$", re.MULTILINE)
_NAMED = re.compile(r"\s*\{\s*#([^\s{}]+)[^{}]*\}\s*$")
_LONG = 2000
_MARKUP = re.compile(r"[`*_\[\]<>&\\!~]")


class MarkdownLoader:
    """Reads CommonMark with GitHub's tables and YAML front matter."""

    def __init__(self, *, encoding: str | None = None) -> None:
        self._encoding = encoding
        self._blocks = MarkdownIt("commonmark").enable("table").use(front_matter_plugin)
        # Only blocks have lines; what is inside them stays as it is written.
        self._blocks.core.ruler.enableOnly(["normalize", "block"])
        self._inline = MarkdownIt("commonmark")

    def load(self, raw: RawDocument) -> Document:
        """Return the file's text with the headings and blocks found in it."""
        text = read_text(raw.path, encoding=self._encoding)
        tokens = self._blocks.parse(text)
        starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        starts[-1] = len(text)
        outline = Outline()
        places = tuple(self._places(tokens, starts, outline))
        return Document(
            id=raw.id,
            title=_front_title(tokens) or outline.title or stem(raw),
            text=text,
            places=places,
            parts=tuple(_parts(tokens, starts, text)),
            uri=raw.uri,
        )

    def _places(
        self, tokens: Sequence[Token], starts: Sequence[int], outline: Outline
    ) -> Iterator[Placed]:
        anchors = Anchors()
        at_top = True
        for position, token in enumerate(tokens):
            if token.type != "heading_open" or token.map is None:
                continue
            title, anchor = self._heading(tokens[position + 1].content, anchors)
            if token.level:
                continue  # inside a list or a quotation it opens no section
            line = token.map[0]
            if at_top and line:
                yield Placed(0, Place(line=1))
            at_top = False
            headings = outline.enter(int(token.tag[1]), title)
            yield Placed(starts[line], Place(line=line + 1, headings=headings, anchor=anchor))
        if at_top:
            yield Placed(0, Place(line=1))

    def _heading(self, content: str, anchors: Anchors) -> tuple[str, str]:
        """Return the words of a heading, and its anchor."""
        named = _NAMED.search(content)
        title = content[: named.start()] if named else content
        if len(title) < _LONG and _MARKUP.search(title):
            title = "".join(_words(self._inline.parseInline(title)))
        title = folded(title)
        return title, named[1] if named else anchors.name(title)


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.children:
            yield from _words(token.children)
        elif token.type in {"text", "code_inline", "text_special"}:
            yield token.content
        elif token.type in {"softbreak", "hardbreak"}:
            yield " "


def _front_title(tokens: Sequence[Token]) -> str | None:
    if not tokens or tokens[0].type != "front_matter":
        return None
    found = _TITLE.search(tokens[0].content)
    return found[2] if found else None


def _parts(tokens: Sequence[Token], starts: Sequence[int], text: str) -> Iterator[Part]:
    for kind, first, last in _blocks(tokens):
        start, end = starts[first], starts[last]
        end = start + len(text[start:end].rstrip())
        if start < end:
            # A header row and the rule below it.
            header_end = min(starts[first + 2], end) if kind is PartKind.TABLE else None
            yield Part(kind=kind, start=start, end=end, header_end=header_end)


def _blocks(tokens: Sequence[Token]) -> Iterator[tuple[PartKind, int, int]]:
    """Yield kind and lines `[first, last)` of each block; code and tables cut what holds them."""
    held: PartKind | None = None
    line = end = 0
    for token in tokens:
        kind = _KINDS.get(token.type)
        if kind is None or token.map is None:
            continue
        first, last = token.map
        if not token.level:
            if held and line < end:
                yield held, line, end
            held, line, end = kind, first, last
        elif kind in _WHOLE and held and line <= first:
            if line < first:
                yield held, line, first
            yield kind, first, last
            line = last
    if held and line < end:
        yield held, line, end
