"""What each kind of component must do. Structural: there is no base class to inherit.

Times are in seconds; spans are `[start, end)` in characters of `Document.text`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

from citewell.blocks import Block
from citewell.types.answers import Answer, Verdict
from citewell.types.documents import (
    Changed,
    Document,
    Gone,
    IndexedDocument,
    Passage,
    RawDocument,
    Unreadable,
)
from citewell.types.questions import Audience, Delta, Prompt, Query, Usage


class Source(Protocol):
    """A place that documents come from."""

    def changes(self, known: Mapping[str, str]) -> AsyncIterator[Changed | Gone | Unreadable]:
        """Compare what is there with `known`, a mapping of document id to version.

        Yield `Changed` for what is new or has another version, `Gone` for what is known but no
        longer there, `Unreadable` for what is there and cannot be had, nothing for the rest. Files
        of `Changed` must stay readable until the method is called again or the source is closed.

        Raises:
            SourceError: the source cannot be listed; nothing is treated as gone then.
        """
        ...


class Loader(Protocol):
    """Turns a file into text with places. Runs in a child process that may be killed."""

    def load(self, raw: RawDocument) -> Document:
        """Read `raw.path`; the result's id is `raw.id`.

        Raises:
            DocumentError: the file cannot be read; says why.
        """
        ...


class Retriever(Protocol):
    """Keeps passages and finds them. Calls may overlap; writes come from one process at a time."""

    async def index(self, documents: Sequence[IndexedDocument]) -> None:
        """Add or replace whole documents. On return they are durable and can be found."""
        ...

    async def delete(self, document_ids: Sequence[str]) -> None:
        """Forget whole documents; unknown ids are ignored."""
        ...

    async def versions(self) -> Mapping[str, str]:
        """Return what is durably indexed: document id to version."""
        ...

    async def sizes(self) -> Mapping[str, int]:
        """Return how many passages each indexed document has."""
        ...

    async def retrieve(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Return at most `limit` passages, best first, filtered by reader before ranking."""
        ...

    async def fetch(self, ids: Sequence[str], *, readable_by: Audience) -> Sequence[Passage]:
        """Read passages again, now; what is gone, changed or not readable is absent.

        The order is that of `ids`; scores are 0.
        """
        ...

    async def identity(self) -> str:
        """Return a short name of the content: another one after each change of the index."""
        ...


class Model(Protocol):
    """Writes an answer."""

    def generate(self, prompt: Prompt) -> AsyncIterator[Delta | Usage]:
        """Yield deltas, then exactly one `Usage`. Closing the iterator stops the model.

        Raises:
            ModelError: it cannot answer.
        """
        ...


@runtime_checkable
class PricedModel(Model, Protocol):
    """A model that costs money; budgets are about these."""

    async def highest_cost(self, prompt: Prompt) -> float | None:
        """Return what an answer to `prompt` costs at most; None when its price is not known."""
        ...


class Embedder(Protocol):
    """Turns texts into vectors whose nearness means likeness."""

    @property
    def identity(self) -> str:
        """Names what decides about the vectors; those of another identity cannot be compared."""
        ...

    async def embed(
        self, texts: Sequence[str], *, kind: Literal["query", "passage"]
    ) -> Sequence[Sequence[float]]:
        """Return a vector of length 1 for each text, in order, all of one dimension.

        Raises:
            ModelError: they cannot be had.
        """
        ...


class Verifier(Protocol):
    """A further judge of whether passages support a claim, beside the built-in checks."""

    async def judge(self, claim: str, passages: Sequence[Passage]) -> Verdict:
        """Judge `claim`, in which citation marks are already removed."""
        ...


class Formatter(Protocol):
    """Shows an answer as neutral blocks."""

    def render(self, answer: Answer) -> Sequence[Block]:
        """Return the blocks of `answer`; the same answer gives the same blocks.

        While an answer grows (`complete` False) each rendering begins with the blocks of the one
        before; only its last block may have become longer.
        """
        ...
