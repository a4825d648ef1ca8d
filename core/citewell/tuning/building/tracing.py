"""Where an example came from, looked up again."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from msgspec import Struct

from citewell.engine.restoring import current_passages
from citewell.journal.records import AnswerRecord
from citewell.protocols import Retriever
from citewell.tuning.building.voted import may_hear
from citewell.tuning.data.examples import Example
from citewell.types.documents import Passage
from citewell.types.questions import Audience


class Trace(Struct, frozen=True, kw_only=True):
    """What an example came from.

    Attributes:
        passages: that are there as they were.
        answers: that people voted on, as far as they are there.
        documents: that are there, of an example that teaches what they do not say.
        gone: names of what is not there any more, or says something else.
    """

    example: Example
    passages: tuple[Passage, ...] = ()
    answers: tuple[AnswerRecord, ...] = ()
    documents: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it says what it came from, and all of that is there as it was."""
        return not self.gone and bool(self.passages or self.documents or self.answers)


class Tracer(Struct, frozen=True):
    """Looks up what examples came from.

    Attributes:
        retriever: holds the documents.
        audience: who looks.
        find: returns the answer with an id, or None.
    """

    retriever: Retriever
    audience: Audience
    find: Callable[[str], AnswerRecord | None]

    async def trace(self, example: Example) -> Trace:
        """Return what an example came from; of one that does not say, nothing is there or gone."""
        names = example.origin.split()
        ids = [name.removeprefix("passage:") for name in names if name.startswith("passage:")]
        documents = [unquote(name[9:]) for name in names if name.startswith("document:")]
        passages = await self.retriever.fetch(ids, readable_by=self.audience) if ids else ()
        there = {one.id: one for one in passages}
        answers = {
            one[7:]: await self._answer(one[7:]) for one in names if one.startswith("answer:")
        }
        gone = [f"passage {one}" for one in ids if one not in there]
        known = await self.retriever.versions() if documents else {}
        gone += [f"document {one}" for one in documents if one not in known]
        gone += [f"answer {one}" for one, record in answers.items() if record is None]
        return Trace(
            example=example,
            passages=tuple(there[one] for one in dict.fromkeys(ids) if one in there),
            answers=tuple(one for one in answers.values() if one is not None),
            documents=tuple(one for one in documents if one in known),
            gone=tuple(gone),
        )

    async def _answer(self, id_: str) -> AnswerRecord | None:
        """Return an answer that is what it was, of which this reader may hear."""
        record = self.find(id_)
        if record is None or record.is_wiped or not may_hear(self.audience, record):
            return None
        current = await current_passages(record, self.retriever, self.audience)
        return record if all(one.id in current for one in record.passages) else None
