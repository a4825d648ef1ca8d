"""What this plugin offers; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any

from pydantic import Field

from citewell import Config, Context, Loader, LoaderSpec, MissingExtra, hookimpl


class DocxConfig(Config):
    """Settings of the DOCX loader: none."""


class PptxConfig(Config):
    """Settings of the PPTX loader."""

    notes: bool = Field(default=True, description="Whether speaker notes can be cited.")


class XlsxConfig(Config):
    """Settings of the XLSX loader."""

    header: bool = Field(
        default=True, description="Whether the first row of each worksheet names the columns."
    )
    max_cells: int = Field(
        default=500_000, ge=1, description="A file with more filled cells than this is refused."
    )


@asynccontextmanager
async def build_docx(_config: DocxConfig, _context: Context) -> AsyncIterator[Loader]:
    """Open the DOCX loader."""
    from citewell_office.docx import DocxLoader

    yield DocxLoader()


@asynccontextmanager
async def build_xlsx(config: XlsxConfig, _context: Context) -> AsyncIterator[Loader]:
    """Open the XLSX loader."""
    from citewell_office.xlsx import XlsxLoader

    yield XlsxLoader(header=config.header, max_cells=config.max_cells)


@asynccontextmanager
async def build_pptx(config: PptxConfig, _context: Context) -> AsyncIterator[Loader]:
    """Open the PPTX loader.

    Raises:
        MissingExtra: python-pptx is not installed.
    """
    if find_spec("pptx") is None:
        raise MissingExtra("the pptx loader", package="python-pptx", extra="pptx")
    from citewell_office.pptx import PptxLoader

    yield PptxLoader(notes=config.notes)


@hookimpl
def register_loaders() -> Iterable[LoaderSpec[Any]]:
    """Offer the Office formats."""
    return (
        LoaderSpec(
            name="docx",
            summary="Word documents, with headings and bookmarks",
            config=DocxConfig,
            build=build_docx,
            suffixes=(".docx",),
        ),
        LoaderSpec(
            name="xlsx",
            summary="Excel workbooks, with sheets and cells",
            config=XlsxConfig,
            build=build_xlsx,
            suffixes=(".xlsx",),
        ),
        LoaderSpec(
            name="pptx",
            summary="PowerPoint presentations, with slides and notes",
            config=PptxConfig,
            build=build_pptx,
            suffixes=(".pptx",),
            extra="pptx",
        ),
    )
