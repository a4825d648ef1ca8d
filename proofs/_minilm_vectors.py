"""What MiniLM makes of the data sets, computed once: vectors, and how well they find.

    python -m proofs._minilm_vectors [onnx] [llamacpp]

For each data set it prints nDCG@10 of the exact cosine, and how many passages one thread embeds in
a second.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from citewell import Context
from citewell.engine.registry import Registry
from proofs import _minilm
from proofs.harness import data, rows
from proofs.retrieval import ndcg

Kind = Literal["query", "passage"]
DATA_SETS = ("cranfield", "medquad_4k", "xquad_mini")
_TOGETHER = 64


async def vectors(
    texts: Sequence[str], *, kind: Kind, embedder: str = "onnx"
) -> NDArray[np.float32]:
    """Return float32[n, 384], from the cache where the same was embedded before.

    What is not there is computed by the embedder as the program opens it.
    """
    return (await _timed(texts, kind=kind, embedder=embedder))[0]


async def _timed(
    texts: Sequence[str], *, kind: Kind, embedder: str
) -> tuple[NDArray[np.float32], float | None]:
    """Return the vectors, and the seconds that they took unless they were known."""
    spec: Any = Registry.load().find("embedder", embedder)
    folder = _minilm.folder()
    path = _minilm.onnx_folder() if embedder == "onnx" else _minilm.gguf_file()
    # One thread is what two programs can be compared by, however busy the machine is.
    config = spec.config.model_validate({"path": path, "threads": 1})
    log = logging.getLogger("citewell.embedder.minilm")
    context = Context(name="minilm", log=log, data_dir=folder, base_dir=folder)
    async with spec.build(config, context) as opened:
        shape = "\0".join([opened.identity, kind, *texts]).encode("utf-8", "replace")
        kept = folder / f"{embedder}-{hashlib.sha256(shape).hexdigest()[:24]}.npy"
        if kept.exists():
            return np.load(kept), None
        found: list[Sequence[float]] = []
        began = perf_counter()
        for at in range(0, len(texts), _TOGETHER):
            found += await opened.embed(texts[at : at + _TOGETHER], kind=kind)
        seconds = perf_counter() - began
    made = np.asarray(found, np.float32)
    half = kept.with_suffix(".part.npy")
    np.save(half, made)
    half.replace(kept)
    return made, seconds


def passages(name: str) -> dict[str, str]:
    """Return the passages of a data set, by id."""
    if name == "xquad_mini":
        return {
            f"{path.stem} {at}": paragraph
            for path in sorted((data(name) / "corpus").iterdir())
            for at, paragraph in enumerate(_paragraphs(path))
        }
    return {row["id"]: row["text"] for row in rows(data(name) / "corpus.jsonl")}


def questions(name: str) -> list[tuple[str, frozenset[str]]]:
    """Return each question that has an answer, with the ids of the passages that hold it."""
    if name == "xquad_mini":
        asked = [row for row in rows(data(name) / "questions.jsonl") if not row["unanswerable"]]
        return [
            (
                row["question"],
                frozenset(f"{one['doc_id']} {one['paragraph']}" for one in row["evidence"]),
            )
            for row in asked
        ]
    return [
        (row["query"], frozenset(row["relevant"])) for row in rows(data(name) / "queries.jsonl")
    ]


def _paragraphs(path: Path) -> list[str]:
    parts = path.read_text(encoding="utf-8").split("\n\n")
    return [part for part in parts if not part.startswith("#")]


async def measure(name: str, *, embedder: str) -> tuple[float, float | None]:
    """Return nDCG@10 of the exact cosine, and passages a second unless they were known."""
    known, asked = passages(name), questions(name)
    ids = list(known)
    found, seconds = await _timed(list(known.values()), kind="passage", embedder=embedder)
    texts = [text for text, _ in asked]
    wanted = await vectors(texts, kind="query", embedder=embedder)
    best = np.argsort(-(wanted @ found.T), axis=1, kind="stable")[:, :10]
    scores = [
        ndcg([ids[at] for at in ranking], relevant)
        for ranking, (_, relevant) in zip(best, asked, strict=True)
    ]
    return float(np.mean(scores)), None if seconds is None else len(ids) / seconds


def main() -> None:
    """Measure on each data set."""
    for embedder in sys.argv[1:] or ["onnx"]:
        for name in DATA_SETS:
            score, speed = asyncio.run(measure(name, embedder=embedder))
            said = "from the cache" if speed is None else f"{speed:.1f} passages/s"
            print(f"{embedder} {name}: nDCG@10 {score:.3f}, {said}", flush=True)


if __name__ == "__main__":
    main()
