"""`citewell sync`: brings the indexes up to date."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from citewell.cli.options import FAILED, Where, examples, where, where_options
from citewell.cli.wording import safe_line

if TYPE_CHECKING:
    from citewell.engine.runtime import Runtime
    from citewell.errors import StoreError
    from citewell.library.plans import Readers, SyncReport


@click.command(
    "sync",
    epilog=examples(
        "citewell sync",
        "citewell sync --watch",
        "citewell sync --docs handbook/",
        "citewell sync --workers 8",
        "citewell sync --engine ray",
    ),
)
@where_options
@click.option("--watch", "watches", is_flag=True, help="Stay, and sync whenever a file changes.")
@click.option(
    "--workers",
    type=click.IntRange(1, 1000),
    metavar="N",
    help="Documents that are read at once; by default 2, or as many as the engine can.",
)
@click.option(
    "--engine",
    metavar="NAME",
    help="Read on the workers of this engine, a section of the settings or a component like ray.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document for each sync.")
def command(
    config: Path | None,
    docs: Path | None,
    watches: bool,
    workers: int | None,
    engine: str | None,
    as_json: bool,
) -> int:
    """Bring the index up to date: read what changed, forget what is gone.

    A document that cannot be read is reported and costs only itself; the exit code is 0 then. It is
    1 when a library could not be listed to its end, when a source cannot hand over a document, as
    for want of permission, or when a plugin is off that may read what no loader reads; what is
    indexed of it stays as it was. It is also 1 when passages are found by words alone because they
    could not be embedded; the next sync tries again.
    """
    chosen = where(config, docs)
    wanted = _Wanted(workers, engine)
    if not watches:
        return asyncio.run(_sync_once(chosen, wanted, as_json=as_json))
    with suppress(KeyboardInterrupt):
        asyncio.run(_watch(chosen, wanted, as_json=as_json))
    return 0


class _Wanted(Struct, frozen=True):
    """What is to read documents."""

    workers: int | None
    engine: str | None

    async def opened(self, runtime: Runtime) -> Readers:
        """Return it, open as long as the runtime is."""
        from citewell.library.plans import Readers

        engine = None if self.engine is None else await runtime.engine(self.engine)
        return Readers(self.workers, engine)


async def _sync_once(chosen: Where, wanted: _Wanted, *, as_json: bool) -> int:
    from citewell.cli.indexing import bring_up
    from citewell.engine.runtime import open_runtime

    async with open_runtime(chosen.settings()) as runtime:
        report = await bring_up(runtime, await wanted.opened(runtime))
    _tell(report, as_json=as_json)
    is_incomplete = report.errors or report.withheld or report.off or report.lacking
    return FAILED if is_incomplete else 0


async def _watch(chosen: Where, wanted: _Wanted, *, as_json: bool) -> None:
    from citewell.cli.indexing import indexes
    from citewell.engine.runtime import open_runtime, watched
    from citewell.errors import StoreError
    from citewell.library.notes import note
    from citewell.library.syncing import Synchronizer
    from citewell.library.watching import watch

    settings = chosen.settings()

    def told(news: SyncReport | StoreError) -> None:
        if isinstance(news, StoreError):
            click.echo(f"error: {safe_line(str(news))}", err=True)
            return
        note(news, settings.data_dir, libraries=settings.libraries)
        if not as_json:
            of = f"{', '.join(news.libraries)}: " if len(settings.libraries) > 1 else ""
            at = f"{datetime.now().astimezone():%H:%M:%S}"
            click.secho(safe_line(f"{at}  {of}"), dim=True, nl=False)
        _tell(news, as_json=as_json)

    async with open_runtime(settings) as runtime:
        to_sync = await indexes(runtime)
        async with Synchronizer(
            to_sync,
            data_dir=settings.data_dir,
            base_dir=settings.base_dir,
            readers=await wanted.opened(runtime),
        ) as synchronizer:
            folders = {name: watched(settings, name) for name in settings.libraries}
            await watch(synchronizer, folders, ignored=settings.data_dir, told=told)


def _tell(report: SyncReport, *, as_json: bool) -> None:
    from citewell.cli.printing import open_printer
    from citewell.cli.report_page import report_page
    from citewell.library.notes import described

    if as_json:
        click.echo(json.dumps(described(report)))
    else:
        open_printer(sys.stdout).write(report_page(report))
