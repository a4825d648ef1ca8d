"""What this plugin offers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import Field

from citewell import Config, Context, LocalPath, Source, SourceSpec, hookimpl
from citewell.globs import Glob


class FilesConfig(Config):
    """Settings of the source `files`."""

    path: LocalPath = Field(
        description="The folder; relative to the settings file.", examples=["docs"]
    )
    include: tuple[Glob, ...] = Field(
        default=(),
        description="Patterns as in a .gitignore file; only what matches is read. Empty: all.",
    )
    exclude: tuple[Glob, ...] = Field(
        default=(),
        description="Patterns of what is left out, beside hidden and generated files. "
        'A pattern with "!" takes something back in. '
        "A file .citewellignore in the folder adds to them.",
    )
    base_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Where people find the same files in a browser; the path is put behind it.",
    )


def watched(config: FilesConfig, context: Context) -> tuple[Path, ...]:
    """Return the folder, whose changes mean that a sync is due."""
    return (context.resolve(config.path),)


@asynccontextmanager
async def build(config: FilesConfig, context: Context) -> AsyncIterator[Source]:
    """Open the source; the folder itself is read at each sync."""
    from citewell_files.folder import Folder

    yield Folder(context.resolve(config.path), config, context)


@hookimpl
def register_sources() -> Iterable[SourceSpec[Any]]:
    """Offer `files`."""
    return (
        SourceSpec(
            name="files",
            summary="a folder on this machine",
            config=FilesConfig,
            build=build,
            watched=watched,
        ),
    )
