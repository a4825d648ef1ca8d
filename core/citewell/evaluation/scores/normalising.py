"""Texts as scores compare them: as tokens in the sense of SQuAD, or as words that are said."""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache

from citewell.engine.citing.words import UNSPACED, may_be_unspaced

_MAY_BE_PUNCTUATION = re.compile(r"[^\w\s]|_")
_ASCII_PUNCTUATION = frozenset(string.punctuation)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_EMPHASIS = re.compile(r"[*`]|(?<!\w)_+|(?<!_)_++(?!\w)")
_ALIKE = str.maketrans(
    dict.fromkeys("\u2018\u2019", "'")
    | dict.fromkeys("\u201c\u201d", '"')
    | dict.fromkeys("\u2010\u2011\u2013\u2014\u2212", "-")
)
# Thai, Lao, Burmese and Khmer part no words either, but no character of theirs is a word.
_NO_BORDER = re.compile(rf"[{UNSPACED}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_IN_NUMBER = re.compile(r"\d[.,]\d")


@lru_cache(maxsize=2048)
def tokens(text: str) -> tuple[str, ...]:
    """Return the tokens of `text`: without case, punctuation and the articles a, an, the.

    Punctuation is that of ASCII and all that Unicode calls so; a character of a script without
    blanks is a token.

    Source: `normalize_answer` of the official evaluation script of SQuAD v1.1, Rajpurkar et al.
    (2016), doi:10.18653/v1/D16-1264.
    """
    plain = _ARTICLES.sub(" ", _without_punctuation(_folded(text)))
    return tuple((_unspaced().sub(r" \g<0> ", plain) if may_be_unspaced(plain) else plain).split())


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded)


def _without_punctuation(text: str) -> str:
    if text.isascii():
        return text.translate(_NO_PUNCTUATION)
    return _MAY_BE_PUNCTUATION.sub(_kept, text)


def _kept(match: re.Match[str]) -> str:
    sign = match[0]
    is_punctuation = sign in _ASCII_PUNCTUATION or unicodedata.category(sign).startswith("P")
    return "" if is_punctuation else sign


@lru_cache(maxsize=1)
def _unspaced() -> re.Pattern[str]:
    return re.compile(f"[{UNSPACED}]")


@lru_cache(maxsize=2048)
def spoken(text: str) -> str:
    """Return `text` in one line, without case, emphasis and kinds of quotation marks or dashes."""
    folded = _folded(text)
    if not folded.isascii():
        folded = folded.translate(_ALIKE)
    return " ".join(without_emphasis(folded).split())


def without_emphasis(text: str) -> str:
    """Return `text` without the marks of Markdown's emphasis and code."""
    # Most texts have none, and looking for it takes as long as all the rest.
    return _EMPHASIS.sub("", text) if any(sign in text for sign in "*`_") else text


def says(text: str, words: str) -> bool:
    """Tell whether `words` stand in `text` one after the other, whatever the case.

    They are whole: "art" does not stand in "party", "25" not in "125" or "25.5".
    """
    return _found(spoken(text), spoken(words)) is not None


def says_beside(text: str, words: str, other: str) -> bool:
    """Tell whether `words` stand in `text` also where they are no part of `other`."""
    within, sought, around = spoken(text), spoken(words), spoken(other)
    if sought not in around or sought == around:
        return _found(within, sought) is not None
    parts, start = [], 0
    while (at := _found(within, around, start)) is not None:
        parts.append(within[start:at])
        start = at + len(around)
    return _found("\n".join([*parts, within[start:]]), sought) is not None


def _found(text: str, words: str, start: int = 0) -> int | None:
    at = text.find(words, start) if words else -1
    while at >= 0:
        if not _is_cut(text, at) and not _is_cut(text, at + len(words)):
            return at
        at = text.find(words, at + 1)
    return None


def _is_cut(text: str, border: int) -> bool:
    """Tell whether `border` stands inside a word or a number."""
    left, right = text[max(border - 2, 0) : border], text[border : border + 2]
    if not left or not right:
        return False
    if _is_letter(left[-1]) and _is_letter(right[0]):
        return not (_NO_BORDER.match(left[-1]) or _NO_BORDER.match(right[0]))
    return _IN_NUMBER.fullmatch(left + right[0]) is not None or (
        _IN_NUMBER.fullmatch(left[-1] + right) is not None
    )


def _is_letter(character: str) -> bool:
    return character.isalnum() or character == "_"
