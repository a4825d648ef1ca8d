"""What this plugin offers; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from pydantic import Field

from citewell import Config, Context, Loader, LoaderSpec, hookimpl


class PdfConfig(Config):
    """Settings of the PDF loader."""

    max_pages: int = Field(
        default=2000, ge=1, description="A file with more pages than this is refused."
    )


@asynccontextmanager
async def build_pdf(config: PdfConfig, _context: Context) -> AsyncIterator[Loader]:
    """Open the PDF loader."""
    from citewell_pdf.pages import PdfLoader

    yield PdfLoader(max_pages=config.max_pages)


@hookimpl
def register_loaders() -> Iterable[LoaderSpec[Any]]:
    """Offer PDF."""
    return (
        LoaderSpec(
            name="pdf",
            summary="PDF, with pages, headings and the rows of tables",
            config=PdfConfig,
            build=build_pdf,
            suffixes=(".pdf",),
        ),
    )
