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
    """Return the passages of an answer that are what they were and may be read, by id.

    Also those that what it continues was written from.
    """
    kept = {} if record.is_wiped else _given(record)
    ids = list(dict.fromkeys(name for name, _ in kept))
    found = await retriever.fetch(ids, readable_by=audience) if ids else ()
    return {
        passage.id: passage
        for passage in found
        if audience.may_read(passage.labels) and (passage.id, passage.content_hash) in kept
    }


def may_tell(claim: ClaimRecord, record: AnswerRecord, current: Mapping[str, Passage]) -> bool:
    """Tell whether a claim may be shown to who may read the passages in `current`, by id.

    It may repeat what it cites; without a citation, or support, anything that was given. Within
    what its sources support it may still repeat a word of what the answer continues.
    """
    leans = {(one.passage_id, one.content_hash) for one in claim.citations}
    if not (leans and claim.supported):
        leans |= {(one.id, one.content_hash) for one in record.passages}
    leans |= {(one.id, one.content_hash) for one in record.history}
    return leans <= {(one.id, one.content_hash) for one in current.values()}


def _given(record: AnswerRecord) -> dict[tuple[str, str], None]:
    """Return the ids and hashes of all that an answer may say something of, in order."""
    given = [(one.id, one.content_hash) for one in record.passages]
    return dict.fromkeys([*given, *((one.id, one.content_hash) for one in record.history)])


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
        if kept.shown and may_tell(kept, record, current)
    )
    is_whole = len(claims) == sum(kept.shown for kept in record.claims)
    return Answer(
        id=record.id,
        question_id=record.question_id,
        claims=claims,
        outcome=Outcome(record.outcome),
        notice=record.notice if is_whole else GONE,
        model=record.model,
        generation=record.generation,
    )
