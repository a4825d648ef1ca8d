"""Words of a question and of a row, and how well the two fit."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

_WORD = re.compile(r"[^\W_]+")
_MAX_WORDS = 32
_MAX_CHARS = 60
_K1, _B = 1.2, 0.75


def words_of(text: str) -> list[str]:
    """Return the words of `text`, in order; equal words are spelled equally."""
    plain = unicodedata.normalize("NFC", text).casefold()
    return [word[:_MAX_CHARS] for word in _WORD.findall(plain)]


def question_words(text: str) -> list[str]:
    """Return the first words of a question, each once."""
    # A database takes no half of a surrogate pair; a question may hold one.
    writable = text.encode("utf-8", "replace").decode()
    return list(dict.fromkeys(words_of(writable)))[:_MAX_WORDS]


def pattern_of(word: str) -> str:
    """Return a pattern for LIKE that fits every text with `word`, and others.

    Databases differ in the letters beyond ASCII that they take for equal, so any text may stand in
    their place; who has the word is decided here, by `words_of`.
    """
    loose = re.sub(r"[^\x00-\x7f]+", "%", word)
    return f"%{word}%" if loose == "%" else f"%{loose}%"


def rarity(holding: int, rows: int) -> float:
    """Return what a word weighs that `holding` of `rows` rows hold; more than 0.

    Source: the idf of BM25 as Lucene has it, Robertson and Zaragoza (2009),
    doi:10.1561/1500000019, section 3.1, plus 1 so that it stays positive.
    """
    return math.log(1 + (max(rows - holding, 0) + 0.5) / (holding + 0.5))


def score_of(
    words: Sequence[str], weights: Mapping[str, float], *, chars: int, usual_chars: float
) -> float:
    """Return how well a row with these words fits a question: its BM25; 0 without a common word.

    Args:
        words: of the row.
        weights: `rarity` of each word of the question.
        chars: length of the row's text.
        usual_chars: mean length of all texts.
    """
    counts = Counter(word for word in words if word in weights)
    norm = _K1 * (1 - _B + _B * chars / max(usual_chars, 1.0))
    # The order of the question: sums of floats depend on theirs.
    return sum(
        weight * counts[word] * (_K1 + 1) / (counts[word] + norm)
        for word, weight in weights.items()
        if word in counts
    )
