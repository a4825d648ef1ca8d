"""The retriever `lexical`: reader and writer behind the asynchronous protocol."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar
from weakref import WeakSet

from citewell import (
    Audience,
    Context,
    IndexedDocument,
    IndexLocked,
    Passage,
    Query,
    StoreError,
    blocking,
)
from citewell_embedded.index import IndexDamaged
from citewell_embedded.reader import Reader

if TYPE_CHECKING:
    from citewell_embedded.writer import Writer

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class _Retrieve(Protocol[T_co]):
    def __call__(self, query: Query, *, limit: int, readable_by: Audience) -> T_co: ...


IDLE_S = 60.0
"""After so long without a write another process may write."""

QUICK_S = 0.002
"""A search that takes less runs where it is asked for: another thread is not much quicker told."""

_OPEN: WeakSet[LexicalRetriever] = WeakSet()
"""Those of this process: of one index there are several while settings change."""

_REPAIR_WAIT_S = 60.0
_REPAIR_POLL_S = 0.1


class LexicalRetriever:
    """Keeps passages in SQLite and finds them by their words through Tantivy."""

    has_vectors = False
    """Whether the store has a place for vectors."""

    def __init__(
        self,
        folder: Path,
        context: Context,
        *,
        stemming: bool = True,
        reader: Reader | None = None,
    ) -> None:
        """Prepare; files are opened when they are first needed.

        Args:
            folder: holds store and index; made by the first write.
            context: for messages.
            stemming: whether a word matches its other forms.
            reader: of the folder; default: one for words.
        """
        self._folder = folder
        self._context = context
        self._stemming = stemming
        self._reader = reader or Reader(folder, stemming=stemming)
        # How long the last search took.
        self._seconds = math.inf
        # Made again in vain; each question would only make it again once more.
        self._hopeless = ""
        self._writer: Writer | None = None
        self._writing = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._releasing: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        _OPEN.add(self)

    async def index(self, documents: Sequence[IndexedDocument]) -> None:
        """Add or replace whole documents. On return they are durable and can be found.

        Raises:
            IndexLocked: another process is writing.
            StoreError: the store is damaged or the disk is full; nothing has changed.
        """
        if documents:
            await self._write(lambda writer: writer.write(documents, deleted_ids=()))

    async def delete(self, document_ids: Sequence[str]) -> None:
        """Forget whole documents; unknown ids are ignored.

        Raises:
            IndexLocked: another process is writing.
            StoreError: the store is damaged or the disk is full; nothing has changed.
        """
        if document_ids:
            await self._write(lambda writer: writer.write((), deleted_ids=document_ids))

    async def versions(self) -> Mapping[str, str]:
        """Return what is durably indexed: document id to version."""
        return await blocking.call(self._reader.versions)

    async def sizes(self) -> Mapping[str, int]:
        """Return how many passages each indexed document has."""
        return await blocking.call(self._reader.sizes)

    async def retrieve(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Return at most `limit` passages, best first; the score is BM25's.

        A missing or broken index is rebuilt first, by this process or the one that writes.
        """
        if limit < 1:
            return []
        if self._seconds < QUICK_S:
            found = self._timed(self._reader.retrieve_at_once, query, limit, readable_by)
            if found is not None:
                return found

        def search() -> list[Passage]:
            return self._timed(self._reader.retrieve, query, limit, readable_by)

        deadline = asyncio.get_running_loop().time() + _REPAIR_WAIT_S
        repaired = False
        while True:
            try:
                return await blocking.call(search)
            except IndexDamaged as error:
                if repaired:
                    self._hopeless = error.index
                is_late = asyncio.get_running_loop().time() > deadline
                if is_late or self._hopeless == error.index:
                    raise StoreError(
                        f'index of retriever "{self._context.name}" cannot be read: {error}; '
                        f"while nothing writes it, delete the folder {self._folder} "
                        "and run: citewell sync"
                    ) from error
                repaired = await self._repair(error)

    def _timed(self, retrieve: _Retrieve[T], query: Query, limit: int, readable_by: Audience) -> T:
        began = time.perf_counter()
        try:
            return retrieve(query, limit=limit, readable_by=readable_by)
        finally:
            self._seconds = time.perf_counter() - began

    async def fetch(self, ids: Sequence[str], *, readable_by: Audience) -> Sequence[Passage]:
        """Read passages again, now; what is gone, changed or not readable is absent."""
        return await blocking.call(lambda: self._reader.fetch(ids, readable_by=readable_by))

    async def within(
        self, document_id: str, *, start: int, end: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Read the passages of a document of which some character stands in `[start, end)`."""

        def read() -> list[Passage]:
            return self._reader.within(document_id, start=start, end=end, readable_by=readable_by)

        return await blocking.call(read)

    async def identity(self) -> str:
        """Return a short name of the content: another one after each change of the index."""
        return await blocking.call(self._reader.identity)

    async def close(self) -> None:
        """Finish what is being written and close all files."""
        if self._idle:
            self._idle.cancel()
        await self._release()
        self._reader.close()

    async def _write(self, change: Callable[[Writer], None]) -> None:
        def write() -> None:
            writer = self._open_writer()
            try:
                change(writer)
            except BaseException:
                self._writer = None
                writer.abandon()
                raise

        self._loop = asyncio.get_running_loop()
        async with self._writing:
            try:
                await _finished(write)
            except IndexLocked:
                if not await self._taken_over():
                    raise
                await _finished(write)
            self._release_when_idle()

    async def _taken_over(self) -> bool:
        """Let others of this process give the lock back, which older settings still hold open."""
        loop, folder = asyncio.get_running_loop(), self._folder
        others = [one for one in _OPEN if one is not self and one.is_writing(folder, loop=loop)]
        for other in others:
            await other.stop_writing()
        return bool(others)

    def is_writing(self, folder: Path, *, loop: asyncio.AbstractEventLoop) -> bool:
        """Tell whether it has the right to write the index in `folder`, and is used by `loop`."""
        is_same = self._folder.resolve() == folder.resolve() and self._loop is loop
        return is_same and self._writer is not None

    async def stop_writing(self) -> None:
        """Give the right to write back, once what is being written is durable."""
        await self._release()

    async def _repair(self, damaged: IndexDamaged) -> bool:
        """Make the index again; False, after a while, when another process is at it."""
        try:
            await self._write(lambda writer: writer.mend(damaged))
        except IndexLocked:
            await asyncio.sleep(_REPAIR_POLL_S)
            return False
        return True

    def _open_writer(self) -> Writer:
        # Whoever only asks shall not wait for what writing needs.
        from citewell_embedded.writer import Writer

        if self._writer is None:
            self._writer = Writer(
                self._folder,
                name=self._context.name,
                log=self._context.log,
                stemming=self._stemming,
                with_vectors=self.has_vectors,
            )
        return self._writer

    def _release_when_idle(self) -> None:
        if self._idle:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._begin_release)

    def _begin_release(self) -> None:
        self._releasing = asyncio.ensure_future(self._release_idle())

    async def _release_idle(self) -> None:
        try:
            await self._release()
        except StoreError as error:
            self._context.log.warning("%s", error)

    async def _release(self) -> None:
        async with self._writing:
            writer, self._writer = self._writer, None
            if writer:
                await _finished(writer.close)


async def _finished(function: Callable[[], T]) -> T:
    """Run a blocking function to its end, also when the caller is cancelled meanwhile."""
    running = asyncio.ensure_future(blocking.call(function))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
