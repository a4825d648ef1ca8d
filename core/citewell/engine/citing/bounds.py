"""Which figures of a text are a least and which a most: "at least 12", "under 18"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from citewell.engine.citing.numerals import DIGITS, folded, number, numbers_in_words
from citewell.engine.citing.units import CURRENCY

_LEAST = r"at\s+least|minimum\s+of|more\s+than|over|above"
_MOST = r"at\s+most|maximum\s+of|up\s+to|(?:less|fewer)\s+than|under|below"
_BOUND = re.compile(
    rf"\b(?:(?P<least>{_LEAST})|{_MOST})\s+(?:{CURRENCY}\s?)?(?=(?P<digits>{DIGITS})?)",
    re.IGNORECASE,
)


class Bound(NamedTuple):
    """A figure that is a least or a most."""

    value: Decimal | str
    is_least: bool

    def turned(self) -> Bound:
        """Return the contrary."""
        return Bound(self.value, not self.is_least)


def bounds(text: str, language: str) -> Iterator[Bound]:
    """Yield the figures of `text` that are a least or a most."""
    plain = folded(text)
    in_words = {found.span[0]: found.value for found in numbers_in_words(plain)}
    for match in _BOUND.finditer(plain):
        is_least = match["least"] is not None
        if match["digits"]:
            yield Bound(number(match["digits"], language), is_least)
        elif match.end() in in_words:
            yield Bound(in_words[match.end()], is_least)
