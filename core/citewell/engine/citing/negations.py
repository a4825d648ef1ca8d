"""Which words deny, and what is denied."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from citewell.engine.citing.words import opposites, words

_NEGATORS = {
    "en": """not no never none neither nor without cannot nobody nothing nowhere n't hardly rarely
        unable""",
    "de": "nicht kein keine keinem keinen keiner keines nie niemals niemand nichts ohne weder noch",
    "fr": "ne n pas jamais aucun aucune rien personne sans ni",
    "es": "no nunca jamás ningún ninguna ninguno nada nadie sin ni tampoco",
}
# They deny what follows; denied themselves, they deny nothing.
_DENIALS = {
    "en": """fails failed lacks lacking refuses refused denies denied prohibits prohibited forbids
        forbidden""",
}
# Those among all of them that turn round a statement, and not only one thing in it.
_OF_STATEMENTS = {
    "en": "not never cannot hardly rarely n't denies denied prohibits prohibited forbids forbidden",
    "de": "nicht nie niemals",
    "fr": "ne n pas jamais",
    "es": "no nunca jamás",
}
# "not only" denies nothing.
_ONLY = frozenset({"only", "just", "merely", "nur", "seulement", "solo", "sólo", "solamente"})
# They say that one thing is lacking, and deny no statement.
_LACKING = frozenset({"without", "ohne", "sans", "sin"})
_CONTRACTED = "n't"
# How far before a denial what denies it stands: "not strictly prohibited".
_DENIAL_DENIED_WITHIN = 2
# "not allowed", "isn't ever allowed", "no longer to be allowed".
_DENIED_WITHIN = 4
_BORDER = re.compile(r"[.,;:!?()\u2013\u2014]")


@cache
def negators(language: str) -> frozenset[str]:
    """Return words that turn a statement round; empty for a language without a list."""
    return _listed(_NEGATORS, language) | _denials(language)


@cache
def lacking(language: str) -> frozenset[str]:
    """Return the words that mean "without"; empty for a language without a list."""
    return _LACKING & negators(language)


@cache
def _denials(language: str) -> frozenset[str]:
    return _listed(_DENIALS, language)


def _listed(lists: Mapping[str, str], language: str) -> frozenset[str]:
    return frozenset(lists.get(language, "").split())


def is_negated(text: str, language: str) -> bool:
    """Tell whether `text` denies something or says that something is lacking."""
    return denies(text, language) or lacks(text, language)


def lacks(text: str, language: str) -> bool:
    """Tell whether `text` says "without"."""
    return not lacking(language).isdisjoint(words(text))


def denies(text: str, language: str) -> bool:
    """Tell whether a negating word stands in `text`, but for "not prohibited" and "not only"."""
    negating, denials = negators(language) - _LACKING, _denials(language)
    plain: list[int] = []
    said = list(words(text))
    for index, word in enumerate(said):
        if word in denials:
            if not plain or index - plain[-1] > _DENIAL_DENIED_WITHIN:
                return True
            plain.pop()
        elif _is_among(word, negating) and _ONLY.isdisjoint(said[index + 1 : index + 2]):
            plain.append(index)
    return bool(plain)


def is_denied_next(text: str, language: str) -> bool:
    """Tell whether `text` ends so that what follows is denied: "It is not true that"."""
    said = list(words(_BORDER.split(text)[-1]))[-_DENIED_WITHIN:]
    denying = _listed(_OF_STATEMENTS, language)
    return any(_is_among(word, denying) for word in said) and _ONLY.isdisjoint(said)


def denied_words(text: str, language: str) -> frozenset[str]:
    """Return the words that a negating word shortly before them denies."""
    return frozenset(
        word
        for part in _BORDER.split(text)
        for said in [list(words(part))]
        if any(_is_among(word, negators(language)) for word in said)
        for index, word in enumerate(said)
        if is_negated(" ".join(said[max(index - _DENIED_WITHIN, 0) : index]), language)
    )


def denies_the_contrary(text: str, known: frozenset[str], language: str) -> bool:
    """Tell whether `text` denies a word whose opposite is among the `known` words."""
    return any(not opposites(word).isdisjoint(known) for word in denied_words(text, language))


def _is_among(word: str, negating: frozenset[str]) -> bool:
    return word in negating or (_CONTRACTED in negating and word.endswith(_CONTRACTED))
