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
    rf"(?P<turned>\b(?:no|not)\s+|n['’]t\s+(?:be\s+)?)?\b(?:(?P<least>{_LEAST})|(?:{_MOST}))\s+"
    rf"(?:{CURRENCY}\s?)?(?=(?P<digits>{DIGITS})?)",
    re.IGNORECASE,
)


class Bound(NamedTuple):
    """A figure that is a least or a most.

    Attributes:
        text: as written.
    """

    value: Decimal | str
    is_least: bool
    text: str


def bounds(text: str, language: str) -> Iterator[Bound]:
    """Yield the figures of `text` that are a least or a most."""
    plain = folded(text)
    in_words = {found.span[0]: found for found in numbers_in_words(plain)}
    for match in _BOUND.finditer(plain):
        end = match.end()
        is_least = (match["least"] is None) == (match["turned"] is not None)
        if match["digits"]:
            said = f"{match[0]}{match['digits']}"
            yield Bound(number(match["digits"], language), is_least, said.strip())
        elif end in in_words:
            found = in_words[end]
            yield Bound(found.value, is_least, plain[match.start() : found.span[1]])
