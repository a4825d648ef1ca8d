"""Where a heading stands among the headings before it."""

from __future__ import annotations

import re
import unicodedata

_MOST_CHARS = 300
"""Of a title: what is longer was hardly meant as one, and every place below repeats it."""


class Outline:
    """Follows headings through a document."""

    def __init__(self) -> None:
        self._open: list[tuple[int, str]] = []
        self.title: str | None = None

    def enter(self, level: int, title: str) -> tuple[str, ...]:
        """Return the path of a heading of `level` (1 is the outermost) that begins here."""
        title = title[:_MOST_CHARS]
        while self._open and self._open[-1][0] >= level:
            self._open.pop()
        self._open.append((level, title))
        self.title = self.title or title
        return tuple(title for _, title in self._open if title)


class Anchors:
    """Names headings as GitHub does.

    Source: github-slugger 2, `index.js`: lower case, letters, digits, marks, `_` and `-` kept,
    spaces to hyphens, a number for each repetition.
    """

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def name(self, heading: str) -> str:
        """Return the anchor of the next heading."""
        kept = (c for c in heading.lower() if c in " -_" or unicodedata.category(c)[0] in "LNM")
        plain = name = "".join(kept).replace(" ", "-")
        while name in self._used:
            self._used[plain] += 1
            name = f"{plain}-{self._used[plain]}"
        self._used[name] = 0
        return name


_BLANK = re.compile(r"\s+")


def folded(text: str) -> str:
    """Return `text` on one line."""
    return _BLANK.sub(" ", text).strip()
