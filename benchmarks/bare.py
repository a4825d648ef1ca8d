"""Measures search engines without anything around them: SQLite's FTS5, and Tantivy.

`python -m benchmarks.bare SYSTEM PASSAGES QUESTIONS ROUNDS`; needs nothing that Citewell does not.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import tantivy

from benchmarks.measuring import LIMIT, Answer, Make, Passage, Question, main, timed

_HEAP_BYTES = 128_000_000


class Tantivy:
    """Tantivy with stems, one thread that writes, texts stored beside the index."""

    def __init__(self, folder: Path) -> None:
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("text", stored=True, tokenizer_name="en_stem", index_option="freq")
        self._index = tantivy.Index(builder.build(), str(folder))
        self._writer = self._index.writer(_HEAP_BYTES, 1)

    def add(self, passages: Sequence[Passage]) -> None:
        for one in passages:
            self._writer.add_document(tantivy.Document(id=one["id"], text=one["text"]))

    def finish(self) -> None:
        self._writer.commit()
        self._writer.wait_merging_threads()
        self._index.reload()
        self._searcher = self._index.searcher()

    def ask(self, questions: Iterable[Question]) -> Iterator[Answer]:
        return timed(self._search, questions)

    def _search(self, question: Question) -> list[str]:
        query = self._index.parse_query(question["words"], ["text"])
        # Without the number of all hits it need not look at all of them.
        hits = self._searcher.search(query, LIMIT, count=False).hits
        found = [self._searcher.doc(address) for _, address in hits]
        return [one["id"][0] for one in found if one["text"]]


class Fts5:
    """SQLite's FTS5 with Porter's stems."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "passages.sqlite"
        self._local = threading.local()
        self._writing = self._connection()
        self._writing.execute("PRAGMA journal_mode=WAL")
        self._writing.execute(
            "CREATE VIRTUAL TABLE passages USING"
            " fts5(id UNINDEXED, text, tokenize='porter unicode61')"
        )

    def add(self, passages: Sequence[Passage]) -> None:
        with self._writing:
            self._writing.executemany("INSERT INTO passages VALUES (:id, :text)", passages)

    def finish(self) -> None:
        with self._writing:
            self._writing.execute("INSERT INTO passages(passages) VALUES ('optimize')")

    def ask(self, questions: Iterable[Question]) -> Iterator[Answer]:
        return timed(self._search, questions)

    def _search(self, question: Question) -> list[str]:
        found = self._connection().execute(
            "SELECT id, text FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?",
            (" OR ".join(f'"{word}"' for word in question["words"].split()), LIMIT),
        )
        return [id_ for id_, text in found if text]

    def _connection(self) -> sqlite3.Connection:
        """Return the connection of this thread."""
        if not hasattr(self._local, "connection"):
            self._local.connection = sqlite3.connect(self._path)
        connection: sqlite3.Connection = self._local.connection
        return connection


SYSTEMS: dict[str, Make] = {"tantivy": Tantivy, "fts5": Fts5}

if __name__ == "__main__":
    main(SYSTEMS)
