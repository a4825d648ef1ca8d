"""`citewell runs list`: the runs."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import click

from citewell.cli.forms import document
from citewell.cli.options import config_option, examples
from citewell.errors import CitewellError


@click.command("list", epilog=examples("citewell runs list", "citewell runs list --json"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@config_option
def command(as_json: bool, config: Path | None) -> None:
    """List the runs, the newest first, with where each is."""
    from citewell.cli.printing import open_printer
    from citewell.cli.runs.screen import listed, plain
    from citewell.cli.tune.home import home

    found = []
    for run in home(config).runs.every():
        # It may be deleted meanwhile.
        with suppress(CitewellError):
            found.append((run, run.record()))
    if as_json:
        click.echo(document("runs", {"runs": [plain(*one) for one in found]}))
    elif found:
        open_printer(sys.stdout).write(listed(found))
    else:
        click.echo("there are no runs; run: citewell tune run RECIPE")
