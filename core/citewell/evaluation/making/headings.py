"""Questions that a document asks itself: headings, and the Q of a list of questions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from citewell.evaluation.making.facts import Fact, Kind
from citewell.evaluation.making.prose import bare, lines, sentences
from citewell.types.documents import Passage

_MARK = re.compile(
    r"\s*(?:#{1,6}\s+|\d{1,3}[.)]\s+|[-*+]\s+)?(?:\*\*)?(?:Q(?:uestion)?\s*\d*[:.]\s+)?"
)
_ANSWER = re.compile(r"\s*(?:\*\*)?(?:A(?:nswer)?\s*\d*[:.])?(?:\*\*)?\s*")
_LEAST_WORDS, _MOST_WORDS = 3, 24


def of_headings(passage: Passage) -> Iterator[Fact]:
    """Yield the questions of lines that end with a question mark; the text below answers them."""
    spans = [*lines(passage.text)]
    for index, (start, end) in enumerate(spans):
        line = passage.text[start:end]
        question = bare(_MARK.sub("", line, count=1)).strip("* ")
        words = question.split()
        is_one = question.endswith("?") and _LEAST_WORDS <= len(words) <= _MOST_WORDS
        below = next((one for one in spans[index + 1 :] if one[0] < one[1]), None)
        if is_one and below and question.count("?") == 1 and words[0][:1].isupper():
            answer = _first_sentence(passage, *below)
            if answer is not None:
                yield Fact(
                    kind=Kind.HEADING,
                    question=question,
                    passage=passage,
                    start=answer[0],
                    end=answer[1],
                    at=passage.start + answer[0],
                    merit=8,
                )


def _first_sentence(passage: Passage, start: int, end: int) -> tuple[int, int] | None:
    """Return the span of the first sentence of the text that begins with the line at `start`."""
    line = passage.text[start:end]
    if line.startswith("#") or line.rstrip("* ").endswith("?"):
        return None
    begin = start + len((_ANSWER.match(line) or [""])[0])
    found = [one for one in sentences(passage) if one.end > begin and one.start < end]
    last = max(found[0].end, begin + 1) if found else end
    return (begin, last) if begin < last else None
