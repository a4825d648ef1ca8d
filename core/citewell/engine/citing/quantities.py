"""Numbers, amounts, percentages and dates: what a sentence states and whether a source states it.

Values are compared, not spellings: `1,234` is `1234`, `$3.5 million` is `3,500,000`, `twelve` is
`12`, `1 July 2023` is `2023-07-01`. A number of a source that says "in millions" also counts as
so many millions. There is no rounding.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

from citewell.engine.citing.spans import Span
from citewell.engine.citing.words import UNSPACED

_COMMA_DECIMAL = frozenset("bg ca cs da de el es et eu fi fr gl hr hu id is it lt lv nb nl nn no "
                           "pl pt ro ru sk sl sq sr sv tr uk vi".split())  # fmt: skip
_SCALES = {
    "thousand": 10**3, "million": 10**6, "millions": 10**6, "mn": 10**6, "billion": 10**9,
    "billions": 10**9, "bn": 10**9, "trillion": 10**12, "tausend": 10**3, "millionen": 10**6,
    "mio": 10**6, "milliarde": 10**9, "milliarden": 10**9, "mrd": 10**9, "milliard": 10**9,
    "milliards": 10**9, "mille": 10**3, "mil": 10**3, "millón": 10**6, "millones": 10**6,
}  # fmt: skip
# A single letter is a scale only behind an amount of money: "$5m" but not "5 m".
_LETTER_SCALES = {"k": 10**3, "m": 10**6, "b": 10**9}
_UNITS = {
    unit: words[0]
    for words in (
        ("%", "percent", "per cent", "prozent", "pct"), ("day", "days"), ("week", "weeks"),
        ("month", "months"), ("year", "years"), ("hour", "hours"), ("minute", "minutes", "min"),
        ("second", "seconds"), ("km", "kilometers", "kilometres", "kilometer", "kilometre"),
        ("mile", "miles"), ("metre", "metres", "meter", "meters"), ("kg", "kilograms", "kilogram"),
        ("kb",), ("mb",), ("gb",), ("tb",), ("ms", "milliseconds"), ("°c",), ("°f",),
    )
    for unit in words
}  # fmt: skip
_CURRENCIES = frozenset("$€£¥₹")
_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen""".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
    thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth""".split()
_SMALL = {
    **{word: value for value, word in enumerate(_ONES)},
    **{word: value for value, word in zip(range(20, 100, 10), _TENS, strict=True)},
}
_LARGE = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
_ORDINAL_VALUES = {word: value for value, word in enumerate(_ORDINALS, 1)}

_MONTH_NAMES = """january jan|february feb|march mar|april apr|may|june jun|july jul|august aug
    |september sep sept|october oct|november nov|december dec"""
_MONTHS = {
    name: month for month, names in enumerate(_MONTH_NAMES.split("|"), 1) for name in names.split()
}
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[12]\d{3})"
_DATES = tuple(
    re.compile(rf"\b{pattern}(?!\w)", re.IGNORECASE)
    for pattern in (
        rf"{_MONTH}\s+{_DAY}(?:\s*,\s*|\s+){_YEAR}",
        rf"{_DAY}(?:\s+of)?\s+{_MONTH},?\s+{_YEAR}",
        rf"{_MONTH},?\s+{_YEAR}",
        rf"{_MONTH}\s+{_DAY}",
        rf"{_DAY}(?:\s+of)?\s+{_MONTH}",
        rf"{_YEAR}[-/.](?P<month>0?[1-9]|1[0-2])[-/.](?P<day>[0-3]?\d)",
    )
)
_SLASHED = re.compile(rf"\b(?P<one>\d{{1,2}})[/.-](?P<other>\d{{1,2}})[/.-]{_YEAR}\b")

_GROUPED = r"\d{1,3}(?:[,.'’\u00a0\u202f ]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,:/]\d+)*"
_NUMBER = re.compile(
    rf"(?P<open>\()?(?P<sign>(?<![\w.,)])[-−])?\s?(?P<currency>[$€£¥₹])?\s?(?<![\w.])"
    rf"(?P<digits>{_GROUPED})"
    r"(?P<close>\))?(?:(?:st|nd|rd|th)\b)?"
    r"(?P<tail>(?:[\s-]?(?:%|°?[^\W\d_]{1,12})){0,3})"
)
_CODE_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{1,12}\d[^\W_]*", re.IGNORECASE)
# In scripts without blanks a number touches the words around it.
_TOUCHING = re.compile(rf"(?<=[{UNSPACED}])(?=\d)|(?<=\d)(?=[{UNSPACED}])")
_TAIL_WORD = re.compile(r"%|°?[^\W\d_]+")
_WORD_NUMBER = re.compile(
    rf"\b(?:{'|'.join(_SMALL)})(?:(?:\s+and)?[\s-]+(?:{'|'.join([*_SMALL, *_LARGE])}))*\b",
    re.IGNORECASE,
)
_ORDINAL_WORD = re.compile(rf"\b(?:{'|'.join(_ORDINALS)})\b", re.IGNORECASE)
_YEAR_ALONE = re.compile(r"(?:1[5-9]|20)\d\d")
_DECLARED = re.compile(r"\bin\s+(thousands|millions|billions)\b", re.IGNORECASE)
_DECLARED_SCALES = {"thousands": 10**3, "millions": 10**6, "billions": 10**9}


_BLANK = " "
_POINT = "."
# What parts thousands, and what begins the fraction.
_ENGLISH, _CONTINENTAL = (",", "."), (".", ",")
# How far from a number its unit may stand.
_TAIL_WORDS, _TAIL_CHARS = 3, 30


class Date(Struct, frozen=True):
    """A date as far as it is given."""

    year: int | None
    month: int
    day: int | None


class Quantity(Struct, frozen=True):
    """A number with what stands beside it.

    Attributes:
        values: what it may mean; of a version or a time, its spelling.
        unit: of `_UNITS`, a currency sign, or empty.
        text: as written.
        negative: with a minus or, as in accounts, in brackets.
    """

    values: frozenset[Decimal | str]
    unit: str
    text: str
    negative: bool = False


class Figures:
    """Every figure of a source."""

    def __init__(self, text: str, language: str) -> None:
        folded = _fold(text)
        self.dates = frozenset(date for _, dates in _dates(folded) for date in dates)
        self._units: dict[Decimal | str, set[str]] = {}
        self._negatives: set[Decimal | str] = set()
        self._codes = frozenset(match[0].casefold() for match in _CODE_WORD.finditer(folded))
        self._percents = "%" in folded or "percent" in folded.lower()
        self._currencies = frozenset(c for c in folded if c in _CURRENCIES)
        scales = {_DECLARED_SCALES[match[1].lower()] for match in _DECLARED.finditer(folded)}
        for quantity in _quantities(folded, language, split_groups=True):
            self._add(quantity, scales)
        for match in _ORDINAL_WORD.finditer(folded):
            self._units.setdefault(Decimal(_ORDINAL_VALUES[match[0].lower()]), set()).add("")

    def _add(self, quantity: Quantity, scales: set[int]) -> None:
        values = set(quantity.values)
        values |= {value * s for value in values if isinstance(value, Decimal) for s in scales}
        for value in values:
            self._units.setdefault(value, set()).add(quantity.unit)
            if quantity.negative:
                self._negatives.add(value)

    def has(self, quantity: Quantity) -> bool:
        """Tell whether the source states `quantity`."""
        return any(self._has(value, quantity) for value in quantity.values)

    def _has(self, value: Decimal | str, quantity: Quantity) -> bool:
        units = self._units.get(value)
        if units is None or (quantity.negative and value not in self._negatives):
            return False
        if not quantity.unit or quantity.unit in units:
            return True
        if quantity.unit == "%":
            return "" in units and self._percents
        if quantity.unit in _CURRENCIES:
            return "" in units and quantity.unit in self._currencies
        return "" in units

    def has_date(self, date: Date) -> bool:
        """Tell whether the source states `date`, its year perhaps in another place."""
        return any(
            known.month == date.month
            and date.day in {None, known.day}
            and (date.year in {None, known.year} or self._year_apart(known, date))
            for known in self.dates
        )

    def _year_apart(self, known: Date, date: Date) -> bool:
        return known.year is None and date.year is not None and Decimal(date.year) in self._units

    def has_code(self, code: str) -> bool:
        """Tell whether a word of letters and digits, such as `A320`, stands in the source."""
        return code.casefold() in self._codes


def missing_figure(
    claim: str, near: Sequence[Figures], language: str, *, anywhere: Sequence[Figures] = ()
) -> str | None:
    """Return the first figure of `claim` that its sources do not state, as written, or None.

    Args:
        claim: a sentence.
        near: where its numbers must stand.
        language: of the claim.
        anywhere: where dates and years may stand as well: a table names them once, at its top.
    """
    folded = _fold(claim)
    wide = (*near, *anywhere)
    rest = folded
    for span, dates in _dates(folded):
        if not any(source.has_date(date) for source in wide for date in dates):
            return folded[slice(*span)]
        rest = rest[: span[0]] + _BLANK * (span[1] - span[0]) + rest[span[1] :]
    for match in _CODE_WORD.finditer(rest):
        if not any(source.has_code(match[0]) for source in wide):
            return match[0]
    for quantity in _quantities(_CODE_WORD.sub(_BLANK, rest), language):
        alone = quantity.text.lower() in {"one", "zero"}
        sources = wide if _YEAR_ALONE.fullmatch(quantity.text) else near
        if not alone and not any(source.has(quantity) for source in sources):
            return quantity.text
    return None


def _fold(text: str) -> str:
    # NFKC would turn "m²" into "m2" and "½" into "1⁄2": digits that nobody wrote.
    folded = "".join(
        unicodedata.normalize("NFKC", c) if not c.isnumeric() or c.isdecimal() else _BLANK
        for c in text
    )
    return _TOUCHING.sub(_BLANK, folded)


def _dates(text: str) -> Iterator[tuple[Span, frozenset[Date]]]:
    taken: set[int] = set()
    for pattern in (*_DATES, _SLASHED):
        for match in pattern.finditer(text):
            meant = _meant(match)
            if meant and taken.isdisjoint(range(*match.span())):
                taken.update(range(*match.span()))
                yield match.span(), meant


def _meant(match: re.Match[str]) -> frozenset[Date]:
    """Return what a date may mean: of 7/1/2023, the first of July and the seventh of January."""
    if match.re is not _SLASHED:
        date = _date(match.groupdict())
        return frozenset({date} if date else ())
    year, one, other = int(match["year"]), int(match["one"]), int(match["other"])
    return frozenset({Date(year, one, other), Date(year, other, one)})


def _date(parts: dict[str, str]) -> Date | None:
    month = parts["month"].lower()
    day = int(parts["day"]) if parts.get("day") else None
    if day is not None and not 1 <= day <= 31:
        return None
    year = int(parts["year"]) if parts.get("year") else None
    return Date(year, _MONTHS.get(month) or int(month), day)


def _quantities(text: str, language: str, *, split_groups: bool = False) -> Iterator[Quantity]:
    for match in _NUMBER.finditer(text):
        yield _quantity(match, match["digits"], language)
        if split_groups and " " in match["digits"]:
            # "in 300 500 people" of a source: the parts count as well as the whole.
            for part in match["digits"].split():
                yield _quantity(match, part, language)
    for match in _WORD_NUMBER.finditer(text):
        unit = _unit(text[match.end() :][:_TAIL_CHARS])
        yield Quantity(frozenset({Decimal(_word_value(match[0]))}), unit, match[0])


def _quantity(match: re.Match[str], digits: str, language: str) -> Quantity:
    value = _value(digits, comma_decimal=language in _COMMA_DECIMAL)
    tail = [word.lower() for word in _TAIL_WORD.findall(match["tail"])]
    values: set[Decimal | str] = {value}
    if isinstance(value, Decimal) and tail:
        if tail[0] in _SCALES:
            values = {value * _SCALES[tail[0]]}
        elif match["currency"] and tail[0] in _LETTER_SCALES:
            values = {value * _LETTER_SCALES[tail[0]]}
    unit = match["currency"] or _unit(match["tail"])
    negative = bool(match["sign"] or (match["open"] and match["close"]))
    end = match.start("tail") - match.start() + len(_telling(match["tail"], tail))
    return Quantity(frozenset(values), unit, match[0][:end].strip(), negative=negative)


def _telling(tail: str, tail_words: Sequence[str]) -> str:
    """Return as much of the tail as a reader needs to recognise the figure."""
    if tail_words and (tail_words[0] in _SCALES or tail_words[0] in _UNITS):
        return tail[: tail.lower().index(tail_words[0]) + len(tail_words[0])]
    return ""


def _unit(tail: str) -> str:
    found = [word.lower() for word in _TAIL_WORD.findall(tail)][:_TAIL_WORDS]
    if found[:2] == ["per", "cent"]:
        return "%"
    return next((_UNITS[word] for word in found if word in _UNITS), "")


def _value(digits: str, *, comma_decimal: bool) -> Decimal | str:
    """Return the number, or the spelling of what is not one number, such as `10:30` or `1.2.3`."""
    thousands, point = _CONTINENTAL if comma_decimal else _ENGLISH
    plain = re.sub(rf"(?<=\d)[{thousands}'’\u00a0\u202f ](?=\d{{3}}(?!\d))", "", digits)
    plain = plain.replace(point, _POINT)
    return Decimal(plain).normalize() if re.fullmatch(r"\d+(?:\.\d+)?", plain) else digits


def _word_value(words: str) -> int:
    total = current = 0
    for word in re.split(r"[\s-]+", words.lower()):
        if word in _SMALL:
            current += _SMALL[word]
        elif word == "hundred":
            current *= 100
        elif word in _LARGE:
            total += current * _LARGE[word]
            current = 0
    return total + current
