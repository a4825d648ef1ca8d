"""A number of questions of what was read, spread over its documents; a seed gives one set."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from citewell.engine.citing.words import content_stems
from citewell.evaluation.making.combining import can_join, in_form, is_fit, joined
from citewell.evaluation.making.definitions import of_definitions
from citewell.evaluation.making.elsewhere import Elsewhere
from citewell.evaluation.making.facts import Fact, Kind, plain
from citewell.evaluation.making.gaps import of_gaps
from citewell.evaluation.making.headings import of_headings
from citewell.evaluation.making.material import Material, Reading, Wish
from citewell.evaluation.making.statements import of_sentences
from citewell.evaluation.making.tables import of_tables
from citewell.evaluation.questions import question_id
from citewell.evaluation.slices import sliced
from citewell.types.evaluation import EvalItem

_Any = TypeVar("_Any")

_LEAST_MERIT = 4
_ALIKE = 0.6
"""Two questions with one answer that share so many of their words ask for one fact."""

_MAKERS = (of_headings, of_definitions, of_tables, of_sentences, of_gaps)


class Drawn(Struct, kw_only=True):
    """What came of it.

    Attributes:
        elsewhere: how many questions of documents that are left out were dropped, as another
            document may answer them.
    """

    items: list[EvalItem] = field(default_factory=list)
    elsewhere: int = 0


def facts(document: Material) -> list[Fact]:
    """Return what `document` states, in the order of its text, each fact once."""
    found: dict[int, Fact] = {}
    asked: set[str] = set()
    every = chain.from_iterable(make(one) for one in document.passages for make in _MAKERS)
    for fact in sorted(every, key=lambda one: (-one.merit, one.at)):
        question = plain(fact.question)
        if fact.at not in found and question not in asked and fact.quote.strip():
            found[fact.at] = fact
            asked.add(question)
    return sorted(found.values(), key=lambda one: one.at)


async def draw(reading: Reading, elsewhere: Elsewhere, wish: Wish) -> Drawn:
    """Choose questions, those that a person would take first, kinds mixed, documents in turn."""
    choose = random.Random(wish.seed)  # noqa: S311 - a draw is no secret
    pools = {document.id: facts(document) for document in reading.documents}
    unclear = _ambiguous(chain.from_iterable(pools.values()))
    clear = {
        id_: [fact for fact in pool if plain(fact.question) not in unclear]
        for id_, pool in pools.items()
    }
    outside = [pool for id_, pool in clear.items() if id_ in reading.held_out]
    inside = [pool for id_, pool in clear.items() if id_ not in reading.held_out]
    unanswerable = round(wish.number * wish.held_out) if outside else 0
    taking = _Taking()
    _take_inside(taking, _in_turn(inside, choose, wish), wish, wish.number - unanswerable)
    drawn = Drawn()
    limit = len(taking.items) + unanswerable
    for fact in _in_turn(outside, choose, wish):
        if len(taking.items) >= limit:
            break
        if not taking.is_new(fact):
            continue
        if await elsewhere.answers(fact.question, fact.answer):
            drawn.elsewhere += 1
        else:
            taking.take(fact, _without_answer(fact))
    drawn.items = taking.items
    return drawn


def _take_inside(taking: _Taking, every: Iterator[Fact], wish: Wish, limit: int) -> None:
    """Take so many questions of documents that are there, in their shares some of other kinds."""
    waiting: Fact | None = None
    pairs = forms = 0
    for fact in every:
        # One that waits for another document is a question by itself at the end.
        if len(taking.items) + (waiting is not None) >= limit:
            break
        if not taking.is_new(fact):
            continue
        coming = len(taking.items) + 1
        if waiting is not None and is_fit(fact) and can_join(waiting, fact):
            taking.take(waiting, joined(waiting, fact))
            taking.note(fact)
            waiting, pairs = None, pairs + 1
        elif is_fit(fact) and waiting is None and pairs + 0.5 < wish.several * coming:
            waiting = fact
            taking.note(fact)
        elif is_fit(fact) and forms + 0.5 < wish.in_form * coming:
            taking.take(fact, in_form(fact))
            forms += 1
        else:
            taking.take(fact, fact.item())
    if waiting is not None:
        taking.take(waiting, waiting.item())


class _Taking:
    """Questions that were taken, and what they are about."""

    def __init__(self) -> None:
        self.items: list[EvalItem] = []
        self._ids: set[str] = set()
        self._rows: set[tuple[str, int]] = set()
        self._stems: dict[str, list[set[str]]] = {}

    def is_new(self, fact: Fact) -> bool:
        """Tell whether nothing that was taken asks for the same, or stands in the same line."""
        stems, alike = _stems(fact), self._stems.get(_answer(fact), [])
        return (
            question_id(fact.question) not in self._ids
            and _row(fact) not in self._rows
            and not any(_is_same(stems, other) for other in alike)
        )

    def note(self, fact: Fact) -> None:
        """Let nothing else ask for this fact."""
        self._ids.add(question_id(fact.question))
        self._rows.add(_row(fact))
        self._stems.setdefault(_answer(fact), []).append(_stems(fact))

    def take(self, fact: Fact, item: EvalItem) -> None:
        """Take a question for a fact."""
        self.note(fact)
        self.items.append(replace(item, id=question_id(item.question)))


def _row(fact: Fact) -> tuple[str, int]:
    return fact.passage.document_id, fact.passage.start + fact.start


def _answer(fact: Fact) -> str:
    return plain(fact.answer or fact.quote)


def _stems(fact: Fact) -> set[str]:
    return set(content_stems(fact.question, fact.passage.language))


def _is_same(stems: set[str], others: set[str]) -> bool:
    return len(stems & others) >= _ALIKE * min(len(stems), len(others))


def _ambiguous(found: Iterable[Fact]) -> set[str]:
    """Return the questions that documents answer differently."""
    answers: dict[str, set[str]] = {}
    for fact in found:
        answers.setdefault(plain(fact.question), set()).add(_answer(fact))
    return {question for question, known in answers.items() if len(known) > 1}


def _in_turn(pools: Sequence[Sequence[Fact]], choose: random.Random, wish: Wish) -> Iterator[Fact]:
    """Yield a question of each document in turn; sentences with a gap come last."""
    shuffled = choose.sample([*pools], len(pools))
    good = [[one for one in pool if one.merit >= _LEAST_MERIT] for pool in shuffled]
    yield from _turns([_mixed(pool, choose) for pool in good])
    if wish.with_gaps:
        gaps = [[one for one in pool if one.kind is Kind.GAP] for pool in shuffled]
        yield from _turns([_by_merit(pool, choose) for pool in gaps])


def _mixed(pool: Sequence[Fact], choose: random.Random) -> list[Fact]:
    """Return the questions of a document, one of each kind in turn, of each the better first."""
    kinds: dict[Kind, list[Fact]] = {}
    for fact in _by_merit(pool, choose):
        kinds.setdefault(fact.kind, []).append(fact)
    return [*_turns([*kinds.values()])]


def _by_merit(pool: Sequence[Fact], choose: random.Random) -> list[Fact]:
    return sorted(choose.sample([*pool], len(pool)), key=lambda one: -one.merit)


def _turns(pools: Sequence[Sequence[_Any]]) -> Iterator[_Any]:
    return (one for turn in zip_longest(*pools) for one in turn if one is not None)


def _without_answer(fact: Fact) -> EvalItem:
    """Return a question whose document is left out, and named."""
    item = EvalItem(
        question=fact.question,
        documents=(fact.passage.document_id,),
        unanswerable=True,
        slices=(fact.kind.value,),
        is_easy=fact.is_easy,
        origin="documents",
    )
    return sliced(item)
