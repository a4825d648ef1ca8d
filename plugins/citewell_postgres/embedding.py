"""What the embedder of a retriever makes of questions and passages."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from citewell import Context, Embedder, Labels, ModelError, Passage, PluginError
from citewell.asking import PatientEmbedder

BATCH = 64
"""Texts that are embedded, and stored, at once."""


class Embedding:
    """The embedder that a retriever's settings name, opened when it is first needed."""

    def __init__(self, context: Context, name: str) -> None:
        if context.embedders is None:
            raise PluginError(f'retriever "{context.name}" needs embedders, and was given none')
        self._embedders = context.embedders
        self._name = name
        self._patient = PatientEmbedder(context.embedders, name)

    @property
    def name(self) -> str:
        """Of its section in the settings."""
        return self._name

    async def opened(self) -> Embedder:
        """Return the embedder, however long it takes to open.

        Raises:
            ModelError: it cannot be opened.
        """
        return await self._patient.opened()

    async def opened_soon(self) -> Embedder:
        """Return the embedder, if that takes a moment.

        Raises:
            ModelError: it cannot be opened.
            TimeoutError: it is still opening.
        """
        # Whoever asked has waited for it already.
        return await self._patient.opened_soon(patience_s=0 if self._patient.is_opening else None)

    def may_have(self, labels: Labels) -> bool:
        """Tell whether it may be given passages with these labels."""
        return not self._embedders.withholds(self._name, labels)

    async def of_question(self, embedder: Embedder, text: str) -> Sequence[float]:
        """Return the vector of a question.

        Raises:
            ModelError: there is none.
            TimeoutError: the embedder does not answer.
        """
        vectors = await self._patient.answered(embedder, text)
        return self._checked(vectors, 1)[0]

    async def dimension(self, embedder: Embedder) -> int:
        """Return how many numbers its vectors have.

        Raises:
            ModelError: there are no vectors.
        """
        return len(self._checked(await embedder.embed(["dimension"], kind="passage"), 1)[0])

    async def of_passages(
        self, embedder: Embedder, passages: Mapping[int, Passage]
    ) -> dict[int, Sequence[float]]:
        """Return the vectors of passages, by their keys.

        Raises:
            ModelError: there are none.
        """
        texts = [_text(passage) for passage in passages.values()]
        vectors = await embedder.embed(texts, kind="passage")
        return dict(zip(passages, self._checked(vectors, len(texts)), strict=True))

    async def close(self) -> None:
        """Wait for nothing any more."""
        await self._patient.close()

    def _checked(self, given: Sequence[Sequence[float]], number: int) -> list[list[float]]:
        """Return vectors as lists of as many numbers as the first has."""
        try:
            vectors = [[*map(float, vector)] for vector in given]
        except (TypeError, ValueError) as error:
            raise ModelError(f"embedder {self._name} gave no vectors: {error}") from error
        if len(vectors) != number:
            raise ModelError(
                f"embedder {self._name} gave {len(vectors)} vectors for {number} texts"
            )
        sizes = {len(vector) for vector in vectors}
        if len(sizes) > 1 or not all(sizes):
            raise ModelError(f"embedder {self._name} gave vectors of {sorted(sizes)} numbers")
        # Its length is to be 1.
        if not all(math.isfinite(sum(vector)) and max(map(abs, vector)) < 2 for vector in vectors):
            raise ModelError(f"embedder {self._name} gave a vector that is not of length 1")
        return vectors


def _text(passage: Passage) -> str:
    """Return what a passage says, below what it stands under."""
    headings = passage.places[0].place.headings if passage.places else ()
    above = (passage.title, *headings, passage.header)
    return "\n".join((*(text for text in above if text), passage.text))
