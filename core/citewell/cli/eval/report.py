"""`citewell eval report`: the last report, in the form that is wanted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citewell.cli.options import Where, config_option, examples
from citewell.cli.wording import safe_line

if TYPE_CHECKING:
    from citewell.engine.settings import Settings
    from citewell.evaluation.report import Report


@click.command(
    "report",
    epilog=examples(
        "citewell eval report",
        "citewell eval report --html report.html",
        "citewell eval report --json > report.json",
        "citewell eval report --junit report.xml",
    ),
)
@click.option(
    "--html",
    "page",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write a page that needs no network.",
)
@click.option(
    "--junit",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what a CI server reads.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@config_option
def command(page: Path | None, junit: Path | None, as_json: bool, config: Path | None) -> None:
    """Show the last report: verdict, arms, slices, and what makes them doubtful."""
    from citewell.evaluation.session import encoded

    found = _report(Where(config).settings())
    if page is not None:
        from citewell.evaluation.page import html

        _write(page, html(found))
    if junit is not None:
        from citewell.evaluation.junit import junit_xml

        _write(junit, junit_xml(found))
    if as_json:
        click.echo(encoded(found).decode(), nl=False)
    elif page is None and junit is None:
        from citewell.cli.eval.screen import screen
        from citewell.cli.printing import open_printer

        open_printer(sys.stdout).write(screen(found))


def _report(settings: Settings) -> Report:
    """Return the last report, beside what people say of its answers by now."""
    from citewell.evaluation.agreeing import beside_people
    from citewell.evaluation.labels import load_labels
    from citewell.evaluation.ranking import need_statistics
    from citewell.evaluation.session import labels_path, load_report, report_path

    found = load_report(report_path(settings))
    labels = load_labels(labels_path(settings))
    if labels:
        need_statistics("agreement with people")
    return beside_people(found, labels)


def _write(path: Path, text: str) -> None:
    from citewell.engine.replacing import replace_content

    replace_content(path, text.encode(errors="replace"))
    click.echo(f"written: {safe_line(str(path))}", err=True)
