"""The clauses of a text, each with whether it is negated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from citewell.engine.citing.negations import negations, negators
from citewell.engine.citing.words import content_stems

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
# "Parking: no", and a row of a table that says so in its last of two cells.
_VALUE = re.compile(
    r"(?<![^\n;])(?P<name>[^\n|;:]{1,80}):[ \t]*(?P<value>yes|no|sí)[ \t]*(?=[\n;.]|$)"
    r"|(?<![^\n])\|?(?P<cell>[^\n|]{1,80})\|[ \t]*(?P<last>yes|no|sí)[ \t]*\|?[ \t]*(?=\n|$)",
    re.IGNORECASE,
)
_REPLY = re.compile(
    r"\W*(?:a(?:nswer)?\s*[:.]\s*)?(?P<value>yes|no|sí)(?![^\W_])[\s,.;:!\u2013\u2014-]*",
    re.IGNORECASE,
)
_NO, _QUESTION_END = "no", "?"


class Clause(NamedTuple):
    """What a clause says.

    Attributes:
        stems: of its content words.
        negations: as in `negations.negations`.
        about: of an exception, the stems of what is excepted: it is said of nothing else.
    """

    stems: frozenset[str]
    negations: int
    about: frozenset[str] = frozenset()


def clauses(text: str, language: str) -> Iterator[Clause]:
    """Yield what each clause of `text` says."""
    yield from values(text, language)
    for clause in clause_texts(without_values(text), language, fewest=2):
        yield from readings(clause, language)


def values(text: str, language: str) -> Iterator[Clause]:
    """Yield what is said by a plain yes or no: "Parking: no"."""
    for match in _VALUE.finditer(text):
        name, value = match["name"] or match["cell"], match["value"] or match["last"]
        stems = _telling_stems(name, language)
        if stems:
            yield Clause(stems, int(value.lower() == _NO))


def without_values(text: str) -> str:
    """Return `text` without what `values` reads."""
    return _VALUE.sub("", text)


def readings(clause: str, language: str) -> Iterator[Clause]:
    """Yield what a clause says.

    With an exception it says two things: "all cakes except plum cakes" is true of cakes, but for
    the first word behind "except", and the contrary is true of all words together.
    """
    exception = _EXCEPTION.search(clause)
    stems, negated = _telling_stems(clause, language), negations(clause, language)
    if exception is None:
        yield Clause(stems, negated)
        return
    excepted = content_stems(clause[exception.end() :], language)
    yield Clause(stems.difference(excepted[:1]), negated)
    yield Clause(stems, int(not negated), frozenset(excepted))


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

    A question that is answered by yes or no becomes what that says.

    Args:
        units: sentences and items in order, without blanks around them.
    """
    lead: str | None = None
    for unit in _answered(units):
        yield unit
        if lead is not None and _LIST_ITEM.match(unit):
            yield f"{lead} {unit}"
        else:
            leads = unit.endswith(_LEAD_END) and not _CONDITION.search(unit)
            lead = unit.removesuffix(_LEAD_END)[-_LEAD_CHARS:] if leads else None


def _answered(units: Iterable[str]) -> Iterator[str]:
    question = ""
    for unit in units:
        reply = _REPLY.match(unit) if question else None
        said = unit[reply.end() :] if reply else unit
        if question:
            denied = reply is not None and reply["value"].lower() == _NO
            yield f"{_NO} {question}" if denied else question
        question = said if said.endswith(_QUESTION_END) else ""
        if said and not question:
            yield said
    if question:
        yield question


def excepts(text: str) -> bool:
    """Tell whether `text` names an exception."""
    return _EXCEPTION.search(text) is not None


def _telling_stems(text: str, language: str) -> frozenset[str]:
    plain = _EXCEPTION.sub(" ", text)
    return frozenset(content_stems(plain, language)).difference(negators(language))
