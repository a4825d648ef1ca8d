"""An answer as one JSON document; `docs/reference/json.md` describes every field."""

from __future__ import annotations

import json
from collections.abc import Sequence

from msgspec import Struct, to_builtins

from citewell import Answer, Citation, Claim, ClaimKind, Nearest
from citewell.blocks import Block, Json
from citewell_formats.prose import sources

SCHEMA = "citewell.answer/1"


class JsonDocument(Struct, frozen=True, kw_only=True):
    """Formats answers for programs; shows nothing before the answer is complete.

    Attributes:
        indent: blanks a level, or None for one line.
    """

    indent: int | None = 2

    def render(self, answer: Answer) -> Sequence[Block]:
        """Return one block with ASCII text, or nothing yet."""
        if not answer.complete:
            return ()
        return (Json(json.dumps(described(answer), indent=self.indent)),)


def described(answer: Answer) -> dict[str, object]:
    """Return `answer` as plain values; what was dropped is counted, not shown."""
    return {
        "schema": SCHEMA,
        "id": answer.id,
        "question_id": answer.question_id,
        "outcome": answer.outcome.value,
        "notice": answer.notice,
        "model": answer.model,
        "note": answer.note,
        "generation": answer.generation,
        "text": _text(answer.shown),
        "statements": {"supported": answer.supported_count, "total": len(answer.statements)},
        "claims": [_claim(claim) for claim in answer.shown],
        "sources": [
            {"number": source.number, "citations": [_citation(one) for one in source.citations]}
            for source in sources(answer)
        ],
        "nearest": [_nearest(nearest) for nearest in answer.nearest],
    }


def _text(shown: Sequence[Claim]) -> str:
    return "".join(claim.lead + _marked(claim) for claim in shown).strip()


def _marked(claim: Claim) -> str:
    marks = "".join(f"[{number}]" for number in _numbers(claim))
    if not marks:
        return claim.text
    if claim.kind is ClaimKind.CODE:
        return f"{claim.text.rstrip()}\n{marks}"
    if claim.kind is ClaimKind.TABLE:
        return f"{claim.text.rstrip().removesuffix('|').rstrip()} {marks} |"
    return f"{claim.text} {marks}"


def _numbers(claim: Claim) -> list[int]:
    return sorted({citation.number for citation in claim.citations})


def _claim(claim: Claim) -> dict[str, object]:
    return {
        "kind": claim.kind.value,
        "text": claim.text,
        "sources": _numbers(claim),
        "supported": claim.verdict.supported,
        "check": claim.verdict.check,
        "reason": claim.verdict.reason,
        "score": claim.verdict.score,
    }


def _citation(citation: Citation) -> dict[str, object]:
    return {
        "document_id": citation.document_id,
        "passage_id": citation.passage_id,
        "content_hash": citation.content_hash,
        "title": citation.title,
        "uri": citation.uri,
        "place": to_builtins(citation.place),
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
    }


def _nearest(nearest: Nearest) -> dict[str, object]:
    return {
        "document_id": nearest.document_id,
        "passage_id": nearest.passage_id,
        "title": nearest.title,
        "uri": nearest.uri,
        "place": to_builtins(nearest.place),
    }
