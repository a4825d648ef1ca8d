"""Dates, however they are written, and the quarters and periods that texts state."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_NUMBERS = {name: number for number, name in enumerate(_MONTHS.split("|"), 1)}
_SHORT = {name[:3]: number for name, number in _NUMBERS.items()} | {"sept": 9}
_MONTH = rf"(?P<month>{_MONTHS}|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?"
_YEAR = r"(?P<year>(?:1\d|20)\d\d)"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"\b{_MONTH}\s+{_DAY}\s*,?\s+{_YEAR}\b",
        rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}\s*,?\s+{_YEAR}\b",
        rf"\b{_MONTH}\s*,?\s+{_YEAR}\b",
        r"\b(?P<year>(?:1\d|20)\d\d)-(?P<month>[01]\d)-(?P<day>[0-3]\d)\b",
    )
)
_YEARLY = re.compile(r"\d{4}")
_QUARTER = re.compile(r"\b(first|second|third|fourth)\s+(?:fiscal\s+)?quarter\b", re.IGNORECASE)
_QUARTERS = {"first": "q1", "second": "q2", "third": "q3", "fourth": "q4"}


class Date(NamedTuple):
    """A day (`2023-07-01`), a month (`2023-07`) or a quarter of some year (`q3`)."""

    key: str
    start: int
    end: int


def dates(text: str) -> Iterator[Date]:
    """Yield the dates of `text`; the key of a day is `2023-07-01`, that of a month `2023-07`."""
    if not _YEARLY.search(text):
        return
    taken: set[int] = set()
    for form in _FORMS:
        for match in form.finditer(text):
            span = range(match.start(), match.end())
            if taken.isdisjoint(span):
                taken.update(span)
                yield Date(_key(match), match.start(), match.end())


def _key(match: re.Match[str]) -> str:
    found = match.groupdict()
    name = found["month"].casefold()
    month = int(name) if name.isdigit() else _NUMBERS.get(name) or _SHORT[name[:4]]
    day = f"-{int(found['day']):02}" if found.get("day") else ""
    return f"{found['year']}-{month:02}{day}"


def quarters(text: str) -> Iterator[Date]:
    """Yield `q3` for each "third quarter" of `text`: file names write it so."""
    for match in _QUARTER.finditer(text):
        yield Date(_QUARTERS[match[1].lower()], match.start(), match.end())
