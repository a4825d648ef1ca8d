"""Markdown cut into messages: between entries, between lines, and only then within one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_MAX_CHARS: Final = 3800
_MAX_BYTES: Final = 9800
_FENCE: Final = "```"


def paged(entries: Iterable[str]) -> list[str]:
    """Return the messages; a block of code that goes on is closed and opened again."""
    pages: list[str] = []
    for entry in entries:
        if pages and _is_short(f"{pages[-1]}\n\n{entry}"):
            pages[-1] += f"\n\n{entry}"
        else:
            pages += _cut(entry)
    return pages


def _is_short(text: str) -> bool:
    return len(text) <= _MAX_CHARS and len(text.encode()) <= _MAX_BYTES


def _cut(entry: str) -> list[str]:
    if _is_short(entry):
        return [entry]
    pages, current, fence = [], "", ""
    for line in _lines(entry):
        longer = f"{current}\n{line}" if current else line
        if current and not _is_short(f"{longer}\n{_FENCE}"):
            pages.append(f"{current}\n{_FENCE}" if fence else current)
            current = f"{fence}\n{line}" if fence else line
        else:
            current = longer
        if line.startswith(_FENCE):
            fence = "" if fence else line
    return [*pages, current]


def _lines(entry: str) -> Iterable[str]:
    """Yield lines of which each fits a message by far."""
    most = _MAX_CHARS // 4
    for line in entry.split("\n"):
        prefix = "> " if line.startswith("> ") else ""
        rest = line
        while len(rest) > most:
            at = rest.rfind(" ", most // 2, most) + 1 or most
            # No escape is parted from what it escapes.
            while at > 1 and rest[at - 1] == "\\":
                at -= 1
            yield rest[:at]
            rest = f"{prefix}{rest[at:]}"
        yield rest
