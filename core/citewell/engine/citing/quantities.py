"""Numbers, amounts, percentages and dates: what a sentence states and whether a source states it.

Values are compared, not spellings: `1,234` is `1234`, `$3.5 million` is `3,500,000`, `twelve` is
`12`, `1 July 2023` is `2023-07-01`. A number of a source that says "in millions" also counts as
so many millions. There is no rounding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from citewell.engine.citing.numerals import (
    DIGITS,
    SCALES,
    all_ordinals_in,
    folded,
    number,
    numbers_in_words,
    ordinals_in,
    parts_of,
    quarters_in,
)
from citewell.engine.citing.spans import Span
from citewell.engine.citing.units import CURRENCY, WORD, is_same, rate_in, unit_in, units_in
from citewell.engine.citing.words import stem, stopwords

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

# A single letter is a scale only behind an amount of money: "$5m" but not "5 m".
_MONEY_SCALES = SCALES | {"k": 10**3, "m": 10**6, "b": 10**9}
_NUMBER = re.compile(
    rf"(?:(?P<before>{CURRENCY})\s?)?(?P<open>[(\[])?\s?"
    r"(?P<sign>(?<![\w.,)-])[-−](?=[\d.$€£¥₹]))?"
    rf"(?:(?P<currency>{CURRENCY})\s?)?(?<![^\W_])(?<!\d\.)(?P<digits>{DIGITS})"
    r"(?P<close>\s?[)\]])?(?:(?:st|nd|rd|th)\b)?"
)
# What may stand behind a number: its scale and its unit are not far.
_TAIL = re.compile(rf"(?:(?:[\s-]|\s?/\s?)?(?:{WORD})){{0,4}}")
_TAIL_WORD = re.compile(WORD)
_FIRST_WORD = re.compile(rf"[\s-]?(?P<word>(?:{WORD})?)")
_SCALE = re.compile(rf"^[\s-]?(?:{'|'.join(SCALES)})\b", re.IGNORECASE)
_WORD_BEHIND = re.compile(r"[ \t]?[^\W\d_]")
_CODE_WORD = re.compile(r"(?<![^\W_])[^\W\d_]{1,12}\d[^\W_]*", re.IGNORECASE)
_NOTHING = re.compile(r"\b(?:no|none|nil|without|never|kein\w*|aucune?|sans|sin)\b", re.IGNORECASE)
_YEAR_ALONE = re.compile(r"(?:1[5-9]|20)\d\ds?")
_DECLARED = re.compile(r"\bin\s+(thousands|millions|billions)\b", re.IGNORECASE)

_BLANK = " "
# Counts something only before a unit: "one day", but not "one reason".
_ONE = "one"
_LINE_END = "\n"
# Of a table: what parts its cells, what may stand between two figures, and how far that is.
_CELL_BORDERS, _BETWEEN, _BESIDE_CHARS = "\n|,;", " \t%$", 8
# What a number says of its sign. Brackets are a minus in accounts, and elsewhere just brackets.
_PLUS, _MINUS, _BRACKETS = "+", "-", "()"
_ALL_SIGNS = frozenset({_PLUS, _MINUS, _BRACKETS})
# Words with which a number may be said without its minus.
_LESS = re.compile(
    r"\b(?:loss|lost|los[ei]|decreas|declin|fall|fell|drop|down|minus|negativ|below|under|less|lower"
    r"|deficit|shr[aiu]nk|reduc|contract|outflow|spen[dt]|use[ds]?\b|paid|pay|repa[iy]|purchas"
    r"|repurchas|expens|cost|charg|provision|verl|rückgang|gesunken|unter|pert|baiss|moins|pérd"
    r"|menos|bajo)",
    re.IGNORECASE,
)
# What says nothing of the kind of a number.
_NEUTRAL = frozenset("degrees degree per every total".split())


class Date(Struct, frozen=True):
    """A date as far as it is given."""

    year: int | None
    month: int
    day: int | None


class Kind(Struct, frozen=True):
    """What a number counts.

    Attributes:
        unit: the first spelling of one that `units` knows, or empty.
        noun: the stem of the word directly behind the number, where it is no unit; or empty.
        rate: the unit that it is counted by, as in "3 days per week"; or empty.
    """

    unit: str
    noun: str = ""
    rate: str = ""


class Quantity(Struct, frozen=True):
    """A number with what stands beside it.

    Attributes:
        value: of a version or a time, its spelling.
        kind: what it counts.
        text: as written.
        signs: what is said of its sign; of several, any may be meant.
        behind: the few words behind it, its unit among them.
    """

    value: Decimal | str
    kind: Kind
    text: str
    signs: frozenset[str] = frozenset({_PLUS})
    behind: str = ""

    @property
    def may_be_positive(self) -> bool:
        """Whether nothing says that it is less than zero."""
        return _PLUS in self.signs

    @property
    def may_be_negative(self) -> bool:
        """Whether it has a minus, or the brackets that are one in accounts."""
        return not self.signs.isdisjoint({_MINUS, _BRACKETS})


class Figures:
    """Every figure of a source."""

    def __init__(self, text: str, language: str) -> None:
        plain = folded(text)
        self.dates = frozenset(date for _, dates in _dates(plain) for date in dates)
        self._known: dict[Decimal | str, set[tuple[Kind, str]]] = {}
        self._codes = frozenset(match[0].casefold() for match in _CODE_WORD.finditer(plain))
        self.spoken_of = units_in(plain).union(map(stem, _TAIL_WORD.findall(plain.lower())))
        scales = {SCALES[match[1].lower().removesuffix("s")] for match in _DECLARED.finditer(plain)}
        for quantity in _quantities(plain, language, of_source=True):
            self._add(quantity, scales)
        for match in _NOTHING.finditer(plain):
            self._know(Decimal(0), _kind(_tail(plain, match.end()), language), _PLUS)
        for value in (*all_ordinals_in(plain), *quarters_in(plain)):
            self._know(Decimal(value), Kind(""), _PLUS)

    def _add(self, quantity: Quantity, scales: set[int]) -> None:
        value, kind = quantity.value, quantity.kind
        for sign in quantity.signs:
            self._know(value, kind, sign)
            if isinstance(value, Decimal):
                for scale in scales:
                    self._know(value * scale, kind, sign)
                if kind.unit == "%":
                    self._know(value / 100, Kind(""), sign)

    def _know(self, value: Decimal | str, kind: Kind, sign: str) -> None:
        self._known.setdefault(value, set()).add((kind, sign))

    def has(self, quantity: Quantity, *, spoken_of: frozenset[str] = frozenset()) -> bool:
        """Tell whether the source states `quantity`, whose unit may be `spoken_of` elsewhere."""
        return any(
            sign in quantity.signs and _may_be(kind, quantity.kind, spoken_of)
            for kind, sign in self._known.get(quantity.value, ())
        )

    def has_date(self, date: Date) -> bool:
        """Tell whether the source states `date`, its year perhaps in another place."""
        return any(
            known.month == date.month
            and date.day in {None, known.day}
            and (date.year in {None, known.year} or self._year_apart(known, date))
            for known in self.dates
        )

    def _year_apart(self, known: Date, date: Date) -> bool:
        return known.year is None and date.year is not None and Decimal(date.year) in self._known

    def has_code(self, code: str) -> bool:
        """Tell whether a word of letters and digits, such as `A320`, stands in the source."""
        return code.casefold() in self._codes


def missing_figure(
    claim: str, near: Sequence[Figures], language: str, *, anywhere: Sequence[Figures] = ()
) -> str | None:
    """Return the first of `missing_figures`, or None."""
    return next(missing_figures(claim, near, language, anywhere=anywhere), None)


def missing_figures(
    claim: str, near: Sequence[Figures], language: str, *, anywhere: Sequence[Figures] = ()
) -> Iterator[str]:
    """Yield each figure of `claim` that its sources do not state, as written.

    Args:
        claim: a sentence.
        near: where its numbers must stand.
        language: of the claim.
        anywhere: where dates and years may stand as well: a table names them once, at its top.
    """
    plain = folded(claim)
    wide = (*near, *anywhere)
    rest = plain
    for span, dates in _dates(plain):
        if not any(source.has_date(date) for source in wide for date in dates):
            yield plain[slice(*span)]
        rest = rest[: span[0]] + _BLANK * (span[1] - span[0]) + rest[span[1] :]
    for match in _CODE_WORD.finditer(rest):
        if not any(source.has_code(match[0]) for source in wide):
            yield match[0]
    spoken_of = frozenset[str]().union(*(source.spoken_of for source in wide))
    for quantity in _claimed(_CODE_WORD.sub(_BLANK, rest), language):
        sources = wide if _YEAR_ALONE.fullmatch(quantity.text) else near
        if not any(source.has(quantity, spoken_of=spoken_of) for source in sources):
            yield quantity.text


def quantities_in(text: str, language: str) -> Iterator[Quantity]:
    """Yield every number of an answer; where it speaks of a loss, 87 may be -87."""
    plain = folded(text)
    speaks_of_less = _LESS.search(plain) is not None
    for quantity in _quantities(plain, language):
        either = speaks_of_less and quantity.may_be_positive
        yield replace(quantity, signs=_ALL_SIGNS) if either else quantity


def _claimed(text: str, language: str) -> Iterator[Quantity]:
    """Yield what a claim states."""
    # A loss of (87) may be called 87, in a cell of a table as well.
    speaks_of_less = _LESS.search(text) or not any(map(str.isalpha, text))
    for word, value in ordinals_in(text):
        yield Quantity(Decimal(value), Kind(""), word)
    for quantity in _quantities(text, language):
        either = speaks_of_less and _PLUS in quantity.signs
        signs = _ALL_SIGNS if either else quantity.signs
        # What follows a year is not counted by it: "in 2023 three months".
        kind = Kind("") if _YEAR_ALONE.fullmatch(quantity.text) else quantity.kind
        if quantity.text.lower() != _ONE or kind.unit:
            yield replace(quantity, signs=signs, kind=kind)


def _may_be(known: Kind, claimed: Kind, spoken_of: frozenset[str]) -> bool:
    """Tell whether what a source counts may be what is claimed.

    A bare number takes its unit from what is spoken of, as in a table's header. A word that is no
    known unit may say anything, but for a unit that the source writes only what it speaks of.
    """
    if claimed.rate and known.rate and not is_same(claimed.rate, known.rate):
        return False
    if claimed.unit and not known.unit:
        spoken = any(is_same(claimed.unit, unit) for unit in spoken_of)
        return known.noun == claimed.noun if known.noun else spoken
    if claimed.unit or not known.unit:
        return is_same(claimed.unit, known.unit)
    return not claimed.noun or claimed.noun in spoken_of


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


def _quantities(text: str, language: str, *, of_source: bool = False) -> Iterator[Quantity]:
    """Yield every number; of a source, the parts of what may be several numbers as well."""
    for match in _NUMBER.finditer(text):
        digits = match["digits"]
        for part in (digits, *(parts_of(digits) if of_source else ())):
            yield _quantity(match, part, language, signs=_signs(match, of_source=of_source))
    for words in numbers_in_words(text):
        start, end = words.span
        tail = _tail(text, end)
        yield Quantity(words.value, _kind(tail, language), text[start:end], behind=tail)


def _quantity(
    match: re.Match[str], digits: str, language: str, *, signs: frozenset[str]
) -> Quantity:
    value = number(digits, language)
    tail = _tail(match.string, match.end())
    first = _first_word(tail).lower()
    currency = match["before"] or match["currency"]
    scales = _MONEY_SCALES if currency else SCALES
    if isinstance(value, Decimal):
        value *= scales.get(first, 1)
    kind = _kind(tail, language)
    if currency:
        kind = Kind(unit_in([currency.lower()], language), rate=kind.rate)
    told = first in scales or unit_in([first], language)
    telling = tail.lower().index(first) + len(first) if told else 0
    return Quantity(value, kind, f"{match[0]}{tail[:telling]}".strip(), signs, tail)


def _tail(text: str, end: int) -> str:
    """Return the words behind a number that ends at `end`."""
    return next(_TAIL.finditer(text, end))[0]


def _first_word(tail: str) -> str:
    return next(_FIRST_WORD.finditer(tail))["word"]


def _kind(tail: str, language: str) -> Kind:
    """Return what a number counts; its noun stands in lower case and on its line."""
    scaled = _SCALE.sub("", tail)
    noun = _first_word(scaled.partition(_LINE_END)[0])
    says_kind = noun.islower() and not (
        noun in stopwords(language) | _NEUTRAL or noun.endswith("ly")
    )
    return Kind(
        unit_in(_TAIL_WORD.findall(scaled.lower()), language),
        stem(noun) if says_kind else "",
        rate_in(tail.lower()),
    )


def _signs(match: re.Match[str], *, of_source: bool) -> frozenset[str]:
    if match["sign"]:
        return frozenset({_MINUS})
    if not (match["open"] and match["close"]):
        return frozenset({_PLUS})
    if match["open"] == "[":
        return frozenset({_PLUS, _BRACKETS})
    if not (match["before"] or match["currency"] or _is_in_account(match, of_source=of_source)):
        return _ALL_SIGNS
    return frozenset({_MINUS, _BRACKETS})


def _is_in_account(match: re.Match[str], *, of_source: bool) -> bool:
    """Tell whether brackets without a currency are a minus: in a source, only in a column."""
    text, (start, end) = match.string, match.span()
    if _WORD_BEHIND.match(text, end) or _YEAR_ALONE.fullmatch(match["digits"]):
        return False
    before = text[max(start - _BESIDE_CHARS, 0) : start].rstrip(_BETWEEN)[-1:]
    behind = text[end : end + _BESIDE_CHARS].lstrip(_BETWEEN)[:1]
    beside_figure = before.isdecimal() or behind.isdecimal() or before == ")" or behind == "("
    fills_cell = before in _CELL_BORDERS and behind in _CELL_BORDERS
    return not of_source or beside_figure or fills_cell
