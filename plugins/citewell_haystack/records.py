"""What Citewell writes into a document store: passages, and a record for each document.

A passage lies in one of two slots, by its document; the record of the document says in which, and
with which revision. So a document is replaced whole: its new passages are written beside the old
ones, then the record turns to them, then the old ones go. What no record names does not exist.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from citewell import IndexedDocument, Labels, Passage, StoreError

if TYPE_CHECKING:
    from haystack import Document

T = TypeVar("T")

HEAD = "citewell-head"
PENDING = "citewell-pending"

# Keys of meta.
KIND = "citewell_kind"
LABELS = "citewell_labels"
REVISION = "citewell_revision"
DOCUMENT = "citewell_document"
EMBEDDER = "citewell_embedder"
_BODY = "citewell_body"

SLOTS = ("a", "b")


class Span(Struct, frozen=True, array_like=True):
    """A passage of a record: the hash of its id, and where it stands in the text."""

    key: str
    start: int
    end: int


class Record(Struct, frozen=True, kw_only=True):
    """What is known of an indexed document.

    Attributes:
        embedder: identity of what made its vectors; empty where there are none.
    """

    id: str
    version: str
    slot: str
    revision: str
    spans: tuple[Span, ...] = ()
    embedder: str = ""

    @property
    def passage_ids(self) -> list[str]:
        """The ids of its passages in the store."""
        return [slot_id(span.key, self.slot) for span in self.spans]


class Head(Struct, frozen=True, kw_only=True):
    """What is known of all that is indexed.

    Attributes:
        generation: another one after each change.
        label_sets: sets of labels that passages have, or had: none is ever taken back.
    """

    generation: str
    label_sets: frozenset[Labels] = frozenset()


class Pending(Struct, frozen=True, kw_only=True):
    """Passages that a write may leave behind when it is killed."""

    passage_ids: tuple[str, ...] = ()


def key_of(id_: str) -> str:
    """Return a hash of an id of ours: stores bound how long an id may be."""
    return hashlib.blake2b(id_.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def slot_id(key: str, slot: str) -> str:
    """Return the id of a passage in the store."""
    return f"{key}-{slot}"


def record_id(document_id: str) -> str:
    """Return the id of a document's record in the store."""
    return f"{key_of(document_id)}-record"


def stored_labels(labels: Iterable[str]) -> str:
    """Return a set of labels as one text: not every store can look into lists."""
    return json.dumps(sorted(labels), ensure_ascii=False)


def new_record(
    document: IndexedDocument, before: Record | None, *, revision: str, embedder: str
) -> Record:
    """Return the record of a document that is about to be written, in the slot that is free."""
    return Record(
        id=document.id,
        version=document.version,
        slot="b" if before is not None and before.slot == "a" else "a",
        revision=revision,
        spans=tuple(Span(key_of(one.id), one.start, one.end) for one in document.passages),
        embedder=embedder,
    )


def passage_document(
    passage: Passage, record: Record, vector: Sequence[float] | None, sparse: bool
) -> Document:
    """Return a passage as it is written."""
    from haystack import Document
    from haystack.dataclasses import SparseEmbedding

    from citewell_haystack.words import sparse_vector

    embedding = None
    if sparse and passage.text:
        indices, values = sparse_vector(passage.text)
        embedding = SparseEmbedding(indices=indices, values=values) if indices else None
    body = replace(passage, text="", score=0.0)
    meta = {
        KIND: "passage",
        LABELS: stored_labels(passage.labels),
        REVISION: record.revision,
        DOCUMENT: key_of(record.id),
        _BODY: msgspec.json.encode(body).decode(),
    }
    if vector is not None:
        meta[EMBEDDER] = record.embedder
    return Document(
        id=slot_id(key_of(passage.id), record.slot),
        content=passage.text,
        meta=meta,
        embedding=None if vector is None else [float(number) for number in vector],
        sparse_embedding=embedding,
    )


def passage_of(document: Document, score: float = 0.0) -> Passage:
    """Return the passage that `passage_document` wrote."""
    body = _read(document, Passage)
    return replace(body, text=document.content or "", score=score)


def written(id_: str, kind: str, content: Struct) -> Document:
    """Return a record, the head or what is pending as it is written."""
    from haystack import Document

    # Without content, so that nothing that searches finds it.
    return Document(id=id_, meta={KIND: kind, _BODY: msgspec.json.encode(content).decode()})


def record_of(document: Document) -> Record:
    """Return a record that was written."""
    return _read(document, Record)


def head_of(document: Document | None) -> Head:
    """Return the head that was written, or that of a store without anything."""
    if document is None:
        return Head(generation="empty")
    return _read(document, Head)


def pending_of(document: Document | None) -> Pending:
    """Return what was pending."""
    if document is None:
        return Pending()
    return _read(document, Pending)


def _read(document: Document, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(document.meta[_BODY], type=kind)
    except (KeyError, TypeError, msgspec.DecodeError) as error:
        raise StoreError(
            f"what stands in the store as {document.id} was not written by this version of "
            "Citewell; empty the table or collection, and run: citewell sync"
        ) from error
