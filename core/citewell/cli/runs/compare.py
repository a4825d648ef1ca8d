"""`citewell runs compare`: what two runs differ in."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from citewell.cli.forms import document
from citewell.cli.options import config_option, examples
from citewell.cli.tune.home import complete_run


@click.command("compare", epilog=examples("citewell runs compare support-2 support-3"))
@click.argument("one", shell_complete=complete_run)
@click.argument("other", shell_complete=complete_run)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@config_option
def command(one: str, other: str, as_json: bool, config: Path | None) -> None:
    """Show the runs ONE and OTHER beside each other, and in what their recipes differ.

    Which of the two answers better, only an evaluation tells: citewell eval.
    """
    from citewell.cli.printing import open_printer
    from citewell.cli.runs.screen import compared_rows
    from citewell.cli.tune.home import home
    from citewell.tuning.runs.comparing import compare

    runs = home(config).runs
    first, second = runs.find(one), runs.find(other)
    found = compare(first, second)
    if as_json:
        fields = {"runs": [first.id, second.id], **msgspec.to_builtins(found)}
        click.echo(document("runs-compare", fields))
        return
    open_printer(sys.stdout).write(compared_rows((first.id, second.id), found))
