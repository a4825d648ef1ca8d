"""From text to the words that PostgreSQL's dictionaries are asked about."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

CONFIGURATIONS = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
"""ISO 639-1 code to the text search configuration for it that PostgreSQL brings along."""

SIMPLE = "simple"
"""The configuration for every other language: words as they are."""

MAX_WORD_CHARS = 100

_WORD = re.compile(r"[^\W_]+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_MARK = re.compile("[\u0300-\u036f]")
_NUMBER = re.compile(r"[0-9]+(?:[.,'\u2019][0-9]+)+")
_SEPARATOR = re.compile(r"[.,'\u2019]")
# A dot that counts as a letter, so that a number stays one word.
_DOT = "\ua78f"
# Reports call a quarter by either name.
_QUARTER = re.compile(r"\b(first|second|third|fourth)\s+(?:fiscal\s+)?quarter\b", re.IGNORECASE)
_QUARTERS = {"first": "q1", "second": "q2", "third": "q3", "fourth": "q4"}
# Scripts written without spaces: Thai, Lao, Myanmar, Khmer, kana, Han (with extensions A and B).
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0002a6df]+"
)


def configuration_for(language: str, available: Iterable[str]) -> str:
    """Return the configuration for an ISO 639-1 code such as `en` or `pt-BR`.

    Args:
        language: the code, or anything.
        available: the configurations of the server.
    """
    code = re.split("[-_]", language.lower(), maxsplit=1)[0]
    name = CONFIGURATIONS.get(code, SIMPLE)
    return name if name in available else SIMPLE


def counted(text: str, configuration: str) -> Counter[str]:
    """Return the words of a passage, and how often each is there."""
    return Counter(_words(text, configuration, is_question=False))


def asked(text: str, configuration: str) -> list[str]:
    """Return the words of a question, each once, in order."""
    return list(dict.fromkeys(_words(text, configuration, is_question=True)))


def folded(word: str) -> str:
    """Return `word` without accents."""
    if word.isascii():
        return word
    decomposed = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", _MARK.sub("", decomposed))


def _words(text: str, configuration: str, *, is_question: bool) -> Iterator[str]:
    """Yield words in lower case.

    A number with separators is followed by itself as one word, so `36,413` meets `36413`, and a
    quarter in words by its short name, so "third quarter" meets `Q3`; in a question only the short
    name is left. Text in a script without spaces becomes overlapping pairs of characters.
    """
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
        text = _UNSPACED.sub(_pairs, text)
    if "uarter" in text:
        text = _QUARTER.sub(_quarter_alone if is_question else _quarter, text)
    text = _NUMBER.sub(_number, text).lower()
    # The English stemmer knows no accents: fold first, so that "Beyoncé" meets "Beyonce".
    if configuration in {"english", SIMPLE}:
        text = folded(text)
    for word in _WORD.findall(text):
        if len(word) <= MAX_WORD_CHARS:
            yield word


def _pairs(match: re.Match[str]) -> str:
    run = match[0]
    pairs = (run[at : at + 2] for at in range(max(len(run) - 1, 1)))
    return f" {' '.join(pairs)} "


def _quarter(match: re.Match[str]) -> str:
    return f"{match[0]} {_quarter_alone(match)}"


def _quarter_alone(match: re.Match[str]) -> str:
    return _QUARTERS[match[1].lower()]


def _number(match: re.Match[str]) -> str:
    first, *groups = _SEPARATOR.split(match[0])
    whole = first + "".join(group if len(group) == 3 else _DOT + group for group in groups)
    return f"{match[0]} {whole}"
