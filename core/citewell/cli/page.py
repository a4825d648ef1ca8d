"""Lays out blocks as lines; how a line looks is left to whoever prints it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import singledispatch
from typing import TypeAlias

from msgspec import Struct

from citewell.blocks import (
    Actions,
    Block,
    Code,
    Heading,
    Inline,
    Json,
    Mark,
    NearestList,
    Notice,
    Quote,
    Source,
    SourceList,
    Style,
    Table,
    Text,
)
from citewell.cli.wording import link, location, place_in, safe, safe_line, safe_title
from citewell.types.documents import Place

_INDENT = "    "
# A line of a source that is at least this long was probably wrapped, and is not a row of something.
_WRAPPED = 40


class Look(StrEnum):
    """What a piece of a line is."""

    PLAIN = "plain"
    STRONG = "strong"
    EMPHASIS = "emphasis"
    CODE = "code"
    MARK = "mark"
    NOTICE = "notice"
    FAINT = "faint"


_LOOKS = {
    Style.PLAIN: Look.PLAIN,
    Style.STRONG: Look.STRONG,
    Style.EMPHASIS: Look.EMPHASIS,
}


class Piece(Struct, frozen=True):
    """A stretch of a line in one look, already safe to print."""

    text: str
    look: Look = Look.PLAIN
    link: str | None = None


class Line(Struct, frozen=True):
    """A line, or a paragraph that wraps.

    Attributes:
        first: stands before it.
        rest: stands before each further line that it wraps into.
        is_verbatim: whether it must not wrap.
    """

    pieces: tuple[Piece, ...] = ()
    first: str = ""
    rest: str = ""
    is_verbatim: bool = False


class Grid(Struct, frozen=True):
    """A table; each row has as many cells as the header."""

    header: tuple[tuple[Piece, ...], ...]
    rows: tuple[tuple[tuple[Piece, ...], ...], ...]


Row: TypeAlias = Line | Grid

_BLANK = Line()


def page(blocks: Sequence[Block], *, reflows: bool = False, where: str = "") -> Iterator[Row]:
    """Yield the lines of `blocks`.

    Args:
        blocks: of one answer.
        reflows: whether the wrapped lines of a quote are joined, to be wrapped anew.
        where: options that end every hint.
    """
    above: Block | None = None
    for block in blocks:
        if isinstance(block, SourceList):
            rows = list(_sources(block, reflows=reflows))
        elif isinstance(block, Actions):
            rows = list(_hints(block, where))
        else:
            rows = list(_rows(block))
        if above is not None and rows and not _belong_together(above, block):
            yield _BLANK
        yield from rows
        above = block if rows else above


def _belong_together(above: Block, below: Block) -> bool:
    if isinstance(above, Text) and isinstance(below, Text):
        return bool(above.marker and below.marker)
    return isinstance(above, Notice) and isinstance(below, Actions)


@singledispatch
def _rows(block: Block) -> Iterable[Row]:
    raise TypeError(f"no way to print a block of type {type(block).__name__}")


@_rows.register
def _(block: Text) -> Iterable[Row]:
    indent = "  " * block.depth
    marker = f"{block.marker} " if block.marker else ""
    rest = marker if block.marker == ">" else " " * len(marker)
    yield Line(_pieces(block.inlines), safe(indent + marker), indent + rest)


@_rows.register
def _(block: Heading) -> Iterable[Row]:
    yield Line(
        tuple(
            Piece(piece.text, Look.STRONG) if piece.look is not Look.MARK else piece
            for piece in _pieces(block.inlines)
        )
    )


@_rows.register
def _(block: Code) -> Iterable[Row]:
    for line in safe(block.text).split("\n"):
        yield Line((Piece(line, Look.CODE),), _INDENT, is_verbatim=True)


@_rows.register
def _(block: Table) -> Iterable[Row]:
    yield Grid(
        tuple(map(_pieces, block.header)),
        tuple(tuple(map(_pieces, row)) for row in block.rows),
    )


@_rows.register
def _(block: Quote) -> Iterable[Row]:
    yield from quoted(block.citation.quote)


@_rows.register
def _(block: NearestList) -> Iterable[Row]:
    yield Line((Piece("Nearest", Look.STRONG),))
    for nearest in block.nearest:
        yield Line(pointer(nearest.title, nearest.uri, nearest.place), "  - ", _INDENT)


@_rows.register
def _(block: Notice) -> Iterable[Row]:
    yield Line((Piece(safe_line(block.text), Look.NOTICE),))


@_rows.register
def _(block: Json) -> Iterable[Row]:
    for line in safe(block.text).split("\n"):
        yield Line((Piece(line),), is_verbatim=True)


def _hints(block: Actions, where: str) -> Iterator[Row]:
    for action in block.actions:
        # The other actions are buttons, for which a terminal has no place.
        if action.name == "why":
            yield Line((Piece(safe(f"citewell why {action.answer_id}{where}"), Look.FAINT),))


def _sources(block: SourceList, *, reflows: bool) -> Iterator[Row]:
    yield Line((Piece("Sources", Look.STRONG),))
    for source in block.sources:
        first = source.citations[0]
        yield Line(
            (
                Piece(f"[{source.number}]", Look.MARK),
                Piece(" "),
                *pointer(first.title, first.uri, first.place),
            ),
            rest=_INDENT,
        )
        if block.quoted:
            yield from _quotes(source, reflows=reflows)


def _quotes(source: Source, *, reflows: bool) -> Iterator[Row]:
    place = source.citations[0].place
    for citation in source.citations:
        if citation.place != place:
            place = citation.place
            yield Line(
                (Piece(safe_title(place_in(citation.title, place)), Look.FAINT),), _INDENT, _INDENT
            )
        yield from quoted(citation.quote, reflows=reflows)


def quoted(text: str, indent: str = _INDENT, *, reflows: bool = False) -> Iterator[Row]:
    """Yield the lines of a quotation of stored text."""
    shown = safe(text)
    gutter = f"{indent}│ "
    for line in _reflowed(shown) if reflows else shown.split("\n"):
        yield Line((Piece(line),), gutter, gutter)


def _reflowed(text: str) -> list[str]:
    """Join the lines of a wrapped paragraph, which would else wrap a second time."""
    lines = [""]
    for line in text.split("\n"):
        if len(lines[-1]) >= _WRAPPED and line.strip() and "|" not in line:
            lines[-1] = f"{lines[-1].rstrip()} {line.lstrip()}"
        else:
            lines.append(line)
    return lines[1:]


def pointer(title: str, uri: str | None, place: Place) -> tuple[Piece, ...]:
    """Return title, place and address of a stored source, linked to it."""
    opens = link(uri, place)
    words = place_in(title, place)
    address = location(uri, place)
    return (
        Piece(safe_title(title), Look.STRONG, opens),
        Piece(f", {safe_title(words)}" if words else ""),
        Piece("  " if address else ""),
        Piece(safe_line(address), Look.FAINT, opens),
    )


def _pieces(inlines: Sequence[Inline]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    for inline in inlines:
        if isinstance(inline, Mark):
            follows = pieces and not pieces[-1].text.endswith((" ", "\n", "]"))
            pieces.append(Piece(f"{' ' if follows else ''}[{inline.number}]", Look.MARK))
        elif inline.style is Style.CODE:
            # Only its backticks tell `x[1]` from a citation mark, where there is no colour.
            pieces.append(Piece(f"`{safe(inline.text)}`", Look.CODE))
        else:
            pieces.append(Piece(safe(inline.text), _LOOKS[inline.style]))
    return tuple(pieces)
