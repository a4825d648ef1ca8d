"""Lets an answer be written from documents that are not quite those of the library.

Some documents are held out, so that their questions become unanswerable; and a fact is exchanged
in the passages, to see whether an answer follows them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from citewell.engine.runtime import Runtime
from citewell.protocols import Retriever
from citewell.types.documents import Passage
from citewell.types.evaluation import Swap
from citewell.types.questions import Audience, Query

_MOST = 10_000
"""Passages that are asked for, at most, to find enough that are not held out."""


class Alteration(Struct, frozen=True):
    """What is not as the library has it.

    Attributes:
        held_out: documents that are not there: `handbook:leave.md`, or `leave.md` of any library.
        swap: a fact that is another one; None for none.
    """

    held_out: frozenset[str] = frozenset()
    swap: Swap | None = None

    def holds_out(self, document_id: str) -> bool:
        """Tell whether a document is not there."""
        return document_id in self.held_out or document_id.partition(":")[2] in self.held_out

    def applied(self, passages: Sequence[Passage]) -> list[Passage]:
        """Return what there is of `passages`, with the fact exchanged."""
        there = [one for one in passages if not self.holds_out(one.document_id)]
        return there if self.swap is None else [_swapped(one, self.swap) for one in there]


def altered(runtime: Runtime, alteration: Alteration) -> Runtime:
    """Return `runtime` with retrievers that find what `alteration` leaves."""
    return runtime if alteration == Alteration() else cast("Runtime", _Altered(runtime, alteration))


class _Altered:
    """A runtime in all but its retrievers."""

    def __init__(self, runtime: Runtime, alteration: Alteration) -> None:
        self._runtime = runtime
        self._alteration = alteration

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[_Altered]:
        yield self

    async def retriever(self, name: str) -> _AlteredRetriever:
        return _AlteredRetriever(await self._runtime.retriever(name), self._alteration)


class _AlteredRetriever:
    """What an answer asks of a retriever; nothing is written through it."""

    def __init__(self, retriever: Retriever, alteration: Alteration) -> None:
        self._retriever = retriever
        self._alteration = alteration

    def __getattr__(self, name: str) -> Any:
        return getattr(self._retriever, name)

    async def retrieve(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        wanted = limit
        while True:
            found = await self._retriever.retrieve(query, limit=wanted, readable_by=readable_by)
            left = self._alteration.applied(found)
            if len(left) >= limit or len(found) < wanted or wanted >= _MOST:
                return left[:limit]
            wanted = min(_MOST, 2 * wanted)

    async def fetch(self, ids: Sequence[str], *, readable_by: Audience) -> Sequence[Passage]:
        return self._alteration.applied(await self._retriever.fetch(ids, readable_by=readable_by))

    async def within(
        self, document_id: str, *, start: int, end: int, readable_by: Audience
    ) -> Sequence[Passage]:
        return self._alteration.applied(
            await self._retriever.within(document_id, start=start, end=end, readable_by=readable_by)
        )


def _swapped(passage: Passage, swap: Swap) -> Passage:
    text = passage.text.replace(swap.fact, swap.instead)
    return replace(
        passage,
        title=passage.title.replace(swap.fact, swap.instead),
        header=passage.header.replace(swap.fact, swap.instead),
        text=text,
        end=passage.start + len(text),
    )
