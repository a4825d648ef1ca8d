"""Reads an index: each call sees it as it is at one moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from psycopg import AsyncConnection

from citewell import Audience, Passage, Query
from citewell_postgres.database import Database
from citewell_postgres.rows import loaded_passage, loaded_text, stored_text
from citewell_postgres.search import WordSearch
from citewell_postgres.shelves import Share, Shelves, ShelvesCache, State, read_state
from citewell_postgres.stems import Stems
from citewell_postgres.vectors import Asked, nearest

_COLUMNS = """
SELECT passages.key, passages.shelf, documents.id, passages.id, title, text, span_start, span_end,
    places, uri, header, language
"""
_JOIN = " JOIN documents ON documents.key = passages.document "
_BY_KEY = f"""
{_COLUMNS} FROM passages {_JOIN}
WHERE passages.key = ANY(%s::bigint[]) AND shelf = ANY(%s::integer[])
"""
_BY_ID = f"""
{_COLUMNS} FROM unnest(%s::text[]) AS wanted (id) JOIN passages ON passages.id = wanted.id {_JOIN}
WHERE shelf = ANY(%s::integer[])
"""
_WITHIN = f"""
{_COLUMNS} FROM passages {_JOIN}
WHERE documents.id = %s AND span_start < %s AND span_end > %s AND shelf = ANY(%s::integer[])
ORDER BY span_start, passages.key
"""


class Found(NamedTuple):
    """What both halves of a search found, and the passages.

    Attributes:
        by_words: scores by key, best first.
        by_vectors: likewise.
        passages: by key, those that were wanted; their scores are 0.
        state: of the index that they were found in.
    """

    by_words: dict[int, float]
    by_vectors: dict[int, float]
    passages: Mapping[int, Passage]
    state: State


Wanted = Callable[[Mapping[int, float], Mapping[int, float]], Iterable[int]]
"""Given what words and what vectors found, returns the keys of the passages to be read."""


class Reader:
    """Reads the index, for any number of callers at once."""

    def __init__(self, database: Database, stems: Mapping[bool, Stems], *, stemming: bool) -> None:
        """Prepare.

        Args:
            database: holds the index.
            stems: with stemming and without.
            stemming: whether there is, where nothing is indexed yet.
        """
        self._database = database
        self._stems = stems
        self._stemming = stemming
        self._shelves = ShelvesCache()

    async def state(self) -> State:
        """Return what the index says of itself."""
        return await self._database.read(read_state)

    async def is_empty(self) -> bool:
        """Tell whether nothing is indexed."""

        async def look(connection: AsyncConnection) -> bool:
            rows = await connection.execute("SELECT FROM documents LIMIT 1")
            return await rows.fetchone() is None

        return await self._database.read(look)

    async def versions(self) -> Mapping[str, str]:
        """Return document id to version."""

        async def look(connection: AsyncConnection) -> dict[str, str]:
            rows = await connection.execute("SELECT id, version FROM documents")
            return {loaded_text(key): loaded_text(one) for key, one in await rows.fetchall()}

        return await self._database.read(look)

    async def sizes(self) -> Mapping[str, int]:
        """Return document id to number of passages."""

        async def look(connection: AsyncConnection) -> dict[str, int]:
            rows = await connection.execute("SELECT id, passages FROM documents")
            return {loaded_text(key): number for key, number in await rows.fetchall()}

        return await self._database.read(look)

    async def find(
        self,
        query: Query,
        *,
        limit: int,
        readable_by: Audience,
        asked: Asked | None,
        wanted: Wanted,
    ) -> Found:
        """Return what is found by words and, where `asked` is given, by vectors.

        Args:
            query: what is looked for.
            limit: of each half.
            readable_by: who may read what is found.
            asked: the question as a vector.
            wanted: chooses which passages to read.
        """
        found = await self._database.prepared()

        async def look(connection: AsyncConnection) -> Found:
            shelves, share = await self._share(connection, readable_by)
            state = shelves.state
            if not share.shelves:
                return Found({}, {}, {}, state)
            # As the words were stored, whatever the settings say by now.
            is_stemmed = self._stemming if state.stemming is None else state.stemming
            words = WordSearch(self._stems[is_stemmed], found.configurations)
            by_words = await words.best(connection, query, share, limit)
            by_vectors: dict[int, float] = {}
            if asked is not None and asked.vector_set in {one.id for one in state.sets}:
                by_vectors = await nearest(connection, asked, share, limit)
            keys = wanted(by_words, by_vectors)
            rows = await connection.execute(_BY_KEY, [[*keys], share.shelves])
            passages = {row[0]: _loaded(row, shelves) for row in await rows.fetchall()}
            return Found(by_words, by_vectors, passages, state)

        return await self._database.read(look)

    async def fetch(self, ids: Sequence[str], *, readable_by: Audience) -> list[Passage]:
        """Return the passages with these ids that may be read, in the order of the ids."""

        async def look(connection: AsyncConnection) -> list[Passage]:
            shelves, share = await self._share(connection, readable_by)
            stored = [stored_text(passage_id) for passage_id in dict.fromkeys(ids)]
            rows = await connection.execute(_BY_ID, [stored, share.shelves])
            found = {row[3]: _loaded(row, shelves) for row in await rows.fetchall()}
            return [found[one] for one in map(stored_text, ids) if one in found]

        return await self._database.read(look)

    async def within(
        self, document_id: str, *, start: int, end: int, readable_by: Audience
    ) -> list[Passage]:
        """Return the passages of a document that stand in `[start, end)`, also in part."""

        async def look(connection: AsyncConnection) -> list[Passage]:
            shelves, share = await self._share(connection, readable_by)
            values = [stored_text(document_id), end, start, share.shelves]
            rows = await connection.execute(_WITHIN, values)
            return [_loaded(row, shelves) for row in await rows.fetchall()]

        return await self._database.read(look)

    async def _share(
        self, connection: AsyncConnection, audience: Audience
    ) -> tuple[Shelves, Share]:
        shelves = await self._shelves.read(connection)
        return shelves, shelves.share(audience)


def _loaded(row: tuple[object, ...], shelves: Shelves) -> Passage:
    _, shelf, document_id, *values = row
    labels = shelves.labels[shelf]  # type: ignore[index]  # the driver knows no types
    return loaded_passage(tuple(values), document_id=str(document_id), labels=labels)
