"""The embedder of a retriever: opened once it is needed, waited for not long, and checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

from citewell import Context, Embedders, ModelError, Passage, StoreError
from citewell.asking import WORDS_ALONE, PatientEmbedder

Vector: TypeAlias = Sequence[float]

_TOGETHER = 64


class Asking:
    """Asks the embedder that the settings name.

    Args:
        name: of its section.
        embedders: open it.
        context: of the retriever.
        is_alone: nothing finds by words.

    Attributes:
        is_alone: the same.
        log: of the retriever.
    """

    def __init__(
        self, name: str, embedders: Embedders, context: Context, *, is_alone: bool
    ) -> None:
        self._name = name
        self._embedders = embedders
        self._context = context
        self.log = context.log
        self.is_alone = is_alone
        self._patient = PatientEmbedder(embedders, name)
        self._dimension: int | None = None

    async def identity(self) -> str:
        """Return what names its vectors.

        Raises:
            ModelError: it cannot be opened.
        """
        return (await self._patient.opened()).identity

    async def of_question(self, text: str) -> tuple[Vector, str] | None:
        """Return the vector of a question, and what names it; None, with a notice, without one.

        Raises:
            StoreError: there is none, and nothing would be found by words.
        """
        try:
            return await self._answered(text)
        except (ModelError, TimeoutError) as error:
            failed = str(error) or "it does not answer"
            if self.is_alone:
                raise StoreError(
                    f'retriever "{self._context.name}": the question could not be embedded, and '
                    f"nothing is found by words: {failed}"
                ) from error
            self._context.notice(
                WORDS_ALONE,
                detail=f"found by words alone: the question could not be embedded: {failed}",
            )
            return None

    async def of_passages(self, passages: Sequence[Passage]) -> dict[str, Vector]:
        """Return vectors by id of passage, but of those that it must not be given.

        Raises:
            ModelError: there are none.
        """
        embedder = await self._patient.opened()
        given = [one for one in passages if one.text.strip() and self._may_have(one)]
        vectors: dict[str, Vector] = {}
        for begin in range(0, len(given), _TOGETHER):
            batch = given[begin : begin + _TOGETHER]
            made = await embedder.embed([one.text for one in batch], kind="passage")
            made = self._checked(made, len(batch))
            vectors |= {one.id: vector for one, vector in zip(batch, made, strict=True)}
        return vectors

    async def close(self) -> None:
        """Wait for nothing any more."""
        await self._patient.close()

    def _may_have(self, passage: Passage) -> bool:
        return not self._embedders.withholds(self._name, passage.labels)

    async def _answered(self, text: str) -> tuple[Vector, str]:
        embedder = await self._patient.opened_soon()
        vectors = self._checked(await self._patient.answered(embedder, text), 1)
        return vectors[0], embedder.identity

    def _checked(self, vectors: Sequence[Vector], count: int) -> list[Vector]:
        """Return vectors of plain numbers: a store may take others, and then find nothing at all.

        Raises:
            ModelError: they are not `count` vectors with a direction, all of one dimension.
        """
        refused = partial('embedder "{}" gives {}'.format, self._name)
        try:
            found = [[float(number) for number in vector] for vector in vectors]
        except (TypeError, ValueError, OverflowError) as error:
            raise ModelError(refused("what are no vectors")) from error
        if len(found) != count:
            raise ModelError(refused(f"{len(found)} vectors for {count} texts"))
        for vector in found:
            if not any(vector) or not all(map(math.isfinite, vector)):
                raise ModelError(refused("a vector without a direction"))
            self._dimension = self._dimension or len(vector)
            if len(vector) != self._dimension:
                raise ModelError(
                    refused(f"a vector of dimension {len(vector)} after one of {self._dimension}")
                )
        return list(found)
