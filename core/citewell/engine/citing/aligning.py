"""From what a model wrote to the offsets of stored text.

Whatever is found is a span of the stored text itself; nothing of the model's spelling survives.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from rapidfuzz import fuzz

from citewell.engine.citing.sentences import split_sentences
from citewell.engine.citing.words import telling_words

Span = tuple[int, int]

# A quote longer than this is narrowed to the part that is closest to the claim.
MAX_QUOTE_CHARS = 600
_MAX_UNIT_CHARS = 400
# A neighbouring sentence joins the quote when it holds this share more of the claim's words.
_WORTH_JOINING = 0.2

_SAME = str.maketrans({
    **dict.fromkeys("“”„‟«»″＂", '"'),
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
    "…": "...",
    "\u00ad": None,
})
_PARAGRAPH = re.compile(r"[^\n]+(?:\n(?!\s*\n)[^\n]+)*")
_OWN_LINE = re.compile(r"\s*(?:\||[-*+•]\s|\d{1,3}[.)]\s|#|>)")
_ELISION = re.compile(r"\s*(?:\[\s*)?(?:\.\.\.|…)(?:\s*\])?\s*")


class Folding(Enum):
    """How much spelling is ignored."""

    SPACE = "blank space"
    FORM = "compatibility forms, quotes, dashes, soft hyphens, blank space"
    LETTERS = "everything but letters and digits"


@dataclass(frozen=True, slots=True)
class _Folded:
    """Folded text; `origin[i]` is where its character `i` stands in the original."""

    text: str
    origin: tuple[int, ...]


class Aligner:
    """Finds things in one stored text."""

    def __init__(self, text: str, language: str) -> None:
        self.text = text
        self._language = language
        self._folded: dict[Folding, _Folded] = {}
        self._units: tuple[Span, ...] | None = None
        self._telling: tuple[frozenset[str], ...] = ()

    @property
    def units(self) -> tuple[Span, ...]:
        """Sentences, table rows and list items, in order."""
        if self._units is None:
            self._units = tuple(_units(self.text, self._language))
            self._telling = tuple(
                telling_words(self.text[start:end], self._language) for start, end in self._units
            )
        return self._units

    def find(self, quotation: str, *, folding: Sequence[Folding] = tuple(Folding)) -> Span | None:
        """Return where `quotation` stands, under the mildest folding that finds it.

        It must begin and end at the borders of words. The span is the first that fits.
        """
        for fold in folding:
            span = self._find(quotation, fold)
            if span is not None:
                return span
        return None

    def find_code(self, code: str) -> Span | None:
        """Return where lines of code stand together, blank space aside, with their indentation."""
        span = self._find(code, Folding.SPACE, border=_is_code_border)
        if span is None:
            return None
        start = span[0]
        while start and self.text[start - 1] in " \t":
            start -= 1
        at_line_start = not start or self.text[start - 1] == "\n"
        return (start if at_line_start else span[0]), span[1]

    def find_elided(self, quotation: str) -> tuple[Span, ...]:
        """Return where the parts of a quotation stand, in order; empty when one is missing."""
        spans: list[Span] = []
        for part in filter(None, _ELISION.split(quotation)):
            span = self.find(part)
            if span is None or (spans and span[0] < spans[-1][1]):
                return ()
            spans.append(span)
        return tuple(spans)

    def best_window(self, claim: str, *, alone: bool = False) -> tuple[Span, float]:
        """Return the sentence, or unless `alone` neighbouring sentences, closest to `claim`.

        With it goes the share of the claim's telling words that stand in the window, in [0, 1].
        """
        wanted = telling_words(claim, self._language)
        if not self.units or not wanted:
            return self._narrowed((0, len(self.text)), claim), 0.0
        best = max(range(len(self.units)), key=lambda unit: self._closeness(unit, wanted))
        first, last = best, best
        held = wanted & self._telling[best]
        while not alone:
            joined = self._neighbour(first, last, wanted - held, len(wanted))
            if joined is None:
                break
            first, last = min(first, joined), max(last, joined)
            held |= wanted & self._telling[joined]
        span = self.units[first][0], self.units[last][1]
        return self._narrowed(span, claim), len(held) / len(wanted)

    def _closeness(self, unit: int, wanted: frozenset[str]) -> tuple[int, float]:
        shared = len(wanted & self._telling[unit])
        return shared, shared / (len(self._telling[unit]) or 1)

    def _neighbour(self, first: int, last: int, missing: frozenset[str], total: int) -> int | None:
        """Return the neighbour of a window that is worth joining to it."""
        gains = {
            unit: len(missing & self._telling[unit])
            for unit in (first - 1, last + 1)
            if 0 <= unit < len(self.units)
        }
        for unit in sorted(gains, key=gains.__getitem__, reverse=True):
            start = self.units[min(first, unit)][0]
            end = self.units[max(last, unit)][1]
            if gains[unit] >= _WORTH_JOINING * total and end - start <= MAX_QUOTE_CHARS:
                return unit
        return None

    def _narrowed(self, span: Span, claim: str) -> Span:
        """Return the part of an overlong span that is closest to `claim`, in whole words."""
        start, end = span
        if end - start <= MAX_QUOTE_CHARS:
            return _trimmed(self.text, start, end)
        found = fuzz.partial_ratio_alignment(claim[:MAX_QUOTE_CHARS], self.text[start:end])
        if found is not None and found.dest_end > found.dest_start:
            start, end = start + found.dest_start, start + found.dest_end
        end = min(end, start + MAX_QUOTE_CHARS)
        while start > span[0] and not self.text[start - 1].isspace():
            start -= 1
        while end < span[1] and not self.text[end].isspace():
            end += 1
        return _trimmed(self.text, start, end)

    def _find(
        self, quotation: str, folding: Folding, border: Callable[[str, int], bool] | None = None
    ) -> Span | None:
        if folding not in self._folded:
            self._folded[folding] = _fold(self.text, folding)
        stored = self._folded[folding]
        wanted = _fold(quotation, folding).text.strip()
        is_border = border or _is_border
        at = stored.text.find(wanted) if wanted else -1
        while at >= 0:
            start = stored.origin[at]
            end = stored.origin[at + len(wanted) - 1] + 1
            if is_border(self.text, start) and is_border(self.text, end):
                return start, end
            at = stored.text.find(wanted, at + 1)
        return None


def _is_border(text: str, offset: int) -> bool:
    """Tell whether no word runs across `offset`."""
    if not 0 < offset < len(text):
        return True
    return not (text[offset - 1].isalnum() and text[offset].isalnum())


def _is_code_border(text: str, offset: int) -> bool:
    """Tell whether a piece of code may begin or end at `offset`: at a blank, or at a delimiter."""
    if not 0 < offset < len(text):
        return True
    before, after = text[offset - 1], text[offset]
    return before.isspace() or after.isspace() or "`" in {before, after} or '"' in {before, after}


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _fold(text: str, folding: Folding) -> _Folded:
    folded: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        for piece in _folded_character(character, folding):
            if not piece.isspace():
                folded.append(piece)
            elif not folded or folded[-1] != " ":
                folded.append(" ")
            else:
                continue
            origin.append(index)
    return _Folded("".join(folded), tuple(origin))


@lru_cache(maxsize=8192)
def _folded_character(character: str, folding: Folding) -> str:
    if folding is Folding.SPACE:
        return character
    form = unicodedata.normalize("NFKD", character.translate(_SAME)).translate(_SAME)
    form = "".join(c for c in form if not unicodedata.combining(c))
    if folding is Folding.LETTERS:
        return "".join(c for c in form.casefold() if c.isalnum())
    return form


def _units(text: str, language: str) -> Iterator[Span]:
    for paragraph in _PARAGRAPH.finditer(text):
        block = paragraph[0]
        lines = list(_lines(block))
        if all(_OWN_LINE.match(block, start) for start, _ in lines):
            spans = lines
        else:
            spans = list(_sentences(block, language))
        for start, end in spans:
            yield paragraph.start() + start, paragraph.start() + end


def _sentences(block: str, language: str) -> Iterator[Span]:
    for start, end in split_sentences(block, language):
        if end - start <= _MAX_UNIT_CHARS or "\n" not in block[start:end]:
            yield start, end
        else:
            # A table of a PDF has no full stops: each line is a row.
            for first, last in _lines(block[start:end]):
                yield start + first, start + last


def _lines(block: str) -> Iterator[Span]:
    start = 0
    for line in block.split("\n"):
        first, last = _trimmed(block, start, start + len(line))
        if first < last:
            yield first, last
        start += len(line) + 1
