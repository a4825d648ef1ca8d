"""The clauses of a text, each with whether it is denied, and words that say the contrary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from citewell.engine.citing.words import (
    content_stems,
    is_negated,
    negators,
    opposites,
    words,
)

Clause: TypeAlias = tuple[frozenset[str], bool]

# An exception belongs to what it restricts.
_NO_EXCEPTION = r"(?!\s*(?:except|außer|ausgenommen|sauf|excepté|salvo|excepto)\b)"
_BORDER = re.compile(
    rf"(?:[;(\u2013\u2014]|,(?!\d)){_NO_EXCEPTION}|\)|:(?!\d)|\b(?:and|but|while|although|though|because|which|that|unless|whereas|"
    r"aber|und|weil|dass|mais|et|que|pero|y)\b",
    re.IGNORECASE,
)
_LIST_ITEM = re.compile(r"(?:[-*+•]|\d{1,3}[.)])\s")
_LEAD_END = ":"
# What leads to a list is a sentence or two.
_LEAD_CHARS = 300
# "not allowed", "isn't ever allowed", "no longer to be allowed".
_DENIED_WITHIN = 4


def clauses(text: str, language: str) -> Iterator[Clause]:
    """Yield the stems of the content words of each clause, and whether it is negated."""
    for clause in clause_texts(text, language, fewest=2):
        yield _telling_stems(clause, language), is_negated(clause, language)


def clause_texts(text: str, language: str, *, fewest: int) -> list[str]:
    """Return the clauses of `text`; one of fewer than `fewest` content words joins the next.

    What has none, as behind the colon of "Staff: 50", belongs to the clause before it.
    """
    found: list[str] = []
    pending = ""
    for part in _BORDER.split(text):
        pending = f"{pending} {part}"
        stems = _telling_stems(pending, language)
        if found and not stems:
            found[-1] += pending
            pending = ""
        elif len(stems) >= fewest:
            found.append(pending)
            pending = ""
    return list(filter(None, (*found, pending)))


def with_leads(units: Iterable[str]) -> Iterator[str]:
    """Yield sentences, and each item of a list once more with what leads to the list.

    What denies the lead need not deny the item by itself: "If it does not start: press reset".

    Args:
        units: sentences and items in order, without blanks around them.
    """
    lead: str | None = None
    for unit in units:
        yield unit
        if lead is not None and _LIST_ITEM.match(unit):
            yield f"{lead} {unit}"
        else:
            leads = unit.endswith(_LEAD_END)
            lead = unit.removesuffix(_LEAD_END)[-_LEAD_CHARS:] if leads else None


def denied_words(text: str, language: str) -> frozenset[str]:
    """Return the words with an opposite before which a negating word stands, not far away."""
    said = list(words(text))
    return frozenset(
        word
        for index, word in enumerate(said)
        if word in opposites()
        and is_negated(" ".join(said[max(index - _DENIED_WITHIN, 0) : index]), language)
    )


def denies_the_contrary(text: str, known: frozenset[str], language: str) -> bool:
    """Tell whether `text` denies a word whose opposite is among the `known` words."""
    return any(not opposites()[word].isdisjoint(known) for word in denied_words(text, language))


def _telling_stems(text: str, language: str) -> frozenset[str]:
    return frozenset(content_stems(text, language)).difference(negators(language))
