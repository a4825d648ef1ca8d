"""From text to the terms that are indexed and looked for."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

STEMMED = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
}
"""ISO 639-1 code to the name of its Snowball stemmer, for every stemmer that Tantivy has."""

_WITHOUT_STOPWORDS = {"ar", "el", "ro", "ta", "tr"}

OTHER = "other"
"""Stands for every language without a stemmer."""

LANGUAGES = (*STEMMED, OTHER)

_NORWEGIAN = {"nb", "nn"}
_MAX_TERM_CHARS = 100

# The stopword list for English leaves these out. They ask, they are not what is asked for:
# without them, more of the best passages are right (docs/proof/retrieval.json).
_ASKING = frozenset(
    re.findall(
        r"\w+",
        "what which who whom whose when where why how does did do done has have had were been from"
        " about can could would should may i you we me my your our he she its than",
    )
)

_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_NUMBER = re.compile(r"[0-9]+(?:[.,'\u2019][0-9]+)+")
_IN_NUMBER = re.compile(r"[0-9][.,'\u2019][0-9]")
_SEPARATOR = re.compile(r"[.,'\u2019]")
# A dot that counts as a letter, so that a number stays one term.
_DOT = "\ua78f"
# Reports call a quarter by either name.
_QUARTER = re.compile(r"\b(first|second|third|fourth)\s+(?:fiscal\s+)?quarter\b", re.IGNORECASE)
_QUARTERS = {"first": "q1", "second": "q2", "third": "q3", "fourth": "q4"}
# Scripts written without spaces: Thai, Lao, Myanmar, Khmer, kana, Han (with extensions A and B).
_UNSPACED = (
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0002a6df]+"
)


@cache
def language_key(language: str) -> str:
    """Return the key in `LANGUAGES` of an ISO 639-1 code such as `en` or `pt-BR`."""
    code = re.split("[-_]", language.lower(), maxsplit=1)[0]
    if code in _NORWEGIAN:
        return "no"
    return code if code in STEMMED else OTHER


def normalized(text: str) -> str:
    """Return `text` as the analyzers want it; never shown to anyone.

    A number with separators is followed by itself as one term, so `36,413` meets `36413`, and a
    quarter in words by its short name, so "third quarter" meets `Q3`. Text in a script without
    spaces becomes overlapping pairs of characters.
    """
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode("utf-8")
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
        # `re` keeps what it compiled, and most questions need none of it.
        text = re.sub(_UNSPACED, _pairs, text)
    if "uarter" in text:
        text = _QUARTER.sub(_quarter, text)
    # Few texts hold such a number, and telling so takes a third of the time of replacing.
    return _NUMBER.sub(_number, text) if _IN_NUMBER.search(text) else text


def _pairs(match: re.Match[str]) -> str:
    run = match[0]
    pairs = (run[at : at + 2] for at in range(max(len(run) - 1, 1)))
    return f" {' '.join(pairs)} "


def _quarter(match: re.Match[str]) -> str:
    return f"{match[0]} {_QUARTERS[match[1].lower()]}"


def _number(match: re.Match[str]) -> str:
    first, *groups = _SEPARATOR.split(match[0])
    whole = first + "".join(group if len(group) == 3 else _DOT + group for group in groups)
    return f"{match[0]} {whole}"


@cache
def analyzer(language: str, *, stemming: bool) -> TextAnalyzer:
    """Return what turns normalized text of a language (a key of `LANGUAGES`) into terms."""
    builder = _lowered().filter(Filter.remove_long(_MAX_TERM_CHARS))
    return _stemmed(builder, language if stemming else OTHER).build()


def query_terms(text: str, language: str, *, stemming: bool) -> list[str]:
    """Return the distinct terms to look for in passages of a language, in the order of `text`.

    Stopwords are left out, unless there is nothing else.
    """
    text = _QUARTER.sub(lambda match: _QUARTERS[match[1].lower()], normalized(text))
    words = [
        word
        for word in _content_words(language).analyze(text)
        if language != "en" or word not in _ASKING
    ]
    if words:
        stemmer = _word_stemmer(language, stemming=stemming)
        terms = [term for word in words for term in stemmer.analyze(word)]
    else:
        terms = analyzer(language, stemming=stemming).analyze(text)
    return list(dict.fromkeys(terms))


def _lowered() -> TextAnalyzerBuilder:
    return TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.lowercase())


def _stemmed(builder: TextAnalyzerBuilder, language: str) -> TextAnalyzerBuilder:
    if language == OTHER:
        return builder.filter(Filter.ascii_fold())
    if language == "en":
        # The English stemmer knows no accents: fold first, so that "Beyoncé" meets "Beyonce".
        return builder.filter(Filter.ascii_fold()).filter(Filter.stemmer(STEMMED[language]))
    return builder.filter(Filter.stemmer(STEMMED[language])).filter(Filter.ascii_fold())


@cache
def _content_words(language: str) -> TextAnalyzer:
    builder = _lowered()
    if language in STEMMED and language not in _WITHOUT_STOPWORDS:
        builder = builder.filter(Filter.stopword(STEMMED[language]))
    return builder.filter(Filter.remove_long(_MAX_TERM_CHARS)).build()


@cache
def _word_stemmer(language: str, *, stemming: bool) -> TextAnalyzer:
    return _stemmed(TextAnalyzerBuilder(Tokenizer.raw()), language if stemming else OTHER).build()
