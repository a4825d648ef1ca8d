"""`citewell runs`: what became of trainings."""

from __future__ import annotations

from collections.abc import Mapping

import click

from citewell.cli.grouping import LazyGroup

# Module and summary; a command's module is imported only when the command is run.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "list": ("listing", "List the runs, the newest first."),
    "show": ("show", "Show a run, also as a page."),
    "compare": ("compare", "Show what two runs differ in."),
    "cancel": ("cancel", "End a run that goes on, or that waits."),
    "rm": ("removing", "Delete runs with all that they made."),
}


@click.group("runs", cls=LazyGroup, package=__name__, modules=COMMANDS)
def command() -> None:
    """See what became of trainings, and of those that go on.

    A run is a training by a recipe, see citewell tune. One whose process was killed is interrupted,
    and goes on with citewell tune run --resume RUN.
    """
