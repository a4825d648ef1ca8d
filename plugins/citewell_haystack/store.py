"""A document store as the retriever uses it: everything blocking, errors in one line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from citewell import StoreError
from citewell_haystack.known import known_store
from citewell_haystack.telling import told

if TYPE_CHECKING:
    from haystack import Document

Filters = Mapping[str, Any]

_BATCH = 500


class Store:
    """Reads and writes the documents of a store. Blocking; for one thread.

    Args:
        documents: a document store of Haystack.
        name: of the retriever, for messages.
    """

    def __init__(self, documents: Any, *, name: str) -> None:
        self.documents = documents
        self._name = name
        known = known_store(documents)
        self._id_field = "id" if known is None else known.id_field

    def by_id(self, ids: Iterable[str]) -> dict[str, Document]:
        """Return the documents that are there, by their ids."""
        # Where a store has a way of its own it need not look at every document.
        get = getattr(self.documents, "get_documents_by_id", None)
        found: dict[str, Document] = {}
        for batch in _batches(ids):
            if get is None:
                documents = self.matching(one_of(self._id_field, batch))
            else:
                with self.told("read"):
                    documents = get(batch)
            wanted = set(batch)
            # Some stores compare texts word by word, and find more than was asked for.
            found |= {one.id: one for one in documents if one.id in wanted}
        return found

    def matching(self, filters: Filters | None) -> list[Document]:
        """Return the documents that match; all, without filters."""
        chosen = None if filters is None else dict(filters)
        with self.told("read"):
            documents: list[Document] = self.documents.filter_documents(filters=chosen)
        return documents

    def write(self, documents: Sequence[Document]) -> None:
        """Add documents, in place of those with the same ids."""
        from haystack.document_stores.types import DuplicatePolicy

        with self.told("written"):
            for batch in _batches(documents):
                self.documents.write_documents(batch, policy=DuplicatePolicy.OVERWRITE)

    def delete(self, ids: Sequence[str]) -> None:
        """Forget documents; unknown ids are ignored."""
        with self.told("written"):
            for batch in _batches(ids):
                self.documents.delete_documents(batch)

    def count(self) -> int:
        """Return how many documents there are."""
        with self.told("read"):
            return int(self.documents.count_documents())

    def close(self) -> None:
        """Let go of connections and files."""
        close = getattr(self.documents, "close", None) or getattr(self.documents, "shutdown", None)
        if close is not None:
            close()

    @contextmanager
    def told(self, done: str) -> Iterator[None]:
        """Tell what goes wrong in one line: stores raise whatever their clients do."""
        try:
            yield
        except StoreError:
            raise
        except Exception as error:
            raise StoreError(
                f'store of retriever "{self._name}" ({type(self.documents).__name__}) cannot be '
                f"{done}: {told(error)}"
            ) from error


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def all_of(*conditions: Filters) -> Filters:
    """Return the filter that holds where all of `conditions` do."""
    if len(conditions) == 1:
        return conditions[0]
    return {"operator": "AND", "conditions": [dict(one) for one in conditions]}


def equals(field: str, value: object) -> Filters:
    """Return the filter for one value of a field."""
    return {"field": field, "operator": "==", "value": value}


def one_of(field: str, values: Sequence[str], *, operator: str = "in") -> Filters:
    """Return the filter for one of several values of a field."""
    return {"field": field, "operator": operator, "value": list(values)}
