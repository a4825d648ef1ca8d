"""The hard checks, and the only place where a `Citation` is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

from msgspec import Struct

from citewell.protocols import Verifier
from citewell.types.answers import _SEAL, Citation
from citewell.types.documents import Passage, content_hash
from citewell.types.questions import Audience

Fetch: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[Passage]]]


class Policy(StrEnum):
    """What becomes of a sentence that is not supported."""

    DROP = "drop"
    MARK = "mark"
    REFUSE = "refuse"


class Evidence(Struct, frozen=True, kw_only=True):
    """What an answer may be built on.

    Attributes:
        passages: what was retrieved for this question; number 1 is the first.
        audience: everyone who will see the answer.
        fetch: reads passages again, now, by id; what is gone or not readable is absent.
        question: in the asker's words.
        verifiers: further judges; each must agree.
        policy: for sentences that are not supported.
        language: of the answer, ISO 639-1.
    """

    passages: tuple[Passage, ...]
    audience: Audience
    fetch: Fetch
    question: str
    verifiers: tuple[Verifier, ...] = ()
    policy: Policy = Policy.DROP
    language: str = "en"


class Pointer(Protocol):
    """Where a citation pointed when it was recorded."""

    @property
    def number(self) -> int:
        """The mark that readers saw."""
        ...

    @property
    def passage_id(self) -> str:
        """The passage that was cited."""
        ...

    @property
    def content_hash(self) -> str:
        """The hash of its text at that time."""
        ...

    @property
    def start(self) -> int:
        """First character of the quote in the document."""
        ...

    @property
    def end(self) -> int:
        """One past its last character."""
        ...


class Checked(Struct, frozen=True):
    """What the hard checks left of some marks.

    Attributes:
        passages: what may be cited now, by the model's number, as read again just now.
        problems: one line for each mark that failed.
    """

    passages: dict[int, Passage]
    problems: tuple[str, ...]


async def check_marks(evidence: Evidence, numbers: Iterable[int]) -> Checked:
    """Keep the marks whose passages were retrieved, are unchanged, and may be read now."""
    problems: list[str] = []
    wanted: dict[int, Passage] = {}
    for number in dict.fromkeys(numbers):
        if 1 <= number <= len(evidence.passages):
            wanted[number] = evidence.passages[number - 1]
        else:
            problems.append(f"[{number}] names no passage")
    if not wanted:
        return Checked({}, tuple(problems))
    ids = tuple(dict.fromkeys(passage.id for passage in wanted.values()))
    fresh = {passage.id: passage for passage in await evidence.fetch(ids)}
    kept: dict[int, Passage] = {}
    for number, retrieved in wanted.items():
        problem = _problem(retrieved, fresh.get(retrieved.id), evidence.audience)
        if problem:
            problems.append(f"[{number}] {problem}")
        else:
            kept[number] = fresh[retrieved.id]
    return Checked(kept, tuple(problems))


def _problem(retrieved: Passage, fresh: Passage | None, audience: Audience) -> str:
    if fresh is None:
        return "is no longer there to be read"
    if not (audience.may_read(retrieved.labels) and audience.may_read(fresh.labels)):
        return "may not be read by everyone who sees the answer"
    same_place = (fresh.document_id, fresh.start) == (retrieved.document_id, retrieved.start)
    if fresh.content_hash != retrieved.content_hash or not same_place:
        return "has changed since it was retrieved"
    if fresh.end - fresh.start != len(fresh.text):
        return "has offsets that do not fit its text"
    return ""


def cite_span(passage: Passage, span: tuple[int, int], *, number: int) -> Citation | None:
    """Make a citation of a stretch of `passage`, which has passed `check_marks`.

    Args:
        passage: as read again just now.
        span: in characters of `passage.text`.
        number: the mark that readers will see.
    """
    start, end = span
    if not 0 <= start < end <= len(passage.text):
        return None
    return Citation(
        number=number,
        passage_id=passage.id,
        document_id=passage.document_id,
        content_hash=content_hash(passage.text),
        title=passage.title,
        uri=passage.uri,
        start=passage.start + start,
        end=passage.start + end,
        quote=passage.text[start:end],
        place=passage.place_at(passage.start + start),
        seal=_SEAL,
    )


def restore(pointer: Pointer, *, fetched: Iterable[Passage], audience: Audience) -> Citation | None:
    """Make a recorded citation again, or return None when it may not be shown any more.

    Args:
        pointer: the recorded citation.
        fetched: passages read again just now.
        audience: everyone who will see it.
    """
    for passage in fetched:
        if passage.id == pointer.passage_id:
            span = pointer.start - passage.start, pointer.end - passage.start
            unchanged = passage.content_hash == pointer.content_hash
            whole = passage.end - passage.start == len(passage.text)
            if unchanged and whole and audience.may_read(passage.labels):
                return cite_span(passage, span, number=pointer.number)
    return None
