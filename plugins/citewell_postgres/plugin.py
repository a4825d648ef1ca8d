"""Registers the retriever `postgres`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal

from pydantic import Field, SecretStr

from citewell import (
    Config,
    Context,
    EmbedderName,
    Fusion,
    MissingExtra,
    Retriever,
    RetrieverSpec,
    hookimpl,
)


class PostgresConfig(Config):
    """Settings of the retriever `postgres`."""

    url: Literal["embedded"] | SecretStr = Field(
        description="address of the database, given as { env = NAME } or { file = PATH }, like "
        'postgresql://user@host/name; or "embedded": a server of its own, kept below data_dir'
    )
    schema_name: str | None = Field(
        default=None,
        alias="schema",
        min_length=1,
        max_length=50,
        pattern=r"^[^\x00]+$",
        description='schema that holds the index and nothing else; default: "citewell_" and the '
        "name of the section",
    )
    stemming: bool = Field(
        default=True, description="let a word match its other forms, by the rules of its language"
    )
    embedder: EmbedderName | None = Field(
        default=None,
        description="embedder whose vectors find passages too; default: words alone",
    )
    fusion: Fusion = Field(
        default=Fusion(), description="how words and vectors become one list, with an embedder"
    )
    max_connections: int = Field(
        default=8, ge=1, le=1000, description="connections for reading that a process may have"
    )


@asynccontextmanager
async def build(config: PostgresConfig, context: Context) -> AsyncIterator[Retriever]:
    """Open the retriever; on leaving, finish what is being written."""
    try:
        from citewell_postgres.database import Database, checked_url
        from citewell_postgres.embedding import Embedding
        from citewell_postgres.hybrid import HybridPostgresRetriever
        from citewell_postgres.retriever import PostgresRetriever
        from citewell_postgres.schema import checked_name
    except ImportError as error:
        package = (error.name or "psycopg").partition(".")[0]
        raise MissingExtra(
            f'retriever "{context.name}"', package=package, extra="postgres"
        ) from error
    async with AsyncExitStack() as stack:
        if isinstance(config.url, SecretStr):
            url = checked_url(config.url.get_secret_value())
        else:
            from citewell_postgres.embedded import serving

            url = await stack.enter_async_context(serving(context))
        database = Database(
            url,
            schema=checked_name(config.schema_name or f"citewell_{context.name}", context.name),
            name=context.name,
            max_connections=config.max_connections,
        )
        retriever = (
            PostgresRetriever(database, context, stemming=config.stemming)
            if config.embedder is None
            else HybridPostgresRetriever(
                database,
                context,
                embedding=Embedding(context, config.embedder),
                fusion=config.fusion,
                stemming=config.stemming,
            )
        )
        stack.push_async_callback(retriever.close)
        yield retriever


@hookimpl
def register_retrievers() -> Iterable[RetrieverSpec[Any]]:
    """Offer `postgres`."""
    return (
        RetrieverSpec(
            name="postgres",
            summary="keeps passages in PostgreSQL, and finds them by words (BM25) and vectors",
            config=PostgresConfig,
            build=build,
            extra="postgres",
        ),
    )
