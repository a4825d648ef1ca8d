"""Questions of two documents at once, and questions that ask for a form."""

from __future__ import annotations

import re

from msgspec.structs import replace

from citewell.evaluation.making.facts import Fact, Kind
from citewell.evaluation.slices import sliced
from citewell.types.evaluation import EvalItem

_LONGEST_ANSWER = 5
_FEW = 3
_FEW_WORDS = r"\s*\S+(?:\s\S+){0,2}\s*"
# A full stop within a number or a name ends no sentence.
_ONE_SENTENCE = r"\s*(?:[^.!?\n]|[.!?](?=\S))+[.!?]?\s*"


def is_fit(fact: Fact) -> bool:
    """Tell whether a fact can be asked for in another way: it has a short answer, in English."""
    words = fact.answer.split()
    is_short = 0 < len(words) <= _LONGEST_ANSWER
    return is_short and fact.kind is not Kind.GAP and fact.passage.language == "en"


def joined(one: Fact, other: Fact) -> EvalItem:
    """Return a question for both facts, of two documents; the answer has to state each."""
    first, second = one.item(), other.item()
    item = replace(
        first,
        question=f"{one.question} And {_inside(other.question)}",
        documents=(*first.documents, *second.documents),
        quotes=(*first.quotes, *second.quotes),
        answers=(),
        figures=(*first.figures, *second.figures),
        contains=tuple(fact.answer for fact in (one, other) if fact.figure is None),
        slices=(*dict.fromkeys((*first.slices, *second.slices)),),
        is_easy=one.is_easy and other.is_easy,
    )
    return sliced(item)


def in_form(fact: Fact) -> EvalItem:
    """Return the question with a form that the answer has to have: few words, or one sentence."""
    is_brief = len(fact.answer.split()) <= _FEW
    asked = "Answer in at most three words." if is_brief else "Answer in one sentence."
    item = replace(
        fact.item(),
        question=f"{fact.question} {asked}",
        pattern=_FEW_WORDS if is_brief else _ONE_SENTENCE,
    )
    return sliced(item)


def _inside(question: str) -> str:
    """Return a question as it goes on behind "And": its first word is no name."""
    first = re.match(r"[A-Z][a-z]+\b", question)
    return question[0].lower() + question[1:] if first else question
