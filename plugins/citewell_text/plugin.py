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


@asynccontextmanager
async def build_markdown(config: TextConfig, _context: Context) -> AsyncIterator[Loader]:
    """Open the Markdown loader."""
    from citewell_text.markdown import MarkdownLoader

    yield MarkdownLoader(encoding=config.encoding)


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
            name="text",
            summary="text without markup, with lines",
            config=TextConfig,
            build=build_plain,
            suffixes=(".txt", ".text"),
        ),
    )
