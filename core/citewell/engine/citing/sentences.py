"""Where sentences end, decided word by word, so that it cannot matter how a stream is cut."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate

import sentencex

from citewell.engine.citing.marks import CLOSING, OPENING, after_marks, may_become_mark
from citewell.engine.citing.spans import Span, trimmed

MAX_SENTENCE_CHARS = 4000
SURROGATES = re.compile("[\ud800-\udfff]")

_IDEOGRAPHIC_STOPS = "。！？｡"
_CLOSERS = re.escape("\"'”’»)*_")
# Quotations, brackets and emphasis mislead the library when it sees only one end of them.
_SIGNS = re.compile(r"[\"“”„«»()*_]")
_BRACKETED = (
    rf"[{re.escape(OPENING)}][^{re.escape(OPENING + CLOSING)}]{{0,60}}[{re.escape(CLOSING)}]"
)
_ENDING = re.compile(
    rf"([.!?…{_IDEOGRAPHIC_STOPS}])[{_CLOSERS}]*(?:\s*{_BRACKETED}[{_CLOSERS}]*)*$"
)
# A stop inside a word ends a sentence when it is ideographic, or when only marks keep it from the
# next word, as in `1999.[1]Next`.
_INNER_END = re.compile(
    rf"[{_IDEOGRAPHIC_STOPS}][{_CLOSERS}]*(?:{_BRACKETED})*|[.!?](?:{_BRACKETED})+(?=[^\W\d_])"
)
_TICKS = re.compile(r"`+")
_TRAILING_OPENER = re.compile(r"(?<=\s)[\"“„«(]$")
_ANY_BRACKETED = re.compile(_BRACKETED)
_LEFT_CHARS, _RIGHT_CHARS = 200, 80
# How far back an end of sentence with its marks may lie.
_ENDING_CHARS = 200
# What is open for longer is taken for a slip of the pen.
_LONGEST_QUOTATION = 1000


def split_sentences(text: str, language: str) -> Iterator[Span]:
    """Yield the spans of the sentences of `text`, blank space at their ends left out.

    A language that the library does not know is read as English.
    """
    start = end = 0
    known = SURROGATES.sub("\ufffd", language)
    for sentence in sentencex.segment(known, SURROGATES.sub("\ufffd", text)):
        end += len(sentence)
        # The library leaves an opening quotation mark with the sentence before.
        opener = _TRAILING_OPENER.search(text, start, end)
        cut = opener.start() if opener and end < len(text) else end
        span = trimmed(text, start, cut)
        if span[0] < span[1]:
            yield span
        start = cut


class Sentences:
    """Cuts one paragraph into sentences, fed in words and blanks.

    Citation marks after a full stop belong to the sentence before. No sentence ends inside a code
    span. A sentence is at most `MAX_SENTENCE_CHARS` long; a longer one is cut.
    """

    _text = ""
    _stop, _stop_sign = 0, ""
    _gap: int | None = None
    _open_ticks = 0

    def __init__(self, language: str) -> None:
        self._language = language

    def __bool__(self) -> bool:
        """Tell whether a sentence has begun."""
        return bool(self._text)

    def add(self, token: str) -> Iterator[str]:
        """Take a whole word or a run of blanks; yield sentences that have ended before it."""
        if token.isspace():
            self._text += token
            return
        for part in _parts(token):
            self._text += part
            yield from self._decide()
            self._look_for_end(part)
            if len(self._text) >= MAX_SENTENCE_CHARS:
                yield from self._cut()

    def flush(self) -> Iterator[str]:
        """Yield what is left: the paragraph has ended."""
        if self._text.strip():
            yield self._text.rstrip()
        self._text, self._gap, self._open_ticks = "", None, 0

    def _cut(self) -> Iterator[str]:
        """Yield the beginning of a sentence that is too long, without cutting through a mark."""
        safe = max(self._text.rfind(sign, MAX_SENTENCE_CHARS // 2) for sign in (" ", *CLOSING)) + 1
        cut = safe or len(self._text)
        kept, self._text = self._text[:cut], self._text[cut:]
        self._gap, self._open_ticks = None, 0
        yield kept

    def _decide(self) -> Iterator[str]:
        """Settle whether a sentence ended at the gap, now that more is known."""
        if self._gap is None or may_become_mark(self._text, self._gap):
            return
        self._gap = after_marks(self._text, self._gap)
        following = self._text[self._gap :].lstrip()
        if not following:
            return
        if self._splits(self._text[: self._stop], following):
            yield self._text[: self._gap]
            self._text = self._text[self._gap :]
        self._gap = None

    def _splits(self, before: str, following: str) -> bool:
        if self._stop_sign in _IDEOGRAPHIC_STOPS:
            return True
        if following[0].islower() or _is_inside(before):
            return False
        left = _SIGNS.sub("", _ANY_BRACKETED.sub("", before[-_LEFT_CHARS:])).strip()
        right = _SIGNS.sub("", following[:_RIGHT_CHARS]).strip()
        segments = sentencex.segment(self._language, f"{left} {right}")
        # A sentence of the library ends behind the blank that follows it.
        return len(left) + 1 in accumulate(map(len, segments))

    def _look_for_end(self, part: str) -> None:
        for run in _TICKS.findall(part):
            if not self._open_ticks:
                self._open_ticks = len(run)
            elif self._open_ticks == len(run):
                self._open_ticks = 0
        if self._gap is None and not self._open_ticks:
            tail = max(len(self._text) - _ENDING_CHARS, 0)
            if ending := _ENDING.search(self._text, tail):
                self._stop = self._gap = len(self._text)
                self._stop_sign = ending[1]


def _is_inside(before: str) -> bool:
    """Tell whether a quotation or a bracket is open that may still be closed."""
    if len(before) > _LONGEST_QUOTATION:
        return False
    return (
        before.count('"') % 2 == 1
        or before.count("“") > before.count("”")
        or before.count("(") > before.count(")")
    )


def _parts(word: str) -> Iterator[str]:
    start = 0
    for match in _INNER_END.finditer(word):
        yield word[start : match.end()]
        start = match.end()
    if rest := word[start:]:
        yield rest
