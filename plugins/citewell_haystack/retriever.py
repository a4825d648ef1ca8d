"""The retriever `haystack` on a store that Citewell fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from citewell import Audience, IndexedDocument, ModelError, Passage, Query, StoreError
from citewell_haystack.asking import Asking
from citewell_haystack.kept import Asked, Embedded, Kept
from citewell_haystack.lane import Lane

_ANOTHER = "of another embedder"
"""Behind the version of what has vectors of another embedder, so that the next sync reads it."""


class KeptRetriever:
    """Keeps passages in a document store of Haystack, and finds them there."""

    def __init__(self, kept: Kept, lane: Lane, *, asking: Asking | None) -> None:
        """Use `kept`, in the thread of `lane` alone."""
        self._kept = kept
        self._lane = lane
        self._asking = asking

    async def index(self, documents: Sequence[IndexedDocument]) -> None:
        """Add or replace whole documents. On return they are as durable as the store is.

        What cannot be embedded is found by words alone until the next sync, which reads it again.

        Raises:
            IndexLocked: another process of this machine is writing.
            StoreError: the store cannot be written; or nothing is found by words, and the passages
                cannot be embedded: then what these documents said before is forgotten.
        """
        if documents:
            embedded = await self._embedded(documents)
            await self._lane.run(lambda: self._kept.index(documents, embedded))

    async def delete(self, document_ids: Sequence[str]) -> None:
        """Forget whole documents; unknown ids are ignored."""
        if document_ids:
            await self._lane.run(lambda: self._kept.delete(document_ids))

    async def versions(self) -> Mapping[str, str]:
        """Return what is indexed: document id to version.

        While the embedder cannot be opened, nobody knows whose vectors there should be.
        """
        identity = await self._identity()
        return {
            record.id: record.version
            if identity in {None, record.embedder}
            else f"{record.version} {_ANOTHER}"
            for record in await self._lane.run(self._kept.records)
        }

    async def sizes(self) -> Mapping[str, int]:
        """Return how many passages each indexed document has."""
        return {record.id: len(record.spans) for record in await self._lane.run(self._kept.records)}

    async def retrieve(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Return at most `limit` passages, best first, filtered by the store before it ranks.

        Raises:
            StoreError: the store cannot be read.
        """
        if limit < 1:
            return []
        text = query.text.replace("\0", " ")
        vector, embedder = await self._vector(text) or (None, "")
        asked = Asked(
            query=Query(text=text, language=query.language),
            vector=vector,
            embedder=embedder,
            readable_by=readable_by,
            limit=limit,
        )
        return await self._lane.run(partial(self._kept.find, asked))

    async def fetch(self, ids: Sequence[str], *, readable_by: Audience) -> Sequence[Passage]:
        """Read passages again, now; what is gone, changed or not readable is absent."""
        return await self._lane.run(lambda: self._kept.fetch(ids, readable_by))

    async def within(
        self, document_id: str, *, start: int, end: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Read the passages of a document of which some character stands in `[start, end)`."""

        def read() -> list[Passage]:
            return self._kept.within(document_id, start=start, end=end, readable_by=readable_by)

        return await self._lane.run(read)

    async def identity(self) -> str:
        """Return a short name of the content: another one after each change of the index."""
        return await self._lane.run(self._kept.generation)

    async def _identity(self) -> str | None:
        if self._asking is None:
            return ""
        try:
            return await self._asking.identity()
        except ModelError:
            return None

    async def _vector(self, text: str) -> tuple[Sequence[float], str] | None:
        if self._asking is None or not text.strip():
            return None
        return await self._asking.of_question(text)

    async def _embedded(self, documents: Sequence[IndexedDocument]) -> Embedded:
        """Embed all passages but those that must not be given to the embedder, if that can be."""
        if self._asking is None:
            return Embedded()
        passages = [passage for document in documents for passage in document.passages]
        try:
            vectors = await self._asking.of_passages(passages)
            return Embedded(await self._asking.identity(), vectors)
        except ModelError as error:
            if self._asking.is_alone:
                # What a document said before, or who might read it, must not be cited any more.
                await self.delete([document.id for document in documents])
                raise StoreError(f"passages cannot be embedded: {error}") from error
            self._asking.log.warning("passages are found by words alone for now: %s", error)
            return Embedded()
