"""Values of cells as the spreadsheet shows them.

Source: ECMA-376 part 1, 18.8.31 (number formats).
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct

from citewell_office.times import time_shown

_Token: TypeAlias = tuple[str, str]
"""What a piece of a format is, and what it shows."""

_TOKEN = re.compile(
    r"""
    "(?P<quoted>[^"]*)" | \\(?P<escaped>.) | \[\$(?P<currency>[^\]-]*)[^\]]*\]
    | (?P<condition>\[(?:<=|>=|<>|[<>=])-?\d+(?:\.\d+)?\])
    | (?P<unseen>[_*]. | \[(?:black|blue|cyan|green|magenta|red|white|yellow|color\ ?\d+)\])
    | (?P<general>General|@) | (?P<digit>[0\#?]) | (?P<point>\.) | (?P<comma>,) | (?P<percent>%)
    | (?P<end>;) | (?P<code>["\\\[/abdeghmnsy]) | (?P<other>.)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"\[([<>=]+)(.+)\]")
_COMPARISONS: Mapping[str, Callable[[Decimal, Decimal], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "<>": operator.ne,
    ">=": operator.ge,
    ">": operator.gt,
}

_LETTERS = {"digit": "0", "point": ".", "comma": ",", "general": "g", "code": "?"}
_WORDS = re.compile("x*g?x*")
_FIGURE = re.compile(
    r"x*(?P<whole>0(?:[0x,]*0)?)?(?P<thousands>,*)x*"
    r"(?P<end>\.(?P<fraction>0(?:[0x]*0)?)?(?P<more>,*)x*)?"
)
"""The formats that are understood, by the letter of each token; x is a word of any kind."""

# The largest cell has 309 digits, and a format may ask for 255 more.
_WIDE = Context(prec=600, rounding=ROUND_HALF_UP)


class _Figure(Struct, frozen=True):
    """How many places a format has for digits, and how many of them it fills with zeros.

    A number is moved by the exponent and rounded to whole steps.
    """

    whole: int
    whole_zeros: int
    fraction: int
    fraction_zeros: int
    exponent: int
    step: Decimal
    is_grouped: bool


class _Section(Struct, frozen=True):
    """One of the parts of a format: the words before, between and after the places for digits.

    Without a figure, the only place is for the number as it is.
    """

    words: tuple[str, ...]
    figure: _Figure | None
    condition: tuple[str, Decimal] | None


def shown(value: object, number_format: str) -> str:
    """Return `value` as a reader of the sheet sees it, dates as ISO 8601.

    A number is shown plainly where its format is not understood, scientific, or a fraction.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, date | time | timedelta):
        return time_shown(value, number_format)
    if isinstance(value, int | float):
        return _number(value, number_format)
    return " ".join(str(value).split())


def _number(value: float, number_format: str) -> str:
    plain = f"{value:.15g}"
    # Most cells have no format, and need no time.
    if number_format == "General" or not math.isfinite(value):
        return plain
    # A spreadsheet knows 15 figures of a number, and rounds these.
    number = Decimal(plain)
    sections = _sections(number_format)
    section = _chosen(number, sections)
    if section is None:
        return plain
    if section.figure:
        places = _digits(abs(number), section.figure)
    else:
        places = [plain.lstrip("-")] * (len(section.words) - 1)
    # A format may leave it to red to say that a number is less than zero.
    is_unsaid = sections[0] is not None and section.words == sections[0].words
    sign = "-" if number < 0 and is_unsaid and places else ""
    filled = map(operator.add, places, section.words[1:])
    return " ".join(f"{sign}{section.words[0]}{''.join(filled)}".split())


def _chosen(number: Decimal, sections: Sequence[_Section | None]) -> _Section | None:
    """Return the section that a number is shown by; None when that cannot be told."""
    # The fourth section is for text.
    numeric = sections[:3]
    if not any(section and section.condition for section in numeric):
        is_third = number == 0 and len(numeric) > 2
        return numeric[2 if is_third else number < 0 and len(numeric) > 1]
    for section in numeric:
        if section is None or number < 0:
            break
        operation, limit = section.condition or (">=", number)
        if _COMPARISONS[operation](number, limit):
            return section
    return None


# --- reading a format ------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def _sections(number_format: str) -> tuple[_Section | None, ...]:
    """Return the sections of a format, None for each that is not understood."""
    sections: list[list[_Token]] = [[]]
    for found in _TOKEN.finditer(number_format):
        kind = found.lastgroup or ""
        if kind == "end":
            sections.append([])
        elif kind != "unseen":
            sections[-1].append((kind, found[kind]))
    return tuple(map(_section, sections))


def _section(tokens: Sequence[_Token]) -> _Section | None:
    conditions = [_CONDITION.fullmatch(text) for kind, text in tokens if kind == "condition"]
    condition = next(((found[1], Decimal(found[2])) for found in conditions if found), None)
    tokens = [token for token in tokens if token[0] != "condition"]
    shape = "".join(_LETTERS.get(kind, "x") for kind, _ in tokens)
    if _WORDS.fullmatch(shape):
        return _Section(_words(tokens), None, condition)
    found = _FIGURE.fullmatch(shape)
    if not found:
        return None
    if not found["whole"]:
        # Figures before the point are shown even where the format has no place for them.
        tokens.insert(shape.index("."), ("digit", "#"))
    figure = _figure(tokens, found)
    return _Section(_words(tokens), figure, condition)


def _words(tokens: Sequence[_Token]) -> tuple[str, ...]:
    words = [""]
    for kind, text in tokens:
        if kind in {"digit", "general"}:
            words.append("")
        elif kind not in {"point", "comma"}:
            words[-1] += text
    return tuple(words)


def _figure(tokens: Sequence[_Token], found: re.Match[str]) -> _Figure:
    kinds = [kind for kind, _ in tokens]
    point = kinds.index("point") if found["end"] else len(tokens)
    whole = "".join(text for kind, text in tokens[:point] if kind == "digit")
    fraction = "".join(text for kind, text in tokens[point:] if kind == "digit")
    commas = len(found["thousands"]) + len(found["more"] or "")
    return _Figure(
        whole=len(whole),
        whole_zeros=len(whole.lstrip("#?")),
        fraction=len(fraction),
        fraction_zeros=len(fraction.rstrip("#?")),
        exponent=2 * kinds.count("percent") - 3 * commas,
        step=Decimal(1).scaleb(-len(fraction)),
        is_grouped="," in (found["whole"] or ""),
    )


# --- filling it in ---------------------------------------------------------------------------


def _digits(number: Decimal, figure: _Figure) -> list[str]:
    """Return what stands at each place, the point before the first digit behind it."""
    rounded = _WIDE.quantize(_WIDE.scaleb(number, figure.exponent), figure.step)
    before, _, behind = f"{rounded:f}".partition(".")
    whole: Sequence[str] = before.lstrip("0").zfill(figure.whole_zeros)
    if figure.is_grouped:
        rests = reversed(range(len(whole)))
        whole = [
            f"{digit}," if rest and rest % 3 == 0 else digit
            for digit, rest in zip(whole, rests, strict=True)
        ]
    whole = [""] * (figure.whole - len(whole)) + [*whole]
    # The first place takes all the digits that there are too many of.
    extra = len(whole) - figure.whole + 1
    places = ["".join(whole[:extra]), *whole[extra:]]
    shown_always = behind[: figure.fraction_zeros]
    behind = shown_always + behind[figure.fraction_zeros :].rstrip("0")
    # A point with nothing behind it would look like the end of a sentence.
    decimals = [f".{behind[0]}", *behind[1:]] if behind else []
    return places + decimals + [""] * (figure.fraction - len(behind))
