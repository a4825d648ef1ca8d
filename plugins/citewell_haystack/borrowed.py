"""A document store or a pipeline that somebody else fills: read, and never written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NoReturn, Protocol

from citewell import Audience, Context, IndexedDocument, Passage, Query, StoreError, content_hash
from citewell_haystack.asking import Asking
from citewell_haystack.finding import Found
from citewell_haystack.lane import Lane
from citewell_haystack.metadata import Reading
from citewell_haystack.plugin import HaystackConfig
from citewell_haystack.store import Filters, Store, all_of, equals, one_of

if TYPE_CHECKING:
    from haystack import Document

_MORE = 4
_MOST = 1000


class Search(Protocol):
    """Finds documents. Blocking; for one thread."""

    @property
    def takes_filters(self) -> bool:
        """Whether what it finds can be bounded before it is ranked."""
        ...

    def search(
        self, text: str, vector: Sequence[float] | None, *, filters: Filters | None, limit: int
    ) -> list[Found]:
        """Return documents, best first; about `limit` of them, or all there are."""
        ...


class BorrowedRetriever:
    """Finds passages in what somebody else keeps."""

    def __init__(
        self,
        search: Search,
        stores: Sequence[Store],
        lane: Lane,
        context: Context,
        *,
        config: HaystackConfig,
        asking: Asking | None,
    ) -> None:
        """Use `search` and `stores`, in the thread of `lane` alone."""
        self._search = search
        self._stores = stores
        self._lane = lane
        self._context = context
        self._config = config
        self._asking = asking
        self._reading = Reading(config, name=context.name)

    async def index(self, documents: Sequence[IndexedDocument]) -> None:
        """Refuse.

        Raises:
            StoreError: always.
        """
        del documents
        self._refuse()

    async def delete(self, document_ids: Sequence[str]) -> None:
        """Refuse.

        Raises:
            StoreError: always.
        """
        del document_ids
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise StoreError(
            f'retriever "{self._context.name}" is filled by somebody else, and only read here; '
            'to let Citewell fill a store of its own, set filled_by = "citewell"'
        )

    async def versions(self) -> Mapping[str, str]:
        """Return every document and a hash of its text. It reads the whole store."""
        texts: dict[str, list[Passage]] = {}
        for passage in await self._lane.run(self._everything):
            texts.setdefault(passage.document_id, []).append(passage)
        return {
            id_: content_hash("".join(one.content_hash for one in sorted(found, key=_place)))
            for id_, found in texts.items()
        }

    async def sizes(self) -> Mapping[str, int]:
        """Return how many passages each document has. It reads the whole store."""
        return Counter(one.document_id for one in await self._lane.run(self._everything))

    async def retrieve(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Return at most `limit` passages, best first.

        They are filtered by reader before they are ranked where the store or the pipeline can, and
        here in any case, by the labels that the store has now.

        Raises:
            StoreError: the store cannot be read, or the pipeline fails.
        """
        text = query.text.replace("\0", " ")
        if limit < 1 or not text.strip() or not self._may_read_some(readable_by):
            return []
        asked = None if self._asking is None else await self._asking.of_question(text)
        vector = None if asked is None else asked[0]
        filters = self._filters(readable_by) if self._search.takes_filters else None
        is_open = self._config.meta.labels is None or filters is not None

        def find() -> list[Passage]:
            wanted = limit if is_open else limit * _MORE
            while True:
                found = self._search.search(text, vector, filters=filters, limit=wanted)
                readable = self._read_again(found, readable_by)
                if len(readable) >= limit or len(found) < wanted or wanted >= _MOST:
                    return readable[:limit]
                wanted = min(wanted * _MORE, _MOST)

        return await self._lane.run(find)

    def _may_read_some(self, readable_by: Audience) -> bool:
        if self._config.meta.labels is None:
            return readable_by.may_read(self._reading.labels)
        return bool(readable_by.readers) and all(readable_by.readers)

    def _filters(self, readable_by: Audience) -> Filters | None:
        """Return the filter for what every reader may read; None where none is needed or can be."""
        key, operator = self._config.meta.labels, self._config.label_filter
        if key is None or operator == "none":
            return None
        sets = sorted(sorted(reader) for reader in readable_by.readers)
        return all_of(*(one_of(f"meta.{key}", labels, operator=operator) for labels in sets))

    def _read_again(self, found: Sequence[Found], readable_by: Audience) -> list[Passage]:
        """Return what was found as the store has it, without what is not in the store.

        What a pipeline made up on its way could not be cited, and its labels would be its own.
        What it gives more than once is one passage, at its best place.
        """
        scores: dict[str, float] = {}
        for one in found:
            scores.setdefault(one.document.id, one.score)
        known = self._by_id(scores)
        passages = [
            self._reading.passage(known[id_], score)
            for id_, score in scores.items()
            if id_ in known
        ]
        return [one for one in passages if one is not None and readable_by.may_read(one.labels)]

    async def fetch(self, ids: Sequence[str], *, readable_by: Audience) -> Sequence[Passage]:
        """Read passages again, now; what is gone, changed or not readable is absent."""

        def read() -> list[Passage]:
            known = self._by_id(ids)
            passages = (self._reading.passage(known[id_]) for id_ in ids if id_ in known)
            return [one for one in passages if one is not None and readable_by.may_read(one.labels)]

        return await self._lane.run(read)

    async def within(
        self, document_id: str, *, start: int, end: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Read the passages of a document of which some character stands in `[start, end)`."""

        def read() -> list[Passage]:
            name, _, source = document_id.partition(":")
            if name != self._context.name or not source:
                return []
            found = [*self._by_id([source]).values()]
            for key in self._config.meta.document:
                condition = equals(f"meta.{key}", source)
                found += self._gathered(partial(_matching, filters=condition))
            passages = filter(None, map(self._reading.passage, found))
            inside = {
                one.id: one
                for one in passages
                if one.document_id == document_id and one.start < end and start < one.end
            }
            readable = [one for one in inside.values() if readable_by.may_read(one.labels)]
            return sorted(readable, key=_place)

        return await self._lane.run(read)

    async def identity(self) -> str:
        """Return a name of the settings and the number of documents.

        Haystack has nothing that tells other changes; each citation is checked against its text.
        """
        counts = await self._lane.run(lambda: [store.count() for store in self._stores])
        settings = content_hash(self._config.model_dump_json())[:8]
        return "-".join([settings, *map(str, counts)])

    def _everything(self) -> list[Passage]:
        everything = self._gathered(partial(_matching, filters=None))
        passages = map(self._reading.passage, everything)
        return [one for one in passages if one is not None]

    def _by_id(self, ids: Iterable[str]) -> dict[str, Document]:
        wanted = list(ids)
        found: dict[str, Document] = {}
        for store in self._stores:
            found = {**store.by_id(wanted), **found}
        return found

    def _gathered(self, read: Callable[[Store], list[Document]]) -> list[Document]:
        return [document for store in self._stores for document in read(store)]


def _matching(store: Store, *, filters: Filters | None) -> list[Document]:
    return store.matching(filters)


def _place(passage: Passage) -> tuple[int, str]:
    return passage.start, passage.id
