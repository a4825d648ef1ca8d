"""`citewell runs cancel`: ends a run from anywhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citewell.cli.options import FAILED, config_option, examples
from citewell.cli.tune.home import complete_run
from citewell.errors import CitewellError

if TYPE_CHECKING:
    from citewell.tuning.runs.store import Run

_PATIENCE_S = 10.0
_LOOK_S = 0.1


@click.command("cancel", epilog=examples("citewell runs cancel support-3"))
@click.argument("name", metavar="RUN", shell_complete=complete_run)
@config_option
def command(name: str, config: Path | None) -> int:
    """End the run RUN, which goes on in another terminal or waits there for its turn.

    What it saved stays: it goes on with citewell tune run --resume RUN. The exit code is 1 where
    its process does not end it within ten seconds; it does as soon as it can.
    """
    from citewell.cli.tune.home import home
    from citewell.tuning.runs.happenings import State

    run = home(config).run(name)
    state = run.record().state
    if state is State.INTERRUPTED:
        _end(run)
    elif state.is_active:
        run.cancel_file.touch()
        if not _has_ended(run):
            click.echo(f"{run.id}: asked for its end; its process is still at something", err=True)
            return FAILED
    else:
        raise CitewellError(f"run {run.id} is {state} already; expected one that goes on")
    click.echo(f"{run.id}: {run.record().state}")
    return 0


def _end(run: Run) -> None:
    """Say of a run that no process holds that it will not go on by itself."""
    from citewell.tuning.runs.happenings import State
    from citewell.tuning.runs.working import Work

    work = Work(run, lambda _: None)
    try:
        work.enter(State.CANCELLED, "ended with citewell runs cancel")
    finally:
        work.close()


def _has_ended(run: Run) -> bool:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if not run.record().state.is_active:
            return True
        time.sleep(_LOOK_S)
    return False
