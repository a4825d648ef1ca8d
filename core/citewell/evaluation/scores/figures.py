"""Whether a text states figures, with their units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache

from msgspec import Struct

from citewell.engine.citing.numerals import SCALES
from citewell.engine.citing.quantities import Quantity, quantities_in
from citewell.engine.citing.units import is_same
from citewell.engine.citing.words import stem, stopwords, words
from citewell.evaluation.scores.cases import Case
from citewell.evaluation.scores.normalising import without_emphasis
from citewell.types.evaluation import EvalItem, Figure, Score

_ENGLISH, _COMMA_DECIMAL = "en", "de"
_LANGUAGES = ("en", "de", "fr", "es")
# The readers of numbers know a currency by its code on either side of a number.
_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR"}
_SIGN_BEHIND = re.compile(rf"(?<=[\w.])\s?([{''.join(_SIGNS)}])(?!\d)")
_SHORTENED = re.compile(r"\b(Mio|Mrd|mio|mrd)\.")
_LONGEST = 100_000


class _Wanted(Struct, frozen=True):
    """A figure, as a text may state it.

    Attributes:
        unit: one that is known, or empty.
        rate: the unit that it is counted by, or empty.
        noun: the stems of the words of one that is not known.
    """

    value: Decimal
    tolerance: Decimal
    unit: str
    rate: str
    noun: frozenset[str]


def figures(case: Case) -> Score:
    """Return the share of the figures that the text states."""
    wanted = case.item.figures
    if not wanted:
        return None
    stated = _stated(case.text[:_LONGEST], language(case.item))
    return sum(_is_stated(_wanted(one), stated) for one in wanted) / len(wanted)


def language(item: EvalItem) -> str:
    """Return the language that an item is written in as far as its small words tell; or empty."""
    return _language(" ".join((item.question, *item.answers[:1])))


@lru_cache(maxsize=4096)
def _language(text: str) -> str:
    said = [*words(text)]
    counts = {one: sum(word in stopwords(one) for word in said) for one in _LANGUAGES}
    best = max(counts, key=lambda one: counts[one])
    return best if counts[best] else ""


@lru_cache(maxsize=1024)
def _stated(text: str, spoken: str) -> tuple[Quantity, ...]:
    plain = _plain(text)
    # Whether 1,500 is more or less than two, only the language tells; without it, either may be.
    read_as = (spoken,) if spoken else (_ENGLISH, _COMMA_DECIMAL)
    return tuple(quantity for one in read_as for quantity in quantities_in(plain, one))


def _plain(text: str) -> str:
    """Return `text` with currencies behind numbers and shortened scales as numbers are read."""
    spelled = _SIGN_BEHIND.sub(lambda match: f" {_SIGNS[match[1]]} ", without_emphasis(text))
    return _SHORTENED.sub(r"\1", spelled)


@lru_cache(maxsize=4096)
def _wanted(figure: Figure) -> _Wanted:
    read = next(quantities_in(_plain(f"1 {figure.unit}"), _ENGLISH))
    scale = read.value if isinstance(read.value, Decimal) else Decimal(1)
    named = (word for word in words(figure.unit) if word not in SCALES)
    return _Wanted(
        value=Decimal(str(figure.value)) * scale,
        tolerance=Decimal(str(figure.tolerance)) * scale,
        unit=read.kind.unit,
        rate=read.kind.rate,
        noun=frozenset() if read.kind.unit else frozenset(map(stem, named)),
    )


def _is_stated(wanted: _Wanted, stated: Sequence[Quantity]) -> bool:
    return any(
        abs(value - wanted.value) <= wanted.tolerance
        for quantity in stated
        if _has_unit(quantity, wanted)
        for value in _values(quantity, of_any_unit=not wanted.unit and not wanted.noun)
    )


def _has_unit(quantity: Quantity, wanted: _Wanted) -> bool:
    if wanted.rate and not is_same(wanted.rate, quantity.kind.rate):
        return False
    if wanted.unit:
        return is_same(wanted.unit, quantity.kind.unit)
    return not wanted.noun or wanted.noun <= {stem(word) for word in words(quantity.behind)}


def _values(quantity: Quantity, *, of_any_unit: bool) -> Iterator[Decimal]:
    """Yield what a number may mean: 5% is 0.05 where no unit is asked for."""
    value = quantity.value
    if not isinstance(value, Decimal):
        return
    for number in (value, value / 100) if of_any_unit and quantity.kind.unit == "%" else (value,):
        if quantity.may_be_positive:
            yield number
        if quantity.may_be_negative:
            yield -number
