"""What a reader takes for citation marks: brackets outside code, as Markdown sees code."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markdown_it import MarkdownIt

from citewell.engine.citing.sanitizing import clean
from citewell.engine.citing.segmenting import PieceKind, Segmenter

_OPEN, _CLOSE = r"\[\u3010\uff3b\u3014", r"\]\u3011\uff3d\u3015"
_BRACKET = re.compile(rf"[{_OPEN}]([^{_CLOSE}\n]*)[{_CLOSE}]")
_READERS = (MarkdownIt("commonmark"), MarkdownIt("commonmark").enable(["table", "strikethrough"]))


def bracketed(markdown: str) -> list[str]:
    """Return what stands in brackets outside code, to CommonMark, to GitHub's, or to Citewell."""
    found = [inside for reader in _READERS for inside in _read(reader, markdown)]
    segmenter = Segmenter("en")
    for piece in (*segmenter.feed(markdown), *segmenter.finish()):
        if piece.kind is not PieceKind.CODE:
            read = clean(piece.raw)
            found += [*map(str, read.numbers), *read.failed]
    return found


def invented(texts: Iterable[str], *, given: int) -> list[str]:
    """Return what carries another number than 1 to `given`."""
    allowed = {str(number) for number in range(1, given + 1)}
    return [
        inside
        for text in texts
        for inside in bracketed(text)
        if not {*inside.split(", ")} <= allowed
    ]


def _read(reader: MarkdownIt, markdown: str) -> Iterable[str]:
    for token in reader.parse(markdown):
        for child in token.children or ():
            if child.type == "text":
                yield from _BRACKET.findall(child.content)
