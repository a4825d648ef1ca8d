"""Registers the retrievers `lexical` and `hybrid`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any

from pydantic import Field

from citewell import (
    Config,
    Context,
    EmbedderName,
    Fusion,
    LocalPath,
    MissingExtra,
    Retriever,
    RetrieverSpec,
    hookimpl,
)


class LexicalConfig(Config):
    """Settings of the retriever `lexical`."""

    path: LocalPath | None = Field(
        default=None,
        description="folder that holds the index; relative paths start at the config file; "
        "default: below data_dir",
    )
    stemming: bool = Field(
        default=True, description="let a word match its other forms, by the rules of its language"
    )


class HybridConfig(LexicalConfig):
    """Settings of the retriever `hybrid`."""

    embedder: EmbedderName = Field(
        description="the embedder's section, or an embedder that needs no settings"
    )
    fusion: Fusion = Field(
        default=Fusion(), description="how what words find and what vectors find become one list"
    )
    exact_up_to: int = Field(
        default=100_000,
        ge=0,
        description="passages up to which every vector is looked at; with more, an index of their "
        "neighbourhood (usearch) finds nearly the same, much sooner",
    )
    ann: bool | None = Field(
        default=None,
        description="whether there is such an index; default: where usearch is installed",
    )


@asynccontextmanager
async def build(config: LexicalConfig, context: Context) -> AsyncIterator[Retriever]:
    """Open the retriever; on leaving, finish what is being written."""
    from citewell_embedded.retriever import LexicalRetriever

    folder = context.data_dir if config.path is None else context.resolve(config.path)
    retriever = LexicalRetriever(folder, context, stemming=config.stemming)
    try:
        yield retriever
    finally:
        await retriever.close()


@asynccontextmanager
async def build_hybrid(config: HybridConfig, context: Context) -> AsyncIterator[Retriever]:
    """Open the retriever; on leaving, finish what is being written.

    Raises:
        MissingExtra: NumPy is not installed, or usearch, where the settings ask for it.
    """
    what = f'retriever "{context.name}"'
    if find_spec("numpy") is None:
        raise MissingExtra(what, package="numpy", extra="hybrid")
    if config.ann and find_spec("usearch") is None:
        raise MissingExtra(what, package="usearch", extra="ann")
    from citewell_embedded.hybrid import HybridRetriever

    folder = context.data_dir if config.path is None else context.resolve(config.path)
    retriever = HybridRetriever(folder, context, config)
    try:
        yield retriever
    finally:
        await retriever.close()


@hookimpl
def register_retrievers() -> Iterable[RetrieverSpec[Any]]:
    """Offer `lexical` and `hybrid`."""
    return (
        RetrieverSpec(
            name="lexical",
            summary="finds passages by their words (BM25); embedded, no model, no download",
            config=LexicalConfig,
            build=build,
        ),
        RetrieverSpec(
            name="hybrid",
            summary="finds passages by their words and by their meaning; embedded, needs an "
            "embedder",
            config=HybridConfig,
            build=build_hybrid,
            extra="hybrid",
        ),
    )
