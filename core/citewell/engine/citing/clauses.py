"""The clauses of a text, each with whether it is negated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from citewell.engine.citing.bounds import Bound, bounds
from citewell.engine.citing.negations import denies, lacking, lacks, negators
from citewell.engine.citing.words import content_stems, stem, words

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
    r"\W*(?:a(?:nswer)?\s*[:.]\s*)?(?P<value>yes|no|sí)"
    r"(?=\s*[,.;:!\u2013\u2014]|\s+-|\s*$)[\s,.;:!\u2013\u2014-]*",
    re.IGNORECASE,
)
# "No, only on Monday" denies the question but for what it says.
_RESTRICTED = re.compile(r"(?:only|unless|except|if|but|sólo|solo|salvo|si)\b", re.IGNORECASE)
_NO, _QUESTION_END = "no", "?"
_PRONOUN = re.compile(
    r"\W*(?:he|she|it|they|we|you|this|these|those|er|sie|es|wir|dies|diese|il|elle|ils|elles|nous"
    r"|vous|ellos|ellas|nosotros|usted|ustedes)\b",
    re.IGNORECASE,
)


class Clause(NamedTuple):
    """What a clause says.

    Attributes:
        stems: of its content words.
        denies: whether it is denied.
        lacks: whether it says "without".
        bounds: its figures that are a least or a most.
        about: of an exception, the stems of what is excepted: it is said of nothing else.
        goes_on: whether it begins with a pronoun, so that its subject stands elsewhere.
    """

    stems: frozenset[str]
    denies: bool
    lacks: bool = False
    bounds: frozenset[Bound] = frozenset()
    about: frozenset[str] = frozenset()
    goes_on: bool = False

    @property
    def is_negated(self) -> bool:
        """Whether it says that something is not so, or not there."""
        return self.denies or self.lacks

    def agrees(self, other: Clause) -> bool:
        """Tell whether two clauses with the same words say the same.

        "Not more than 5" says what "up to 5" says, and "not without" no more than "not" does.
        """
        turned = {bound.turned() for bound in self.bounds}
        is_turned = self.bounds.isdisjoint(other.bounds) and not turned.isdisjoint(other.bounds)
        contrary = self.lacks and other.lacks and self.denies != other.denies
        return (self.is_negated != is_turned) == other.is_negated and not contrary


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
            yield Clause(stems, denies=value.lower() == _NO)


def without_values(text: str) -> str:
    """Return `text` without what `values` reads."""
    return _VALUE.sub("", text)


def readings(clause: str, language: str) -> Iterator[Clause]:
    """Yield what a clause says.

    With an exception it says two things: "all cakes except plum cakes" is true of cakes, but for
    the first word behind "except", and the contrary is true of all words together.
    """
    exception = _EXCEPTION.search(clause)
    said = Clause(
        stems=_telling_stems(clause, language),
        denies=denies(clause, language),
        lacks=lacks(clause, language),
        bounds=frozenset(bounds(clause, language)),
        goes_on=_PRONOUN.match(clause) is not None,
    )
    if exception is None:
        yield said
        return
    excepted = content_stems(clause[exception.end() :], language)
    yield said._replace(stems=said.stems.difference(excepted[:1]))
    yield said._replace(denies=not said.is_negated, lacks=False, about=frozenset(excepted))


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
        elif len(stems) >= fewest and not _leads_on(pending[0], language):
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
            denied = reply and reply["value"].lower() == _NO and not _RESTRICTED.match(said)
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
    negating = negators(language).union(map(stem, lacking(language)))
    return frozenset(content_stems(plain, language)).difference(negating)


def _leads_on(part: str, language: str) -> bool:
    """Tell whether `part` begins with "without": it restricts what comes behind the comma."""
    return next(words(part), "") in lacking(language)
