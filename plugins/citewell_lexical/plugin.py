"""Registers the retriever `lexical`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from pydantic import Field

from citewell import Config, Context, LocalPath, Retriever, RetrieverSpec, hookimpl


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


@asynccontextmanager
async def build(config: LexicalConfig, context: Context) -> AsyncIterator[Retriever]:
    """Open the retriever; on leaving, finish what is being written."""
    from citewell_lexical.retriever import LexicalRetriever

    folder = context.data_dir if config.path is None else context.resolve(config.path)
    retriever = LexicalRetriever(folder, context, stemming=config.stemming)
    try:
        yield retriever
    finally:
        await retriever.close()


@hookimpl
def register_retrievers() -> Iterable[RetrieverSpec[Any]]:
    """Offer `lexical`."""
    return (
        RetrieverSpec(
            name="lexical",
            summary="finds passages by their words (BM25); embedded, no model, no download",
            config=LexicalConfig,
            build=build,
        ),
    )
