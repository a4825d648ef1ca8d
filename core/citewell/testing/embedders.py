"""What every embedder must do, as tests."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

from citewell.protocols import Embedder
from citewell.testing.opening import opened, run_async

_LEAVE = "Every employee has 28 days of leave a year."
_OFFICE = "The office is closed on Sundays."
_ODD = ("", " ", "?!", "\x00", "\u200b", "\ud800", "word " * 20_000)
_LENGTH_TOLERANCE = 1e-3
_SAME_TOLERANCE = 1e-3


class EmbedderContract:
    """Subclass it, set `name`, and pytest tests your embedder.

    Attributes:
        name: under which a plugin that is installed offers the embedder.
        config: its settings, as they would stand in `citewell.toml`.
    """

    name: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Embedder]:
        """Open the embedder; override to build it otherwise."""
        async with opened("embedder", self.name, self.config, folder) as embedder:
            yield embedder

    @run_async
    async def test_each_text_gets_a_vector_of_length_one(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as embedder:
            passages = await embedder.embed([_LEAVE, _OFFICE, _LEAVE], kind="passage")
            queries = await embedder.embed(["How many days?"], kind="query")
            none = await embedder.embed([], kind="passage")

        assert len(passages) == 3, "one vector for each text, in order"
        assert not len(none), "no text, no vector"
        _are_sound([*passages, *queries])

    @run_async
    async def test_likeness_is_nearness(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as embedder:
            one, other, same = await embedder.embed([_LEAVE, _OFFICE, _LEAVE], kind="passage")

        assert _nearness(one, same) > 1 - _SAME_TOLERANCE, "the same text has the same vector"
        assert _nearness(one, other) < 1 - _SAME_TOLERANCE, "another text has another vector"

    @run_async
    async def test_neighbours_change_nothing(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as embedder:
            (alone,) = await embedder.embed([_LEAVE], kind="passage")
            together = await asyncio.gather(
                *(embedder.embed([_OFFICE] * count + [_LEAVE], kind="passage") for count in (1, 9))
            )

        for vectors in together:
            assert _nearness(alone, vectors[-1]) > 1 - _SAME_TOLERANCE, (
                "a vector depends on its own text alone, whatever is embedded beside it"
            )

    @run_async
    async def test_odd_texts_get_vectors(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as embedder:
            _are_sound(await embedder.embed(_ODD, kind="passage"))

    @run_async
    async def test_the_identity_stays(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as embedder:
            first = embedder.identity
        async with self.open(tmp_path) as embedder:
            second = embedder.identity

        assert first, "name what decides about the vectors"
        assert "\n" not in first, "the identity is one line"
        assert first == second, "the same settings give the same identity"


def _are_sound(vectors: Sequence[Sequence[float]]) -> None:
    dimensions = {len(vector) for vector in vectors}
    assert len(dimensions) == 1, f"all vectors have one dimension; there were {dimensions}"
    for vector in vectors:
        length = math.sqrt(math.fsum(value * value for value in vector))
        assert abs(length - 1) < _LENGTH_TOLERANCE, f"a vector has the length {length}; expected 1"


def _nearness(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of the angle between two vectors of length 1."""
    return math.fsum(a * b for a, b in zip(one, other, strict=True))
