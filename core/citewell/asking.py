"""Asking an embedder or a reranker about a question without holding up other questions for long.

An embedder may be slow, silent or broken; a question may be a whole page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from citewell.errors import CitewellError, ModelError
from citewell.protocols import Embedder
from citewell.specs import Embedders

PATIENCE_S = 10.0
SILENCE_S = 30.0
"""So long an embedder is not asked again that did not answer: not each question shall wait."""

WORDS_ALONE = "search by meaning is off at the moment; only words were looked for"
"""What people in a chat read where no vectors could be compared; see `Context.notice`."""

SOME_BY_WORDS_ALONE = "some documents are searched by their words alone at the moment"
"""What they read where some passages have no vector yet."""

ASKED_CHARS = 4000
"""So much of a question is given to a model: a whole page would keep others from a local one."""


def asked_text(text: str) -> str:
    """Return what embedders and rerankers are given of a question."""
    return text[:ASKED_CHARS]


class PatientEmbedder:
    """Opens one embedder and asks it.

    Args:
        embedders: open it.
        name: of its section.

    Attributes:
        silent_until: it is not asked before; in seconds of the event loop.
    """

    def __init__(self, embedders: Embedders, name: str) -> None:
        self._embedders = embedders
        self._name = name
        self._opening: asyncio.Task[Embedder] | None = None
        self.silent_until = 0.0

    @property
    def is_opening(self) -> bool:
        """Whether somebody has asked for it already."""
        return self._opening is not None

    async def opened(self) -> Embedder:
        """Return it, however long opening takes.

        Raises:
            ModelError: it cannot be opened.
        """
        try:
            return await self._embedders.open(self._name)
        except ModelError:
            raise
        except CitewellError as error:
            raise ModelError(str(error)) from error

    async def opened_soon(self, *, patience_s: float | None = None) -> Embedder:
        """Return it; one that takes long goes on opening for the next question.

        Raises:
            ModelError: it cannot be opened.
            TimeoutError: it is still opening.
        """
        if self._opening is None:
            self._opening = asyncio.ensure_future(self.opened())
        opening = self._opening
        await asyncio.wait({opening}, timeout=PATIENCE_S if patience_s is None else patience_s)
        if not opening.done():
            raise TimeoutError("still opening")
        if opening.exception() and self._opening is opening:
            self._opening = None
        return opening.result()

    async def answered(self, embedder: Embedder, text: str) -> Sequence[Sequence[float]]:
        """Ask `embedder`, which is this one, for a question, unless it was silent a moment ago.

        Raises:
            ModelError: it fails.
            TimeoutError: it does not answer.
        """
        time = asyncio.get_running_loop().time
        if time() < self.silent_until:
            raise TimeoutError("it did not answer a moment ago")
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await embedder.embed([asked_text(text)], kind="query")
        except TimeoutError:
            self.silent_until = time() + SILENCE_S
            raise

    async def close(self) -> None:
        """Wait for nothing any more."""
        if self._opening:
            self._opening.cancel()
            await asyncio.wait({self._opening})
