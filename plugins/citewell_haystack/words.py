"""Words of a question and of a passage, where a store has no way of its own for them."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
_MAX_WORDS = 32
_MAX_CHARS = 60
# Of BM25; a passage of ordinary length has about so many words.
_K1, _B, _USUAL_WORDS = 1.2, 0.75, 160

DEPTH = 300
"""Passages that are looked at for one word; one that more of them have weighs next to nothing."""


def words_of(text: str) -> list[str]:
    """Return the words of `text`, in order."""
    plain = unicodedata.normalize("NFC", text).casefold()
    return [word[:_MAX_CHARS] for word in _WORD.findall(plain)]


def question_words(text: str) -> list[str]:
    """Return the first words of a question, each once."""
    return list(dict.fromkeys(words_of(text)))[:_MAX_WORDS]


def rarity(found: int) -> float:
    """Return what a word weighs of which `found` passages were found, at most `DEPTH`.

    Only passages that may be read are found, so what may not be read weighs nothing.

    Source: the idf of BM25, Robertson and Zaragoza (2009), doi:10.1561/1500000019, section 3.1,
    with DEPTH in place of the number of passages, which a store does not tell by reader.
    """
    return math.log(1 + (max(DEPTH - found, 0) + 0.5) / (found + 0.5))


def sparse_vector(text: str) -> tuple[list[int], list[float]]:
    """Return drawers and weights of the words of a passage; the weights are those of BM25.

    Source: feature hashing, Weinberger et al. (2009), doi:10.1145/1553374.1553516.
    """
    words = words_of(text)
    norm = _K1 * (1 - _B + _B * len(words) / _USUAL_WORDS)
    drawers: dict[int, float] = {}
    for word, count in Counter(words).items():
        drawer = drawer_of(word)
        drawers[drawer] = drawers.get(drawer, 0.0) + count * (_K1 + 1) / (count + norm)
    return list(drawers), list(drawers.values())


def drawer_of(word: str) -> int:
    """Return where a word stands in a sparse vector: 31 bits of its hash."""
    named = word.encode("utf-8", "replace")
    return int.from_bytes(hashlib.blake2b(named, digest_size=4).digest(), "big") >> 1


def merged(lists: Sequence[Sequence[tuple[str, float]]]) -> dict[str, float]:
    """Return a score for each id that one of several words found.

    Args:
        lists: for each word, ids and how well it fits them, best first.
    """
    scores: dict[str, float] = {}
    for found in lists:
        best = max((score for _, score in found), default=0.0)
        weight = rarity(len(found))
        for id_, score in found:
            scores[id_] = scores.get(id_, 0.0) + weight * (score / best if best > 0 else 1.0)
    return scores
