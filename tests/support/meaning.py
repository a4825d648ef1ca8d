"""What texts mean to the doubles of APIs: the words that they have."""

from __future__ import annotations

import re
import zlib

DIMENSION = 64


def vector(text: str, dimension: int = DIMENSION) -> list[float]:
    """Return how often each drawer of words is met; not of length 1, as with some models."""
    counts = [0.0] * dimension
    counts[0] = 0.1
    for word in re.findall(r"\w+", text.casefold()):
        counts[zlib.crc32(word.encode()) % dimension] += 1.0
    return counts


def likeness(question: str, text: str) -> float:
    """Return the share of the words of a question that a text has."""
    asked = set(re.findall(r"\w+", question.casefold()))
    return len(asked.intersection(re.findall(r"\w+", text.casefold()))) / max(len(asked), 1)
