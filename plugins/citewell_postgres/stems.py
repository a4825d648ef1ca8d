"""What the dictionaries of the server make of words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from psycopg import AsyncConnection, sql

from citewell_postgres.terms import Stem, stem
from citewell_postgres.words import SIMPLE

_MAX_KNOWN = 200_000


class Stems:
    """Asks the server about each word once.

    Attributes:
        stemming: whether a word matches its other forms.
    """

    def __init__(self, *, stemming: bool) -> None:
        """Know nothing yet.

        Args:
            stemming: whether a word matches its other forms.
        """
        self.stemming = stemming
        self._known: dict[str, dict[str, Stem]] = {}
        self._count = 0

    async def of(
        self, connection: AsyncConnection, configuration: str, words: Iterable[str]
    ) -> Mapping[str, Stem]:
        """Return what `configuration` makes of `words`, and of others."""
        known = self._known.setdefault(configuration, {})
        new = [word for word in words if word not in known]
        if not new:
            return known
        if self._count + len(new) > _MAX_KNOWN:
            # Those who use what was known still hold it.
            known = dict(known) if len(known) + len(new) <= _MAX_KNOWN else {}
            new = [word for word in words if word not in known]
            self._known, self._count = {configuration: known}, len(known)
        for word, lexemes in await self._asked(connection, configuration, new):
            known[word] = stem(configuration, word, lexemes)
        self._count += len(new)
        return known

    async def _asked(
        self, connection: AsyncConnection, configuration: str, words: list[str]
    ) -> list[tuple[str, list[str]]]:
        """Return the lexemes of each word; none for a stopword."""
        if configuration == SIMPLE:
            return [(word, [word]) for word in words]
        rows = await connection.execute(
            sql.SQL(
                "SELECT word, tsvector_to_array(to_tsvector({}, word)) "
                "FROM unnest(%s::text[]) AS word"
            ).format(sql.Literal(f"pg_catalog.{configuration}") + sql.SQL("::regconfig")),
            [words],
        )
        found = await rows.fetchall()
        if self.stemming:
            return found
        return [(word, [word] if lexemes else []) for word, lexemes in found]
