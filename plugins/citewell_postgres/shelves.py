"""The shelves of an index at one moment, and which of them an audience may read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from psycopg import AsyncConnection

from citewell import Audience, Labels
from citewell.storing import loaded_labels
from citewell_postgres.vector_sets import VectorSet, loaded_set

_MAX_SHARES = 256
# Columns of the state itself.
_OWN = 4


class State(NamedTuple):
    """What an index says of itself.

    Attributes:
        name: other than that of any other index, also one that had this schema before.
        generation: grows with each change.
        stemming: whether its words are kept as their stems; None before the first.
        embeds: no passage is from before there was an embedder.
        sets: of vectors, the one that was completed last first.
    """

    name: str
    generation: int
    stemming: bool | None
    embeds: bool
    sets: tuple[VectorSet, ...]

    def set_of(self, embedder: str) -> VectorSet | None:
        """Return the set of an embedder that questions may be compared with."""
        return next((one for one in self.sets if one.embedder == embedder and one.is_used), None)


class Share(NamedTuple):
    """What an audience may read.

    Attributes:
        shelves: all of them, ascending.
        passages: how many stand there.
        total: how many stand on every shelf.
        configurations: text search configurations of these passages, those of most first.
    """

    shelves: list[int]
    passages: int
    total: int
    configurations: tuple[str, ...]


class Shelves:
    """Every shelf, as of one state."""

    def __init__(self, state: State, rows: list[tuple[int, str, str, int]]) -> None:
        self.state = state
        self._rows = [
            (number, loaded_labels(labels), configuration, passages)
            for number, labels, configuration, passages in rows
        ]
        self.labels: Mapping[int, Labels] = {row[0]: row[1] for row in self._rows}
        self._shares: dict[Audience, Share] = {}

    def share(self, audience: Audience) -> Share:
        """Return what `audience` may read."""
        found = self._shares.get(audience)
        if found is None:
            if len(self._shares) >= _MAX_SHARES:
                self._shares.clear()
            found = self._shares[audience] = self._counted(audience)
        return found

    def _counted(self, audience: Audience) -> Share:
        may_read = {labels: audience.may_read(labels) for labels in set(self.labels.values())}
        numbers = []
        by_configuration: dict[str, int] = {}
        for number, labels, configuration, passages in self._rows:
            if passages and may_read[labels]:
                numbers.append(number)
                before = by_configuration.get(configuration, 0)
                by_configuration[configuration] = before + passages
        total = sum(passages for *_, passages in self._rows)
        order = sorted(by_configuration, key=lambda name: (-by_configuration[name], name))
        return Share(sorted(numbers), sum(by_configuration.values()), total, tuple(order))


async def read_state(connection: AsyncConnection) -> State:
    """Return what the index says of itself at the moment of `connection`."""
    rows = await connection.execute(
        "SELECT name, generation, stemming, embeds, vector_sets.* FROM state "
        "LEFT JOIN vector_sets ON true ORDER BY turn DESC, vector_sets.id DESC"
    )
    found = await rows.fetchall()
    sets = tuple(loaded_set(row[_OWN:]) for row in found if row[_OWN] is not None)
    name, generation, stemming, embeds = found[0][:_OWN]
    return State(name, generation, stemming, embeds, sets)


class ShelvesCache:
    """Reads the shelves again when the index has changed."""

    def __init__(self) -> None:
        self._known: Shelves | None = None

    async def read(self, connection: AsyncConnection) -> Shelves:
        """Return the shelves at the moment of `connection`."""
        state = await read_state(connection)
        known = self._known
        if known is not None and known.state == state:
            return known
        rows = await connection.execute("SELECT id, labels, configuration, passages FROM shelves")
        self._known = found = Shelves(state, await rows.fetchall())
        return found
