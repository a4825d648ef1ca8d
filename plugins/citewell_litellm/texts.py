"""Texts as an API takes them."""

from __future__ import annotations

_BLANK = "."


def sendable(text: str) -> str:
    """Return `text` without what an API refuses: halves of characters, NULs, nothing to see."""
    whole = text.encode("utf-8", "replace").decode().replace("\0", " ")
    if any(letter.isprintable() and not letter.isspace() for letter in whole):
        return whole
    return _BLANK
