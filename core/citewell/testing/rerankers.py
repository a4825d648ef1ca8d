"""What every reranker must do, as tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from citewell.protocols import Reranker
from citewell.testing.documents import ODD_QUERIES
from citewell.testing.opening import opened, run_async
from citewell.testing.passages import make_passages
from citewell.types.questions import Query

_LEAVE, _OFFICE, _LUNCH = make_passages(
    "Every employee has 28 days of leave a year.",
    "The office is closed on Sundays.",
    "Lunch is served at noon in the canteen.",
)
_PASSAGES = (_OFFICE, _LUNCH, _LEAVE)
_QUERY = Query(text="How many days of leave does an employee have?")


class RerankerContract:
    """Subclass it, set `name`, and pytest tests your reranker.

    Attributes:
        name: under which a plugin that is installed offers the reranker.
        config: its settings, as they would stand in `citewell.toml`.
    """

    name: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Reranker]:
        """Open the reranker; override to build it otherwise."""
        async with opened("reranker", self.name, self.config, folder) as reranker:
            yield reranker

    @run_async
    async def test_the_passage_that_answers_comes_first(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as reranker:
            ranked = await reranker.rerank(_QUERY, _PASSAGES, limit=3)

        assert ranked[0].id == _LEAVE.id, "the passage that answers the question comes first"
        scores = [passage.score for passage in ranked]
        assert scores == sorted(scores, reverse=True), "scores fall along the result"

    @run_async
    async def test_only_what_was_given_comes_back(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as reranker:
            every = await reranker.rerank(_QUERY, _PASSAGES, limit=10)
            two = await reranker.rerank(_QUERY, _PASSAGES, limit=2)
            none = await reranker.rerank(_QUERY, (), limit=10)

        texts = {passage.id: passage.text for passage in _PASSAGES}
        assert {passage.id: passage.text for passage in every} == texts, (
            "each passage comes back once, with the text that it had"
        )
        assert [one.id for one in two] == [one.id for one in every[:2]], "`limit` keeps the best"
        assert not len(none), "no passages, no result"

    @run_async
    async def test_odd_questions_are_safe(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as reranker:
            for text in ODD_QUERIES:
                ranked = await reranker.rerank(Query(text=text), _PASSAGES, limit=3)
                assert len(ranked) == 3, f"{text[:40]!r} lost a passage"

    @run_async
    async def test_calls_may_overlap(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as reranker:
            alone = await reranker.rerank(_QUERY, _PASSAGES, limit=3)
            together = await asyncio.gather(
                *(reranker.rerank(_QUERY, _PASSAGES, limit=3) for _ in range(4)),
                reranker.rerank(Query(text="When is lunch?"), _PASSAGES, limit=3),
            )

        for ranked in together[:-1]:
            assert [one.id for one in ranked] == [one.id for one in alone], (
                "the order depends on the question and the passages alone"
            )
