"""A question and an answer as people are shown them."""

from __future__ import annotations

from citewell.engine.prompting import describe_place
from citewell.evaluation.report import Source
from citewell.types.evaluation import EvalItem, Response


def expected_of(item: EvalItem) -> str:
    """Return what is right, in a line; empty where only a pattern, a schema or a place tells it."""
    if item.unanswerable:
        return "the documents do not say"
    figures = (f"{one.value:g} {one.unit}".strip() for one in item.figures)
    choice = [item.choice] if item.choice is not None else []
    return " / ".join([*item.answers, *figures, *item.contains, *choice])


def sources_of(response: Response) -> tuple[Source, ...]:
    """Return what an answer quotes, each stretch of a document once."""
    places = {one.id: describe_place(one.place) for one in response.found}
    quotes = {
        (one.document_id, one.start): one
        for statement in response.statements
        if statement.is_shown
        for one in statement.quotes
    }
    return tuple(
        Source(
            document_id=one.document_id,
            place=places.get(one.passage_id, ""),
            quote=one.text,
        )
        for one in quotes.values()
    )
