"""Periods that titles and file names state: a quarter's report, a year's handbook."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from citewell_extractive.dates import quarters

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_QUARTER = re.compile(r"(?<![^\W_])q([1-4])(?![^\W_])", re.IGNORECASE)
_LATEST = re.compile(
    r"\b(?:latest|newest|current|(?:most|more) recent|last (?:quarter|year|month|report))\b",
    re.IGNORECASE,
)


class Period(NamedTuple):
    """A year, and a quarter of it or 0 for the whole."""

    year: int
    quarter: int = 0


def period(text: str) -> Period | None:
    """Return the one period that `text` states; None when it states none, or several years."""
    years = {int(match) for match in _YEAR.findall(text)}
    if len(years) != 1:
        return None
    found = {int(match) for match in _QUARTER.findall(text)}
    found |= {int(quarter.key[1]) for quarter in quarters(text)}
    return Period(years.pop(), found.pop() if len(found) == 1 else 0)


def period_terms(question: str) -> frozenset[str]:
    """Return the words, folded, with which `question` names a period."""
    asked = period(question)
    named = set[str]() if asked is None else {str(asked.year), f"q{asked.quarter}"}
    for match in _LATEST.finditer(question):
        named.update(match.group().casefold().split())
    return frozenset(named)


def asked_periods(question: str, titles: Iterable[str]) -> frozenset[Period]:
    """Return the periods of `titles` that `question` asks for, by name or as the latest."""
    stated = {found for title in titles if (found := period(title))}
    asked = period(question)
    if asked is not None:
        return frozenset(found for found in stated if asked in {found, Period(found.year)})
    if stated and _LATEST.search(question):
        return frozenset({max(stated)})
    return frozenset()
