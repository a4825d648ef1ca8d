"""Documents cut into passages along their own structure.

A passage is a stretch of the document's text, so its span is exact. It never runs over the edge of
a page, slide or worksheet, nor into another section. `max_chars` bounds what stands below the
headings of a passage; the headings come on top, so that they never part from what follows. Tables
and code may be half as long again before they are cut, and a short text before them, which says
what they show and in which unit, stays with them.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import sentencex

from citewell.types.documents import (
    Document,
    Labels,
    Part,
    PartKind,
    Passage,
    Place,
    Placed,
    moved_down,
)

SPLITTER_VERSION = 2
"""Raise it when the same document would give other passages."""

_BLOCKS = frozenset({PartKind.TABLE, PartKind.CODE})
_BLANK_LINE = re.compile(r"\n\s*\n")
_LINE = re.compile(r"\n")
_LIST_ITEM = re.compile(r"\n(?=[ \t]*(?:[-*+\u2022\u2023\u25e6\u2013]|\d{1,9}[.)])\s)")
_WORD = re.compile(r"\s+")


class _Unit(NamedTuple):
    """A stretch that is kept whole, without blank space at its ends.

    `leaf` counts the pages, slides or worksheets before it. `is_block` is true of tables and code,
    `is_cut` of the parts of one, which do not mix with what follows.
    """

    start: int
    end: int
    leaf: int
    is_heading: bool = False
    is_block: bool = False
    is_cut: bool = False
    header: str = ""


class Cut(NamedTuple):
    """Where a passage stands in the text, and the table header that belongs to it."""

    start: int
    end: int
    header: str = ""


def split(
    document: Document, *, library: str, labels: Labels, max_chars: int = 1200
) -> tuple[Passage, ...]:
    """Cut `document`, and return its passages."""
    cuts = cut(document, max_chars=max_chars)
    return passages(document, cuts, library=library, labels=labels)


def cut(document: Document, *, max_chars: int) -> tuple[Cut, ...]:
    """Return where the passages of `document` are, in the order of its text.

    Every character but blank space is in exactly one passage. The same document gives the same
    passages.

    Args:
        document: as a loader made it.
        max_chars: of one passage, headings not counted.
    """
    units = _units(document, _edges(document.places), max_chars)
    return tuple(_packed(units, max_chars))


def passages(
    document: Document, cuts: Iterable[Cut], *, library: str, labels: Labels
) -> tuple[Passage, ...]:
    """Return the passages of `document` at `cuts`, which are in the order of its text.

    Args:
        document: that was cut.
        cuts: of it.
        library: put before the document's id, with a colon.
        labels: who may read the passages.
    """
    document_id = f"{library}:{document.id}"
    identity = hashlib.blake2b(f"{document_id}\0".encode("utf-8", "surrogatepass"), digest_size=16)
    places = _Places(document)
    made = []
    for start, end, header in cuts:
        text = document.text[start:end]
        named = identity.copy()
        named.update(f"{start}\0{end}\0{text}".encode("utf-8", "surrogatepass"))
        made.append(
            Passage(
                id=named.hexdigest(),
                document_id=document_id,
                title=document.title,
                text=text,
                start=start,
                end=end,
                places=places.between(start, end),
                labels=labels,
                uri=document.uri,
                header=header,
                language=document.language,
            )
        )
    return tuple(made)


# --- units -----------------------------------------------------------------------------------


def _edges(places: Sequence[Placed]) -> list[int]:
    """Return where another page, slide or worksheet begins."""
    edges = []
    before: Place | None = None
    for placed in places:
        place = placed.place
        if before is not None and (
            place.page != before.page or place.slide != before.slide or place.sheet != before.sheet
        ):
            edges.append(placed.start)
        before = place
    return edges


def _units(document: Document, edges: Sequence[int], max_chars: int) -> Iterator[_Unit]:
    for part in _parts(document):
        inner = edges[bisect_right(edges, part.start) : bisect_right(edges, part.end - 1)]
        header_end = min(part.header_end or part.start, part.end)
        above, below = part.header or (part.start, header_end)
        header = document.text[above:below].strip()
        for span in _stripped(document.text, part.start, inner, part.end):
            pieces = _pieces(document, part.kind, span, max_chars)
            is_whole = len(pieces) == 1
            is_block = part.kind in _BLOCKS
            for start, end in pieces:
                is_below = part.header is not None or start >= header_end > part.start
                follows = len(header) <= max_chars and is_below
                yield _Unit(
                    start=start,
                    end=end,
                    leaf=bisect_right(edges, start),
                    is_heading=part.kind is PartKind.HEADING and is_whole,
                    is_block=is_block,
                    is_cut=is_block and (bool(inner) or not is_whole),
                    header=header if follows else "",
                )


def _pieces(
    document: Document, kind: PartKind, span: tuple[int, int], max_chars: int
) -> list[tuple[int, int]]:
    length = span[1] - span[0]
    if length <= (max_chars * 3 // 2 if kind in _BLOCKS else max_chars):
        return [span]
    limit = _even(length, max_chars) if kind is PartKind.TABLE else max_chars
    return _cut(document.text, span, limit, _levels(kind, document.language))


def _even(length: int, limit: int) -> int:
    """Return a bound that cuts `length` into parts of about one size, without a stray last row."""
    return min(limit, length // -(-length // limit) + limit // 8)


def _parts(document: Document) -> Iterator[Part]:
    """Yield the parts, and the paragraphs of the text between them."""
    position = 0
    for part in document.parts:
        start = max(part.start, position)
        if start >= part.end:
            continue
        yield from _paragraphs(document.text, position, start)
        yield part if start == part.start else Part(kind=part.kind, start=start, end=part.end)
        position = part.end
    yield from _paragraphs(document.text, position, len(document.text))


def _paragraphs(text: str, start: int, end: int) -> Iterator[Part]:
    if start < end and not text[start:end].isspace():
        cuts = (match.start() for match in _BLANK_LINE.finditer(text, start, end))
        for first, last in _stripped(text, start, cuts, end):
            yield Part(kind=PartKind.PARAGRAPH, start=first, end=last)


def _stripped(text: str, start: int, cuts: Iterable[int], end: int) -> Iterator[tuple[int, int]]:
    """Yield the spans between `start`, each of `cuts` and `end`, without blank ends."""
    for cut in (*cuts, end):
        stretch = text[start:cut]
        bare = stretch.strip()
        if bare:
            first = start + stretch.index(bare[0])
            yield first, first + len(bare)
        start = cut


# --- cutting what is too long ----------------------------------------------------------------

_Level: TypeAlias = Callable[[str, int, int], Iterable[int]]


def _matches(pattern: re.Pattern[str]) -> _Level:
    def cuts(text: str, start: int, end: int) -> Iterator[int]:
        return (match.start() for match in pattern.finditer(text, start + 1, end))

    return cuts


def _sentences(language: str) -> _Level:
    known = language.encode("utf-8", "replace").decode()

    def cuts(text: str, start: int, end: int) -> Iterator[int]:
        # sentencex refuses lone surrogates; a question mark is as long as one.
        stretch = text[start:end].encode("utf-8", "replace").decode()
        found = sentencex.get_sentence_boundaries(known, stretch)
        return (start + boundary["end_index"] for boundary in found[:-1])

    return cuts


_BLANK_LINES = _matches(_BLANK_LINE)
_LINES = _matches(_LINE)
_ITEMS = _matches(_LIST_ITEM)
_WORDS = _matches(_WORD)


def _levels(kind: PartKind, language: str) -> tuple[_Level, ...]:
    """Return where a part of this kind may be cut, the best places first."""
    if kind is PartKind.TABLE:
        return (_LINES, _WORDS)
    if kind is PartKind.CODE:
        return (_BLANK_LINES, _LINES, _WORDS)
    prose = (_sentences(language), _LINES, _WORDS)
    return (_ITEMS, *prose) if kind is PartKind.LIST else (_BLANK_LINES, *prose)


def _cut(
    text: str, span: tuple[int, int], limit: int, levels: tuple[_Level, ...]
) -> list[tuple[int, int]]:
    """Cut `span` at the first level into the fewest pieces of at most `limit`, then deeper."""
    start, end = span
    if not levels:
        return [(at, min(at + limit, end)) for at in range(start, end, limit)]
    pieces: list[tuple[int, int]] = []
    for stretch in _stripped(text, start, levels[0](text, start, end), end):
        finer = [stretch]
        if stretch[1] - stretch[0] > limit:
            finer = _cut(text, stretch, limit, levels[1:])
        for piece in finer:
            if pieces and piece[1] - pieces[-1][0] <= limit:
                pieces[-1] = (pieces[-1][0], piece[1])
            else:
                pieces.append(piece)
    return pieces


# --- packing ---------------------------------------------------------------------------------


def _packed(units: Iterable[_Unit], max_chars: int) -> Iterator[Cut]:
    """Join neighbouring units into passages."""
    group: list[_Unit] = []
    for unit in units:
        if group and not _joins(group, unit, max_chars):
            yield Cut(group[0].start, group[-1].end, group[-1].header)
            group = []
        group.append(unit)
    if group:
        yield Cut(group[0].start, group[-1].end, group[-1].header)


def _joins(group: Sequence[_Unit], unit: _Unit, max_chars: int) -> bool:
    last = group[-1]
    if unit.leaf != last.leaf or last.is_cut:
        return False
    if last.is_heading:
        return not unit.is_heading or unit.end - group[0].start <= max_chars
    if unit.is_heading:
        return False
    body = next(member.start for member in group if not member.is_heading)
    introduces = unit.is_block and not last.is_block and last.end - body <= max_chars // 4
    return introduces or (not unit.is_cut and unit.end - body <= max_chars)


class _Places:
    """Re-bases a document's places for one passage after another, each line counted once."""

    def __init__(self, document: Document) -> None:
        self._text = document.text
        self._places = document.places or (Placed(0, Place()),)
        self._index = 0
        self._counted = self._places[0].start
        self._lines = 0

    def between(self, start: int, end: int) -> tuple[Placed, ...]:
        """Return the places of `[start, end)`; `start` must not go backwards."""
        places = self._places
        index = self._index
        while index + 1 < len(places) and places[index + 1].start <= start:
            index += 1
        if index != self._index:
            self._index, self._counted, self._lines = index, places[index].start, 0
        first = places[index]
        if first.place.line is not None and start > self._counted:
            self._lines += self._text.count("\n", self._counted, start)
            self._counted = start
        follows = index + 1
        while follows < len(places) and places[follows].start < end:
            follows += 1
        rebased = Placed(start, moved_down(first.place, self._lines))
        return (rebased, *places[index + 1 : follows])
