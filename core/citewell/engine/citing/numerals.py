"""Numbers as they are written: digits, signs for digits, and words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from itertools import groupby

from msgspec import Struct

from citewell.engine.citing.spans import Span
from citewell.engine.citing.words import UNSPACED

_COMMA_DECIMAL = frozenset("bg ca cs da de el es et eu fi fr gl hr hu id is it lt lv nb nl nn no "
                           "pl pt ro ru sk sl sq sr sv tr uk vi".split())  # fmt: skip
SCALES = {
    "hundred": 100, "dozen": 12, "thousand": 10**3, "million": 10**6, "millions": 10**6,
    "mn": 10**6, "billion": 10**9, "billions": 10**9, "bn": 10**9, "trillion": 10**12,
    "tausend": 10**3, "millionen": 10**6, "mio": 10**6, "milliarde": 10**9, "milliarden": 10**9,
    "mrd": 10**9, "milliard": 10**9, "milliards": 10**9, "mille": 10**3, "mil": 10**3,
    "millón": 10**6, "millones": 10**6,
}  # fmt: skip
ORDINALS = {
    word: value
    for value, word in enumerate(
        """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
        thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth
        twentieth""".split(),
        1,
    )
}
# Its parts are thousands, a fraction as in `2 1⁄2`, powers, or what `_spelled` keeps.
DIGITS = (
    r"\d{1,3}(?:[,.'’\u00a0\u202f ]\d{3})+(?![\d⁄])(?:[.,]\d+)?|(?:\d+ )?\d+⁄\d+|\d+\^\d+"
    r"|\d+(?:[.,]\d+)?[eE][+-]?\d{1,3}(?!\w)|\d+(?:[.,:/]\d+)*|\.\d+"
)

_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen""".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_LARGE = ("hundred", "dozen", "thousand", "million", "billion", "trillion")
_HALF = "half"
_PARTS = {"half": 2, "halves": 2, "quarter": 4, "quarters": 4} | {
    f"{word}{plural}": value
    for word, value in ORDINALS.items()
    if value > ORDINALS["second"]
    for plural in ("", "s")
}
_SMALL = {
    **{word: Decimal(value) for value, word in enumerate(_ONES)},
    **{word: Decimal(value) for value, word in zip(range(20, 100, 10), _TENS, strict=True)},
    _HALF: Decimal("0.5"),
}
_DIGIT = "|".join(_ONES[1:10])
_UNDER_HUNDRED = rf"(?:(?:{'|'.join(_TENS)})(?:[\s-](?:{_DIGIT})\b)?|{'|'.join(_ONES)})\b"
_LARGER = rf"(?:{'|'.join(_LARGE)})s?\b"
_AND_MORE = rf"(?:(?:\s+and)?[\s-]+{_UNDER_HUNDRED})?"
_AND_A_HALF = rf"(?:\s+and\s+an?\s+{_HALF}\b)?"
_WORDS = re.compile(
    rf"\b(?:{_UNDER_HUNDRED}{_AND_A_HALF}|{_HALF}\b|{_LARGER}{_AND_MORE})"
    rf"(?:[\s-]+(?:a\s+)?{_LARGER}{_AND_MORE})*",
    re.IGNORECASE,
)
_FRACTION = re.compile(
    rf"\b(?P<count>an?|{_DIGIT})[\s-]+(?P<part>{'|'.join(_PARTS)})\b(?=\s+(?:of|the)\b)",
    re.IGNORECASE,
)
# "in millions", "one of them", the second half of a year and the word behind "3.5" count nothing.
_NO_NUMBER = re.compile(
    rf"\bin\s+(?:thousand|million|billion)s\b|\b(?:{'|'.join(ORDINALS)}|last|latter|other)[\s-]+half\b"
    rf"|(?<=\d)[\s-]{{0,3}}{_LARGER}|(?<!ty[\s-])\bone\s+of\b",
    re.IGNORECASE,
)
_ORDINAL = re.compile(rf"\b(?:{'|'.join(ORDINALS)})\b", re.IGNORECASE)
_QUARTER = re.compile(r"\b(?:Q([1-4])|H([12]))(?!\d)", re.IGNORECASE)
# "first" is said of much that nobody counts, and "second" is a time as well.
_COUNTED_SECOND = re.compile(
    r"\b(?:the|its|their|our|your|this|each)\s+(?P<second>second)\s+(?!half\b)[^\W\d_]",
    re.IGNORECASE,
)
_NOT_COUNTED = re.compile(r"[\s-]+part(?:y|ies)\b", re.IGNORECASE)
_SECOND = 2
_BREAK = re.compile(r"[\s-]+")
_NUMBER = re.compile(r"\d*\.?\d+(?:[eE][+-]?\d+)?")
_BLANK, _POINT, _FRACTION_BAR, _POWER = " ", ".", "⁄", "^"
# What parts thousands, and what begins the fraction.
_ENGLISH, _CONTINENTAL = (",", "."), (".", ",")


class Words(Struct, frozen=True):
    """A number that is written in words."""

    span: Span
    value: Decimal


def folded(text: str) -> str:
    """Return `text` with plain digits: `5½` as `5 1⁄2`, `②⑥` as `26`, `10⁶` as `10^6`."""
    if text.isascii():
        return text
    pieces = [_BLANK]
    for is_sign, signs in groupby(text, _is_sign):
        piece = "".join(signs)
        pieces.append(_plain(piece, pieces[-1][-1]) if is_sign else _same(piece))
    return _touching().sub(_BLANK, "".join(pieces[1:]))


@cache
def _touching() -> re.Pattern[str]:
    """Return where, in a script without blanks, a number touches the words around it."""
    return re.compile(rf"(?<=[{UNSPACED}])(?=\d)|(?<=\d)(?=[{UNSPACED}])")


def _is_sign(character: str) -> bool:
    return character.isnumeric() and not character.isdecimal() and not character.isalpha()


def _same(piece: str) -> str:
    """Return what looks the same in plain characters, a hyphen that allows no break as well."""
    return unicodedata.normalize("NFKC", piece).replace("\u2010", "-")


def _plain(signs: str, before: str) -> str:
    # Behind a word it is an exponent, as in "m²", or a footnote: a digit that nobody wrote.
    if before.isalpha():
        return _BLANK
    plain = "".join(map(_digits, signs))
    is_raised = "<su" in unicodedata.decomposition(signs[0])
    return _POWER + plain if is_raised and before.isdecimal() else plain


def _digits(sign: str) -> str:
    fraction = unicodedata.normalize("NFKC", sign)
    if _FRACTION_BAR in fraction:
        return _BLANK + fraction
    return str(int(unicodedata.numeric(sign)))


def number(digits: str, language: str) -> Decimal | str:
    """Return the number, or the spelling of what is not one number, such as `10:30` or `1.2.3`."""
    if _FRACTION_BAR in digits:
        return _fraction(digits)
    thousands, point = _CONTINENTAL if language in _COMMA_DECIMAL else _ENGLISH
    plain = re.sub(rf"(?<=\d)[{thousands}'’\u00a0\u202f ](?=\d{{3}}(?!\d))", "", digits)
    plain = plain.replace(point, _POINT)
    return Decimal(plain).normalize() if _NUMBER.fullmatch(plain) else digits


def parts_of(digits: str) -> Sequence[str]:
    """Return the numbers of what may be several: both of `300 500`, the first of `28^2`."""
    if _FRACTION_BAR in digits:
        return ()
    return digits.partition(_POWER)[0].split()


def _fraction(digits: str) -> Decimal | str:
    whole, _, fraction = digits.rpartition(_BLANK)
    above, below = map(Decimal, fraction.split(_FRACTION_BAR))
    return Decimal(whole or 0) + above / below if below else digits


def numbers_in_words(text: str) -> Iterator[Words]:
    """Yield the numbers of `text` that are written in words, such as `half a million`."""
    for match in _FRACTION.finditer(text):
        count = _SMALL.get(match["count"].lower(), Decimal(1))
        yield Words(match.span(), count / _PARTS[match["part"].lower()])
    rest = _NO_NUMBER.sub(_blanked, _FRACTION.sub(_blanked, text))
    for match in _WORDS.finditer(rest):
        yield Words(match.span(), _value(match[0]))


def ordinals_in(text: str) -> Iterator[tuple[str, int]]:
    """Yield the words of `text` that tell which one of several is meant, with its number."""
    rest = _FRACTION.sub(_blanked, text)
    seconds = {match.end("second") for match in _COUNTED_SECOND.finditer(rest)}
    for match in _ORDINAL.finditer(rest):
        value = ORDINALS[match[0].lower()]
        counts = value > _SECOND or match.end() in seconds
        if counts and not _NOT_COUNTED.match(rest, match.end()):
            yield match[0], value


def all_ordinals_in(text: str) -> Iterator[int]:
    """Yield the numbers of every ordinal word, as in "first" and "a third"."""
    return (ORDINALS[match[0].lower()] for match in _ORDINAL.finditer(text))


def quarters_in(text: str) -> Iterator[int]:
    """Yield the numbers of quarters and halves of a year, such as Q3 and H2."""
    return (int(match[1] or match[2]) for match in _QUARTER.finditer(text))


def _blanked(match: re.Match[str]) -> str:
    return _BLANK * len(match[0])


def _value(words: str) -> Decimal:
    one, total, current = Decimal(1), Decimal(0), Decimal(0)
    for word in _BREAK.split(words.lower()):
        value = SCALES.get(word.removesuffix("s"))
        if value is None:
            current += _SMALL.get(word, 0)
        elif value < SCALES["thousand"]:
            current = (current or one) * value
        else:
            total += (current or one) * value
            current = Decimal(0)
    return total + current
