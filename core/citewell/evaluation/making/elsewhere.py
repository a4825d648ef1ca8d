"""Whether a question whose document is left out can be answered from another one all the same."""

from __future__ import annotations

from msgspec import Struct

from citewell.engine.citing.words import content_stems
from citewell.evaluation.making.facts import plain
from citewell.protocols import Retriever
from citewell.types.documents import Passage
from citewell.types.questions import Audience, Query

_LOOKED_AT = 20
_SAME = 0.7
"""A passage that holds the answer and so many of a question's words may answer it."""


class Elsewhere(Struct, frozen=True):
    """Looks outside the documents that are left out, for what `audience` may read."""

    retriever: Retriever
    audience: Audience
    held_out: frozenset[str]

    async def answers(self, question: str, answer: str) -> bool:
        """Tell whether a document that stays may answer `question`; an empty answer is any."""
        found = await self.retriever.retrieve(
            Query(text=question), limit=_LOOKED_AT, readable_by=self.audience
        )
        others = (one for one in found if one.document_id not in self.held_out)
        return any(_may_answer(passage, question, answer) for passage in others)


def _may_answer(passage: Passage, question: str, answer: str) -> bool:
    asked = set(content_stems(question, passage.language))
    held = asked.intersection(content_stems(passage.text, passage.language))
    said = f" {plain(passage.text)} "
    return len(held) >= _SAME * len(asked) and (not answer or f" {plain(answer)} " in said)
