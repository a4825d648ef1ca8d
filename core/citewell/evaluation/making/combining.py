"""Questions of two documents at once, and questions that ask for a form."""

from __future__ import annotations

import re

from msgspec.structs import replace

from citewell.evaluation.making.facts import Fact, Kind, plain
from citewell.evaluation.slices import sliced
from citewell.types.evaluation import EvalItem

_LONGEST_ANSWER = 5
_FEW, _SOME = 3, 10
_ARTICLE = re.compile(r"(?:the|an?)\s+(?=\S)", re.IGNORECASE)


def is_fit(fact: Fact) -> bool:
    """Tell whether a fact can be asked for in another way: it has a short answer, in English."""
    words = fact.answer.split()
    is_short = 0 < len(words) <= _LONGEST_ANSWER
    return is_short and fact.kind is not Kind.GAP and fact.passage.language == "en"


def can_join(one: Fact, other: Fact) -> bool:
    """Tell whether two facts can be asked for at once: one answer does not do for both."""
    first, second = f" {plain(one.answer)} ", f" {plain(other.answer)} "
    is_same = first in second or second in first
    is_same |= one.figure is not None and one.figure == other.figure
    return one.passage.document_id != other.passage.document_id and not is_same


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
        contains=tuple(
            _without_article(fact.answer) for fact in (one, other) if fact.figure is None
        ),
        slices=(*dict.fromkeys((*first.slices, *second.slices)),),
        is_easy=one.is_easy and other.is_easy,
    )
    return sliced(item)


def in_form(fact: Fact) -> EvalItem:
    """Return the question with a form that the answer has to have: so many words at most."""
    most = _FEW if len(fact.answer.split()) <= _FEW else _SOME
    asked = f"Answer in at most {'three' if most == _FEW else 'ten'} words."
    item = replace(
        fact.item(),
        question=f"{fact.question} {asked}",
        pattern=rf"\s*\S+(?:\s+\S+){{0,{most - 1}}}\s*",
    )
    return sliced(item)


def _inside(question: str) -> str:
    """Return a question as it goes on behind "And": its first word is no name."""
    first = re.match(r"[A-Z][a-z]+\b", question)
    return question[0].lower() + question[1:] if first else question


def _without_article(answer: str) -> str:
    article = _ARTICLE.match(answer)
    return answer[article.end() :] if article else answer
