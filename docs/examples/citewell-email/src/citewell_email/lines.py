"""Lines of a mail.

Text that grows by whole words only adds to its lines: none of those that stand there changes.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct


class Lines(Struct, frozen=True, kw_only=True):
    """How text becomes lines.

    Attributes:
        width: characters of a line; a longer word has a line of its own.
        flowed: a line that goes on below ends with a blank, and a line that could be taken for a
            quotation begins with one. Source: RFC 3676, sections 4.1, 4.4 and 4.5.
    """

    width: int = 72
    flowed: bool = False

    def wrapped(self, text: str, *, first: str = "", rest: str = "") -> str:
        """Return a paragraph in lines.

        Args:
            text: of which every blank space is a place to wrap.
            first: begins the first line.
            rest: begins the others.
        """
        lines = [*self._wrapped(text.split(), first, rest)]
        soft = " \n" if self.flowed else "\n"
        return soft.join(map(self._stuffed, lines))

    def verbatim(self, text: str, *, indent: str = "") -> str:
        """Return lines as they are, whatever their length."""
        lines = (f"{indent}{line}".rstrip() for line in text.split("\n"))
        return "\n".join(map(self._stuffed, lines))

    def _wrapped(self, words: list[str], first: str, rest: str) -> Iterator[str]:
        # One place for the blank that ends a flowed line.
        width = self.width - 1 if self.flowed else self.width
        line, is_bare = first, True
        for word in words:
            longer = f"{line}{word}" if is_bare else f"{line} {word}"
            if is_bare or len(longer) <= width:
                line = longer
            else:
                yield line
                line = f"{rest}{word}"
            is_bare = False
        yield line

    def _stuffed(self, line: str) -> str:
        is_odd = line.startswith((">", " ", "From "))
        return f" {line}" if self.flowed and is_odd else line
