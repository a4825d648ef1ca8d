"""`citewell runs rm`: deletes runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citewell.cli.options import config_option, examples
from citewell.cli.tune.home import complete_run
from citewell.errors import CitewellError

if TYPE_CHECKING:
    from citewell.tuning.runs.store import Run


@click.command(
    "rm",
    epilog=examples("citewell runs rm support-1 support-2", "citewell runs rm support-3 --force"),
)
@click.argument("names", nargs=-1, required=True, metavar="RUN...", shell_complete=complete_run)
@click.option("--force", is_flag=True, help="Also what the settings use.")
@config_option
def command(names: tuple[str, ...], force: bool, config: Path | None) -> None:
    """Delete the runs RUN with their checkpoints, adapters, files and reports.

    Their copies of the examples go, too, which hold people's words where rows are from the journal.

    A run that goes on is not deleted, and one whose files the settings name only with --force.
    """
    from citewell.cli.tune.home import home

    runs = home(config).runs
    found = [runs.find(name) for name in dict.fromkeys(names)]
    for run in found if not force else ():
        if used := next(_used(run, config), None):
            raise CitewellError(
                f"run {run.id} is used by [model.{used}] of the settings; deploy another run "
                "first, or use --force"
            )
    for run in found:
        runs.remove(run)
        click.echo(f"{run.id}: deleted")


def _used(run: Run, config: Path | None) -> Iterator[str]:
    """Yield the model sections of the settings that name files of a run."""
    from citewell.engine.settings import find_config, load_settings

    path = config or find_config(Path.cwd())
    if path is None:
        return
    folder = run.folder.resolve()
    for name, section in load_settings(path).models.items():
        if any(state.path.resolve().is_relative_to(folder) for state in section.files):
            yield name
