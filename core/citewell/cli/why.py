"""`citewell why`: how an answer came to be."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from citewell.cli.forms import document
from citewell.cli.options import examples, reader_option, where, where_options


@click.command(
    "why",
    epilog=examples(
        "citewell why 7m2kq4x9ab",
        "citewell why 7m2kq4x9ab --docs handbook/",
        "citewell why 7m2kq4x9ab --json",
    ),
)
@click.argument("reference", metavar="ID")
@where_options
@reader_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    reference: str,
    config: Path | None,
    docs: Path | None,
    labels: tuple[str, ...],
    as_json: bool,
) -> None:
    """Explain the answer with the reference ID.

    Shows what was found and with which scores, which statements were kept or dropped and why, and
    what made the answer. Quotes are read from the index again: what is gone or has changed is said,
    not shown.
    """
    from citewell.cli.assisting import reader
    from citewell.cli.explaining import described, explain, find
    from citewell.cli.explanation_page import explanation_page
    from citewell.cli.printing import open_printer
    from citewell.engine.runtime import open_runtime

    settings = where(config, docs).settings()
    record = find(settings, reference)

    async def told() -> None:
        async with open_runtime(settings) as runtime:
            explanation = await explain(record, runtime, reader(labels, settings))
        if as_json:
            click.echo(document("explanation", described(explanation)))
        else:
            open_printer(sys.stdout).write(explanation_page(explanation))

    asyncio.run(told())
