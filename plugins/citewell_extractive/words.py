"""Words: how they are cut out of a text, which of them matter, and when two are the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from citewell_extractive.dates import dates, quarters

if TYPE_CHECKING:
    from tantivy import TextAnalyzer

_WORD = re.compile(r"[^\W_]+(?:[.,'\u2019][^\W_]+)*")
_POSSESSIVE = re.compile(r"['\u2019]s?$")


def listed(text: str) -> frozenset[str]:
    """Return the words of `text`."""
    return frozenset(text.split())


STOPWORDS = listed(
    """a about after all along also am an and any are as at be became because become been before
    being between both but by can could did do does doing during each either else every for from
    had has have having he her here hers him his how i if in into is it its itself just let may me
    might more most much many must my no nor not of off on one onto or other our out over own per
    please shall she should since so some such tell than that the their them then there these they
    this those though through to too under until up upon us very was we were what when where
    whether which while who whom whose why will with within without would you your yours
    """
)
"""English words that are in every text, so that finding one proves nothing."""

_LOOSE = listed(
    """according amount answer apart call called certain come common considered date day describe
    described document documents example explain file filing find found generally get give given
    go good happen happened help include included information involve involved kind known like
    list long made main make mean means method name named number page people person place purpose
    reason refer referred report reported say said section show something state stated take term
    thing things time type typical typically use used usually way ways word work year years
    """
)
"""Words that questions use loosely: a text may answer without any of them."""

_ALGORITHMS = {
    "ar": "arabic", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "fi": "finnish", "fr": "french", "hu": "hungarian", "it": "italian",
    "nb": "norwegian", "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pt": "portuguese",
    "ro": "romanian", "ru": "russian", "sv": "swedish", "ta": "tamil", "tr": "turkish",
}  # fmt: skip

# A stem keeps the first letters of its word, so only words that begin alike need stemming.
_ALIKE = 2

_LOOSE_WEIGHT = 0.3
_NAME_WEIGHT = 1.3
_DATE_WEIGHT = 1.5
_PART = 0.5
_MONTH_CHARS = len("2023-07")


@lru_cache(maxsize=8)
def _stemmer(language: str) -> TextAnalyzer | None:
    algorithm = _ALGORITHMS.get(language)
    if algorithm is None:
        return None
    from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

    return TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.stemmer(algorithm)).build()


@lru_cache(maxsize=4096)
def stem(word: str, language: str) -> str:
    """Return what the forms of `word`, already folded, have in common."""
    stemmer = _stemmer(language)
    return "".join(stemmer.analyze(word)) if stemmer is not None else word


class Word(NamedTuple):
    """A word of a text: as it stands there, and folded for comparison."""

    text: str
    folded: str
    start: int


def words(text: str) -> list[Word]:
    """Return the words and numbers of `text`; `10-Q` is two words, `Q3` and `36,413` are one."""
    return [Word(match[0], _folded(match[0]), match.start()) for match in _WORD.finditer(text)]


@lru_cache(maxsize=4096)
def _folded(word: str) -> str:
    return _POSSESSIVE.sub("", unicodedata.normalize("NFKC", word).casefold())


class Term(Struct, frozen=True):
    """Something that a question asks about.

    Attributes:
        key: what the forms of the word have in common.
        weight: how much of the question it is, before anything is known about the documents.
        is_name: a proper name, a number or a code, for which no other word can stand.
    """

    key: str
    weight: float
    is_name: bool = False


def terms(question: str, language: str) -> dict[str, Term]:
    """Return the terms of `question` by key; a date is one term, and so is a quarter."""
    whole = [*dates(question), *quarters(question)]
    found = {date.key: Term(date.key, _DATE_WEIGHT, is_name=True) for date in whole}
    covered = [range(date.start, date.end) for date in whole]
    for index, word in enumerate(words(question)):
        if _is_stopword(word, language) or any(word.start in span for span in covered):
            continue
        is_name = any(char.isdigit() for char in word.text) or (
            index > 0 and word.text[0].isupper()
        )
        key = stem(word.folded, language)
        loose = language == "en" and word.folded in _LOOSE and not is_name
        weight = _LOOSE_WEIGHT if loose else _NAME_WEIGHT if is_name else 1.0
        if is_name and _is_part(word, question):
            weight *= _PART
        if key not in found or found[key].weight < weight:
            found[key] = Term(key, weight, is_name)
    return found


def _is_part(word: Word, text: str) -> bool:
    """Tell whether a hyphen joins `word` to another, as in `10-Q`."""
    end = word.start + len(word.text)
    return "-" in {text[max(word.start - 1, 0)], text[end : end + 1]}


def _is_stopword(word: Word, language: str) -> bool:
    # "IT" and "US" are names where they are written so.
    shouted = len(word.text) > 1 and word.text.isupper()
    return language == "en" and word.folded in STOPWORDS and not shouted


class Finder:
    """Recognises the terms of one question in many texts.

    Args:
        keys: of the terms to look for.
        language: of question and texts.
    """

    def __init__(self, keys: Collection[str], language: str) -> None:
        self.keys = keys
        self.language = language
        self._begins = frozenset(key[:_ALIKE] for key in keys)
        self._known: dict[str, str] = {}
        self._seen: dict[str, frozenset[str]] = {}

    def key(self, folded: str) -> str:
        """Return the stem of a word that may be a term, any other word as it is."""
        if folded[:_ALIKE] not in self._begins:
            return folded
        if folded not in self._known:
            self._known[folded] = stem(folded, self.language)
        return self._known[folded]

    def sequence(self, text: str) -> list[str]:
        """Return the keys of all words of `text`, in order, then of its quarters and dates."""
        found = [self.key(word.folded) for word in words(text)]
        found += [quarter.key for quarter in quarters(text)]
        for date in dates(text):
            found += {date.key, date.key[:_MONTH_CHARS]}
        return found

    def found(self, sequence: Iterable[str]) -> frozenset[str]:
        """Return the terms among the keys of a text."""
        return frozenset(self.keys).intersection(sequence)

    def found_in(self, text: str) -> frozenset[str]:
        """Return the terms in `text`, which stands over several units and is read once."""
        if text not in self._seen:
            self._seen[text] = self.found(self.sequence(text))
        return self._seen[text]
