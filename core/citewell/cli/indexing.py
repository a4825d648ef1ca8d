"""Brings the indexes of the settings up to date, and keeps a note of the last time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from citewell.cli.printing import is_screen
from citewell.cli.progress import progress_bar
from citewell.cli.wording import counted, safe_line
from citewell.engine.folders import check_folder
from citewell.engine.runtime import open_runtime
from citewell.errors import ConfigError, IndexLocked
from citewell.library.labelling import Labelling
from citewell.library.notes import note
from citewell.library.plans import Index, Library, Readers, SyncReport, loadings
from citewell.library.syncing import sync

if TYPE_CHECKING:
    from citewell.engine.runtime import Runtime
    from citewell.engine.settings import LibrarySettings, Settings

_WAIT_S = 60.0
"""How long to wait for another process that writes the index."""

_POLL_S = 0.5


@contextmanager
def writable(settings: Settings) -> Iterator[Settings]:
    """Yield `settings` with a data folder that can be written; with a warning if it passes."""
    try:
        check_folder(settings.data_dir)
    except ConfigError as error:
        from tempfile import TemporaryDirectory

        click.echo(f"warning: {safe_line(str(error))}; nothing is kept", err=True)
        with TemporaryDirectory(prefix="citewell-") as folder:
            yield replace(settings, data_dir=Path(folder))
    else:
        yield settings


@asynccontextmanager
async def open_folder(settings: Settings) -> AsyncIterator[Runtime]:
    """Yield a runtime for a folder that is asked without settings, once it is up to date."""
    with writable(settings) as kept:
        async with open_runtime(kept) as runtime:
            await bring_up_folder(runtime)
            yield runtime


async def bring_up(runtime: Runtime, readers: Readers | None = None) -> SyncReport:
    """Sync every index, with progress on standard error.

    Args:
        runtime: opens sources and retrievers.
        readers: what reads documents; default: a few processes of this machine.

    Raises:
        StoreError: an index cannot be written.
        EngineError: the workers of an engine cannot be had, or are not fit to read anything.
    """
    settings = runtime.settings
    with progress_bar(sys.stderr) as listener:
        report = await sync(
            await indexes(runtime),
            data_dir=settings.data_dir,
            base_dir=settings.base_dir,
            readers=readers,
            progress=listener,
        )
    note(report, settings.data_dir, libraries=settings.libraries)
    return report


async def bring_up_folder(runtime: Runtime) -> None:
    """Sync the folder that is asked without settings; say in a line what is missing from it.

    Raises:
        StoreError: the index cannot be written.
    """
    report = await _bring_up_in_turn(runtime)
    folder = runtime.settings.base_dir
    for reason in report.errors.values():
        click.echo(f"note: {safe_line(reason)}; answers come from the last sync", err=True)
    if report.failed:
        number = counted(len(report.failed), "document")
        fix = safe_line(f"see: citewell sync --docs {folder}")
        click.echo(f"note: {number} cannot be read; {fix}", err=True)


async def _bring_up_in_turn(runtime: Runtime) -> SyncReport:
    """Sync once no other process does; that may well have done the work by then."""
    deadline = time.monotonic() + _WAIT_S
    is_told = not is_screen(sys.stderr)
    while True:
        try:
            return await bring_up(runtime)
        except IndexLocked:
            if time.monotonic() > deadline:
                raise
        if not is_told:
            click.echo("note: another process is reading this folder; waiting for it", err=True)
            is_told = True
        await asyncio.sleep(_POLL_S)


async def indexes(runtime: Runtime) -> list[Index]:
    """Return what shall be in which index.

    Raises:
        PluginError: a retriever cannot be opened.
    """
    settings = runtime.settings
    return [
        Index(
            name=name,
            retriever=await runtime.retriever(name),
            libraries=tuple(_library(runtime, library) for library in retriever.libraries),
        )
        for name, retriever in settings.retrievers.items()
        if not retriever.is_filled
    ]


def _library(runtime: Runtime, name: str) -> Library:
    library: LibrarySettings = runtime.settings.libraries[name]
    return Library(
        name=name,
        open=partial(runtime.source, name),
        settings=f"{library.section.use} {library.section.config.model_dump_json()}",
        loadings=loadings(runtime.settings.loaders),
        labelling=Labelling(library.labels),
        off=tuple(
            plugin.reason
            for plugin in runtime.settings.registry.plugins
            if plugin.state not in {"on", "off"}
        ),
        language=library.language,
        max_mb=library.max_mb,
        max_seconds=library.max_seconds,
        passage_chars=library.passage_chars,
    )


def suffixes(settings: Settings) -> list[str]:
    """Return how the names of those files end that people have and that can be read, sorted."""
    found = loadings(settings.loaders).items()
    return sorted(suffix for suffix, loading in found if not loading.spec.is_private)
