"""A document store that Citewell fills: the blocking half of the retriever."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import filelock
from msgspec import Struct
from msgspec.structs import replace

from citewell import Audience, IndexedDocument, IndexLocked, Passage, Query
from citewell_haystack.finding import Finder
from citewell_haystack.records import (
    DOCUMENT,
    EMBEDDER,
    HEAD,
    KIND,
    LABELS,
    PENDING,
    REVISION,
    SLOTS,
    Head,
    Pending,
    Record,
    head_of,
    key_of,
    new_record,
    passage_document,
    passage_of,
    pending_of,
    record_id,
    record_of,
    slot_id,
    stored_labels,
    written,
)
from citewell_haystack.store import Store, all_of, equals, one_of

if TYPE_CHECKING:
    from haystack import Document

T = TypeVar("T")

_TRIES = 8
_LOCK_WAIT_S = 30.0


class Embedded(Struct, frozen=True):
    """What an embedder made of passages.

    Attributes:
        embedder: its identity; empty where nothing embeds.
        vectors: by id of passage.
    """

    embedder: str = ""
    vectors: Mapping[str, Sequence[float]] = {}


class Asked(Struct, frozen=True, kw_only=True):
    """A question on its way through the store.

    Attributes:
        vector: of its text; None where nothing is found by vectors.
        embedder: identity of what made it.
    """

    query: Query
    vector: Sequence[float] | None
    embedder: str
    readable_by: Audience
    limit: int


class Kept:
    """Passages and records in a store. Blocking; for its thread.

    Args:
        store: where they are.
        finder: searches it.
        lock: file that keeps two processes of a machine from writing at once.
    """

    def __init__(self, store: Store, finder: Finder, *, lock: Path) -> None:
        self._store = store
        self._finder = finder
        self._lock = filelock.FileLock(lock, thread_local=False)
        self._is_clean = False

    # --- writing ---------------------------------------------------------------------------

    def index(self, documents: Sequence[IndexedDocument], embedded: Embedded) -> None:
        """Add or replace whole documents.

        Raises:
            IndexLocked: another process is writing.
            StoreError: the store cannot be written; each document is as it was, or new.
        """
        with self._writing():
            before = self._records(document.id for document in documents)
            revision = uuid.uuid4().hex
            records = [
                new_record(
                    document,
                    before.get(document.id),
                    revision=revision,
                    embedder=embedded.embedder,
                )
                for document in documents
            ]
            new = [
                passage_document(
                    passage, record, embedded.vectors.get(passage.id), self._finder.sparse
                )
                for document, record in zip(documents, records, strict=True)
                for passage in document.passages
            ]
            stale = list(chain.from_iterable(one.passage_ids for one in before.values()))
            self._expect([*(document.id for document in new), *stale])
            self._store.write(new)
            self._turn(one.labels for document in documents for one in document.passages)
            self._store.write([written(record_id(one.id), "document", one) for one in records])
            self._store.delete(stale)

    def delete(self, document_ids: Sequence[str]) -> None:
        """Forget whole documents; unknown ids are ignored."""
        with self._writing():
            before = self._records(document_ids)
            if not before:
                return
            stale = list(chain.from_iterable(one.passage_ids for one in before.values()))
            self._expect(stale)
            self._turn(())
            self._store.delete([record_id(id_) for id_ in before])
            self._store.delete(stale)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._lock.acquire(timeout=_LOCK_WAIT_S):
                if not self._is_clean:
                    self._clean_up()
                self._is_clean = False
                yield
                self._is_clean = True
        except filelock.Timeout as error:
            raise IndexLocked(
                f"another process is writing this index: it holds {self._lock.lock_file}; "
                "wait until it has ended"
            ) from error

    def _expect(self, passage_ids: Sequence[str]) -> None:
        """Keep what a write that is killed may leave behind."""
        pending = Pending(passage_ids=tuple(passage_ids))
        self._store.write([written(PENDING, "pending", pending)])

    def _clean_up(self) -> None:
        """Delete what a write that was killed left behind."""
        pending = pending_of(self._store.by_id([PENDING]).get(PENDING))
        found = self._store.by_id(pending.passage_ids)
        alive = {document.id for document in self._alive(found.values())}
        self._store.delete([id_ for id_ in found if id_ not in alive])

    def _turn(self, label_sets: Iterable[frozenset[str]]) -> None:
        """Begin another generation, which may have further sets of labels."""
        head = self._head()
        changed = replace(
            head, generation=uuid.uuid4().hex, label_sets=head.label_sets | frozenset(label_sets)
        )
        self._store.write([written(HEAD, "head", changed)])

    # --- reading ---------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """Return the records of all documents."""
        kind = equals(f"meta.{KIND}", "document")
        return [record_of(document) for document in self._store.matching(kind)]

    def generation(self) -> str:
        """Return what names the present content."""
        return self._head().generation

    def find(self, asked: Asked) -> list[Passage]:
        """Return the best passages for a question."""

        def read(head: Head) -> list[Passage]:
            limit = asked.limit
            while True:
                found = self._found(asked, head, limit)
                if found is None:
                    return []
                alive = self._alive(document for document, _ in found)
                scores = {document.id: score for document, score in found}
                # Passages of a version that is on its way took places.
                if len(alive) >= asked.limit or len(found) < limit:
                    passages = [passage_of(one, scores[one.id]) for one in alive]
                    readable = [one for one in passages if asked.readable_by.may_read(one.labels)]
                    return readable[: asked.limit]
                limit *= 2

        return self._steadily(read)

    def _found(self, asked: Asked, head: Head, limit: int) -> list[tuple[Document, float]] | None:
        """Return documents and scores; None where nothing may be read."""
        readable = [one for one in head.label_sets if asked.readable_by.may_read(one)]
        if not readable:
            return None
        filters = one_of(f"meta.{LABELS}", sorted(map(stored_labels, readable)))
        found = self._finder.find(
            asked.query.text,
            asked.vector,
            filters=filters,
            vector_filters=all_of(filters, equals(f"meta.{EMBEDDER}", asked.embedder)),
            limit=limit,
        )
        return [(one.document, one.score) for one in found]

    def fetch(self, ids: Sequence[str], readable_by: Audience) -> list[Passage]:
        """Read passages again, in the order of `ids`."""
        wanted = [slot_id(key_of(id_), slot) for id_ in ids for slot in SLOTS]

        def read(head: Head) -> list[Passage]:
            del head
            alive = self._alive(self._store.by_id(wanted).values())
            by_id = {passage.id: passage for passage in map(passage_of, alive)}
            found = (by_id.get(id_) for id_ in ids)
            return [one for one in found if one and readable_by.may_read(one.labels)]

        return self._steadily(read)

    def within(
        self, document_id: str, *, start: int, end: int, readable_by: Audience
    ) -> list[Passage]:
        """Read the passages of a document of which some character stands in `[start, end)`."""

        def read(head: Head) -> list[Passage]:
            del head
            record = self._records([document_id]).get(document_id)
            if record is None:
                return []
            wanted = [
                slot_id(span.key, record.slot)
                for span in record.spans
                if span.start < end and start < span.end
            ]
            found = self._store.by_id(wanted).values()
            passages = [
                passage_of(one) for one in found if one.meta.get(REVISION) == record.revision
            ]
            readable = [one for one in passages if readable_by.may_read(one.labels)]
            return sorted(readable, key=lambda one: one.start)

        return self._steadily(read)

    def _steadily(self, read: Callable[[Head], T]) -> T:
        """Return what `read` returns while nothing is written, or after some tries.

        Without this, half of the passages of a version that was just being written could be found
        before its record says that they are there, and be taken for all of them after it does.
        """
        head = self._head()
        for _ in range(_TRIES):
            result = read(head)
            now = self._head()
            if now.generation == head.generation:
                return result
            head = now
        return read(head)

    def _head(self) -> Head:
        return head_of(self._store.by_id([HEAD]).get(HEAD))

    def _records(self, document_ids: Iterable[str]) -> dict[str, Record]:
        found = self._store.by_id(record_id(id_) for id_ in document_ids)
        records = [record_of(document) for document in found.values()]
        return {record.id: record for record in records}

    def _alive(self, documents: Iterable[Document]) -> list[Document]:
        """Return those passages that the records of their documents name, in order."""
        passages = list(documents)
        keys = {document.meta.get(DOCUMENT, "") for document in passages}
        found = self._store.by_id(f"{key}-record" for key in keys)
        revisions = {id_: record_of(document).revision for id_, document in found.items()}
        return [
            document
            for document in passages
            if revisions.get(f"{document.meta.get(DOCUMENT)}-record", "")
            == document.meta.get(REVISION)
        ]
