"""Documents gathered into batches for a retriever, with a bound on the text that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec import Struct

from citewell.protocols import Retriever
from citewell.types.documents import IndexedDocument

_BATCH_PASSAGES = 10_000
_BATCH_DOCUMENTS = 1000
_WAITING_CHARS = 24_000_000
_LINGER_S = 0.3
"""A commit costs as much as a few hundred passages, so a small batch waits this long for more."""


class _Entry(Struct, frozen=True):
    id: str
    document: IndexedDocument | None = None
    held_chars: int = 0


_NUDGE = _Entry("")
"""Wakes the writer, which need not wait for more: there is no room for more."""


class Batches:
    """What is to be indexed or deleted, in the order of its arrival.

    Args:
        retriever: is given whole batches, one at a time.
        indexed: told the documents and passages of each batch when it is durable.
    """

    def __init__(self, retriever: Retriever, indexed: Callable[[int, int], None]) -> None:
        self._retriever = retriever
        self._indexed = indexed
        self._entries: asyncio.Queue[_Entry | None] = asyncio.Queue()
        self._held_chars = 0
        self._blocked = 0
        self._freed = asyncio.Condition()

    async def reserve(self, chars: int) -> None:
        """Wait until so much more text may be under way; a larger one waits to be alone."""
        async with self._freed:
            if not self._has_room(chars):
                self._blocked += 1
                self._entries.put_nowait(_NUDGE)
                try:
                    await self._freed.wait_for(lambda: self._has_room(chars))
                finally:
                    self._blocked -= 1
            self._held_chars += chars

    def _has_room(self, chars: int) -> bool:
        return not self._held_chars or self._held_chars + chars <= _WAITING_CHARS

    async def release(self, chars: int) -> None:
        """Give back what was reserved for a document that will not come."""
        async with self._freed:
            self._held_chars -= chars
            self._freed.notify_all()

    def index(self, document: IndexedDocument, *, reserved: int) -> None:
        """Let `document` be indexed, for which `reserved` characters were reserved."""
        chars = sum(len(passage.text) for passage in document.passages)
        self._held_chars += chars - reserved
        self._entries.put_nowait(_Entry(document.id, document, chars))

    def delete(self, id_: str) -> None:
        """Let the document `id_` be forgotten."""
        self._entries.put_nowait(_Entry(id_))

    def end(self) -> None:
        """Say that nothing more will come."""
        self._entries.put_nowait(None)

    async def run(self) -> None:
        """Hand over what comes until the end.

        Raises:
            StoreError: from the retriever.
        """
        ended = False
        while not ended:
            entries, ended = await self._gathered()
            # Of a document that comes twice, the last word counts.
            latest = {entry.id: entry.document for entry in entries}
            documents = [document for document in latest.values() if document is not None]
            await self._retriever.delete([id_ for id_, found in latest.items() if found is None])
            await self._retriever.index(documents)
            self._indexed(len(documents), sum(len(found.passages) for found in documents))
            await self.release(sum(entry.held_chars for entry in entries))

    async def _gathered(self) -> tuple[list[_Entry], bool]:
        """Return the next batch, and whether it is the last."""
        entries: list[_Entry] = []
        passages = 0
        try:
            async with asyncio.timeout(None) as patience:
                while passages < _BATCH_PASSAGES and len(entries) < _BATCH_DOCUMENTS:
                    if entries and self._blocked and self._entries.empty():
                        break
                    entry = await self._entries.get()
                    if entry is None:
                        return entries, True
                    if entry is _NUDGE:
                        continue
                    entries.append(entry)
                    passages += len(entry.document.passages) if entry.document else 0
                    if len(entries) == 1:
                        patience.reschedule(asyncio.get_running_loop().time() + _LINGER_S)
        except TimeoutError:
            pass
        return entries, False
