"""Which numbers before list items only count them, and which ones say something."""

from __future__ import annotations

import re

_MARKER = re.compile(r"(?P<indent> *)(?:[-*+•]|(?P<number>\d{1,9})[.)]) ")
_FIRST = (0, 1)


class Numbering:
    """Follows the numbers of list items: a number that does not count the items says something."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}

    def takes(self, lead: str) -> bool:
        """Tell whether the marker in `lead`, if it has a number, begins a list or counts on."""
        marker = _MARKER.search(lead)
        if marker is None:
            return True
        indent = len(marker["indent"])
        # A list ends with the item that holds it.
        self._last = {at: number for at, number in self._last.items() if at <= indent}
        if marker["number"] is None:
            return True
        number = int(marker["number"])
        counts = number in _FIRST or number == self._last.get(indent, number) + 1
        if counts:
            self._last[indent] = number
        return counts


def bulleted(lead: str) -> str:
    """Return `lead` with a bullet in the place of its number."""
    return _MARKER.sub(r"\g<indent>- ", lead)
