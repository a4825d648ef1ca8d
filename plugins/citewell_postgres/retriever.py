"""The retriever `postgres`: reader and writer behind the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from weakref import WeakSet

from msgspec.structs import replace

from citewell import (
    Audience,
    Context,
    IndexedDocument,
    IndexLocked,
    Passage,
    Query,
    StoreError,
)
from citewell_postgres.database import Database
from citewell_postgres.reader import Found, Reader
from citewell_postgres.shelves import State
from citewell_postgres.stems import Stems
from citewell_postgres.writer import Writer

T = TypeVar("T")

IDLE_S = 60.0
"""After so long without a write another process may write."""


_OPEN: WeakSet[PostgresRetriever] = WeakSet()
"""Those of this process: of one index there are several while settings change."""


class PostgresRetriever:
    """Keeps passages in PostgreSQL and finds them by their words."""

    _embeds = False

    def __init__(self, database: Database, context: Context, *, stemming: bool = True) -> None:
        """Prepare; nothing is connected before it is needed.

        Args:
            database: holds the index; closed with the retriever.
            context: for messages.
            stemming: whether a word matches its other forms.
        """
        self._database = database
        self._context = context
        stems = {way: Stems(stemming=way) for way in (False, True)}
        self._stems = stems[stemming]
        self._reader = Reader(database, stems, stemming=stemming)
        self._writer: Writer | None = None
        self._writing = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._resting: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        _OPEN.add(self)

    async def index(self, documents: Sequence[IndexedDocument]) -> None:
        """Add or replace whole documents. On return they are durable and can be found.

        Raises:
            IndexLocked: another process is writing.
            StoreError: the database cannot be written; nothing has changed.
        """
        if documents or await self._has_other_words():
            await self._write(lambda writer: self._index(writer, documents))

    async def delete(self, document_ids: Sequence[str]) -> None:
        """Forget whole documents; unknown ids are ignored.

        Raises:
            IndexLocked: another process is writing.
            StoreError: the database cannot be written; nothing has changed.
        """
        if document_ids:
            await self._write(lambda writer: writer.write((), deleted_ids=document_ids))

    async def versions(self) -> Mapping[str, str]:
        """Return what is durably indexed: document id to version."""
        return await self._reader.versions()

    async def sizes(self) -> Mapping[str, int]:
        """Return how many passages each indexed document has."""
        return await self._reader.sizes()

    async def retrieve(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Return at most `limit` passages, best first; the score is BM25's."""
        if limit < 1:
            return []
        return await self._by_words(query, limit=limit, readable_by=readable_by)

    async def _by_words(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        found = await self._reader.find(
            query, limit=limit, readable_by=readable_by, asked=None, wanted=either
        )
        self._tell_other_words(found.state)
        return with_scores(found, found.by_words)

    async def fetch(self, ids: Sequence[str], *, readable_by: Audience) -> Sequence[Passage]:
        """Read passages again, now; what is gone, changed or not readable is absent."""
        return await self._reader.fetch(ids, readable_by=readable_by)

    async def within(
        self, document_id: str, *, start: int, end: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Read the passages of a document of which some character stands in `[start, end)`."""
        return await self._reader.within(document_id, start=start, end=end, readable_by=readable_by)

    async def identity(self) -> str:
        """Return a short name of the content: another one after each change of the index."""
        state = await self._reader.state()
        return f"{state.name}-{state.generation}"

    async def close(self) -> None:
        """Finish what is being written and close all connections."""
        if self._idle:
            self._idle.cancel()
        if self._resting:
            await asyncio.gather(self._resting, return_exceptions=True)
        try:
            await self._rest()
        except StoreError as error:
            self._context.log.warning("%s", error)
        finally:
            await self._database.close()

    async def _index(self, writer: Writer, documents: Sequence[IndexedDocument]) -> None:
        # A deletion needs no words, and does not wait for them.
        if await writer.has_other_words():
            self._context.log.warning(
                'words of "%s" are stored anew, as "stemming" was changed', self._context.name
            )
            await writer.reword()
        await writer.write(documents, embeds=self._embeds)

    async def _has_other_words(self) -> bool:
        state = await self._reader.state()
        return state.stemming not in {None, self._stems.stemming}

    def _tell_other_words(self, state: State) -> None:
        if state.stemming not in {None, self._stems.stemming}:
            self._context.notice(
                "the search is being changed; some words may not be found for a while",
                detail=f'words of "{self._context.name}" are found as before "stemming" was '
                "changed; run: citewell sync",
            )

    async def _write(self, change: Callable[[Writer], Awaitable[None]]) -> None:
        async def write() -> None:
            with self._database.explained():
                writer = await self._open_writer()
                try:
                    await change(writer)
                except BaseException:
                    self._writer = None
                    await writer.close()
                    raise

        self._loop = asyncio.get_running_loop()
        async with self._writing:
            if self._idle:
                self._idle.cancel()
            try:
                try:
                    await _finished(write())
                except IndexLocked:
                    if not await self._taken_over():
                        raise
                    await _finished(write())
            finally:
                # Also when the caller gave up meanwhile.
                if self._writer:
                    self._idle = self._loop.call_later(IDLE_S, self._begin_rest)

    async def _taken_over(self) -> bool:
        """Let others of this process give the right to write back, which older settings left."""
        others = [one for one in _OPEN if one is not self and one.is_writing(self)]
        for other in others:
            await other.stop_writing()
        return bool(others)

    def is_writing(self, asker: PostgresRetriever) -> bool:
        """Tell whether it has the right to write the index of `asker`, in the same event loop."""
        is_same = self._database.place == asker._database.place and self._loop is asker._loop
        return is_same and self._writer is not None

    async def stop_writing(self) -> None:
        """Give the right to write back, once what is being written is durable."""
        await self._rest()

    async def _open_writer(self) -> Writer:
        if self._writer is not None and not await self._writer.is_alive():
            await self._writer.close()
            self._writer = None
        if self._writer is None:
            self._writer = await Writer.open(self._database, self._stems, name=self._context.name)
        return self._writer

    def _begin_rest(self) -> None:
        self._resting = asyncio.ensure_future(self._rest_quietly())

    async def _rest_quietly(self) -> None:
        try:
            await self._rest()
        except StoreError as error:
            self._context.log.warning("%s", error)

    async def _rest(self) -> None:
        """Let others write."""
        with self._database.explained():
            async with self._writing:
                writer, self._writer = self._writer, None
                if writer:
                    await _finished(writer.close())


def either(by_words: Mapping[int, float], by_vectors: Mapping[int, float]) -> Iterable[int]:
    """Want whatever was found."""
    return {**by_words, **by_vectors}


def ordered(scores: Mapping[int, float], by_words: Mapping[int, float]) -> list[int]:
    """Return keys, best first; of what is as good, what has the words of the question."""
    return sorted(scores, key=lambda key: (-scores[key], -by_words.get(key, 0.0), key))


def with_scores(found: Found, scores: Mapping[int, float]) -> list[Passage]:
    """Return the passages with `scores`, best first."""
    return [
        replace(found.passages[key], score=scores[key])
        for key in ordered(scores, found.by_words)
        if key in found.passages
    ]


async def _finished(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end, also when the caller is cancelled meanwhile."""
    running = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
