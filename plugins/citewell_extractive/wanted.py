"""What kind of thing a question wants to hear, and whether a text names one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from enum import StrEnum

from citewell_extractive.words import STOPWORDS, Word, listed

_NUMBER_WORDS = listed(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
    hundred thousand million billion trillion half third quarter dozen once twice"""
)
_MONTHS = listed(
    """january february march april may june july august september october november december"""
)
_DATE = re.compile(r"1\d{3}s?|20\d\ds?|\d{1,2}(?:st|nd|rd|th)|centur(?:y|ies)", re.IGNORECASE)
_REASON = re.compile(
    r"\b(?:because|since|due|so that|in order|result|caused?|led|to)\b", re.IGNORECASE
)


class Wanted(StrEnum):
    """The kind of an answer."""

    NUMBER = "number"
    DATE = "date"
    NAME = "name"
    REASON = "reason"
    ANY = "any"


_ASKS = (
    (
        Wanted.NUMBER,
        (
            r"\bhow (?:many|much|long|old|large|big|tall|far|high|often|deep|wide|heavy|fast)\b"
            r"|\b(?:what|which)(?: \w+){0,2} (?:percent|percentage|number|amount|share|age"
            r"|proportion|population|rate|total|cost|price|size)\b|\bby how much\b"
        ),
    ),
    (
        Wanted.DATE,
        r"\bwhen\b|\b(?:what|which)(?: \w+)? (?:year|date|day|month|century|decade|time|period)\b",
    ),
    (
        Wanted.NAME,
        (
            r"\b(?:who|whom|whose|where)\b|\b(?:what|which) (?:person|man|woman|king|author"
            r"|president|leader|company|team|group|organi[sz]ation|city|country|state|place|region|town)\b"
        ),
    ),
    (Wanted.REASON, r"\bwhy\b"),
)


def wanted(question: str) -> Wanted:
    """Return what `question` wants; `ANY` where its words do not say."""
    for kind, pattern in _ASKS:
        if re.search(pattern, question, re.IGNORECASE):
            return kind
    return Wanted.ANY


def names_one(kind: Wanted, text: str, words: Sequence[Word], asked: Collection[str]) -> bool:
    """Tell whether `text` holds something of this kind that the question did not say itself.

    Args:
        kind: of thing that the question wants.
        text: that may name one.
        words: of the text.
        asked: folded words of the question.
    """
    if kind is Wanted.REASON:
        return _REASON.search(text) is not None
    test = _TESTS.get(kind)
    return test is None or any(test(word) for word in words if word.folded not in asked)


def _is_number(word: Word) -> bool:
    return any(map(str.isdigit, word.text)) or word.folded in _NUMBER_WORDS


def _is_date(word: Word) -> bool:
    return _DATE.fullmatch(word.text) is not None or word.folded in _MONTHS


def _is_name(word: Word) -> bool:
    return word.start > 0 and word.text[0].isupper() and word.folded not in STOPWORDS


_TESTS: dict[Wanted, Callable[[Word], bool]] = {
    Wanted.NUMBER: _is_number,
    Wanted.DATE: _is_date,
    Wanted.NAME: _is_name,
}
