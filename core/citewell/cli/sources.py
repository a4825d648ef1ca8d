"""`citewell sources`: what is indexed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citewell.cli.forms import document
from citewell.cli.options import examples, where, where_options

if TYPE_CHECKING:
    from citewell.engine.settings import LibrarySettings, Settings


@click.command(
    "sources",
    epilog=examples(
        "citewell sources", "citewell sources --docs handbook/", "citewell sources --json"
    ),
)
@where_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(config: Path | None, docs: Path | None, as_json: bool) -> None:
    """Show what is indexed: documents, passages, who may read them, and what cannot be read."""
    from citewell.cli.printing import open_printer
    from citewell.cli.report_page import contents_page

    contents = asyncio.run(_contents(where(config, docs).settings()))
    if as_json:
        click.echo(document("sources", contents))
    else:
        open_printer(sys.stdout).write(contents_page(contents))


async def _contents(settings: Settings) -> dict[str, Any]:
    from citewell.engine.runtime import open_runtime
    from citewell.library.notes import last_note

    async with open_runtime(settings) as runtime:
        sizes = {
            name: await (await runtime.retriever(name)).sizes()
            for name, retriever in settings.retrievers.items()
            if not retriever.is_filled
        }
    last = last_note(settings.data_dir)
    return {
        "libraries": [
            _described(library, index, sizes[index])
            for index, retriever in settings.retrievers.items()
            for name in retriever.libraries
            if (library := settings.libraries[name])
        ],
        "last_sync": last["at"] if last else None,
        "failed": last["failed"] if last else [],
    }


def _described(library: LibrarySettings, index: str, sizes: Mapping[str, int]) -> dict[str, Any]:
    from citewell.engine.memberships import known_labels

    name = library.section.name
    own = [size for id_, size in sizes.items() if id_.partition(":")[0] == name]
    return {
        "name": name,
        "source": library.section.use,
        "retriever": index,
        "documents": len(own),
        "passages": sum(own),
        "labels": {name: sorted(one) for name, one in known_labels(library).items()},
    }
