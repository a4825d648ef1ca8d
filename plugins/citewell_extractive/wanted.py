"""What kind of thing a question wants to hear, and whether a text names one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from enum import StrEnum

from citewell_extractive.words import STOPWORDS, Word, listed

_NUMBER_WORDS = listed(
    """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety
    hundred thousand million billion trillion half dozen once twice"""
)
_MONTHS = listed(
    """january february march april may june july august september october november december"""
)
_DATE = re.compile(r"1\d{3}s?|20\d\ds?|\d{1,2}(?:st|nd|rd|th)|centur(?:y|ies)", re.IGNORECASE)
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
# Money, shares of a hundred, and figures with a point or with thousands set apart.
_AMOUNT = re.compile(
    r"[$\u20ac\u00a3\u00a5]\s?\(?\d|\d\)?\s?(?:%|percent|per cent)|\d[.,]\d|\d (?:m|b|tr)illion"
)
_PLAIN_NUMBER = 0.5
_REASON = re.compile(
    r"\b(?:because|since|due|so that|in order|result|caused?|led|to)\b", re.IGNORECASE
)


class Wanted(StrEnum):
    """The kind of an answer."""

    NUMBER = "number"
    AMOUNT = "amount"
    DATE = "date"
    NAME = "name"
    REASON = "reason"
    ANY = "any"


_ASKS = (
    (
        Wanted.NUMBER,
        (
            r"\bhow (?:many|long|old|tall|far|often|deep|wide|heavy|fast)\b"
            r"|\b(?:what|which)(?: \w+){0,2} (?:number|age|population|size)\b"
        ),
    ),
    (
        Wanted.AMOUNT,
        (
            r"\bhow (?:much|high|large|big)\b"
            r"|\b(?:what|which)(?: \w+){0,2} (?:percent|percentage|amount|share|proportion|rate"
            r"|total|cost|price)\b"
            r"|\bwhat (?:is|are|was|were)\b.*\b(?:amount|assets|balance|budget|cash|costs?|debts?"
            r"|distance|dividends?|earnings|expenses?|expenditures?|fees?|height|income|length"
            r"|liabilit(?:y|ies)|limit|loss(?:es)?|margins?|number|obligations?|percentage|prices?"
            r"|profits?|rates?|revenues?|salar(?:y|ies)|sales|shares?|size|speed|spending|tax(?:es)?"
            r"|temperature|total|value|weight|width)\b"
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
            r"|president|leader|company|team|group|organi[sz]ation|city|country|state|place|region"
            r"|town)\b"
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


def fit(kind: Wanted, text: str, words: Sequence[Word], asked: Collection[str]) -> float:
    """Tell from 0 to 1 how well `text` holds such a thing that the question did not say itself.

    Args:
        kind: of thing that the question wants.
        text: that may name one.
        words: of the text.
        asked: folded words of the question.
    """
    if kind is Wanted.REASON:
        return float(_REASON.search(text) is not None)
    if kind is Wanted.AMOUNT and _AMOUNT.search(text):
        return 1.0
    test = _TESTS.get(kind)
    if test is None:
        return 1.0
    before = [None, *words]
    holds = any(
        test(word, previous)
        for previous, word in zip(before, words, strict=False)
        if word.folded not in asked
    )
    return holds * (_PLAIN_NUMBER if kind is Wanted.AMOUNT else 1.0)


def _is_number(word: Word, previous: Word | None) -> bool:
    """Tell whether `word` is a number but no part of a date."""
    if previous is not None and previous.folded in _MONTHS:
        return False
    is_year = _YEAR.fullmatch(word.text) is not None
    return (any(map(str.isdigit, word.text)) and not is_year) or word.folded in _NUMBER_WORDS


def _is_date(word: Word, _previous: Word | None) -> bool:
    return _DATE.fullmatch(word.text) is not None or word.folded in _MONTHS


def _is_name(word: Word, previous: Word | None) -> bool:
    return previous is not None and word.text[0].isupper() and word.folded not in STOPWORDS


_TESTS: dict[Wanted, Callable[[Word, Word | None], bool]] = {
    Wanted.NUMBER: _is_number,
    Wanted.AMOUNT: _is_number,
    Wanted.DATE: _is_date,
    Wanted.NAME: _is_name,
}
