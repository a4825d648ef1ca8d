"""The sentences of a passage, without its headings, tables and code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from citewell.engine.citing.sentences import split_sentences
from citewell.types.documents import Passage

_LONGEST_HEADING = 70
_BULLET = re.compile(r"\s*(?:[-*+\u2022\u2013]|\d{1,3}[.)])\s+")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_ENDS = tuple(".!?:;,”\"')")
_MARKS = re.compile(r"\*\*|__|`|(?<!\w)[*_]|[*_](?!\w)|\[(?=[^\]]*\]\()|(?<=\w)\]\([^)]*\)")


class Sentence(Struct, frozen=True):
    """A sentence of a passage.

    Attributes:
        start: in the text of the passage.
        end: in the text of the passage.
        text: in one line, without emphasis and links.
    """

    start: int
    end: int
    text: str


def sentences(passage: Passage) -> Iterator[Sentence]:
    """Yield the sentences of the running text of `passage`."""
    for start, end in _runs(passage.text):
        for first, last in split_sentences(passage.text[start:end], passage.language):
            begin, stop = start + first, start + last
            yield Sentence(begin, stop, bare(passage.text[begin:stop]))


def bare(text: str) -> str:
    """Return `text` in one line, without the signs of Markdown."""
    return " ".join(_MARKS.sub("", text).split())


def lines(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the lines of `text`, without what ends them."""
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, start + len(line.rstrip())
        start += len(line)


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield stretches in which sentences follow each other."""
    run: tuple[int, int] | None = None
    is_code = False
    spans = [*lines(text)]
    for index, (start, end) in enumerate(spans):
        line = text[start:end]
        if _FENCE.match(line):
            is_code = not is_code
        ended = is_code or not line or "|" in line or line.startswith(("#", "    ", ">", "```"))
        below = text[slice(*spans[index + 1])] if index + 1 < len(spans) else ""
        bullet = _BULLET.match(line)
        if run and (ended or bullet or _stands_alone(line, below)):
            yield run
            run = None
        if ended or _stands_alone(line, below):
            continue
        first = start + bullet.end() if bullet else start
        run = (first if run is None else run[0], end)
    if run:
        yield run


def _stands_alone(line: str, below: str) -> bool:
    """Tell whether a line is a heading that nothing marks as one."""
    is_short = len(line) < _LONGEST_HEADING and not line.endswith(_ENDS)
    return is_short and line[:1].isupper() and (not below or not below[:1].islower())
