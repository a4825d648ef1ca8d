"""What this plugin offers; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from pydantic import Field

from citewell import Config, Context, Loader, LoaderSpec, hookimpl


class TextConfig(Config):
    """Settings of the loaders of text."""

    encoding: str | None = Field(
        default=None, description="Encoding of every file; when not set, each file's is found out."
    )


class CsvConfig(TextConfig):
    """Settings of the CSV loader."""

    delimiter: str | None = Field(
        default=None,
        min_length=1,
        max_length=1,
        description="What stands between two fields; when not set, found out for each file.",
    )
    header: bool = Field(default=True, description="Whether the first record names the columns.")
    max_cells: int = Field(
        default=500_000, ge=1, description="A file with more cells than this is refused."
    )


@asynccontextmanager
async def build_markdown(config: TextConfig, _context: Context) -> AsyncIterator[Loader]:
    """Open the Markdown loader."""
    from citewell_text.markdown import MarkdownLoader

    yield MarkdownLoader(encoding=config.encoding)


@asynccontextmanager
async def build_restructuredtext(config: TextConfig, _context: Context) -> AsyncIterator[Loader]:
    """Open the reStructuredText loader."""
    from citewell_text.restructuredtext import RestructuredTextLoader

    yield RestructuredTextLoader(encoding=config.encoding)


@asynccontextmanager
async def build_html(config: TextConfig, _context: Context) -> AsyncIterator[Loader]:
    """Open the HTML loader."""
    from citewell_text.html import HtmlLoader

    yield HtmlLoader(encoding=config.encoding)


@asynccontextmanager
async def build_csv(config: CsvConfig, _context: Context) -> AsyncIterator[Loader]:
    """Open the CSV loader."""
    from citewell_text.csv import CsvLoader

    yield CsvLoader(
        encoding=config.encoding,
        delimiter=config.delimiter,
        header=config.header,
        max_cells=config.max_cells,
    )


@asynccontextmanager
async def build_plain(config: TextConfig, _context: Context) -> AsyncIterator[Loader]:
    """Open the loader of text without markup."""
    from citewell_text.plain import PlainLoader

    yield PlainLoader(encoding=config.encoding)


@hookimpl
def register_loaders() -> Iterable[LoaderSpec[Any]]:
    """Offer the text formats."""
    return (
        LoaderSpec(
            name="markdown",
            summary="Markdown, with headings, lines and GitHub's anchors",
            config=TextConfig,
            build=build_markdown,
            suffixes=(".md", ".markdown", ".mdown"),
        ),
        LoaderSpec(
            name="restructuredtext",
            summary="reStructuredText, with sections, lines and anchors",
            config=TextConfig,
            build=build_restructuredtext,
            suffixes=(".rst", ".rest"),
        ),
        LoaderSpec(
            name="html",
            summary="HTML, with headings, lines and anchors",
            config=TextConfig,
            build=build_html,
            suffixes=(".html", ".htm", ".xhtml"),
        ),
        LoaderSpec(
            name="csv",
            summary="tables as text, with records, cells and lines",
            config=CsvConfig,
            build=build_csv,
            suffixes=(".csv", ".tsv"),
        ),
        LoaderSpec(
            name="text",
            summary="text without markup, with lines",
            config=TextConfig,
            build=build_plain,
            suffixes=(".txt", ".text"),
        ),
    )
