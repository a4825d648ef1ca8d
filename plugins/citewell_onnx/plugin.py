"""Registers the components `onnx`; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any

from citewell import (
    Context,
    Embedder,
    EmbedderSpec,
    MissingExtra,
    Reranker,
    RerankerSpec,
    hookimpl,
)
from citewell_onnx.settings import EmbedderConfig, RerankerConfig

_PACKAGES = {"onnxruntime": "onnxruntime", "tokenizers": "tokenizers", "numpy": "numpy"}


@asynccontextmanager
async def build_embedder(config: EmbedderConfig, context: Context) -> AsyncIterator[Embedder]:
    """Load the model into a process of its own.

    Raises:
        MissingExtra: onnxruntime or tokenizers is not installed.
        ModelError: a file is damaged, or gives no vectors.
    """
    _need_packages(f'embedder "{context.name}"')
    from citewell_onnx.opening import open_embedder

    async with open_embedder(config, context) as embedder:
        yield embedder


@asynccontextmanager
async def build_reranker(config: RerankerConfig, context: Context) -> AsyncIterator[Reranker]:
    """Load the model into a process of its own.

    Raises:
        MissingExtra: onnxruntime or tokenizers is not installed.
        ModelError: a file is damaged, or gives no scores.
    """
    _need_packages(f'reranker "{context.name}"')
    from citewell_onnx.opening import open_reranker

    async with open_reranker(config, context) as reranker:
        yield reranker


def _need_packages(what: str) -> None:
    for module, package in _PACKAGES.items():
        if find_spec(module) is None:
            raise MissingExtra(what, package=package, extra="onnx")


@hookimpl
def register_embedders() -> Iterable[EmbedderSpec[Any]]:
    """Offer `onnx`."""
    return (
        EmbedderSpec(
            name="onnx",
            summary="vectors from an ONNX file, run in a process of its own",
            config=EmbedderConfig,
            build=build_embedder,
            local=True,
            extra="onnx",
        ),
    )


@hookimpl
def register_rerankers() -> Iterable[RerankerSpec[Any]]:
    """Offer `onnx`."""
    return (
        RerankerSpec(
            name="onnx",
            summary="a cross-encoder from an ONNX file, run in a process of its own",
            config=RerankerConfig,
            build=build_reranker,
            local=True,
            extra="onnx",
        ),
    )
