"""Registers the formatters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from pydantic import Field

from citewell import Config, Context, Formatter, FormatterSpec, hookimpl


class FootnotesConfig(Config):
    """Settings of `footnotes`."""

    quotes: bool = Field(default=True, description="Show the quoted text under each source.")


class PlainConfig(Config):
    """`plain` has no settings."""


class JsonConfig(Config):
    """Settings of `json`."""

    indent: int | None = Field(
        default=2, ge=0, le=8, description="Blanks a level; null writes one line."
    )


@asynccontextmanager
async def footnotes(config: FootnotesConfig, _context: Context) -> AsyncIterator[Formatter]:
    """Open the formatter `footnotes`."""
    from citewell_formats.prose import Prose

    yield Prose(quoted=config.quotes, styled=True, offers_why=True)


@asynccontextmanager
async def plain(_config: PlainConfig, _context: Context) -> AsyncIterator[Formatter]:
    """Open the formatter `plain`."""
    from citewell_formats.prose import Prose

    yield Prose(quoted=False, styled=False, offers_why=False)


@asynccontextmanager
async def json(config: JsonConfig, _context: Context) -> AsyncIterator[Formatter]:
    """Open the formatter `json`."""
    from citewell_formats.document import JsonDocument

    yield JsonDocument(indent=config.indent)


@hookimpl
def register_formatters() -> Iterable[FormatterSpec[Any]]:
    """Offer `footnotes`, `plain` and `json`."""
    return (
        FormatterSpec(
            name="footnotes",
            summary="text with numbered marks, then the sources with their quotes",
            config=FootnotesConfig,
            build=footnotes,
        ),
        FormatterSpec(
            name="plain",
            summary="text with numbered marks, then the sources on one line each",
            config=PlainConfig,
            build=plain,
        ),
        FormatterSpec(
            name="json",
            summary="one JSON document for programs",
            config=JsonConfig,
            build=json,
        ),
    )
