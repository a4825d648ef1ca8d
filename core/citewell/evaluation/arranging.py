"""A retriever that finds what it is to: without some passages, or others in their place."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from typing import Any

from msgspec import Struct

from citewell.protocols import Retriever
from citewell.types.documents import Passage
from citewell.types.questions import Audience, Query

_MOST = 10_000
"""Passages that are asked for, at most, to find enough that are not left out."""


class Arrangement(Struct, frozen=True, kw_only=True):
    """What becomes of the passages that are found.

    Attributes:
        leaves_out: whether a passage is not to be found.
        copies: what another passage says that stands beside one; None for none.
        changes: what a passage is then.
        order: names the order in which they stand; empty for that of the retriever.
        fixed: these, and no others; None for what is found.
    """

    leaves_out: Callable[[Passage], bool] = lambda _passage: False
    copies: Callable[[Passage], Passage | None] = lambda _passage: None
    changes: Callable[[Passage], Passage] = lambda passage: passage
    order: str = ""
    fixed: Sequence[Passage] | None = None


def is_named(document_id: str, names: Collection[str]) -> bool:
    """Tell whether a document is among names, which may leave its library out."""
    return document_id in names or document_id.partition(":")[2] in names


class Arranged:
    """What an answer asks of a retriever; nothing is written through it."""

    def __init__(self, retriever: Retriever, arrangement: Arrangement) -> None:
        self._retriever = retriever
        self._arrangement = arrangement
        self._copies: dict[str, Passage] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._retriever, name)

    async def retrieve(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Return the passages of the lesson, at most `limit`."""
        arranged = self._arrangement
        if arranged.fixed is not None:
            return [one for one in arranged.fixed if not arranged.leaves_out(one)][:limit]
        wanted = limit
        while True:
            every = await self._retriever.retrieve(query, limit=wanted, readable_by=readable_by)
            found = [one for one in every if not arranged.leaves_out(one)]
            if len(found) >= limit or len(every) < wanted or wanted >= _MOST:
                break
            wanted = min(_MOST, 2 * wanted)
        return self._in_order(self._with_copies(found[:limit], limit))

    async def fetch(self, ids: Sequence[str], *, readable_by: Audience) -> Sequence[Passage]:
        """Return passages of the lesson as they are in it."""
        originals = [id_ for id_ in ids if id_ not in self._copies]
        found = await self._retriever.fetch(originals, readable_by=readable_by)
        arranged = self._arrangement
        kept = [arranged.changes(one) for one in found if not arranged.leaves_out(one)]
        return [*kept, *(self._copies[id_] for id_ in ids if id_ in self._copies)]

    async def within(
        self, document_id: str, *, start: int, end: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Return what stands beside a passage, as it is in the lesson."""
        found = await self._retriever.within(
            document_id, start=start, end=end, readable_by=readable_by
        )
        arranged = self._arrangement
        return [arranged.changes(one) for one in found if not arranged.leaves_out(one)]

    def _with_copies(self, found: Sequence[Passage], limit: int) -> list[Passage]:
        copies = {one.id: copy for one in found if (copy := self._arrangement.copies(one))}
        self._copies.update((one.id, one) for one in copies.values())
        room = limit - 2 * len(copies)
        others = [one for one in found if one.id not in copies][: max(room, 0)]
        kept = {one.id for one in others} | copies.keys()
        changed = [self._arrangement.changes(one) for one in found if one.id in kept]
        return [*changed, *copies.values()][:limit]

    def _in_order(self, found: list[Passage]) -> list[Passage]:
        if self._arrangement.order:
            random.Random(self._arrangement.order).shuffle(found)  # noqa: S311 - no secret
        return found
