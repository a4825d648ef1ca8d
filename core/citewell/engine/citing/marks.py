"""Citation marks: which brackets are one, and which numbers they carry.

Only ASCII digits make a citation: `[1]`, `[1, 2]`, `[1-3]`, `[^1]`, `[source 1]`, and the same in
full-width brackets, as in `【1】`. A bracket that merely looks like a mark (`[0]`, `[-1]`, `[1e3]`,
`[１]`, `[99999]`) carries no number; it vanishes from the text and is counted as failed.
"""

from __future__ import annotations

import re
import unicodedata

from msgspec import Struct

OPENING = "[【［〔"
CLOSING = "]】］〕"
MAX_CONTENT_CHARS = 120

_WIDEST_RANGE = 50
_EMPHASIS = " \t*_~`"
_PREFIX = re.compile(
    r"(?:sources?|passages?|citations?|references?|refs?\.?)[ \t]*#?[ \t]*", re.IGNORECASE
)
_ITEM = re.compile(r"(\d{1,4})(?:[ \t]*[-–—][ \t]*(\d{1,4}))?", re.ASCII)
_SEPARATOR = re.compile(r"[ \t]*[,;&][ \t]*")
# 1e3 and 0x1 look like numbers.
_NOTATION = frozenset("eExX")
# What some models write inside the bracket after the number: 【3†source】.
_DAGGER = re.compile(r"†.*", re.DOTALL)
_LOOKS_NUMERIC = re.compile(r"[\d\W_eExX]+")

_BRACKET = rf"\\?[{re.escape(OPENING)}]"
_CLOSER = rf"\\?[{re.escape(CLOSING)}]"
_INSIDE = rf"[^{re.escape(OPENING + CLOSING)}\n\\]{{1,{MAX_CONTENT_CHARS}}}"
_LEADING = re.compile(
    rf"\s*(?:{_BRACKET}){{1,3}}(?P<inside>{_INSIDE})(?:{_CLOSER}){{1,3}}(?:\([^\s()]{{0,500}}\))?"
)
_ENCLOSED = re.compile(rf"(?:{_BRACKET}){{1,3}}(?P<inside>{_INSIDE})(?:{_CLOSER}){{1,3}}")


class Mark(Struct, frozen=True):
    """What a bracket says: the numbers it carries, or that it only looks like a mark."""

    numbers: tuple[int, ...]
    failed: bool = False


def read_mark(content: str) -> Mark | None:
    """Read what stands between two brackets; None when it is ordinary text."""
    content = "".join(c for c in content if unicodedata.category(c) != "Cf").strip(_EMPHASIS)
    inner = _DAGGER.sub("", content.removeprefix("^"))
    prefix = _PREFIX.match(inner)
    numbers = _numbers(inner[prefix.end() :] if prefix else inner)
    if numbers is not None:
        return Mark(numbers)
    if _looks_like_mark(inner):
        return Mark((), failed=True)
    return None


def after_marks(text: str, start: int = 0) -> int:
    """Return where the marks end that begin at `start`, blanks before each included."""
    while True:
        match = _LEADING.match(text, start)
        if match is None or read_mark(match["inside"]) is None:
            return start
        start = match.end()


def without_marks(text: str) -> str:
    """Return `text` without its marks and the blanks before them, and otherwise as it is."""
    kept: list[str] = []
    position = 0
    for match in _ENCLOSED.finditer(text):
        if read_mark(match["inside"]) is not None:
            kept.append(text[position : match.start()].rstrip(" \t"))
            position = match.end()
            if text[position : position + 1].isalnum():
                kept.append(" ")
    return "".join([*kept, text[position:]])


def may_become_mark(text: str, start: int) -> bool:
    """Tell whether more characters could turn what begins at `start` into a mark."""
    rest = text[start:].lstrip().lstrip("\\")
    if not rest or rest[0] not in OPENING or len(rest) > MAX_CONTENT_CHARS:
        return False
    inside = rest.lstrip(OPENING)
    return not any(c in inside for c in CLOSING) and (not inside or _could_be_mark(inside))


def _numbers(content: str) -> tuple[int, ...] | None:
    found: list[int] = []
    for item in _SEPARATOR.split(content):
        match = _ITEM.fullmatch(item.strip(_EMPHASIS))
        if match is None:
            return None
        first, last = int(match[1]), int(match[2] or match[1])
        if not first <= last <= first + _WIDEST_RANGE:
            return None
        found += range(first, last + 1)
    return tuple(found)


def _looks_like_mark(content: str) -> bool:
    return any(c.isnumeric() for c in content) and all(
        c.isnumeric() or not c.isalpha() or c in _NOTATION for c in content
    )


def _could_be_mark(inside: str) -> bool:
    return _PREFIX.match(inside) is not None or _LOOKS_NUMERIC.match(inside) is not None
