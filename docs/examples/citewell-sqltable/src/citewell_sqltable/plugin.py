"""Registers the retriever; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from pydantic import Field, SecretStr

from citewell import EVERYONE, Config, Context, Retriever, RetrieverSpec, blocking, hookimpl


class Columns(Config):
    """Which column holds what."""

    id: str = Field(default="id", description="names a row; no two rows have the same")
    title: str = Field(default="title", description="what a reader would call the row")
    text: str = Field(default="text", description="what is searched and quoted")
    link: str | None = Field(default=None, description="address that opens the row in a browser")
    updated: str | None = Field(
        default=None,
        description="changes with every change of its row, as a time or a counter does; without "
        "it every text is read to tell whether something changed",
    )
    label: str | None = Field(
        default=None,
        description="label of those who may read the row; nobody reads a row without one",
    )


class SqlTableConfig(Config):
    """Settings of `sqltable`."""

    url: SecretStr = Field(
        description="database, as SQLAlchemy writes it: DIALECT+DRIVER://USER:PASSWORD@HOST/NAME"
    )
    table: str = Field(min_length=1, description="table or view")
    columns: Columns = Field(default=Columns(), description="which column holds what")
    labels: list[str] = Field(
        default=[EVERYONE],
        min_length=1,
        description="labels of all rows where `columns` names no column for them",
    )
    candidates: int = Field(
        default=1000,
        ge=1,
        le=100_000,
        description="how many rows, of those with the rarest words of a question, are ranked",
    )


@asynccontextmanager
async def build(config: SqlTableConfig, context: Context) -> AsyncIterator[Retriever]:
    """Open the table.

    Raises:
        StoreError: the database or its driver cannot be had, or has no such table or column.
    """
    from citewell_sqltable.retriever import TableRetriever
    from citewell_sqltable.table import SqlTable

    def opened() -> SqlTable:
        return SqlTable.open(config, base_dir=context.base_dir)

    async with blocking.opened(opened, SqlTable.close) as table:
        yield TableRetriever(table, config, name=context.name)


@hookimpl
def register_retrievers() -> Iterable[RetrieverSpec[SqlTableConfig]]:
    """Offer rows of a table; whoever keeps the table fills it."""
    return (
        RetrieverSpec(
            name="sqltable",
            summary="rows of a SQL table that somebody else fills",
            config=SqlTableConfig,
            build=build,
            filled=True,
        ),
    )
