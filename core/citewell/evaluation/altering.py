"""Lets an answer be written from documents that are not quite those of the library.

Some documents are held out, so that their questions become unanswerable; and a fact is exchanged
in the passages, to see whether an answer follows them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from msgspec import Struct
from msgspec.structs import replace

from citewell.engine.runtime import Runtime
from citewell.evaluation.arranging import Arranged, Arrangement, is_named
from citewell.types.documents import Passage
from citewell.types.evaluation import Swap


class Alteration(Struct, frozen=True):
    """What is not as the library has it.

    Attributes:
        held_out: documents that are not there: `handbook:leave.md`, or `leave.md` of any library.
        swap: a fact that is another one; None for none.
    """

    held_out: frozenset[str] = frozenset()
    swap: Swap | None = None

    @property
    def arrangement(self) -> Arrangement:
        """What becomes of passages."""
        swap = self.swap
        return Arrangement(
            leaves_out=lambda passage: is_named(passage.document_id, self.held_out),
            changes=lambda passage: passage if swap is None else _swapped(passage, swap),
        )


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

    async def retriever(self, name: str) -> Arranged:
        return Arranged(await self._runtime.retriever(name), self._alteration.arrangement)


def _swapped(passage: Passage, swap: Swap) -> Passage:
    text = passage.text.replace(swap.fact, swap.instead)
    return replace(
        passage,
        title=passage.title.replace(swap.fact, swap.instead),
        header=passage.header.replace(swap.fact, swap.instead),
        text=text,
        end=passage.start + len(text),
    )
