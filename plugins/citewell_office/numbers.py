"""Values of cells as the spreadsheet shows them."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

_QUOTED = re.compile(r'"([^"]*)"|\\(.)|\[\$([^\]-]*)[^\]]*\]|\[[^\]]*\]|_.|\*.')
_DIGITS = re.compile(r"[#0?][#0?,.]*")


def shown(value: object, number_format: str) -> str:
    """Return `value` as a reader of the sheet sees it, dates as ISO 8601.

    Source: ECMA-376 part 1, 18.8.31 (number formats); scientific and fraction formats are shown
    as plain numbers.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime):
        has_time = any(letter in number_format.lower() for letter in "hs")
        return value.isoformat(" ", "minutes") if has_time else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, int | float):
        return _number(value, number_format)
    return " ".join(str(value).split())


def _number(value: float, number_format: str) -> str:
    patterns = number_format.split(";")
    if value < 0 and len(patterns) > 1:
        value = -value  # the second pattern says how less than zero is shown
        patterns = patterns[1:]
    pattern = patterns[0]
    literal = _QUOTED.sub(lambda found: found[1] or found[2] or found[3] or "", pattern)
    bare = _QUOTED.sub("", pattern)
    digits = _DIGITS.search(bare)
    if not digits or "E" in bare or "/" in bare:
        return _general(value)
    figures = digits[0].rstrip(",")
    thousands = len(digits[0]) - len(figures)
    decimals = len(figures.partition(".")[2])
    grouping = "," if "," in figures else ""
    text = f"{value * (100 if '%' in bare else 1) / 1000**thousands:{grouping}.{decimals}f}"
    return _framed(text, literal)


def _general(value: float) -> str:
    return f"{value:.15g}"


def _framed(text: str, literal: str) -> str:
    """Put what the format has around the digits, such as "$" or " km", around `text`."""
    digits = _DIGITS.search(literal)
    if not digits:
        return text
    before, after = literal[: digits.start()], literal[digits.end() :]
    return f"{before}{text}{after}".strip()
