"""Words, vectors and both: a weight fitted on half of the questions, judged on the others.

At full size the vectors are those of MiniLM (see `_minilm_vectors`), at small size of shared words.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from msgspec import to_builtins

from citewell import CatchingUpRetriever, Context, Embedder, HybridRetriever, Labels
from citewell.engine.registry import Registry
from citewell.evaluation.fitting import ALLOWED_LOSS, Fit, fit, gathered
from citewell.types.evaluation import EvalItem
from proofs import retrieval
from proofs.harness import READER, Size, data

COLLECTIONS = ("cranfield", "medquad_4k")
_SMALL = 150
_BATCH = 500


class _Known:
    """An embedder that gives the vectors of MiniLM, computed before and kept.

    Args:
        vectors: by text, float32[384].
    """

    identity = "MiniLM-L6, by onnxruntime"

    def __init__(self, vectors: Mapping[str, Sequence[float]]) -> None:
        self._vectors = vectors

    async def embed(
        self, texts: Sequence[str], *, kind: Literal["query", "passage"]
    ) -> Sequence[Sequence[float]]:
        del kind
        return [self._vectors[text] for text in texts]


class _Opened:
    """The one embedder of a proof."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def open(self, name: str) -> Embedder:
        del name
        return self._embedder

    def withholds(self, name: str, labels: Labels) -> bool:
        del name, labels
        return False


def run(*, size: Size, seed: int) -> dict[str, object]:
    """Fit and judge on each collection."""
    collections = {name: retrieval.judged(data(name)) for name in COLLECTIONS}
    found = {
        name: asyncio.run(_fitted(_shortened(one) if size == "small" else one, size, seed))
        for name, one in collections.items()
    }
    return {"size": size, "fits": {name: _plain(one) for name, one in found.items()}}


def _plain(found: Fit) -> dict[str, Any]:
    return {
        "fusion": found.fusion.model_dump(),
        "fitted_on": found.fitted_on,
        "judged_on": found.judged_on,
        "rows": [to_builtins(row) for row in found.rows],
    }


def check(result: Mapping[str, Any]) -> list[str]:
    """Name each collection on which the fitted list is worse than the better half."""
    if result["size"] == "small":
        return [f"{name} has no rows" for name, one in result["fits"].items() if not one["rows"]]
    broken = []
    for name, one in result["fits"].items():
        beside = one["rows"][-1]["beside"]["mean"]
        if beside < -ALLOWED_LOSS:
            broken.append(f"{name}: the fitted list is {-beside:.3f} worse than the better half")
    return broken


def table(result: Mapping[str, Any]) -> str:
    """Show each way to rank on the questions that nothing was fitted on."""
    lines = [
        "| questions | ranked by | nDCG@10 | beside the better half | 95% interval |",
        "|---|---|--:|--:|---|",
    ]
    for name, one in result["fits"].items():
        for row in one["rows"]:
            score, beside = row["score"], row["beside"]
            lines.append(
                f"| {name}, {one['judged_on']} | {row['name']} | {score['mean']:.3f} "
                f"| {beside['mean']:+.3f} | {beside['low']:+.3f} to {beside['high']:+.3f} |"
            )
    return "\n".join(lines)


def _shortened(whole: retrieval.Collection) -> retrieval.Collection:
    """Return the first documents, and the questions that some of them answer."""
    documents = whole.documents[:_SMALL]
    kept = {document.id.removeprefix(":") for document in documents}
    questions = tuple(one for one in whole.questions if one.relevant & kept)
    return retrieval.Collection(documents, questions)


async def _fitted(collection: retrieval.Collection, size: Size, seed: int) -> Fit:
    questions = [
        EvalItem(question=one.text, documents=tuple(sorted(one.relevant)))
        for one in collection.questions
    ]
    with TemporaryDirectory() as place:
        async with _opened(Path(place), collection, size) as retriever:
            for at in range(0, len(collection.documents), _BATCH):
                await retriever.index(collection.documents[at : at + _BATCH])
            if isinstance(retriever, CatchingUpRetriever):
                await retriever.catch_up(lambda *_: None)
            halves = await gathered(retriever, questions, READER, lambda *_: None)
            return fit(halves, retriever.fusion, seed=seed)


@asynccontextmanager
async def _opened(
    place: Path, collection: retrieval.Collection, size: Size
) -> AsyncIterator[HybridRetriever]:
    """Open the retriever as the program does, with the embedder of this size."""
    async with _embedder(place, collection, size) as embedder:
        opened = _Opened(embedder)
        async with _built(
            "retriever", "hybrid", {"embedder": "x"}, place, embedders=opened
        ) as retriever:
            yield retriever


@asynccontextmanager
async def _embedder(
    place: Path, collection: retrieval.Collection, size: Size
) -> AsyncIterator[Embedder]:
    if size == "small":
        async with _built("embedder", "scripted", {}, place) as embedder:
            yield embedder
        return
    # Imported only where it is needed: it wants packages that make models.
    from proofs import _minilm_vectors

    texts = [passage.text for one in collection.documents for passage in one.passages]
    asked = [one.text for one in collection.questions]
    vectors = await _minilm_vectors.vectors(texts, kind="passage")
    known = dict(zip(texts, vectors, strict=True))
    known.update(zip(asked, await _minilm_vectors.vectors(asked, kind="query"), strict=True))
    yield _Known(known)


@asynccontextmanager
async def _built(
    kind: str,
    name: str,
    settings: Mapping[str, Any],
    place: Path,
    *,
    embedders: _Opened | None = None,
) -> AsyncIterator[Any]:
    spec: Any = Registry.load().find(kind, name)
    context = Context(
        name="proof",
        log=logging.getLogger(__name__),
        data_dir=place,
        base_dir=place,
        embedders=embedders,
    )
    async with spec.build(spec.config.model_validate(settings), context) as component:
        yield component
