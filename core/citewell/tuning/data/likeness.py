"""Examples that say the same, or nearly the same.

Nearly: of what is asked and of what is answered, each by itself, at least 4 of 5 pieces of five
words are shared, as in Lee et al. 2022, "Deduplicating Training Data Makes Language Models Better",
section 4.2; many are found with MinHash (Broder 1997) and counted exactly. Their numbers and their
names are equal, since a text with another one says something else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from citewell.engine.citing.marks import without_marks
from citewell.errors import MissingExtra
from citewell.tuning.data.examples import Example, Kind

if TYPE_CHECKING:
    from datasketch import MinHash, MinHashLSH

ALIKE = 0.8
"""Jaccard similarity of the pieces from which on two texts are taken for one."""

_WORDS = 5
_PERMUTATIONS = 128
_LOOKED_UP = 0.6
"""Lower than `ALIKE`, since an index misses half of what is just as alike as it is made for."""

_FEW = 64
"""Examples that are compared one by one; more are looked up by their signatures."""

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d+")
# A word within a sentence that begins with a capital letter.
_NAME = re.compile(r"(?:(?<=[a-z] )|(?<=[a-z], ))[A-Z][\w-]+")
# The passages of a prompt are the same for many questions.
_PASSAGES = re.compile(r"<passage .*?</passage>", re.DOTALL)

Pieces: TypeAlias = tuple[frozenset[str], frozenset[str]]
"""Of what is asked, and of what is answered."""


class Twin(Struct, frozen=True):
    """An example that says what an earlier one says.

    Attributes:
        of: the earlier one.
        is_exact: it says so word for word.
    """

    example: Example
    of: Example
    is_exact: bool


class Likenesses:
    """Examples, to be asked whether one is like them.

    Args:
        is_near: whether what is nearly the same is looked for too.

    Raises:
        MissingExtra: `is_near` needs a package that is not installed.
    """

    def __init__(self, *, is_near: bool) -> None:
        self._exact: dict[bytes, Example] = {}
        self._is_near = is_near
        self._near: dict[tuple[object, ...], _Near] = {}
        if is_near:
            _signature()

    def add(self, example: Example) -> None:
        """Let others be compared with an example; the first of equal ones stays."""
        self._exact.setdefault(_key(example), example)
        if self._is_near and (pieces := _pieces(example)) is not None:
            group = _group(example)
            if group not in self._near:
                self._near[group] = _Near()
            self._near[group].add(example, pieces)

    def find(self, example: Example) -> Twin | None:
        """Return the example that says the same, or nearly; None where there is none."""
        same = self._exact.get(_key(example))
        if same is not None:
            return Twin(example, same, is_exact=True)
        group = self._near.get(_group(example)) if self._is_near else None
        pieces = None if group is None else _pieces(example)
        near = None if group is None or pieces is None else group.find(pieces)
        return None if near is None else Twin(example, near, is_exact=False)


def twins(
    examples: Iterable[Example], *, is_near: bool, told: Callable[[int], None] | None = None
) -> Iterator[Twin]:
    """Yield the examples that an earlier one says already.

    Args:
        examples: in the order in which the first stays.
        is_near: whether what is nearly the same counts too.
        told: given how many are compared.

    Raises:
        MissingExtra: `is_near` needs a package that is not installed.
    """
    known = Likenesses(is_near=is_near)
    for number, example in enumerate(examples, 1):
        twin = known.find(example)
        if twin is None:
            known.add(example)
        else:
            yield twin
        if told is not None:
            told(number)


class _Near:
    """Examples with the same numbers, by their pieces."""

    def __init__(self) -> None:
        self._known: list[tuple[Example, Pieces]] = []
        self._index: MinHashLSH | None = None

    def add(self, example: Example, pieces: Pieces) -> None:
        self._known.append((example, pieces))
        if self._index is not None:
            self._index.insert(len(self._known) - 1, _signed(pieces))
        elif len(self._known) == _FEW:
            self._index = _index([each for _, each in self._known])

    def find(self, pieces: Pieces) -> Example | None:
        if self._index is None:
            candidates: Iterable[int] = range(len(self._known))
        else:
            candidates = sorted(self._index.query(_signed(pieces)))
        for number in candidates:
            example, others = self._known[number]
            if all(map(_is_alike, pieces, others)):
                return example
        return None


def _index(known: Iterable[Pieces]) -> MinHashLSH:
    from datasketch import MinHashLSH

    index = MinHashLSH(threshold=_LOOKED_UP, num_perm=_PERMUTATIONS)
    for number, pieces in enumerate(known):
        index.insert(number, _signed(pieces))
    return index


def _signature() -> type[MinHash]:
    try:
        from datasketch import MinHash
    except ImportError as error:
        raise MissingExtra(
            "looking for near-duplicates", package="datasketch", extra="data"
        ) from error
    return MinHash


def _signed(pieces: Pieces) -> MinHash:
    signature = _signature()(num_perm=_PERMUTATIONS)
    signature.update_batch([one.encode() for one in pieces[0] | pieces[1]])
    return signature


def _is_alike(pieces: frozenset[str], others: frozenset[str]) -> bool:
    return len(pieces & others) >= ALIKE * len(pieces | others)


def _key(example: Example) -> bytes:
    told = [_without_blanks(text) for text in example.texts]
    vote = [str(example.is_good)] if example.kind is Kind.VOTE else []
    joined = "\0".join([*told, *vote])
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _without_blanks(text: str) -> str:
    """Return a text in which only blanks that say something are left: how lines are indented."""
    lines = (line for line in text.strip().splitlines() if line.strip())
    return "\n".join(
        " " * (len(line) - len(line.lstrip())) + " ".join(line.split()) for line in lines
    )


def _group(example: Example) -> tuple[object, ...]:
    """Return what two examples have in common that may be alike."""
    said = " ".join(_said(example))
    names = frozenset(_NAME.findall(said))
    return (example.kind, example.is_good, names, *_NUMBER.findall(said))


def _said(example: Example) -> tuple[str, str]:
    """Return what is asked and what is answered, without what all examples are told."""
    asked = example.asked
    if "</passage>" in asked:
        asked = _PASSAGES.sub("", asked)
    if example.kind is Kind.CHAT:
        return asked, without_marks(example.messages[-1].content)
    answers = (example.text, example.chosen, example.rejected, example.answer)
    return asked, "\n".join(filter(None, answers))


def _pieces(example: Example) -> Pieces | None:
    """Return the pieces of what is asked and of what is answered; None where words are missing."""
    asked, answered = map(_cut, _said(example))
    return (asked, answered) if answered else None


def _cut(text: str) -> frozenset[str]:
    words = [word.lower() for word in _WORD.findall(text)]
    if not words:
        return frozenset()
    # Of fewer words than a piece has, all are the piece.
    count = max(1, len(words) - _WORDS + 1)
    return frozenset(" ".join(words[at : at + _WORDS]) for at in range(count))
