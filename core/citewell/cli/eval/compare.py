"""`citewell eval compare`: what two arms differ in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citewell.cli.options import Where, config_option, examples
from citewell.errors import ConfigError

if TYPE_CHECKING:
    from citewell.evaluation.report import ArmResult, Report


@click.command("compare", epilog=examples("citewell eval compare rag both"))
@click.argument("one")
@click.argument("other")
@config_option
def command(one: str, other: str, config: Path | None) -> None:
    """Show the arms ONE and OTHER of the last report beside each other.

    It names the parts in which they differ, by how much one is better, and the questions on which
    either is.
    """
    from citewell.cli.eval.screen import difference_rows
    from citewell.cli.printing import open_printer
    from citewell.evaluation.session import load_report, report_path

    found = load_report(report_path(Where(config).settings()))
    rows = difference_rows(found, _arm(found, one), _arm(found, other))
    open_printer(sys.stdout).write(rows)


def _arm(report: Report, name: str) -> ArmResult:
    from citewell.engine.nearest import did_you_mean

    found = report.arm(name)
    if found is None:
        known = [arm.name for arm in report.arms]
        hint = did_you_mean(name, known, f"there are: {', '.join(known)}")
        raise ConfigError(f'the last report has no arm "{name}"{hint}')
    return found
