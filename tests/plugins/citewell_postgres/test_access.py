"""A law: nobody gets, or loses a place to, what they may not read."""

import asyncio
from contextlib import AsyncExitStack
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citewell import Audience, IndexedDocument, Query
from citewell.testing.documents import make_document
from citewell_postgres import hybrid, vector_sets, vectors
from postgres_index import FIRST, indexed, opened_at

LABELS = st.sampled_from(["everyone", "hr", "legal", "board", 'a"b,c'])
WORDS = st.sampled_from([f"word{number}" for number in range(12)])
TEXTS = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
LABEL_SETS = st.frozensets(LABELS, max_size=3)


class Case(NamedTuple):
    """Documents of one or two passages, who asks, and for what."""

    documents: list[IndexedDocument]
    audience: Audience
    query: Query
    limit: int

    @property
    def forbidden(self):
        return [
            one.id for one in self.documents if not self.audience.may_read(one.passages[0].labels)
        ]


@st.composite
def cases(draw):
    contents = draw(
        st.lists(
            st.tuples(st.lists(TEXTS, min_size=1, max_size=2), LABEL_SETS), min_size=1, max_size=14
        )
    )
    made = [
        make_document(f"d{at}", *texts, labels=labels)
        for at, (texts, labels) in enumerate(contents)
    ]
    # Of most documents some may be read: an empty set may not, and no set may everything.
    readers = draw(st.frozensets(st.frozensets(LABELS, min_size=1, max_size=4), max_size=3))
    return Case(made, Audience(readers), Query(text=draw(TEXTS)), draw(st.integers(1, 20)))


class Answers(NamedTuple):
    """What somebody gets to see, in every way that there is."""

    retrieved: list[tuple[str, float]]
    by_words: list[tuple[str, float]]
    by_vectors: list[tuple[str, float]]
    fetched: list[str]
    within: list[str]


async def answers(retriever, case, *, has_vectors):
    asked = {"limit": case.limit, "readable_by": case.audience}
    halves = await retriever.halves(case.query, **asked) if has_vectors else ((), ())
    ids = [passage.id for one in case.documents for passage in one.passages]
    fetched = await retriever.fetch(ids, readable_by=case.audience)
    within = [
        passage
        for one in case.documents
        for passage in await retriever.within(
            one.id, start=0, end=1 << 40, readable_by=case.audience
        )
    ]
    found = (await retriever.retrieve(case.query, **asked), *halves, fetched, within)
    assert all(case.audience.may_read(one.labels) for passages in found for one in passages)
    scored = [[(one.id, round(one.score, 4)) for one in passages] for passages in found[:3]]
    return Answers(*scored, [one.id for one in fetched], [one.id for one in within])


@pytest.mark.parametrize("way", ["words", "vectors one by one", "vectors by index"])
def test_an_audience_gets_what_it_would_if_there_were_nothing_else(place, monkeypatch, way):
    """The oracle is the index after everything else was deleted."""
    has_vectors, has_index = way != "words", way == "vectors by index"
    if has_index:
        monkeypatch.setattr(vectors, "EXACT_ROWS", 1)

    async def check(retriever, case):
        await indexed(retriever, case.documents)
        beside = await answers(retriever, case, has_vectors=has_vectors)
        await retriever.delete(case.forbidden)
        alone = await answers(retriever, case, has_vectors=has_vectors)
        await retriever.delete([one.id for one in case.documents])

        assert beside.by_words == alone.by_words
        assert (beside.fetched, beside.within) == (alone.fetched, alone.within)
        assert len(beside.fetched) == len(beside.within)
        if has_vectors:
            # Each has a vector, so nothing but the limit leaves one out.
            assert len(beside.by_vectors) == min(case.limit, len(beside.fetched))
        if not has_index:
            assert beside == alone

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        retriever = runner.run(
            stack.enter_async_context(opened_at(**place, embedders=FIRST if has_vectors else None))
        )
        try:
            runner.run(prepared(retriever, has_index=has_index))

            @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
            @given(cases())
            def holds(case):
                runner.run(check(retriever, case))

            holds()
        finally:
            runner.run(stack.aclose())


async def prepared(retriever, *, has_index):
    """Let the index of the vectors be made, where there is to be one."""
    if not has_index:
        return
    made = [make_document(f"first{number}", f"word{number}") for number in range(4)]
    await indexed(retriever, made)
    await retriever.delete([one.id for one in made])
    async with retriever._database.alone() as connection:
        (one,) = await vector_sets.sets(connection)
        assert await vectors.has_index(connection, one.id)


async def test_few_that_may_be_read_are_not_crowded_out_of_the_vectors(place, monkeypatch):
    monkeypatch.setattr(vectors, "EXACT_ROWS", 5)
    monkeypatch.setattr(hybrid, "DEPTH", 3)
    secret = [make_document(f"s{n}", f"fox den {n}", labels=["hr"]) for n in range(400)]
    public = [make_document(f"p{n}", f"a fox in a long tale {n}") for n in range(8)]
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, [*secret, *public])

        found, nearest = await retriever.halves(
            Query(text="fox den"), limit=8, readable_by=Audience.of("everyone")
        )

    assert sorted(one.document_id for one in nearest) == sorted(one.id for one in public)
    assert sorted(one.document_id for one in found) == sorted(one.id for one in public)


@pytest.mark.parametrize("limit", [1, 5, 20])
async def test_the_index_searches_on_past_what_may_not_be_read(place, monkeypatch, limit):
    """Without the exact search that steps in where the index gives too few."""
    monkeypatch.setattr(vectors, "EXACT_ROWS", 5)
    secret = [make_document(f"s{n}", f"fox den {n}", labels=["hr"]) for n in range(300)]
    public = [make_document(f"p{n}", f"a fox in a long tale {n}") for n in range(30)]
    async with opened_at(**place, embedders=FIRST) as retriever:
        await indexed(retriever, [*secret, *public])
        asked = Query(text="fox den"), Audience.of("everyone")
        with monkeypatch.context() as patch:
            patch.setattr(vectors, "EXACT_ROWS", 1000)
            _, exact = await retriever.halves(asked[0], limit=30, readable_by=asked[1])
        monkeypatch.setattr(vectors, "_EXACT", "no statement")
        _, nearest = await retriever.halves(asked[0], limit=limit, readable_by=asked[1])

    assert [one.score for one in nearest] == [one.score for one in exact][:limit]
