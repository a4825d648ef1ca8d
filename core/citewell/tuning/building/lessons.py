"""What an example is to teach, and what the passages of its question are for that."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from citewell.engine.citing.numerals import numbers_in_words
from citewell.types.documents import Passage
from citewell.types.evaluation import EvalItem, Swap


class Teaches(StrEnum):
    """What an example is to teach."""

    ANSWERED = "answered"
    REFUSED = "refused"
    SWAPPED = "swapped"
    CONFLICT = "conflict"
    VOTED = "voted"
    CORRECTED = "corrected"


class Shares(Struct, frozen=True, kw_only=True):
    """Of the examples, how many teach what; the rest is answered from what was found.

    Attributes:
        refused: without the passage that answers, so that the right answer is to say so.
        swapped: with another fact in the passages, so that these are obeyed and not a memory.
        conflict: with a passage that says otherwise, so that both are told.
    """

    refused: float = 0.2
    swapped: float = 0.1
    conflict: float = 0.1


class Lesson(Struct, frozen=True, kw_only=True):
    """A question, and what is to be learnt from it.

    Attributes:
        swap: what another fact is, in all passages or in one of two.
        order: names the order of the passages, so that no number of a passage is learnt.
    """

    item: EvalItem
    teaches: Teaches
    swap: Swap | None = None
    order: str = ""


# A number with what stands around it, so that no part of a longer one is exchanged.
_NUMBER = re.compile(r"(?<![\d.,/–-])\d+(?![\d/–-]|[.,]\d)")  # noqa: RUF001 - of ranges
_YEAR = range(1000, 2100)
_YEARS_OFF = 30
_DAY = range(10, 29)
_DIGITS = re.compile(r"\d+")


def lessons(items: Sequence[EvalItem], shares: Shares | None, seed: int) -> list[Lesson]:
    """Return the lessons of questions, in a random order; the same seed gives the same.

    Args:
        items: the questions.
        shares: one lesson of each question, mixed in these shares, where what is no number is asked
            as it is; None for all that can be taught by each.
        seed: of every choice.
    """
    choose = random.Random(seed)  # noqa: S311 - a draw is no secret
    mixture = None if shares is None else _Mixture(shares)
    found = []
    for item in choose.sample([*items], len(items)):
        swap = item.swap or _other_fact(item, choose)
        possible = _possible(item, swap)
        for teaches in possible if mixture is None else [mixture.drawn(possible)]:
            is_changed = teaches in {Teaches.SWAPPED, Teaches.CONFLICT}
            found.append(
                Lesson(
                    item=item,
                    teaches=teaches,
                    swap=swap if is_changed else None,
                    order=f"{seed} {item.id}",
                )
            )
    return found


def _possible(item: EvalItem, swap: Swap | None) -> list[Teaches]:
    """Return what a question can teach."""
    if item.unanswerable:
        return [Teaches.REFUSED]
    changed = [] if swap is None else [Teaches.SWAPPED, Teaches.CONFLICT]
    return [Teaches.ANSWERED, Teaches.REFUSED, *changed]


class _Mixture:
    """Keeps lessons in their shares."""

    def __init__(self, shares: Shares) -> None:
        self._wanted = {
            Teaches.REFUSED: shares.refused,
            Teaches.SWAPPED: shares.swapped,
            Teaches.CONFLICT: shares.conflict,
        }
        self._given = dict.fromkeys(Teaches, 0)

    def drawn(self, possible: Sequence[Teaches]) -> Teaches:
        """Return what a question teaches: what is missing the most, if it can; else the first."""
        number = 1 + sum(self._given.values())
        short = (
            one
            for one, share in self._wanted.items()
            if one in possible and self._given[one] + 0.5 < share * number
        )
        teaches = next(short, possible[0])
        self._given[teaches] += 1
        return teaches


def is_exchangeable(swap: Swap, passages: Sequence[Passage]) -> bool:
    """Tell whether a fact stands in the text of passages alone, and the other one nowhere."""
    fact = _alone(swap.fact)
    return (
        bool(passages)
        and all(fact.search(one.text) for one in passages)
        and not any(swap.instead in one.text for one in passages)
        and not any(still_states(changed(one, swap), swap) for one in passages)
    )


def still_states(passage: Passage, swap: Swap) -> bool:
    """Tell whether a number of a fact is left in what a model sees of a passage, also in words."""
    text = " ".join((passage.title, passage.header, *passage.place.headings, passage.text))
    numbers = set(_DIGITS.findall(swap.fact)) - set(_DIGITS.findall(swap.instead))
    said = {*_DIGITS.findall(text), *(str(one.value) for one in numbers_in_words(text))}
    return bool(_alone(swap.fact).search(text)) or not numbers.isdisjoint(said)


def changed(passage: Passage, swap: Swap) -> Passage:
    """Return a passage with the other fact."""
    text = exchanged(passage.text, swap)
    header = exchanged(passage.header, swap)
    return replace(passage, text=text, header=header, end=passage.start + len(text))


def exchanged(text: str, swap: Swap | None) -> str:
    """Return a text with the other fact, where the fact stands by itself in it."""
    return text if swap is None else _alone(swap.fact).sub(lambda _: swap.instead, text)


def _alone(fact: str) -> re.Pattern[str]:
    """Return what finds a fact, but not as a part of a longer word or number."""
    return re.compile(rf"(?<![\w.,/–-]){re.escape(fact)}(?![\w/–-]|[.,]\d)")  # noqa: RUF001 - likewise


def _other_fact(item: EvalItem, choose: random.Random) -> Swap | None:
    """Return the answer with another number; None where it has not just one."""
    if len(item.answers) != 1 or len(item.quotes) != 1:
        return None
    fact = item.answers[0]
    numbers = _NUMBER.findall(fact)
    # One of something becomes several by more than its number.
    if len(numbers) != 1 or int(numbers[0]) == 1 or item.quotes[0].count(fact) != 1:
        return None
    instead = _NUMBER.sub(_other_number(numbers[0], choose), fact)
    return Swap(fact=fact, instead=instead)


def _other_number(digits: str, choose: random.Random) -> str:
    """Return another number that looks like this one: as many digits, a year near a year."""
    value = int(digits)
    if len(digits) == 4 and value in _YEAR:
        return str(value + choose.choice([-1, 1]) * choose.randint(1, _YEARS_OFF))
    if value in _DAY:
        return str(choose.choice([one for one in _DAY if one != value]))
    low, high = (2, 9) if len(digits) == 1 else (10 ** (len(digits) - 1), 10 ** len(digits) - 1)
    other = choose.randint(low, high - 1)
    return str(other + (other >= value)).zfill(len(digits))
