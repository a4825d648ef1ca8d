"""Answers for tests, with real citations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from citewell.engine.citing.evidence import cite_span
from citewell.types.answers import Answer, Claim, ClaimKind, Nearest, Outcome, Verdict
from citewell.types.documents import Passage

_SUPPORTED = Verdict(supported=True, reason="all its words are in the source", check="containment")
_UNSUPPORTED = Verdict(supported=False, reason="42 is not in the source", check="numbers")


def make_claim(
    text: str,
    cited: Mapping[int, Passage] | None = None,
    *,
    kind: ClaimKind = ClaimKind.SENTENCE,
    lead: str = " ",
    shown: bool = True,
) -> Claim:
    """Return a claim; it is supported if it cites anything, and quotes the passages whole.

    Args:
        text: as `Claim.text`.
        cited: number of the mark to passage.
        kind: of the claim.
        lead: as `Claim.lead`.
        shown: False for a claim that was dropped.
    """
    made = [
        cite_span(passage, (0, len(passage.text)), number=number)
        for number, passage in sorted((cited or {}).items())
    ]
    citations = tuple(citation for citation in made if citation is not None)
    return Claim(
        kind=kind,
        lead=lead,
        text=text,
        raw="".join([text, *(f" [{citation.number}]" for citation in citations)]),
        citations=citations,
        verdict=_SUPPORTED if citations else _UNSUPPORTED,
        shown=shown,
    )


def make_answer(
    *claims: Claim,
    outcome: Outcome = Outcome.ANSWERED,
    notice: str = "",
    nearest: tuple[Passage, ...] = (),
    complete: bool = True,
) -> Answer:
    """Return an answer of these claims.

    Args:
        claims: in order.
        outcome: what became of the question.
        notice: the line for the reader.
        nearest: passages that are named beside a refusal.
        complete: False for an answer that is still growing.
    """
    return Answer(
        id="7m2kq4x9ab",
        question_id="q1",
        claims=claims,
        outcome=outcome,
        complete=complete,
        notice=notice,
        nearest=tuple(
            Nearest(
                passage_id=passage.id,
                document_id=passage.document_id,
                title=passage.title,
                uri=passage.uri,
                place=passage.place,
            )
            for passage in nearest
        ),
        model="scripted",
    )


def growing(answer: Answer) -> Iterator[Answer]:
    """Yield what is seen of `answer` while it grows, then `answer` itself."""
    is_free = answer.outcome is Outcome.UNSOURCED
    for count in range(len(answer.claims) + 1):
        yield make_answer(
            *answer.claims[:count],
            outcome=answer.outcome if is_free else Outcome.ANSWERED,
            notice=answer.notice if is_free else "",
            complete=False,
        )
    yield answer
