"""Sentences with a gap where their one fact was, for what no rule turns into a question."""

from __future__ import annotations

import re
from collections.abc import Iterator

from citewell.engine.citing.words import words
from citewell.evaluation.making.english import is_subject
from citewell.evaluation.making.facts import Fact, Kind, figure_in
from citewell.evaluation.making.prose import sentences
from citewell.types.documents import Passage

GAP = "____"

_NUMBER = re.compile(r"(?<![\w.,$€£-])\d(?:[\d,.]*\d)?(?![\w%.,-]*\d)(?![^\W_])")
# A whole name: no capital before it, none behind an "of", and none that goes on behind it.
_NAME = re.compile(
    r"(?<=[a-z,] )(?<!of )[^\W\d_a-z][\w'’-]+(?: [^\W\d_a-z][\w'’-]+)+"
    r"(?! of | [A-Z(]|['’\w-])"
)
_PROPER = re.compile(r"(?<=[\w,] )[A-Z][\w-]+")
_POINTING = frozenset("he she it they him her them his this these those we our there such".split())
_LEAST_WORDS, _MOST_WORDS, _SUBJECT_WORDS = 8, 32, 2


def of_gaps(passage: Passage) -> Iterator[Fact]:
    """Yield each sentence with exactly one number, or one name of several words, as a gap."""
    for sentence in sentences(passage):
        tokens = sentence.text.split()
        is_fit = _LEAST_WORDS <= len(tokens) <= _MOST_WORDS and sentence.text.endswith(".")
        is_fit = is_fit and _POINTING.isdisjoint(words(sentence.text))
        if not is_fit or not is_subject(tokens[:_SUBJECT_WORDS]) or "|" in sentence.text:
            continue
        found = _only(_NUMBER, sentence.text) or _only(_NAME, sentence.text)
        if found is None:
            continue
        answer = found[0].strip(".,")
        start = found.start()
        before = sentence.text[:start].split()
        is_within = before[-1:] and before[-1][:1].isupper() and len(before) > 1
        if is_within or "".join(before).count("(") > "".join(before).count(")"):
            continue
        text = f"{sentence.text[:start]}{GAP}{sentence.text[start + len(answer) :]}"
        yield Fact(
            kind=Kind.GAP,
            question=f"Fill in the gap: {text}" if passage.language == "en" else text,
            passage=passage,
            start=sentence.start,
            end=sentence.end,
            at=passage.start + sentence.start,
            answer=answer,
            figure=figure_in(answer, passage.language),
            merit=bool(_PROPER.search(text)),
        )


def _only(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = [*pattern.finditer(text)]
    return found[0] if len(found) == 1 else None
