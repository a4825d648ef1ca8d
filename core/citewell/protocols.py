"""What each kind of component must do. Structural: there is no base class to inherit.

Times are in seconds; spans are `[start, end)` in characters of `Document.text`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

from citewell.blocks import Block
from citewell.fusion import Fusion
from citewell.training import (
    Estimate,
    ExportEvent,
    ExportTask,
    TrainEvent,
    TrainingTask,
)
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
from citewell.types.evaluation import EvalItem, Response, Score
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
        """Add or replace whole documents. On return they are durable and can be found.

        By their words at least; see `CatchingUpRetriever`.
        """
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

    async def within(
        self, document_id: str, *, start: int, end: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Read the passages of a document of which some character stands in `[start, end)`.

        They come in the order of the text; what is not readable is absent; scores are 0.
        """
        ...

    async def identity(self) -> str:
        """Return a short name of the content: another one after each change of the index."""
        ...


@runtime_checkable
class HybridRetriever(Retriever, Protocol):
    """A retriever that finds by words and by vectors, and weighs the two."""

    @property
    def fusion(self) -> Fusion:
        """How it weighs them."""
        ...

    async def halves(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> tuple[Sequence[Passage], Sequence[Passage]]:
        """Return what words find and what vectors find, at most `limit` each, as `fused` takes it.

        Raises:
            ModelError: the question cannot be embedded.
            StoreError: there are no vectors, or those of another embedder.
        """
        ...

    async def reindex(self, told: Callable[[int, int], None]) -> None:
        """Embed what has no vector of the present embedder yet, beside vectors that are in use.

        It goes on where it was interrupted. Questions are answered meanwhile, from vectors of one
        embedder or from words alone.

        Args:
            told: given how many passages are embedded, of how many, now and then.

        Raises:
            ModelError: the embedder fails; what is embedded stays.
            StoreError: the index cannot be written.
        """
        ...


@runtime_checkable
class CatchingUpRetriever(Retriever, Protocol):
    """A retriever whose vectors follow: what is indexed is found by its words before it has them.

    A call of `index`, also one without documents, begins with what has none, however it came to
    lack them, and does not wait for it; `delete` waits for nothing of it either.
    """

    async def catch_up(self, told: Callable[[int, int], None]) -> None:
        """Wait until everything that was indexed has its vector, or is not to have one.

        Args:
            told: given how many passages are embedded, of how many that had no vector, now and
                then.

        Raises:
            ModelError: the embedder fails; what is embedded stays, the rest is found by words.
            StoreError: the index cannot be written, or needs more than this; says what.
        """
        ...


class Reranker(Protocol):
    """Puts passages into a better order."""

    async def rerank(
        self, query: Query, passages: Sequence[Passage], *, limit: int
    ) -> Sequence[Passage]:
        """Return the `limit` best of `passages`, best first, with scores of its own.

        Raises:
            ModelError: it cannot tell.
        """
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


class Engine(Protocol):
    """Workers, mostly on other machines, that run functions of Citewell's on bytes.

    Attributes:
        workers: how many calls it can run at once.
        shares_files: whether workers find the files of this machine under the paths that they have
            here; where one does not, its bytes are sent all the same.
    """

    workers: int
    shares_files: bool

    async def call(self, function: Callable[[bytes], bytes], task: bytes) -> bytes:
        """Return `function(task)`, run on a worker. Calls may overlap; cancelling one gives it up.

        The function stands at the top level of a module that the workers can import. It changes
        nothing but what it returns, so it is run again on another worker where one ends with it.

        Raises:
            WorkerLost: that happened again and again.
            EngineError: the workers cannot be had, or the function failed.
        """
        ...


class Verifier(Protocol):
    """A further judge of whether passages support a claim, beside the built-in checks."""

    async def judge(self, claim: str, passages: Sequence[Passage]) -> Verdict:
        """Judge `claim`, in which citation marks are already removed."""
        ...


class Metric(Protocol):
    """A further score of what an evaluation gets back, beside the built-in ones."""

    async def score(self, item: EvalItem, response: Response) -> Score:
        """Return a number from 0 to 1, higher is better; calls may overlap.

        Return None where `item` expects nothing that the metric looks at, and `Unscored` where it
        does and no number can be had. Whatever is raised is counted as `Unscored`.
        """
        ...


class Formatter(Protocol):
    """Shows an answer as neutral blocks."""

    def render(self, answer: Answer) -> Sequence[Block]:
        """Return the blocks of `answer`; the same answer gives the same blocks.

        While an answer grows (`complete` False) each rendering begins with the blocks of the one
        before; only its last block may have become longer.
        """
        ...


class Trainer(Protocol):
    """Fits a model to examples; what it learns becomes a LoRA adapter in the form of PEFT."""

    async def estimate(self, task: TrainingTask) -> Estimate:
        """Measure some steps; nothing of them stays.

        Raises:
            TrainingError: the model cannot be trained so; says why, and the fix.
        """
        ...

    def train(self, task: TrainingTask, *, resume: bool) -> AsyncIterator[TrainEvent]:
        """Yield `Started`, what happens, and `Trained` in the end.

        Closing the iterator stops the work. Until `Trained` there is no adapter that could be
        loaded. The same task and settings give the same adapter, byte for byte, on the same
        machine, also where the work was stopped and went on; where that cannot be, `Started` says
        so.

        Args:
            task: what is learnt.
            resume: go on from the last `Saved` of a call with the same task and settings, where
                there is one.

        Raises:
            TrainingLost: the process ended; another attempt may succeed.
            TrainingError: it will not.
        """
        ...


class Exporter(Protocol):
    """Makes of what was trained the files that a model loads, and proves that they are equal."""

    def export(self, task: ExportTask) -> AsyncIterator[ExportEvent]:
        """Yield how far it is, and each file that is finished and proven.

        A file has its name once it is whole and proven; what stands there of an earlier call is
        replaced then. Closing the iterator stops the work.

        Raises:
            NotProven: a file differs from what was trained; it is not kept.
            TrainingLost: the process ended; another attempt may succeed.
            TrainingError: it will not.
        """
        ...
