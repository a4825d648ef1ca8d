"""How much each word of a passage weighs, and in which lists the passage stands.

A passage stands in one list for each of its terms: the passages of one shelf (which have the same
labels and language) in which that term weighs about as much. So whoever may not read a shelf never
touches its lists, and how rare a term is can be told for every audience.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

from citewell import Passage
from citewell_postgres.words import counted, folded

DIMENSIONS = 1_000_000_000
"""As many as pgvector's `sparsevec` can have; a term's is its number, modulo this."""

MAX_TERMS = 16_000
"""As many values as a `sparsevec` can hold."""

TERM_BITS = 37
SHELF_BITS = 23
LEVEL_BITS = 3

# Source: Robertson and Zaragoza (2009), doi:10.1561/1500000019; the usual values.
_SATURATION = 1.2
_SLOPE = 0.75
PIVOT = 100
"""Words of a passage that is neither long nor short.

It is the same for all: were it the average of what is stored, then what somebody may not read
would change the order of what they may. Source: of 50, 100, 150, 200 and 300 this and the next are
equally good on the even queries of Cranfield and MedQuAD, and the others are worse.
"""

TITLE_BOOST = 1.0
"""Weight of a word in title and headings beside one in the text, as in `lexical`."""

_LEVELS = (0.5, 0.75, 1.0, 1.2, 1.4, 1.65, 2.0)
"""Weights at which another list begins."""


class Stem(NamedTuple):
    """What a dictionary makes of a word.

    Attributes:
        terms: numbers of its lexemes.
        is_stopword: whether it says nothing by itself.
    """

    terms: tuple[int, ...]
    is_stopword: bool


class Weighed(NamedTuple):
    """The words of a passage, ready to be stored.

    Attributes:
        lists: keys of the lists that it stands in.
        weights: by dimension, ascending.
        ceilings: by list, its weight there.
    """

    lists: list[int]
    weights: dict[int, float]
    ceilings: list[float]


def stem(configuration: str, word: str, lexemes: Iterable[str]) -> Stem:
    """Return what the dictionaries of `configuration` make of `word`.

    A stopword is kept as it is, for questions that hold nothing else.
    """
    found = tuple(dict.fromkeys(_number(configuration, folded(lexeme)) for lexeme in lexemes))
    if found:
        return Stem(found, is_stopword=False)
    return Stem((_number(configuration, word),), is_stopword=True)


def _number(configuration: str, lexeme: str) -> int:
    """Return a number for a term; that two terms have one is less likely than 1 to 100 billion."""
    digest = blake2b(f"{configuration} {lexeme}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - TERM_BITS)


def first_list(term: int) -> int:
    """Return the least key that a list of `term` can have; that of `term + 1` ends them."""
    return term << (SHELF_BITS + LEVEL_BITS)


def shelf_of(key: int) -> int:
    """Return the shelf of a list."""
    return (key >> LEVEL_BITS) & ((1 << SHELF_BITS) - 1)


def term_of(key: int) -> int:
    """Return the term of a list."""
    return key >> (SHELF_BITS + LEVEL_BITS)


def level_of(key: int) -> int:
    """Return how much the term weighs in the passages of a list: more is more."""
    return key & ((1 << LEVEL_BITS) - 1)


def words_of(passage: Passage, configuration: str) -> tuple[Counter[str], Counter[str]]:
    """Return the words of the text and those above it: of title and headings."""
    headings = passage.places[0].place.headings if passage.places else ()
    return (
        counted(f"{passage.header}\n{passage.text}", configuration),
        counted("\n".join((passage.title, *headings)), configuration),
    )


def weighed(
    words: tuple[Counter[str], Counter[str]], stems: Mapping[str, Stem], shelf: int
) -> Weighed:
    """Return the weights of the words of a passage (BM25 without the rarity), and its lists.

    Args:
        words: as `words_of` returned them.
        stems: of each of them.
        shelf: that the passage stands on.
    """
    text, title = (_saturated(one, stems) for one in words)
    for term, weight in title.items():
        text[term] = text.get(term, 0.0) + TITLE_BOOST * weight
    heaviest = sorted(text.items(), key=lambda item: -item[1])[:MAX_TERMS]
    low = shelf << LEVEL_BITS
    return Weighed(
        [first_list(term) | low | bisect_right(_LEVELS, weight) for term, weight in heaviest],
        dict(sorted((term % DIMENSIONS, weight) for term, weight in heaviest)),
        [weight for _, weight in heaviest],
    )


def _saturated(words: Counter[str], stems: Mapping[str, Stem]) -> dict[int, float]:
    """Return what each term gets for how often it is there, in a text of that length."""
    counts: dict[int, int] = {}
    length = 0
    for word, count in words.items():
        found = stems[word]
        if not found.is_stopword:
            length += count
        for term in found.terms:
            counts[term] = counts.get(term, 0) + count
    room = _SATURATION * (1 - _SLOPE + _SLOPE * length / PIVOT)
    return {term: (1 + _SATURATION) * count / (count + room) for term, count in counts.items()}


def rarity(passages: int, *, of: int) -> float:
    """Return how much it says that a term is there, which `passages` of `of` passages have."""
    return math.log(1 + (of - passages + 0.5) / (passages + 0.5))
