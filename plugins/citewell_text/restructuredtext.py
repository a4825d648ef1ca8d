"""reStructuredText, kept verbatim: the parser only says what stands on which line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, takewhile

from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.parsers.rst.states import Inliner
from docutils.utils import new_document

from citewell import Document, DocumentError, Part, PartKind, Place, Placed, RawDocument
from citewell_text.decoding import read_text, stem
from citewell_text.outline import Outline, folded

_SETTINGS = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "halt_level": 5,
    "line_length_limit": 10_000_000,
    "raw_enabled": False,
    "report_level": 5,
    "syntax_highlight": "none",
    "warning_stream": False,
}
_MARKUP = re.compile(r"(?::[\w:.+-]+:)?(`{1,2}|\*{1,2})(.+?)(?:\s+<[^<>]*>)?\1_{0,2}")
_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1+\s*")
_SIMPLE_RULE = re.compile(r"\s*=+( +=+)*\s*")
_GRID_LINE = re.compile(r"\s*[+|]")


class RestructuredTextLoader:
    """Reads reStructuredText without ever opening another file or address."""

    def __init__(self, *, encoding: str | None = None) -> None:
        self._encoding = encoding
        self._parser = Parser(inliner=_Verbatim())
        self._settings = get_default_settings(Parser)
        for name, value in _SETTINGS.items():
            setattr(self._settings, name, value)

    def load(self, raw: RawDocument) -> Document:
        """Return the file's text with the sections, code and tables found in it."""
        text = read_text(raw.path, encoding=self._encoding)
        tree = new_document("file", self._settings)
        try:
            self._parser.parse(text, tree)
        except Exception as error:  # - docutils lets through its own mistakes
            raise DocumentError(f"cannot be parsed by docutils: {error!r:.100}") from error
        lines = text.split("\n")
        starts = [0, *accumulate(len(line) + 1 for line in lines)]
        starts[-1] = len(text)
        outline = Outline()
        places, headings = _sections(tree, lines, starts, outline)
        blocks = sorted([*headings, *_code(tree, lines), *_tables(tree, lines)], key=_first_line)
        return Document(
            id=raw.id,
            title=outline.title or stem(raw),
            text=text,
            places=tuple(places),
            parts=tuple(_parts(blocks, starts, text)),
            uri=raw.uri,
        )


class _Verbatim(Inliner):
    """Leaves the insides of paragraphs alone: they have no lines of their own."""

    def init_customizations(self, settings: object) -> None:
        """Take the patterns of the base class, which a subclass cannot prepare."""
        prepared = Inliner()
        prepared.init_customizations(settings)
        self.__dict__.update(vars(prepared))

    def parse(
        self, text: str, _lineno: int, _memo: object, _parent: nodes.Element
    ) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return `text` as it is."""
        return [nodes.Text(text)], []


# A stretch of lines `[first, last)`; of a table, the first line below its header.
_Block = tuple[PartKind, int, int, int | None]


def _first_line(block: _Block) -> int:
    return block[1]


def _sections(
    tree: nodes.document, lines: Sequence[str], starts: Sequence[int], outline: Outline
) -> tuple[list[Placed], list[_Block]]:
    places = [Placed(0, Place(line=1))]
    headings: list[_Block] = []
    for section in tree.findall(nodes.section):
        under = (section.line or 0) - 1  # the line below the title
        if not 0 < under < len(lines):
            continue
        first = under - 1
        if first and _ADORNMENT.fullmatch(lines[first - 1]):
            first -= 1
        source = lines[under - 1].strip()
        title = folded(_MARKUP.sub(r"\2", source))
        anchor = section["ids"][0] if title == source else nodes.make_id(title)
        path = outline.enter(_depth(section), title)
        if places[-1].start == starts[first]:
            places.pop()
        places.append(
            Placed(starts[first], Place(line=first + 1, headings=path, anchor=anchor or None))
        )
        headings.append((PartKind.HEADING, first, under + 1, None))
    return places, headings


def _depth(section: nodes.section) -> int:
    depth = 1
    parent = section.parent
    while isinstance(parent, nodes.section):
        depth += 1
        parent = parent.parent
    return depth


def _code(tree: nodes.document, lines: Sequence[str]) -> Iterator[_Block]:
    for literal in tree.findall(nodes.literal_block):
        code = [line.strip() for line in literal.astext().split("\n")]
        near = literal.line or 0
        # docutils counts to the beginning of some blocks and to the end of others.
        for first in range(max(near - len(code) - 4, 0), near + 3):
            if [line.strip() for line in lines[first : first + len(code)]] == code:
                yield PartKind.CODE, first, first + len(code), None
                break


def _tables(tree: nodes.document, lines: Sequence[str]) -> Iterator[_Block]:
    for table in tree.findall(nodes.table):
        first = (table.line or 0) - 1
        if not 0 <= first < len(lines):
            continue
        headed = next(iter(table.findall(nodes.thead)), None) is not None
        if _SIMPLE_RULE.fullmatch(lines[first]):
            rules = [n for n in range(first, len(lines)) if _SIMPLE_RULE.fullmatch(lines[n])]
            rules = rules[: 3 if headed else 2]
            below_header = rules[1:2]
        else:
            grid = takewhile(lambda n: _GRID_LINE.match(lines[n]), range(first, len(lines)))
            rules = list(grid)
            below_header = [n for n in rules if lines[n].lstrip().startswith("+=")]
        if len(rules) > 1:
            below = below_header[0] + 1 if headed and below_header else None
            yield PartKind.TABLE, first, rules[-1] + 1, below


def _parts(blocks: Sequence[_Block], starts: Sequence[int], text: str) -> Iterator[Part]:
    position = 0
    for kind, first, last, below_header in blocks:
        start = starts[first]
        end = start + len(text[start : starts[last]].rstrip())
        if position <= start < end:
            header_end = None if below_header is None else min(starts[below_header], end)
            yield Part(kind=kind, start=start, end=end, header_end=header_end)
            position = end
