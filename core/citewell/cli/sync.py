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

from citewell.cli.options import FAILED, Where, examples, where, where_options
from citewell.cli.wording import safe_line

if TYPE_CHECKING:
    from citewell.errors import StoreError
    from citewell.library.plans import SyncReport


@click.command(
    "sync",
    epilog=examples("citewell sync", "citewell sync --watch", "citewell sync --docs handbook/"),
)
@where_options
@click.option("--watch", "watches", is_flag=True, help="Stay, and sync whenever a file changes.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document for each sync.")
def command(config: Path | None, docs: Path | None, watches: bool, as_json: bool) -> int:
    """Bring the index up to date: read what changed, forget what is gone.

    A document that cannot be read is reported and costs only itself; the exit code is 0 then. It is
    1 when a library could not be listed to its end, when a source cannot hand over a document, as
    for want of permission, or when a plugin is off that may read what no loader reads; what is
    indexed of it stays as it was.
    """
    chosen = where(config, docs)
    if not watches:
        return asyncio.run(_sync_once(chosen, as_json=as_json))
    with suppress(KeyboardInterrupt):
        asyncio.run(_watch(chosen, as_json=as_json))
    return 0


async def _sync_once(chosen: Where, *, as_json: bool) -> int:
    from citewell.cli.indexing import bring_up
    from citewell.engine.runtime import open_runtime

    async with open_runtime(chosen.settings()) as runtime:
        report = await bring_up(runtime)
    _tell(report, as_json=as_json)
    return FAILED if report.errors or report.withheld or report.off else 0


async def _watch(chosen: Where, *, as_json: bool) -> None:
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
        note(news, settings.data_dir)
        if not as_json:
            click.secho(f"{datetime.now().astimezone():%H:%M:%S}  ", dim=True, nl=False)
        _tell(news, as_json=as_json)

    async with open_runtime(settings) as runtime:
        to_sync = await indexes(runtime)
        paths = {"data_dir": settings.data_dir, "base_dir": settings.base_dir}
        async with Synchronizer(to_sync, **paths) as synchronizer:
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
