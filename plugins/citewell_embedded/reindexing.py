"""Embeds the passages of a store beside vectors that are in use; goes on after any interruption."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

from citewell import IndexLocked, blocking
from citewell_embedded.filling import PassageEmbedder, alone, opened_store, store_embedded
from citewell_embedded.store import FILE
from citewell_embedded.vector_store import VectorStore
from citewell_embedded.vectors import VectorSet, set_identity

TOGETHER = 64
"""So many texts are embedded at once, and stored at once."""


class Reindexing:
    """Fills the set of one embedder.

    Args:
        folder: of the store.
        name: of the retriever, for messages.
        embedder: makes the vectors.
    """

    def __init__(self, folder: Path, *, name: str, embedder: PassageEmbedder) -> None:
        self._folder = folder
        self._name = name
        self._embedder = embedder

    async def run(self, told: Callable[[int, int], None]) -> None:
        """Embed what is missing, until nothing is; forget vectors that are two embedders old.

        Args:
            told: given how many passages are done, of how many.

        Raises:
            IndexLocked: another process is at it.
            ModelError: the embedder fails; what is embedded stays.
            StoreError: the store cannot be written.
        """
        if not (self._folder / FILE).exists():
            return
        async with opened_store(self._folder) as store:
            identity = set_identity(self._embedder.embedder.identity)
            known = await blocking.call_to_end(partial(store.opened, identity))
            with alone(self._folder, known, name=self._name):
                await self._filled(store, known, told)
                await blocking.call_to_end(partial(self._forget_others, store))

    async def _filled(
        self, store: VectorStore, known: VectorSet, told: Callable[[int, int], None]
    ) -> None:
        has_changed = False
        is_complete = False
        while not is_complete:
            total = await blocking.call_to_end(store.passage_count)
            async for changed, left in self._pass(store, known):
                has_changed = has_changed or changed
                told(max(total - left, 0), total)
            is_complete = await blocking.call_to_end(
                partial(store.complete, known, has_changed=has_changed)
            )
        told(total, total)

    async def _pass(self, store: VectorStore, known: VectorSet) -> AsyncIterator[tuple[bool, int]]:
        """Go through the passages once; yield whether entries changed, and how many lack one."""
        left = await blocking.call_to_end(partial(store.lacking, known, most=1 << 62))
        after_row = 0
        while True:
            found = await blocking.call_to_end(
                partial(store.missing, known, after_row=after_row, limit=TOGETHER)
            )
            if not found:
                return
            after_row = found[-1][0].row
            # What was withheld has an entry without a vector; it may be given away by now.
            released = [
                row
                for row, has_entry in found
                if has_entry and not self._embedder.withholds(row.passage)
            ]
            new = [row for row, has_entry in found if not has_entry]
            known = await store_embedded(store, known, [*released, *new], embedder=self._embedder)
            left -= len(new)
            yield bool(released), left

    def _forget_others(self, store: VectorStore) -> None:
        for unwanted in store.superseded():
            try:
                with alone(self._folder, unwanted, name=self._name):
                    store.drop(unwanted)
            except IndexLocked:
                continue
        store.sweep()
