"""Which units of the passages speak to a question, and how well."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from citewell import Passage, Turn
from citewell_extractive.periods import asked_periods, period, period_terms
from citewell_extractive.tables import cells
from citewell_extractive.units import Kind, Unit, units
from citewell_extractive.wanted import fit, wanted
from citewell_extractive.words import Finder, Term, terms, words

K = TypeVar("K", bound=Hashable)

# How much a term counts that stands not in the unit itself but near it.
_LEAD, _TITLE, _BESIDE, _PASSAGE, _DOCUMENT = 0.9, 0.7, 0.5, 0.3, 0.2

# What orders units beside the share of the question that they cover. Chosen by hand: on the
# fitting half of the XQuAD proof half or twice as much changes 1 answer in 100; that amounts, rows
# and periods count at all was learned from the 10-Q proof.
_OWN, _KIND, _PHRASE, _RANK, _PERIOD, _ROW = 0.3, 0.3, 0.2, 0.1, 0.3, 0.15
# A title, an announcement or a question names the topic and says nothing about it.
_FRAGMENT = -0.4
_ENDS = re.compile(r"[.!\u2026\u3002\uff01][\"'\u201d\u2019)\]*_]*$")

# Logistic regression of "the passages hold the answer" on the fitting half of the XQuAD proof;
# `python -m proofs._xquad_fit` fits them again.
_BIAS, _COVERAGE, _AMOUNT = -9.15, 12.14, 2.88

_FEW_TERMS = 2
_LEANS = re.compile(
    r"\b(?:it|its|they|them|their|that|this|those|these|he|she|his|her|him|ones?|there|same)\b"
    r"|^\s*(?:and|or|but|what about|how about|why)\b",
    re.IGNORECASE,
)
_EARLIER = 0.5
_LEANS_BACK = re.compile(
    r"(?:all of |both )?(?:th(?:is|ese|at|ose|ey)|s?he|it|such)\b", re.IGNORECASE
)


class Signals(Struct, frozen=True):
    """What tells whether a unit, in its surroundings, answers.

    Attributes:
        coverage: share of the question found, in [0, 1].
        amount: how much was found, on a logarithmic scale: half of a long question is more.
    """

    coverage: float
    amount: float

    @property
    def confidence(self) -> float:
        """Probability that the passages hold the answer."""
        return 1 / (1 + math.exp(-(_BIAS + _COVERAGE * self.coverage + _AMOUNT * self.amount)))


class Evidence(Struct, frozen=True):
    """A unit that may answer.

    Attributes:
        number: of its passage, from 1.
        text: of the unit, as it stands in the passage.
        names: of the question's names and numbers those in it, above it or in its titles.
        score: orders the units of one question, higher is better.
        before: the sentence that it leans on, as one that begins with "this" does.
        follows: the units that it announces, as "these steps:" does.
    """

    number: int
    unit: Unit
    text: str
    names: frozenset[str]
    score: float
    signals: Signals
    before: Unit | None = None
    follows: tuple[Unit, ...] = ()


def evidence(
    question: str, passages: Sequence[Passage], *, turns: Sequence[Turn] = ()
) -> list[Evidence]:
    """Return the units of `passages` that share a term with `question`, best first.

    Args:
        question: in the asker's words.
        passages: as the retriever ranked them.
        turns: earlier ones; a question that leans on the one before takes over its terms.
    """
    if not passages:
        return []
    asked = _Asked(question, passages, turns)
    seen = [
        unit for number, passage in enumerate(passages, 1) for unit in asked.read(number, passage)
    ]
    weighed = _Scale(asked, seen, len(passages))
    found = [weighed.evidence(index) for index, unit in enumerate(seen) if unit.keys]
    return sorted(found, key=lambda item: -item.score)


class _Seen(Struct, frozen=True):
    """A unit with the terms in it and above it, and all its keys in order."""

    number: int
    document_id: str
    unit: Unit
    text: str
    sequence: tuple[str, ...]
    keys: frozenset[str]
    lead: frozenset[str]
    titles: frozenset[str]


class _Asked:
    """A question, ready to be compared with texts."""

    def __init__(self, question: str, passages: Sequence[Passage], turns: Sequence[Turn]) -> None:
        language = passages[0].language
        self.terms = _with_earlier(question, terms(question, language), turns, language)
        self.finder = Finder(self.terms, language)
        self.folded = frozenset(word.folded for word in words(question))
        self.wanted = wanted(question)
        sequence = self.finder.sequence(question)
        self.pairs = {pair for pair in pairwise(sequence) if set(pair) <= self.terms.keys()}
        names = {passage.document_id: _name(passage) for passage in passages}
        periods = asked_periods(question, names.values())
        self.timely = {key for key, name in names.items() if period(name) in periods}
        self.period = self.finder.found(map(self.finder.key, period_terms(question)))

    def read(self, number: int, passage: Passage) -> Iterator[_Seen]:
        """Yield the units of a passage."""
        name = self.finder.found(self.finder.sequence(_name(passage)))
        for unit in units(passage):
            text = passage.text[unit.start : unit.end]
            sequence = tuple(self.finder.sequence(f"{unit.label} {text}"))
            headings = " ".join(passage.place_at(passage.start + unit.start).headings)
            above = " ".join((unit.lead, *unit.titles))
            yield _Seen(
                number=number,
                document_id=passage.document_id,
                unit=unit,
                text=text,
                sequence=sequence,
                keys=self.finder.found(sequence),
                lead=self.finder.found_in(above),
                titles=name | self.finder.found_in(headings),
            )


def _name(passage: Passage) -> str:
    """Return what a document is called, by its title and by its file."""
    return f"{passage.title} {passage.document_id.partition(':')[2]}"


def _with_earlier(
    question: str, found: dict[str, Term], turns: Sequence[Turn], language: str
) -> dict[str, Term]:
    earlier = [turn.text for turn in turns if turn.role == "user"]
    if not earlier or not (len(found) <= _FEW_TERMS or _LEANS.search(question)):
        return found
    before = terms(earlier[-1], language).values()
    return {term.key: replace(term, weight=term.weight * _EARLIER) for term in before} | found


class _Scale:
    """Weighs each unit against all that was read."""

    def __init__(self, asked: _Asked, seen: Sequence[_Seen], passages: int) -> None:
        self.asked, self.seen, self.passages = asked, seen, passages
        self.in_passage = _union((unit.number, unit.keys | unit.lead) for unit in seen)
        self.in_document = _union((unit.document_id, unit.keys | unit.lead) for unit in seen)
        self.weights = {key: term.weight for key, term in asked.terms.items()}
        self.names = frozenset(key for key, term in asked.terms.items() if term.is_name)
        self.rarities = {
            key: weight * _rarity(sum(key in unit.keys for unit in seen), len(seen))
            for key, weight in self.weights.items()
        }

    def evidence(self, index: int) -> Evidence:
        """Return the unit at `index` with its score and signals."""
        seen = self.seen[index]
        # All of a document that states the period asked for is about that period.
        is_timely = seen.document_id in self.asked.timely
        timely = self.asked.period if is_timely else frozenset[str]()
        nearness = {**self._nearness(index), **dict.fromkeys(timely, 1.0)}
        coverage = _share(self.weights, nearness)
        follows = self._follows(index)
        is_fragment = seen.unit.kind is Kind.SENTENCE and not (follows or _ENDS.search(seen.text))
        own = dict.fromkeys(seen.keys | timely, 1.0)
        score = (
            _share(self.rarities, nearness)
            + _OWN * _share(self.rarities, own)
            + _KIND * fit(self.asked.wanted, seen.text, words(seen.text), self.asked.folded)
            + _PHRASE * self._phrases(seen)
            + _RANK * (1 - (seen.number - 1) / self.passages)
            + _PERIOD * is_timely
            + _FRAGMENT * is_fragment
            + _ROW * self._label_fit(seen)
        )
        amount = math.log1p(coverage * sum(self.weights.values()))
        signals = Signals(coverage, amount)
        return Evidence(
            number=seen.number,
            unit=seen.unit,
            text=seen.text,
            names=self.names & (seen.keys | seen.lead | seen.titles | timely),
            score=score,
            signals=signals,
            before=self._before(index),
            follows=follows,
        )

    def _nearness(self, index: int) -> Mapping[str, float]:
        """Return how near to a unit each term stands; the nearest counts."""
        seen = self.seen[index]
        beside = frozenset[str]()
        for other in (index - 1, index + 1):
            if 0 <= other < len(self.seen) and self.seen[other].number == seen.number:
                beside |= self.seen[other].keys
        layers = (
            (_DOCUMENT, self.in_document[seen.document_id]),
            (_PASSAGE, self.in_passage[seen.number]),
            (_BESIDE, beside),
            (_TITLE, seen.titles),
            (_LEAD, seen.lead),
            (1.0, seen.keys),
        )
        return {key: nearness for nearness, keys in layers for key in keys}

    def _phrases(self, seen: _Seen) -> float:
        if not self.asked.pairs:
            return 0.0
        return len(self.asked.pairs.intersection(pairwise(seen.sequence))) / len(self.asked.pairs)

    def _label_fit(self, seen: _Seen) -> float:
        """Return which share of the words that name a row was asked for."""
        if seen.unit.kind is not Kind.ROW:
            return 0.0
        naming = terms(cells(seen.text)[0], self.asked.finder.language)
        return len(naming.keys() & self.weights.keys()) / len(naming) if naming else 0.0

    def _before(self, index: int) -> Unit | None:
        before, seen = self.seen[index - 1] if index else None, self.seen[index]
        if before is None or before.number != seen.number or not _LEANS_BACK.match(seen.text):
            return None
        return before.unit if before.unit.kind is seen.unit.kind is Kind.SENTENCE else None

    def _follows(self, index: int) -> tuple[Unit, ...]:
        seen = self.seen[index]
        leads, follows = {seen.text}, []
        for other in self.seen[index + 1 :]:
            if other.number != seen.number or other.unit.lead not in leads:
                break
            if other.unit.kind is not Kind.ROW:
                leads.add(other.text)
                follows.append(other.unit)
        return tuple(follows)


def _union(pairs: Iterable[tuple[K, frozenset[str]]]) -> dict[K, frozenset[str]]:
    union: dict[K, frozenset[str]] = {}
    for key, found in pairs:
        union[key] = union.get(key, frozenset()) | found
    return union


def _share(weights: Mapping[str, float], found: Mapping[str, float]) -> float:
    total = sum(weights.values())
    return sum(weights[key] * part for key, part in found.items()) / total if total else 0.0


def _rarity(holding: int, units_read: int) -> float:
    """Return from 0 for a term in every unit to log 20 for one in none."""
    return math.log(20) - math.log1p(19 * holding / max(units_read, 20))
