"""Questions of the sentences of a passage, and how well each stands for itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from citewell.engine.citing.words import content_stems
from citewell.evaluation.making.asking import Asked, asked
from citewell.evaluation.making.english import names_in
from citewell.evaluation.making.facts import Fact, Kind, figure_in
from citewell.evaluation.making.prose import Sentence, bare, sentences
from citewell.types.documents import Passage

_LONGEST_ANSWER = 12
_FEW_STEMS = 3
_PROPER = re.compile(r"(?<=[\w,] )[A-Z][\w-]+")
_UNNAMED = re.compile(
    r"\b(?:the|a|an)\s(?:study|studies|report|company|team|group|author|authors|document|city|article|paper|book"
    r"|event|game|war|battle|process|method|system|result|results|area|region|number|first|other|school"
    r"|building|country|government|program|project|film|song|album|series|law|act|treaty|king|queen)\b",
    re.IGNORECASE,
)


def of_sentences(passage: Passage) -> Iterator[Fact]:
    """Yield what can be asked of the sentences of an English passage."""
    if passage.language != "en":
        return
    names = names_in(bare(passage.text))
    topic = {*content_stems(" ".join((passage.title, *passage.place.headings)), "en")}
    for sentence in sentences(passage):
        for one in asked(sentence.text, names):
            yield _fact(passage, sentence, one, one.merit + _standing(one.question, topic))


def _fact(passage: Passage, sentence: Sentence, one: Asked, merit: int) -> Fact:
    is_short = len(one.answer.split()) <= _LONGEST_ANSWER
    is_definition = re.match(r"(?:What|Who) (?:is|are|was) ", one.question) and not is_short
    return Fact(
        kind=Kind.DEFINITION if is_definition else Kind.SENTENCE,
        question=one.question,
        passage=passage,
        start=sentence.start,
        end=sentence.end,
        at=passage.start + sentence.start,
        answer=one.answer if is_short else "",
        figure=figure_in(one.answer, passage.language) if _is_count(one) else None,
        merit=merit,
    )


def _is_count(one: Asked) -> bool:
    """Tell whether the answer counts or measures; a year is a text like others."""
    return not one.question.startswith("When ")


def _standing(question: str, topic: set[str]) -> int:
    """Return how well a question names what it is about, to who does not see the passage."""
    stems = content_stems(question, "en")
    merit = 2 * bool(_PROPER.search(question)) + bool(topic.intersection(stems))
    if not _PROPER.search(question):
        merit -= max(0, _FEW_STEMS - len(stems))
    return merit - 3 * (bool(_UNNAMED.search(question)) and not _PROPER.search(question))
