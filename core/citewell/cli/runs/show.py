"""`citewell runs show`: one run."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from citewell.cli.forms import document
from citewell.cli.options import config_option, examples
from citewell.cli.tune.home import complete_run


@click.command(
    "show",
    epilog=examples(
        "citewell runs show support-3",
        "citewell runs show support-3 --html report.html",
        "citewell runs show support-3 --json",
    ),
)
@click.argument("name", metavar="RUN", shell_complete=complete_run)
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page with curves, which needs no network.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@config_option
def command(name: str, page: Path | None, as_json: bool, config: Path | None) -> None:
    """Show the run RUN: how far it is or how it ended, what it made, and of what."""
    from citewell.cli.printing import open_printer
    from citewell.cli.runs.screen import plain, shown, written
    from citewell.cli.tune.home import home

    run = home(config).run(name)
    record = run.record()
    if page is not None:
        from citewell.engine.replacing import replace_content
        from citewell.tuning.runs.page import html

        replace_content(page, html(run, record).encode("utf-8", "replace"))
        written(page)
    if as_json:
        click.echo(document("run", plain(run, record)))
    elif page is None:
        open_printer(sys.stdout).write(shown(run, record))
