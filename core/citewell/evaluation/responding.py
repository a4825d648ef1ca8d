"""What an evaluation keeps of an answer."""

from __future__ import annotations

from datetime import UTC, datetime

from citewell.engine.course import Course
from citewell.types.answers import Claim, Outcome
from citewell.types.evaluation import Quote, Response, Statement


def given_at(response: Response) -> datetime:
    """Return when an answer was given; long ago where that cannot be read."""
    try:
        return datetime.fromisoformat(response.asked_at)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def response_of(course: Course) -> Response:
    """Return what an evaluation keeps of an answer."""
    answer = course.answer
    has_text = answer.outcome in {Outcome.ANSWERED, Outcome.UNSOURCED}
    shown = "".join(claim.lead + claim.text for claim in answer.shown).strip()
    return Response(
        outcome=answer.outcome,
        output=course.output,
        text=shown if has_text else "",
        statements=tuple(map(_statement, answer.statements)),
        found=course.passages,
        seconds=dict(course.seconds),
        input_tokens=course.usage.input_tokens,
        output_tokens=course.usage.output_tokens,
        cost=_cost(course),
        model=answer.model,
        errors=tuple(course.errors),
        asked_at=course.asked_at.isoformat(timespec="seconds"),
    )


def _cost(course: Course) -> float | None:
    """Return what all models that were asked cost; None where that of one is not known."""
    known = [
        cost for name, cost in course.costs if cost is not None or not course.runtime.is_local(name)
    ]
    return None if not known or None in known else sum(filter(None, known))


def _statement(claim: Claim) -> Statement:
    return Statement(
        text=claim.text,
        is_supported=claim.verdict.supported,
        is_shown=claim.shown,
        quotes=tuple(
            Quote(
                number=one.number,
                passage_id=one.passage_id,
                document_id=one.document_id,
                start=one.start,
                end=one.end,
                text=one.quote,
            )
            for one in claim.citations
        ),
    )
