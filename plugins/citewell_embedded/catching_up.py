"""Embeds what is found by words alone so far, behind the changes that brought it.

A change of the index waits for no embedder: its passages are published, and listed in the store as
lacking an entry. Here they get it, some at a time, the oldest first, each time in one durable
transaction. Whoever comes after a crash finds the list as it was left. One process fills a set at
a time, by a lock of its own; another one that wants it filled waits, and takes over where the
first one ends before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from citewell import ModelError, Passage, blocking
from citewell.asking import PatientEmbedder
from citewell.following import NeedsReindex, Told
from citewell_embedded.filling import PassageEmbedder, alone, opened_store, store_embedded
from citewell_embedded.reindexing import TOGETHER
from citewell_embedded.store import FILE
from citewell_embedded.vector_store import VectorStore
from citewell_embedded.vectors import UNNAMED, VectorSet, set_identity

_FAILURES = 2
"""An embedder that fails so often in a row does not fail for what a single text holds."""


class CatchingUp:
    """Fills the set of one embedder.

    Args:
        folder: of the store.
        name: of the retriever, for messages.
        embedder: makes the vectors.
        section: of the embedder, for messages.
        withholds: tells which passages it must not be given.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        embedder: PatientEmbedder,
        section: str,
        withholds: Callable[[Passage], bool],
    ) -> None:
        self._folder = folder
        self._name = name
        self._embedder = embedder
        self._section = section
        self._withholds = withholds

    async def fill(self, told: Told) -> None:
        """Fill the set once; a batch that the embedder does not take holds up none behind it.

        Raises:
            IndexLocked: another process does it.
            ModelError: the embedder fails; what lacks its entry is found by words.
            StoreError: the store cannot be written, or has to be reindexed (`NeedsReindex`).
        """
        if not (self._folder / FILE).exists():
            return
        async with opened_store(self._folder) as store:
            sets = await blocking.call_to_end(store.sets)
            if any(one.turn for one in sets) and not any(one.lacking for one in sets):
                return
            if not await blocking.call_to_end(store.passage_count):
                return
            embedder = await self._embedder.opened()
            identity = set_identity(embedder.identity)
            known = await blocking.call_to_end(partial(store.adopted, identity))
            if known is None or not known.turn:
                others = [one.name for one in sets if one.turn and one.identity != UNNAMED]
                raise NeedsReindex(
                    lack(self._name, embedder.identity, others, is_begun=known is not None)
                )
            if known.lacking:
                with alone(self._folder, known, name=self._name):
                    given = PassageEmbedder(embedder, self._section, self._withholds)
                    await self._embed(store, known, given, told)

    @staticmethod
    async def _embed(
        store: VectorStore, known: VectorSet, embedder: PassageEmbedder, told: Told
    ) -> None:
        done = after_row = failures = 0
        failed: ModelError | None = None
        while failures < _FAILURES:
            rows = await blocking.call_to_end(
                partial(store.waiting, known, after_row=after_row, limit=TOGETHER)
            )
            if not rows:
                break
            after_row = rows[-1].row
            try:
                known = await store_embedded(store, known, rows, embedder=embedder)
                done += len(rows)
                failures = 0
            except ModelError as error:
                # What the next ones lack is not theirs to suffer for, where a text is to blame.
                failed = error
                failures += 1
            left = await blocking.call_to_end(partial(store.left, known))
            told(done, done + left)
        if failed:
            raise failed


def lack(name: str, identity: str, others: Sequence[str], *, is_begun: bool) -> str:
    """Say why the vectors of an embedder are not in use, and what helps."""
    fix = f"run: citewell reindex {name}"
    if is_begun:
        return f'not every passage of "{name}" has a vector of {identity} yet; {fix}'
    if others:
        return f'vectors of "{name}" were made by {others[0]}, the settings name {identity}; {fix}'
    return f'"{name}" has no vectors yet; {fix}'
