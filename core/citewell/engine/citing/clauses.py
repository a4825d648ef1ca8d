"""The clauses of a text, each with whether it is negated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from citewell.engine.citing.negations import is_negated, negators
from citewell.engine.citing.words import content_stems

Clause: TypeAlias = tuple[frozenset[str], bool]

_EXCEPT = r"(?:except|außer|sauf|excepté|salvo|excepto)\b"
_EXCEPTION = re.compile(rf"\b{_EXCEPT}", re.IGNORECASE)
# An exception belongs to what it restricts.
_BORDER = re.compile(
    rf"(?:[;(\u2013\u2014]|,(?!\d))(?!\s*{_EXCEPT})|\)|:(?!\d)"
    r"|\b(?:and|but|while|although|though|because|which|that|unless|whereas|aber|und|weil|dass|mais"
    r"|et|que|pero|y)\b",
    re.IGNORECASE,
)
_LIST_ITEM = re.compile(r"(?:[-*+•]|\d{1,3}[.)])\s")
_LEAD_END = ":"
# What leads to a list is a sentence or two.
_LEAD_CHARS = 300
# What such a lead denies is a condition, or belongs to one thing in it.
_CONDITION = re.compile(
    r"\b(?:if|when|whenever|where|why|how|unless|until|who|that|which|whose|wenn|falls|warum|wo|wie"
    r"|si|quand|pourquoi|où|qui|que|cuando|donde)\b",
    re.IGNORECASE,
)


def clauses(text: str, language: str) -> Iterator[Clause]:
    """Yield what each clause of `text` says."""
    for clause in clause_texts(text, language, fewest=2):
        yield from readings(clause, language)


def readings(clause: str, language: str) -> Iterator[Clause]:
    """Yield the stems of the content words of a clause, and whether it is negated.

    With an exception it says two things: "all cakes except plum cakes" is true of cakes, but for
    the first word behind "except", and the contrary is true of all words together.
    """
    exception = _EXCEPTION.search(clause)
    stems, negated = _telling_stems(clause, language), is_negated(clause, language)
    if exception is None:
        yield stems, negated
        return
    excepted = content_stems(clause[exception.end() :], language)[:1]
    yield stems.difference(excepted), negated
    yield stems, not negated


def clause_texts(text: str, language: str, *, fewest: int) -> list[str]:
    """Return the clauses of `text`; one of fewer than `fewest` content words joins the next.

    What has none, as behind the colon of "Staff: 50", belongs to the clause before it.
    """
    found: list[list[str]] = []
    pending: list[str] = []
    stems: frozenset[str] = frozenset()
    for part in _BORDER.split(text):
        pending.append(part)
        stems |= _telling_stems(part, language)
        if found and not stems:
            found[-1].append(part)
            pending = []
        elif len(stems) >= fewest:
            found.append(pending)
            pending, stems = [], frozenset()
    return [" ".join(parts) for parts in (*found, pending) if "".join(parts).strip()]


def with_leads(units: Iterable[str]) -> Iterator[str]:
    """Yield sentences, and each item of a list once more with what leads to the list.

    Args:
        units: sentences and items in order, without blanks around them.
    """
    lead: str | None = None
    for unit in units:
        yield unit
        if lead is not None and _LIST_ITEM.match(unit):
            yield f"{lead} {unit}"
        else:
            leads = unit.endswith(_LEAD_END) and not _CONDITION.search(unit)
            lead = unit.removesuffix(_LEAD_END)[-_LEAD_CHARS:] if leads else None


def excepts(text: str) -> bool:
    """Tell whether `text` names an exception."""
    return _EXCEPTION.search(text) is not None


def _telling_stems(text: str, language: str) -> frozenset[str]:
    plain = _EXCEPTION.sub(" ", text)
    return frozenset(content_stems(plain, language)).difference(negators(language))
