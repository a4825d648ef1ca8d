"""Which sentences or rows of a stored text are closest to a claim."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from itertools import compress, groupby

from msgspec import Struct

from citewell.engine.citing.sentences import split_sentences
from citewell.engine.citing.spans import Span, trimmed
from citewell.engine.citing.tables import table_cells
from citewell.engine.citing.words import telling_words, words

# A quote longer than this is narrowed to the part that is closest to the claim.
MAX_QUOTE_CHARS = 1200
# Neighbours join up to this length.
_MAX_JOINED_CHARS = 600
_MAX_SENTENCE_CHARS = 400
# Lines of prose are about as wide as the widest; a line of a table is not, or is not as wide.
_PROSE_CHARS = 60
_FULL_LINE = 0.7
# A neighbour joins the window when it holds this share more of the claim's words.
_WORTH_JOINING = 0.2

_BAR = "|"
_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?!\s*\n)[^\n]+)*")
_WORD = re.compile(r"\S+")
_OWN_LINE = re.compile(r"\s*(?:\||[-*+•]\s|\d{1,3}[.)]\s|#|>)")
# Of a table whose rows have no outer bars; a line of prose may hold one by chance, hardly two.
_CELL_BORDER = re.compile(r"\s\|(?!\S)")
_FEWEST_ROWS = 2
# Between the header of a Markdown table and its rows.
_RULE = re.compile(r"(?=[^-]*-)(?=[^|]*\|)[|\s:-]+")
_STOP = re.compile(r"[.!?…][\"'”’)\]]*$")


class Window(Struct, frozen=True):
    """Neighbouring pieces of a text.

    Attributes:
        first: index of the first piece.
        last: index of the last piece.
        share: of the claim's telling words, how many stand in the window, in [0, 1].
    """

    first: int
    last: int
    share: float


class Windows:
    """A text in pieces, among which the closest to a claim is found.

    The row of a table says what its header says as well.
    """

    def __init__(
        self, text: str, spans: Sequence[Span], language: str, *, headed: bool = True
    ) -> None:
        """Read a text.

        Args:
            text: of a passage.
            spans: its pieces, in order.
            language: of the text.
            headed: whether the first row of a table is its header.
        """
        self.spans = tuple(spans)
        self._text = text
        self._headers = int(headed)
        self._language = language
        self._tables = tuple(_tables(text, self.spans))
        self._own = [self._read(text[start:end]) for start, end in spans]
        self._telling = list(self._own)
        for table in self._tables if headed else ():
            for row in table[1:]:
                self._telling[row] |= self._own[table[0]]

    def closest(self, claim: str, *, joined: bool = False) -> Window | None:
        """Return the piece closest to `claim`, or None when nothing can be compared.

        Args:
            claim: a sentence or a table row.
            joined: whether neighbours join that hold more of the claim.
        """
        wanted = self._read(claim)
        if not self.spans or not wanted:
            return None
        best = max(range(len(self.spans)), key=lambda piece: self._closeness(piece, wanted))
        first, last = best, best
        held = wanted & self._telling[best]
        while joined:
            neighbour = self._neighbour(first, last, wanted - held, len(wanted))
            if neighbour is None:
                break
            first, last = min(first, neighbour), max(last, neighbour)
            held |= wanted & self._telling[neighbour]
        return Window(first, last, len(held) / len(wanted))

    def span(self, window: Window, *, reach: int = 0) -> Span:
        """Return where a window stands, widened by `reach` pieces on both sides."""
        first = max(window.first - reach, 0)
        last = min(window.last + reach, len(self.spans) - 1)
        return self.spans[first][0], self.spans[last][1]

    def beside(self, claim: str, *, reach: int) -> list[Span]:
        """Return where what belongs to `claim` stands: the closest pieces, widened by `reach`.

        Of a table it is the header and the rows that the claim names, or else the closest row.
        """
        window = self.closest(claim, joined=True)
        if window is None:
            return list(self.spans)
        closest = self.closest(claim) or window
        table = next((table for table in self._tables if closest.first in table), None)
        if table is None:
            return [self.span(window, reach=reach)]
        rows = self._named(table[self._headers :], claim) or [closest.first]
        first, last = max(window.first - reach, 0), window.last + reach + 1
        prose = (piece for piece in range(len(self.spans))[first:last] if piece not in table)
        return [self.spans[piece] for piece in (*table[: self._headers], *rows, *prose)]

    def _named(self, rows: range, claim: str) -> list[int]:
        """Return the rows with words of `claim` that others lack, and no row with all of these."""
        wanted = {word for word in self._read(claim) if not word.isdecimal()}
        said = [own & wanted for own in self._said(rows)]
        parting = [own.difference(frozenset.intersection(*said)) for own in said]
        distinct = frozenset(parting)
        most = {own for own in distinct if own and not any(own < other for other in distinct)}
        return list(compress(rows, map(most.__contains__, parting)))

    def _said(self, rows: range) -> Iterator[frozenset[str]]:
        """Yield the words of each row; a blank first cell repeats the one above it."""
        name: frozenset[str] = frozenset()
        for row in rows:
            first = table_cells(self._text[slice(*self.spans[row])])[0]
            name = self._read(first) if any(words(first)) else name
            yield self._own[row] | name

    def _read(self, text: str) -> frozenset[str]:
        return telling_words(text, self._language)

    def _closeness(self, piece: int, wanted: frozenset[str]) -> tuple[int, int]:
        shared = len(wanted & self._telling[piece])
        return shared, -len(self._telling[piece])

    def _neighbour(self, first: int, last: int, missing: frozenset[str], total: int) -> int | None:
        """Return the neighbour of a window that is worth joining to it."""
        gains = {
            piece: len(missing & self._telling[piece])
            for piece in (first - 1, last + 1)
            if 0 <= piece < len(self.spans)
        }
        for piece in sorted(gains, key=gains.__getitem__, reverse=True):
            start = self.spans[min(first, piece)][0]
            end = self.spans[max(last, piece)][1]
            if gains[piece] >= _WORTH_JOINING * total and end - start <= _MAX_JOINED_CHARS:
                return piece
        return None


def sentence_spans(text: str, language: str) -> Iterator[Span]:
    """Yield sentences; list items, rows and lines of an overlong one, but of prose, stand alone."""
    for start, block in _paragraphs(text):
        if all(_OWN_LINE.match(block, first) for first, _ in _lines(block)):
            spans = _lines(block)
        else:
            spans = _rows_and_sentences(block, language)
        for first, last in spans:
            if not _RULE.fullmatch(block, first, last):
                yield start + first, start + last


def row_spans(text: str, language: str) -> Iterator[Span]:
    """Yield what may be a row: lines that follow one another or hold a bar, or sentences."""
    for start, block in _paragraphs(text):
        is_table = "\n" in block.strip() or _BAR in block
        for first, last in _lines(block) if is_table else _sentences(block, language):
            if not _RULE.fullmatch(block, first, last):
                yield start + first, start + last


def _tables(text: str, spans: Sequence[Span]) -> Iterator[range]:
    """Yield the pieces of each table: from the first row of a paragraph to its last."""
    starts = [start for start, _ in _paragraphs(text)]
    rows = (piece for piece, span in enumerate(spans) if _CELL_BORDER.search(text, *span))
    for _, run in groupby(rows, key=lambda piece: bisect(starts, spans[piece][0])):
        pieces = list(run)
        yield range(pieces[0], pieces[-1] + 1)


def narrowed(text: str, span: Span, claim: str) -> Span:
    """Return the part of an overlong span that is closest to `claim`, in whole words."""
    start, end = trimmed(text, *span)
    found = None
    if end - start > MAX_QUOTE_CHARS:
        from rapidfuzz import fuzz

        found = fuzz.partial_ratio_alignment(claim[:MAX_QUOTE_CHARS], text[start:end])
    if found is None:
        return start, end
    closest = range(start + found.dest_start, start + found.dest_end)[:MAX_QUOTE_CHARS]
    words = [
        word.span()
        for word in _WORD.finditer(text, start, end)
        if word.start() < closest.stop and closest.start < word.end()
    ]
    return (words[0][0], words[-1][1]) if words else (start, end)


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    for paragraph in _PARAGRAPH.finditer(text):
        yield paragraph.start(), paragraph[0]


def _rows_and_sentences(block: str, language: str) -> Iterator[Span]:
    lines = list(_lines(block))
    rows = {line for line in lines if _CELL_BORDER.search(block, *line)}
    if len(rows) < _FEWEST_ROWS:
        yield from _sentences(block, language)
        return
    for are_rows, run in groupby(lines, key=rows.__contains__):
        spans = list(run)
        start, end = spans[0][0], spans[-1][1]
        if are_rows:
            yield from spans
        else:
            for first, last in _sentences(block[start:end], language):
                yield start + first, start + last


def _sentences(block: str, language: str) -> Iterator[Span]:
    for start, end in split_sentences(block, language):
        if end - start <= _MAX_SENTENCE_CHARS:
            yield start, end
        else:
            for first, last in _rows_and_prose(block[start:end]):
                yield start + first, start + last


def _rows_and_prose(sentence: str) -> list[Span]:
    """Part an overlong sentence into the rows of a table without stops and the prose below it."""
    lines = list(_lines(sentence))
    widths = [last - first for first, last in lines]
    full = max(_PROSE_CHARS, _FULL_LINE * max(widths))
    rows = next((index for index in range(len(lines) - 1, 0, -1) if widths[index - 1] < full), 0)
    prose = lines[rows][0], lines[-1][1]
    is_prose = _STOP.search(sentence) and prose[1] - prose[0] <= MAX_QUOTE_CHARS
    return [*lines[:rows], prose] if is_prose else lines


def _lines(block: str) -> Iterator[Span]:
    start = 0
    for line in block.split("\n"):
        first, last = trimmed(block, start, start + len(line))
        if first < last:
            yield first, last
        start += len(line) + 1
