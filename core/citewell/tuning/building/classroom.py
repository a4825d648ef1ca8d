"""A runtime in which the model is a teacher, and the passages are those of a lesson."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from citewell.engine.breaker import Breaker
from citewell.engine.runtime import Runtime
from citewell.engine.settings import Settings
from citewell.protocols import Retriever
from citewell.types.documents import Passage
from citewell.types.questions import Audience, Delta, Prompt, Query, Usage

_MOST = 200
"""Passages that are asked for, at most, where some of them are left out."""


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


class Teacher:
    """A model that keeps what it is asked, and answers as `write` says.

    Args:
        write: given the prompt, returns the answer.
    """

    def __init__(self, write: Callable[[Prompt], str]) -> None:
        self._write = write
        self.prompt: Prompt | None = None

    async def generate(self, prompt: Prompt) -> AsyncIterator[Delta | Usage]:
        """Yield the answer."""
        self.prompt = prompt
        yield Delta(self._write(prompt))
        yield Usage()


class Classroom:
    """A runtime in all but its models, its retrievers and its budgets.

    Args:
        runtime: the components.
        teacher: answers instead of every model.
        arrangement: of the passages.
    """

    trials = None

    def __init__(self, runtime: Runtime, teacher: Teacher, arrangement: Arrangement) -> None:
        self._runtime = runtime
        self._teacher = teacher
        self._arrangement = arrangement
        self._arranged: dict[str, Arranged] = {}
        self.settings: Settings = replace(runtime.settings, budgets=_NOTHING)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Classroom]:
        """Yield it."""
        yield self

    async def model(self, name: str, *, makes_room: bool = False) -> Teacher:  # noqa: ARG002 - as of a runtime
        """Return the teacher."""
        return self._teacher

    def is_local(self, name: str) -> bool:  # noqa: ARG002 - whoever is named, the teacher answers
        """Tell that nothing leaves this machine."""
        return True

    def is_ready(self, name: str) -> bool:  # noqa: ARG002 - likewise
        """Tell that the teacher need not be loaded."""
        return True

    def breaker(self, name: str) -> Breaker:  # noqa: ARG002 - likewise
        """Return one that nothing broke."""
        return Breaker()

    async def retriever(self, name: str) -> Arranged:
        """Return what finds the passages of the lesson."""
        if name not in self._arranged:
            retriever = await self._runtime.retriever(name)
            self._arranged[name] = Arranged(retriever, self._arrangement)
        return self._arranged[name]


_NOTHING: Mapping[str, Any] = MappingProxyType({})


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
        kept = [self._arrangement.changes(one) for one in found]
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
