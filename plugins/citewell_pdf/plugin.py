"""What this plugin offers; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Any

from pydantic import Field

from citewell import Config, Context, Loader, LoaderSpec, MissingExtra, hookimpl

_OCR_MB = 2048
"""The models and the picture of a page take about 900 MB."""


class PdfConfig(Config):
    """Settings of the PDF loader."""

    max_pages: int = Field(
        default=2000, ge=1, description="A file with more pages than this is refused."
    )
    ocr: bool = Field(
        default=False,
        description="Recognise text on pages that are pictures. It takes seconds of computing a "
        "page, so raise max_seconds of the library; and it misreads some.",
    )


def memory_mb(config: PdfConfig) -> int:
    """Return how much memory reading a file may take."""
    return _OCR_MB if config.ocr else 0


@asynccontextmanager
async def build_pdf(config: PdfConfig, context: Context) -> AsyncIterator[Loader]:
    """Open the PDF loader.

    Raises:
        MissingExtra: text is to be recognised, and what does that is not installed.
    """
    if config.ocr and find_spec("rapidocr") is None:
        raise MissingExtra(
            f'loader "{context.name}" with ocr = true', package="rapidocr", extra="ocr"
        )
    from citewell_pdf.pages import PdfLoader
    from citewell_pdf.recognition import Recognizer

    recognizer = Recognizer() if config.ocr else None
    yield PdfLoader(max_pages=config.max_pages, recognizer=recognizer)


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
            version=2,
            memory_mb=memory_mb,
        ),
    )
