"""Deltas in, checked claims out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

from citewell.engine.citing.checking import Checker
from citewell.engine.citing.evidence import Evidence
from citewell.engine.citing.sanitizing import clean
from citewell.engine.citing.segmenting import Segmenter
from citewell.engine.citing.words import words
from citewell.types.answers import Claim

# A longer output says something else.
MAX_REFUSAL_CHARS = 2000


async def cite(deltas: AsyncIterator[str], evidence: Evidence) -> AsyncGenerator[Claim, None]:
    """Turn a model's output into claims, each checked before it is yielded.

    The claims depend on the characters of the output, not on how they were cut into deltas.

    Args:
        deltas: the output as it arrives; closing it is the caller's business.
        evidence: what it may cite.

    Raises:
        CitewellError: the passages could not be read again.
    """
    segmenter = Segmenter(evidence.language)
    checker = Checker(evidence)
    async for delta in deltas:
        for piece in segmenter.feed(delta):
            for claim in await checker.check(piece):
                yield claim
    for piece in segmenter.finish():
        for claim in await checker.check(piece):
            yield claim
    for claim in checker.finish():
        yield claim


def is_refusal(text: str, refusal: str) -> bool:
    """Tell whether a whole output says only the refusal sentence, marks and spelling aside."""
    if len(text) > MAX_REFUSAL_CHARS:
        return False
    said = list(words(clean(text).text))
    return bool(said) and said == list(words(refusal))
