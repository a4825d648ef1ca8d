"""The words of the passages in Tantivy: an index that can be made again from the store."""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import uuid
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import tantivy
from tantivy import Occur, Query

from citewell import Audience
from citewell_lexical.rows import Row, loaded_labels, stored_labels
from citewell_lexical.terms import LANGUAGES, analyzer, language_key, normalized, query_terms

LAYOUT = 1
"""Raise it when the same passages would be indexed differently."""

TITLE_BOOST = 1.0
"""Weight of a term in title and headings beside one in the text.

Source: best of 0, .2, .5, .7, 1, 1.5, 2 on the even queries of Cranfield (proofs/retrieval.py).
"""

_PREFIX = "index-"
_HEAP_BYTES = 64_000_000
_MAX_QUERY_TERMS = 64
_MAX_FILTERS = 256

FREQUENT = 500
"""In how many passages a term stands that a search may leave for last."""

# The same addends in another order.
_ROUNDING = 1.0001


class IndexDamaged(Exception):
    """The index is missing or cannot be read; it can be rebuilt."""


@cache
def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for language in LANGUAGES:
        for field in ("body", "title"):
            builder.add_text_field(
                f"{field}_{language}", tokenizer_name=language, index_option="freq"
            )
    builder.add_text_field("labels", tokenizer_name="raw", index_option="basic")
    builder.add_integer_field("row", fast=True)
    builder.add_integer_field("document", indexed=True)
    return builder.build()


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn what Tantivy raises about the files in `path` into `IndexDamaged`."""
    try:
        yield
    except (ValueError, RuntimeError, OSError) as error:
        raise IndexDamaged(f"{path}: {error}") from error
    except BaseException as error:
        # A panic in Tantivy is a BaseException of pyo3 that cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise IndexDamaged(f"{path}: {error}") from error


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
        with _damage(path):
            if create:
                path.mkdir(parents=True)
            self._index = (
                tantivy.Index(_schema(), str(path)) if create else tantivy.Index.open(str(path))
            )
        for language in LANGUAGES:
            self._index.register_tokenizer(language, analyzer(language, stemming=stemming))
        with _damage(path):
            self._writer = self._index.writer(_HEAP_BYTES, 1)
        self.opstamp = self._writer.commit_opstamp

    @property
    def passage_count(self) -> int:
        """How many passages the last commit holds."""
        with _damage(self._path):
            self._index.reload()
            return self._index.searcher().num_docs

    def add(self, rows: Iterable[Row]) -> None:
        """Add passages."""
        for _ in self.adding(rows):
            pass

    def adding(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Add each passage when it is asked for, and yield it."""
        schema = _schema()
        for row in rows:
            with _damage(self._path):
                self._writer.add_document(tantivy.Document.from_dict(_fields(row), schema))
            yield row

    def remove(self, documents: Iterable[int]) -> None:
        """Remove all passages of documents, by key."""
        with _damage(self._path):
            for document in documents:
                self._writer.delete_documents_by_term("document", document)

    def commit(self) -> int:
        """Make changes durable; return the opstamp."""
        with _damage(self._path):
            # Tantivy's own `commit_opstamp` is that of the moment when the writer was opened.
            self.opstamp = self._writer.commit()
        return self.opstamp

    def close(self) -> None:
        """Wait for running merges and give the index free; what is not committed is lost."""
        with _damage(self._path):
            self._writer.wait_merging_threads()


def _fields(row: Row) -> dict[str, object]:
    passage = row.passage
    language = language_key(passage.language)
    headings = passage.places[0].place.headings if passage.places else ()
    return {
        f"body_{language}": normalized(f"{passage.header}\n{passage.text}"),
        f"title_{language}": normalized("\n".join((passage.title, *headings))),
        "labels": stored_labels(passage.labels),
        "row": row.row,
        "document": row.document,
    }


class _Term(NamedTuple):
    """A term of a question, with its language.

    Attributes:
        passages: how many have it in their text, and in their title.
    """

    name: tuple[str, str]
    queries: tuple[Query, ...]
    passages: int


def _any_of(terms: Iterable[_Term]) -> Query:
    queries = [query for term in terms for query in term.queries]
    if len(queries) == 1:
        return queries[0]
    return Query.boolean_query([(Occur.Should, query) for query in queries])


class IndexView:
    """An index as it was at one moment."""

    def __init__(self, path: Path, searcher: tantivy.Searcher, *, stemming: bool) -> None:
        self._path = path
        self._searcher = searcher
        self._stemming = stemming
        self._languages = tuple(
            language
            for language in LANGUAGES
            if searcher.terms_with_prefix(f"body_{language}", "", limit=1)
        )
        self._label_sets = {
            term: loaded_labels(term) for term, _ in searcher.terms_with_prefix("labels", "")
        }
        self._filters: dict[Audience, Query | None] = {}
        self._ceilings: dict[tuple[str, str], float] = {}

    def search(
        self, text: str, *, language: str | None, readable_by: Audience, limit: int
    ) -> list[tuple[int, float]]:
        """Return rows and scores (BM25, higher is better), best first."""
        terms = self._terms(text, self._searched(language))
        if not terms:
            return []
        readable = self._readable(readable_by)
        with _damage(self._path):
            hits = self._hits_of_rare(terms, readable, limit)
            if hits is None:
                hits = self._hits(_any_of(terms), readable, limit)
            rows = self._searcher.fast_field_values("row", [address for _, address in hits])
        return [(int(row or 0), float(score)) for row, (score, _) in zip(rows, hits, strict=True)]

    def _hits_of_rare(
        self, terms: Sequence[_Term], readable: Query | None, limit: int
    ) -> list[Any] | None:
        """Search passages with a rare term only; None when others might be among the best.

        What a passage gets for frequent terms alone is bounded. When all the hits are above that,
        no other passage can be one of them, and most of the lists of the frequent terms need not
        be read. Source: MaxScore, Turtle and Flood (1995), doi:10.1016/0306-4573(95)00020-H.
        """
        frequent: list[_Term] = []
        ceiling = 0.0
        # What the last of the hits may well get: half of the terms, each once.
        total = self._searcher.num_docs
        expected = sum(math.log1p(total / (term.passages + 1)) for term in terms) / 2
        for term in sorted(terms, key=lambda term: -term.passages):
            higher = ceiling + self._ceiling(term) if term.passages >= FREQUENT else math.inf
            if higher > expected:
                break
            frequent.append(term)
            ceiling = higher
        rare = [term for term in terms if term not in frequent]
        if not frequent or not rare:
            return None
        optional = [(Occur.Should, query) for term in frequent for query in term.queries]
        query = Query.boolean_query([(Occur.Must, _any_of(rare)), *optional])
        hits = self._hits(query, readable, limit)
        return hits if len(hits) == limit and hits[-1][0] > ceiling * _ROUNDING else None

    def _ceiling(self, term: _Term) -> float:
        """Return the most that a passage gets for `term`."""
        if term.name not in self._ceilings:
            best = self._searcher.search(_any_of([term]), 1, count=False).hits
            self._ceilings[term.name] = best[0][0] if best else 0.0
        return self._ceilings[term.name]

    def _hits(self, query: Query, readable: Query | None, limit: int) -> list[Any]:
        if readable is not None:
            query = Query.boolean_query([(Occur.Must, query), (Occur.Must, readable)])
        return self._searcher.search(query, limit, count=False).hits

    def _readable(self, audience: Audience) -> Query | None:
        """Return a filter for what `audience` may read; None when that is everything."""
        if audience in self._filters:
            return self._filters[audience]
        terms = [term for term, labels in self._label_sets.items() if audience.may_read(labels)]
        query: Query | None = None
        if len(terms) < len(self._label_sets):
            query = Query.const_score_query(Query.term_set_query(_schema(), "labels", terms), 0.0)
        if len(self._filters) < _MAX_FILTERS:
            self._filters[audience] = query
        return query

    def _searched(self, language: str | None) -> Sequence[str]:
        if language is not None and language_key(language) in self._languages:
            return (language_key(language),)
        return self._languages

    def _terms(self, text: str, languages: Sequence[str]) -> list[_Term]:
        """Return the terms of a question that are in the index."""
        terms = (
            self._term(language, term)
            for language in languages
            for term in self._rarest(query_terms(text, language, stemming=self._stemming), language)
        )
        return [term for term in terms if term.passages]

    def _term(self, language: str, term: str) -> _Term:
        queries = []
        passages = 0
        for field, boost in (("body", 1.0), ("title", TITLE_BOOST)):
            name = f"{field}_{language}"
            count = self._searcher.doc_freq(name, term)
            if count:
                query = Query.term_query(_schema(), name, term, "freq")
                queries.append(query if boost == 1 else Query.boost_query(query, boost))
                passages += count
        return _Term((language, term), tuple(queries), passages)

    def _rarest(self, terms: list[str], language: str) -> list[str]:
        """Bound the work for a whole page pasted as a question."""
        if len(terms) <= _MAX_QUERY_TERMS:
            return terms
        field = f"body_{language}"
        counts = {term: self._searcher.doc_freq(field, term) for term in terms}
        known = [term for term in terms if counts[term]]
        return sorted(known, key=lambda term: counts[term])[:_MAX_QUERY_TERMS]


class IndexReader:
    """Opens an index for searching."""

    def __init__(self, path: Path, *, stemming: bool) -> None:
        """Open the index at `path`.

        Raises:
            IndexDamaged: it is missing or broken.
        """
        self.path = path
        self._stemming = stemming
        self._links: Path | None = None
        with _damage(path):
            if not os.access(path, os.W_OK):
                self._link()
            self._index = tantivy.Index.open(str(self._links or path))
            self._index.config_reader("manual")

    def view(self) -> IndexView:
        """Return the index as of its last commit."""
        with _damage(self.path):
            if self._links:
                self._link()
            self._index.reload()
            return IndexView(self.path, self._index.searcher(), stemming=self._stemming)

    def close(self) -> None:
        """Leave nothing behind; views go on."""
        if self._links:
            self._unlink()

    def _link(self) -> None:
        """Link what is new to a folder that passes: Tantivy locks a folder even to read it."""
        if self._links is None:
            self._links = Path(tempfile.mkdtemp(prefix="citewell-"))
            # Another index may take the place of this one, which is then not closed.
            self._unlink = weakref.finalize(self, shutil.rmtree, self._links, ignore_errors=True)
        for file in self.path.iterdir():
            link = self._links / file.name
            if file.suffix != ".lock" and not link.is_symlink():
                link.symlink_to(file.absolute())
