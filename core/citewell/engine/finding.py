"""The passages for a question: retrieved, put into a better order, and with what they bring."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter

from msgspec.structs import replace

from citewell.engine.bringing import Wish, bring
from citewell.engine.course import Course
from citewell.engine.prompting import retrieval_text
from citewell.errors import StoreError
from citewell.noticing import listening
from citewell.protocols import Retriever
from citewell.types.documents import Passage, PassageRef
from citewell.types.questions import Query


async def find(course: Course, name: str) -> int:
    """Let `course` have the passages that the retriever `name` finds; return how many.

    Raises:
        CitewellError: the retriever cannot be opened, or fails.
    """
    since = perf_counter()
    retriever = await course.runtime.retriever(name)
    timeout_s = course.profile.timeout_s
    with listening() as notices:
        try:
            async with asyncio.timeout(timeout_s):
                found = await _readable(course, retriever)
                readable = (*found, *await _brought(course, retriever, found))
        except TimeoutError as error:
            raise StoreError(f'retriever "{name}" gave nothing within {timeout_s:g} s') from error
    for text in dict.fromkeys(one.text for one in notices):
        course.tell(text)
    for detail in (one.detail for one in notices if one.detail):
        course.note_error(f"retriever {name}: {detail}")
    course.passages = _ordered(course, readable)
    labels = frozenset(label for passage in readable for label in passage.labels)
    given = (PassageRef(one.id, one.content_hash) for one in readable)
    course.answer = replace(
        course.answer,
        labels=course.answer.labels | labels,
        passages=tuple(dict.fromkeys((*course.history, *given))),
    )
    course.index_identity = await retriever.identity()
    course.took("retrieve", since)
    return len(found)


async def _readable(course: Course, retriever: Retriever) -> tuple[Passage, ...]:
    profile, audience = course.profile, course.question.audience
    query = Query(text=retrieval_text(course.question))
    limit = max(profile.candidates, profile.passages) if profile.rerankers else profile.passages
    found = await retriever.retrieve(query, limit=limit, readable_by=audience)
    readable = tuple(passage for passage in found if audience.may_read(passage.labels))
    for name in profile.rerankers:
        readable = await _reranked(course, name, query, readable)
    return readable[: profile.passages]


async def _brought(
    course: Course, retriever: Retriever, found: Sequence[Passage]
) -> tuple[Passage, ...]:
    """Return what `found` brings; nothing where it cannot be read, for an answer needs it less.

    It comes behind all that was found: what does not fit a model is left out from the end.
    """
    profile, since = course.profile, perf_counter()
    wish = Wish(
        neighbours=profile.neighbours, tables=profile.whole_tables, chars=profile.brought_chars
    )
    try:
        brought = await bring(retriever, found, wish, readable_by=course.question.audience)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and costs only these
        course.note_error(f"what passages bring: {type(error).__name__}: {error}")
        return ()
    course.took("bring", since)
    for title in dict.fromkeys(brought.cut):
        course.notes.append(f"{title}: of a table some rows were left out; raise brought_chars")
    return tuple(brought.passages)


async def _reranked(
    course: Course, name: str, query: Query, passages: tuple[Passage, ...]
) -> tuple[Passage, ...]:
    """Return `passages` in the order of a reranker; in their own order where it cannot tell.

    What must not leave this machine is not given to a reranker elsewhere, and comes last.
    """
    since, patience_s = (
        perf_counter(),
        course.profile.timeout_s / (2 * len(course.profile.rerankers)),
    )
    held = course.runtime.held_back(name)
    given = tuple(passage for passage in passages if not passage.labels & held)
    kept = tuple(passage for passage in passages if passage.labels & held)
    if not given:
        return passages
    try:
        # One that never answers costs the order as well: half of the time is left for the answer.
        async with asyncio.timeout(patience_s):
            reranker = await course.runtime.reranker(name)
            ranked = await reranker.rerank(query, given, limit=len(given))
        ordered = _known(given, ranked)
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything, and costs only order
        course.note_error(f"reranker {name}: {type(error).__name__}: {error}")
        course.tell(f"the passages stand as they were found, because {name} could not order them")
        return passages
    course.took(f"rerank {name}", since)
    return (*ordered, *kept)


def _known(given: Sequence[Passage], ranked: Sequence[Passage]) -> tuple[Passage, ...]:
    """Return the passages that were given, in the order of `ranked`, with its scores.

    What a reranker leaves out it takes for worse than the rest.
    """
    by_id = {passage.id: passage for passage in given}
    ordered = {
        passage.id: replace(by_id[passage.id], score=passage.score)
        for passage in ranked
        if passage.id in by_id
    }
    rest = (passage for passage in given if passage.id not in ordered)
    return (*ordered.values(), *rest)


def _ordered(course: Course, passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
    """Put what must not leave this machine last, where some model of the chain would send it.

    So a number means the same passage to each model of the chain.
    """
    held = course.runtime.settings.local_only
    if not held or all(map(course.runtime.is_local, course.chain)):
        return passages
    return tuple(sorted(passages, key=lambda passage: bool(passage.labels & held)))
