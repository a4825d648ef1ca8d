"""Documents gathered into batches for a retriever, with a bound on the text that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from msgspec import Struct

from citewell.protocols import Retriever
from citewell.types.documents import IndexedDocument

_BATCH_PASSAGES = 10_000
_BATCH_DOCUMENTS = 1000
_WAITING_CHARS = 12_000_000
_LINGER_S = 0.3
"""A commit costs as much as a few hundred passages, so a small batch waits this long for more."""


class _Entry(Struct, frozen=True):
    id: str
    document: IndexedDocument | None = None
    held_chars: int = 0


_NUDGE = _Entry("")
"""Wakes the writer, which need not wait for more: there is no room for more."""


class Room:
    """Bounds the text that is being read or waits to be indexed, wherever it is to go.

    Args:
        workers: that read; the more there are, the more text may wait.
    """

    def __init__(self, workers: int) -> None:
        self._chars = _WAITING_CHARS * workers
        self._held = 0
        self._blocked = 0
        self._freed = asyncio.Event()
        self._writers: set[Callable[[], None]] = set()

    @property
    def is_short(self) -> bool:
        """Whether somebody waits for room."""
        return bool(self._blocked)

    @contextmanager
    def freed_by(self, nudge: Callable[[], None]) -> Iterator[None]:
        """Call `nudge` whenever there is no room, until the end: it is to make some."""
        self._writers.add(nudge)
        try:
            yield
        finally:
            self._writers.discard(nudge)

    async def reserve(self, chars: int) -> None:
        """Wait until so much more text may be under way; a larger one waits to be alone."""
        while self._held and self._held + chars > self._chars:
            self._freed.clear()
            self._blocked += 1
            for nudge in self._writers:
                nudge()
            try:
                await self._freed.wait()
            finally:
                self._blocked -= 1
        self._held += chars

    def change(self, chars: int) -> None:
        """Let what is held be so much more, or less."""
        self._held += chars
        if chars < 0:
            self._freed.set()


class Batches:
    """What is to be indexed or deleted in one index, in the order of its arrival.

    Args:
        retriever: is given whole batches, one at a time.
        indexed: told the documents and passages of each batch when it is durable.
        room: for the text that waits.
        writing: held while the retriever writes; shared by all that write to it.
    """

    def __init__(
        self,
        retriever: Retriever,
        indexed: Callable[[int, int], None],
        *,
        room: Room,
        writing: asyncio.Lock,
    ) -> None:
        self._retriever = retriever
        self._indexed = indexed
        self._room = room
        self._writing = writing
        self._entries: asyncio.Queue[_Entry | None] = asyncio.Queue()
        self._held_chars = 0

    async def reserve(self, chars: int) -> None:
        """Wait until so much more text may be under way; a larger one waits to be alone."""
        await self._room.reserve(chars)
        self._held_chars += chars

    def release(self, chars: int) -> None:
        """Give back what was reserved for a document that will not come."""
        self._change(-chars)

    def _change(self, chars: int) -> None:
        self._held_chars += chars
        self._room.change(chars)

    def index(self, document: IndexedDocument, *, reserved: int) -> None:
        """Let `document` be indexed, for which `reserved` characters were reserved."""
        chars = sum(len(passage.text) for passage in document.passages)
        self._change(chars - reserved)
        self._entries.put_nowait(_Entry(document.id, document, chars))

    def delete(self, id_: str) -> None:
        """Let the document `id_` be forgotten."""
        self._entries.put_nowait(_Entry(id_))

    def end(self) -> None:
        """Say that nothing more will come."""
        self._entries.put_nowait(None)

    def close(self) -> None:
        """Give back the room of what was not indexed, when nobody reads for it any more."""
        self._change(-self._held_chars)

    async def run(self) -> None:
        """Hand over what comes until the end.

        Raises:
            StoreError: from the retriever.
        """
        ended = False
        with self._room.freed_by(lambda: self._entries.put_nowait(_NUDGE)):
            while not ended:
                entries, ended = await self._gathered()
                # Of a document that comes twice, the last word counts.
                latest = {entry.id: entry.document for entry in entries}
                documents = [document for document in latest.values() if document is not None]
                gone = [id_ for id_, found in latest.items() if found is None]
                async with self._writing:
                    await self._retriever.delete(gone)
                    await self._retriever.index(documents)
                self._indexed(len(documents), sum(len(found.passages) for found in documents))
                self.release(sum(entry.held_chars for entry in entries))

    async def _gathered(self) -> tuple[list[_Entry], bool]:
        """Return the next batch, and whether it is the last."""
        entries: list[_Entry] = []
        passages = 0
        try:
            async with asyncio.timeout(None) as patience:
                while passages < _BATCH_PASSAGES and len(entries) < _BATCH_DOCUMENTS:
                    if entries and self._room.is_short and self._entries.empty():
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
