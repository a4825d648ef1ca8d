"""Answers of before, as far as they may still be shown: read again, and checked again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from citewell.engine.citing import Pointer, restore
from citewell.journal.records import AnswerRecord, ClaimRecord
from citewell.protocols import Retriever
from citewell.types.answers import Answer, Citation, Claim, ClaimKind, Outcome, Verdict
from citewell.types.documents import Passage
from citewell.types.questions import Audience

GONE = "What this answer said may not be shown any more, or not here."


async def current_passages(
    record: AnswerRecord, retriever: Retriever, audience: Audience
) -> dict[str, Passage]:
    """Return the passages of an answer that are what they were and may be read, by id."""
    hashes = {passage.id: passage.content_hash for passage in record.passages}
    found = await retriever.fetch(list(hashes), readable_by=audience)
    return {
        passage.id: passage
        for passage in found
        if audience.may_read(passage.labels) and hashes[passage.id] == passage.content_hash
    }


def leans_on(claim: ClaimRecord, record: AnswerRecord) -> set[str]:
    """Return the passages that a claim may repeat: without a citation, any that was given."""
    cited = {citation.passage_id for citation in claim.citations}
    return cited or {passage.id for passage in record.passages}


def restored(
    pointers: Iterable[Pointer], fetched: Collection[Passage], audience: Audience
) -> tuple[Citation, ...]:
    """Return those citations that may be shown now."""
    found = (restore(pointer, fetched=fetched, audience=audience) for pointer in pointers)
    return tuple(citation for citation in found if citation is not None)


def restored_answer(
    record: AnswerRecord, current: Mapping[str, Passage], audience: Audience
) -> Answer:
    """Return an answer without the claims that `audience` may not read, or that lost a source.

    Args:
        record: of the answer.
        current: its passages that `audience` may read now, by id.
        audience: everyone who will see it.
    """
    claims = tuple(
        Claim(
            kind=ClaimKind(kept.kind),
            lead=kept.lead,
            text=kept.text,
            raw="",
            citations=restored(kept.citations, current.values(), audience),
            verdict=Verdict(supported=kept.supported, reason=kept.reason, check=kept.check),
            shown=True,
        )
        for kept in record.claims
        if kept.shown and leans_on(kept, record) <= current.keys()
    )
    is_whole = len(claims) == sum(kept.shown for kept in record.claims)
    # What an earlier answer was written from, this one may repeat.
    tells = audience.may_read(frozenset(record.labels)) or not record.labels
    if not tells:
        claims, is_whole = (), False
    return Answer(
        id=record.id,
        question_id=record.question_id,
        claims=claims,
        outcome=Outcome(record.outcome),
        notice=record.notice if is_whole else GONE,
        model=record.model,
        generation=record.generation,
    )
