"""How an answer came to be, as far as its sources may still be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, to_builtins

from citewell import blocking
from citewell.cli.assisting import spool
from citewell.engine.folders import make_folder
from citewell.engine.provenance import provenance
from citewell.engine.restoring import current_passages, may_tell, restored
from citewell.engine.runtime import Runtime
from citewell.engine.settings import Settings
from citewell.engine.standing import Standing, standings
from citewell.errors import CitewellError, JournalError
from citewell.journal.journal import Journal, journal_url
from citewell.journal.records import AnswerRecord, ClaimRecord, PassageRecord
from citewell.types.answers import Citation
from citewell.types.documents import Passage, PassageRef, Place
from citewell.types.questions import Audience

STANDING: Final[Mapping[Standing, str]] = {
    Standing.SAME: "as it was",
    Standing.MOVED: "as it was, at another place of its source",
    Standing.CHANGED: "changed since the answer was given",
    Standing.CLOSED: "not for those any more who read the answer",
    Standing.GONE: "gone since the answer was given",
}
"""What is said of a passage, as it stands now for those who read the answer."""


class PassageView(Struct, frozen=True, kw_only=True):
    """A passage that the model was given; what is gone keeps its score alone.

    Attributes:
        cited_as: the marks that point to it.
        current: whether it is in the index, unchanged, and may be read.
        standing: what became of it for those who read the answer; None where nobody knows.
    """

    score: float
    cited_as: tuple[int, ...]
    current: bool
    standing: Standing | None = None
    document_id: str | None = None
    title: str | None = None
    uri: str | None = None
    place: Place | None = None


class ClaimView(Struct, frozen=True, kw_only=True):
    """A statement of the model.

    Attributes:
        text: None when it may repeat what is gone; so is the reason.
        marks: numbers that readers saw, ascending.
        citations: those that still resolve, with quotes read from the index again.
    """

    shown: bool
    supported: bool
    text: str | None
    reason: str | None
    check: str
    score: float | None
    marks: tuple[int, ...]
    citations: tuple[Citation, ...]


class Explanation(Struct, frozen=True, kw_only=True):
    """Everything that is known about an answer.

    Attributes:
        record: as the journal keeps it.
        index_now: what the index calls its content now.
        index_problem: why the index cannot be read, or empty.
        model_proof: whether the files of the model were proven equal to what was trained, or
            empty where there are none, or the settings no longer have the model.
    """

    record: AnswerRecord
    index_now: str
    index_problem: str
    model_proof: str
    passages: tuple[PassageView, ...]
    claims: tuple[ClaimView, ...]

    @property
    def lost(self) -> dict[int, Standing]:
        """Cited marks whose source is not what it was, with what became of it; ascending."""
        found = {
            mark: one.standing
            for one in self.passages
            if one.standing is not None and not one.standing.is_kept
            for mark in one.cited_as
        }
        return dict(sorted(found.items()))

    @property
    def marks(self) -> frozenset[int]:
        """The marks that readers saw."""
        return frozenset(mark for one in self.passages for mark in one.cited_as)


def find(settings: Settings, reference: str) -> AnswerRecord:
    """Return the answer with this reference; blocking.

    Raises:
        ConfigError: the data folder cannot be made.
        JournalError: there is none, or the journal cannot be read.
    """
    make_folder(settings.data_dir)
    url = journal_url(settings.journal_url, settings.data_dir)
    with Journal.open(url, spool(settings)) as journal:
        record = journal.find(reference.strip().lower())
    if record is None:
        raise JournalError(
            f'no answer has the reference "{reference}" here; it stands below the answer, '
            "and belongs to the settings or the folder that was asked"
        )
    return record


async def explain(record: AnswerRecord, runtime: Runtime, audience: Audience) -> Explanation:
    """Return what may be told to `audience` about an answer."""
    current: Mapping[str, Passage] = {}
    standing: Mapping[PassageRef, Standing] = {}
    index_now, problem = "", ""
    if record.retriever:
        try:
            retriever = await runtime.retriever(record.retriever)
            index_now = await retriever.identity()
            current = await current_passages(record, retriever, audience)
            readers = Audience(frozenset(map(frozenset, record.readers)))
            standing = await standings(record.passages, retriever, readers)
        except CitewellError as error:
            problem = str(error)
    model = runtime.settings.models.get(record.model)
    return Explanation(
        record=record,
        index_now=index_now,
        index_problem=problem,
        model_proof="" if model is None else await blocking.call(provenance, model),
        passages=tuple(_passage(one, record, current, standing) for one in record.passages),
        claims=tuple(_claim(one, record, current, audience) for one in record.claims),
    )


def _passage(
    kept: PassageRecord,
    record: AnswerRecord,
    current: Mapping[str, Passage],
    standing: Mapping[PassageRef, Standing],
) -> PassageView:
    marks = {
        citation.number
        for claim in record.claims
        if claim.shown
        for citation in claim.citations
        if citation.passage_id == kept.id
    }
    cited_as = tuple(sorted(marks))
    passage = current.get(kept.id)
    state = standing.get(PassageRef(kept.id, kept.content_hash))
    if passage is None:
        return PassageView(score=kept.score, cited_as=cited_as, current=False, standing=state)
    return PassageView(
        score=kept.score,
        cited_as=cited_as,
        current=True,
        standing=state,
        document_id=passage.document_id,
        title=passage.title,
        uri=passage.uri,
        place=passage.place,
    )


def _claim(
    kept: ClaimRecord,
    record: AnswerRecord,
    current: Mapping[str, Passage],
    audience: Audience,
) -> ClaimView:
    tells = may_tell(kept, record, current)
    return ClaimView(
        shown=kept.shown,
        supported=kept.supported,
        text=kept.text if tells else None,
        reason=kept.reason if tells else None,
        check=kept.check,
        score=kept.score,
        marks=tuple(sorted({citation.number for citation in kept.citations})),
        citations=restored(kept.citations, current.values(), audience),
    )


def described(explanation: Explanation) -> dict[str, object]:
    """Return the explanation as the fields of a document."""
    record = explanation.record
    kept = {
        name: getattr(record, name)
        for name in (
            *("id", "asked_at", "question", "asker", "profile", "readers", "outcome", "notice"),
            *("model", "model_identity", "retriever", "index_identity", "prompt_hash"),
            *("seconds", "input_tokens", "reused_tokens", "output_tokens", "cost"),
            *("errors", "notes", "generation"),
        )
    }
    return {
        **kept,
        "index_now": explanation.index_now,
        "index_problem": explanation.index_problem,
        "model_proof": explanation.model_proof,
        "sources_changed": list(explanation.lost),
        "passages": to_builtins(explanation.passages),
        "claims": [_plain_claim(claim) for claim in explanation.claims],
    }


def _plain_claim(claim: ClaimView) -> dict[str, object]:
    names = ("shown", "supported", "text", "reason", "check", "score", "marks")
    return {
        **{name: getattr(claim, name) for name in names},
        "citations": [_plain_citation(citation) for citation in claim.citations],
    }


def _plain_citation(citation: Citation) -> dict[str, object]:
    names = ("number", "document_id", "title", "uri", "start", "end", "quote")
    return {
        **{name: getattr(citation, name) for name in names},
        "place": to_builtins(citation.place),
    }
