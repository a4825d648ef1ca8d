"""The words of the passages in Tantivy: an index that can be made again from the store."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import tantivy

from citewell_embedded.rows import Row, label_term
from citewell_embedded.segments import check, last_commit
from citewell_embedded.terms import LANGUAGES, analyzer, language_key, normalized

LAYOUT = 2
"""Raise it when the same passages would be indexed differently."""

_PREFIX = "index-"
_HEAP_BYTES = 64_000_000


class IndexDamaged(Exception):
    """The index is missing or cannot be read; it can be rebuilt.

    Attributes:
        index: its name.
    """

    def __init__(self, path: Path, reason: object) -> None:
        """Say why the index at `path` is of no use."""
        super().__init__(f"{path}: {reason}")
        self.index = path.name


@cache
def schema() -> tantivy.Schema:
    """Return the fields of every index."""
    builder = tantivy.SchemaBuilder()
    for language in LANGUAGES:
        for field in ("body", "title"):
            builder.add_text_field(
                f"{field}_{language}", tokenizer_name=language, index_option="freq"
            )
    builder.add_text_field("language", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("labels", tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("row", fast=True)
    builder.add_integer_field("document", indexed=True)
    return builder.build()


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Turn what Tantivy raises about the files in `path` into `IndexDamaged`."""
    try:
        yield
    except (ValueError, RuntimeError, OSError) as error:
        raise IndexDamaged(path, error) from error
    except BaseException as error:
        # A panic in Tantivy is a BaseException of pyo3 that cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise IndexDamaged(path, error) from error


def new_name(*, stemming: bool) -> str:
    """Return a fresh name for an index; it tells how its terms are made."""
    return f"{_prefix(stemming=stemming)}{uuid.uuid4().hex[:12]}"


def is_current(name: str, *, stemming: bool) -> bool:
    """Tell whether the index `name` was made with this layout and this setting."""
    return name.startswith(_prefix(stemming=stemming))


def _prefix(*, stemming: bool) -> str:
    return f"{_PREFIX}{LAYOUT}{'s' if stemming else 'w'}-"


def remove_others(folder: Path, name: str) -> None:
    """Delete every index in `folder` but `name`; a reader that still has one open keeps it."""
    for path in folder.glob(f"{_PREFIX}*"):
        if path.name != name:
            shutil.rmtree(path, ignore_errors=True)


class IndexWriter:
    """Changes an index; one at a time. Nothing is visible or durable before `commit`.

    Attributes:
        opstamp: number of the last commit; it grows.
    """

    def __init__(self, path: Path, *, stemming: bool, create: bool = False) -> None:
        """Open the index at `path`.

        Raises:
            IndexDamaged: it is missing or broken.
        """
        self._path = path
        with damage(path):
            if create:
                path.mkdir(parents=True)
                self._index = tantivy.Index(schema(), str(path))
            else:
                # Merging would give what is damaged a checksum that fits.
                check(path, last_commit(path).files)
                self._index = tantivy.Index.open(str(path))
        for language in LANGUAGES:
            self._index.register_tokenizer(language, analyzer(language, stemming=stemming))
        with damage(path):
            self._writer = self._index.writer(_HEAP_BYTES, 1)
        self.opstamp = self._writer.commit_opstamp

    @property
    def passage_count(self) -> int:
        """How many passages the last commit holds."""
        with damage(self._path):
            self._index.reload()
            return self._index.searcher().num_docs

    def add(self, rows: Iterable[Row]) -> None:
        """Add passages."""
        for _ in self.adding(rows):
            pass

    def adding(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Add each passage when it is asked for, and yield it."""
        for row in rows:
            with damage(self._path):
                self._writer.add_document(tantivy.Document.from_dict(_fields(row), schema()))
            yield row

    def remove(self, documents: Iterable[int]) -> None:
        """Remove all passages of documents, by key."""
        with damage(self._path):
            for document in documents:
                self._writer.delete_documents_by_term("document", document)

    def commit(self) -> int:
        """Make changes durable; return the opstamp."""
        with damage(self._path):
            # Tantivy's own `commit_opstamp` is that of the moment when the writer was opened.
            self.opstamp = self._writer.commit()
        return self.opstamp

    def close(self) -> None:
        """Wait for running merges and give the index free; what is not committed is lost."""
        with damage(self._path):
            self._writer.wait_merging_threads()


def _fields(row: Row) -> dict[str, object]:
    passage = row.passage
    language = language_key(passage.language)
    headings = passage.places[0].place.headings if passage.places else ()
    return {
        f"body_{language}": normalized(f"{passage.header}\n{passage.text}"),
        f"title_{language}": normalized("\n".join((passage.title, *headings))),
        "language": language,
        "labels": label_term(passage.labels),
        "row": row.row,
        "document": row.document,
    }
