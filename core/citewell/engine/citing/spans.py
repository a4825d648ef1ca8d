"""Stretches of text as pairs of offsets."""

from __future__ import annotations

from typing import TypeAlias

Span: TypeAlias = tuple[int, int]
"""`[start, end)` in characters."""


def trimmed(text: str, start: int, end: int) -> Span:
    """Return the span without the blank space at its ends."""
    inner = text[start:end].strip()
    if not inner:
        return start, start
    begin = text.index(inner, start)
    return begin, begin + len(inner)
