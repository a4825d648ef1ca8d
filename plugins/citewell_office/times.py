"""Dates, times of day and spans of time as the spreadsheet shows them."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

_WORDS = re.compile(r'"[^"]*"|\\.|\[\$[^\]]*\]')
_PIECE = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[(?P<all>h+|m+|s+)\]|(?P<rest>h+|m+|s+)'
    r"|\.(?P<fraction>0+)|(?P<unseen>_.|\*.)|(?P<code>[\[a-z@/])|(?P<other>.)",
    re.IGNORECASE,
)
_SECONDS = {"h": 3600, "m": 60, "s": 1}
_TURNS = {"h": 24, "m": 60, "s": 60}
_MICROSECOND = timedelta(microseconds=1)
_DIGITS = 6
_PLAIN = "[h]:mm:ss"


def time_shown(value: date | time | timedelta, number_format: str) -> str:
    """Return dates and times of day as ISO 8601, as exact as the format, and spans as it says."""
    if isinstance(value, timedelta):
        return _span(value, number_format.split(";", maxsplit=1)[0])
    bare = _WORDS.sub("", number_format).lower()
    unit = "seconds" if "s" in bare else "minutes"
    if isinstance(value, datetime):
        has_time = "h" in bare or "s" in bare
        return value.isoformat(" ", unit) if has_time else value.date().isoformat()
    return value.isoformat(unit) if isinstance(value, time) else value.isoformat()


def _span(value: timedelta, section: str) -> str:
    pieces = list(_PIECE.finditer(section))
    if any(piece["code"] for piece in pieces):
        return _span(value, _PLAIN)
    decimals = max((len(piece["fraction"] or "") for piece in pieces), default=0)
    decimals = min(decimals, _DIGITS)
    # What a day is divided into is no whole number of microseconds.
    step = 10 ** (_DIGITS - decimals)
    steps = (abs(value) // _MICROSECOND * 2 + step) // (2 * step)
    seconds, fraction = divmod(steps, 10**decimals)
    texts = [_piece(piece, seconds, f".{fraction:0{decimals}}") for piece in pieces]
    sign = "-" if value < timedelta() else ""
    return " ".join(f"{sign}{''.join(texts)}".split())


def _piece(piece: re.Match[str], seconds: int, fraction: str) -> str:
    kind = piece.lastgroup or ""
    text = piece[kind]
    if kind == "fraction":
        return fraction
    if kind == "unseen":
        return ""
    if kind not in {"all", "rest"}:
        return text
    letter = text[0].lower()
    count = seconds // _SECONDS[letter]
    return f"{count if kind == 'all' else count % _TURNS[letter]:0{len(text)}}"
