"""Examples that say the same, or nearly the same.

Nearly: of two texts, at least 4 of 5 pieces of five words are shared, as in Lee et al. 2022,
"Deduplicating Training Data Makes Language Models Better", section 4.2, found with MinHash
(Broder 1997) and counted exactly; and their numbers are equal, since a text with another number
says something else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from citewell.errors import MissingExtra
from citewell.tuning.data.examples import Example

if TYPE_CHECKING:
    from datasketch import MinHash

ALIKE = 0.8
"""Jaccard similarity of the pieces from which on two texts are taken for one."""

_WORDS = 5
_PERMUTATIONS = 128
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d+")
# The passages of a prompt are the same for many questions.
_PASSAGES = re.compile(r"<passage .*?</passage>", re.DOTALL)


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

    Raises:
        MissingExtra: `is_near` needs a package that is not installed.

    Args:
        is_near: whether what is nearly the same is looked for too.
    """

    def __init__(self, *, is_near: bool) -> None:
        self._exact: dict[bytes, Example] = {}
        self._near = _Near() if is_near else None

    def add(self, example: Example) -> None:
        """Let others be compared with an example; the first of equal ones stays."""
        self._exact.setdefault(_key(example), example)
        if self._near is not None:
            self._near.add(example)

    def find(self, example: Example) -> Twin | None:
        """Return the example that says the same, or nearly; None where there is none."""
        same = self._exact.get(_key(example))
        if same is not None:
            return Twin(example, same, is_exact=True)
        near = self._near.find(example) if self._near is not None else None
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
    """Texts by their signatures."""

    def __init__(self) -> None:
        try:
            from datasketch import MinHash, MinHashLSH
        except ImportError as error:
            raise MissingExtra(
                "looking for near-duplicates", package="datasketch", extra="data"
            ) from error
        self._signature = MinHash
        self._index = MinHashLSH(threshold=ALIKE, num_perm=_PERMUTATIONS)
        self._examples: list[Example] = []

    def add(self, example: Example) -> None:
        self._index.insert(len(self._examples), self._signed(_pieces(example)))
        self._examples.append(example)

    def find(self, example: Example) -> Example | None:
        pieces = _pieces(example)
        for number in sorted(self._index.query(self._signed(pieces))):
            other: Example = self._examples[number]
            if _numbers(example) == _numbers(other) and _is_alike(pieces, _pieces(other)):
                return other
        return None

    def _signed(self, pieces: frozenset[str]) -> MinHash:
        signature = self._signature(num_perm=_PERMUTATIONS)
        signature.update_batch([one.encode() for one in pieces])
        return signature


def _is_alike(pieces: frozenset[str], others: frozenset[str]) -> bool:
    return len(pieces & others) >= ALIKE * len(pieces | others)


def _key(example: Example) -> bytes:
    told = [" ".join(text.split()) for text in example.texts]
    vote = [str(example.is_good)] if example.answer else []
    joined = "\0".join([*told, *vote])
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _bare(example: Example) -> str:
    """Return what an example says by itself: not what all of them are told."""
    told = [one.content for one in example.messages if one.role == "system"]
    own = [text for text in example.texts if text not in told]
    return _PASSAGES.sub("", "\n".join(own))


def _pieces(example: Example) -> frozenset[str]:
    words = [word.lower() for word in _WORD.findall(_bare(example))]
    # Of fewer words than a piece has, all are the piece.
    count = max(1, len(words) - _WORDS + 1)
    return frozenset(" ".join(words[at : at + _WORDS]) for at in range(count))


def _numbers(example: Example) -> list[str]:
    return _NUMBER.findall(_bare(example))
