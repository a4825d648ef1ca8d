"""Works on runs in the foreground, and says in the end what came of them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import click

from citewell.cli.forms import document
from citewell.cli.lines import typed
from citewell.cli.options import FAILED
from citewell.cli.tune.watching import Watcher, watcher

if TYPE_CHECKING:
    from citewell.cli.tune.home import Home
    from citewell.tuning.recipes.recipe import Recipe
    from citewell.tuning.runs.happenings import Estimated
    from citewell.tuning.runs.record import Record
    from citewell.tuning.runs.store import Run
    from citewell.tuning.runs.working import Work


class _Asker:
    """Asks at a terminal whether a training may begin."""

    def __init__(self, shown: Watcher, *, asks: bool) -> None:
        self._shown = shown
        self._asks = asks and sys.stdin.isatty()
        # One for all: what reads lines goes on reading.
        self._answers: AsyncIterator[str] | None = None

    async def confirm(self, _estimated: Estimated) -> bool:
        """Tell whether a training may begin."""
        if not self._asks:
            return True
        if self._answers is None:
            self._answers = typed("Train? [Y/n] ")
        with self._shown.paused():
            answer = await anext(self._answers, "n")
        return answer.lower() in {"", "y", "yes"}


def need_components(home: Home, recipe: Recipe) -> None:
    """Check that what a recipe names can be opened.

    Raises:
        MissingExtra: a package is not installed; says the install command.
    """
    from citewell.engine.extras import need_extra

    if recipe.trainer is not None:
        need_extra(home.registry, "trainer", recipe.trainer.spec.name)
    if recipe.export is not None:
        need_extra(home.registry, "exporter", recipe.export.spec.name)


def work_on(
    home: Home, runs: Sequence[tuple[Run, Recipe]], *, asks: bool, as_json: bool = False
) -> int:
    """Work on runs in turn, show what happens, and return the exit code.

    Raises:
        CitewellError: another process holds one of them; nothing was done.
    """
    from citewell.tuning.runs.adapting import Place
    from citewell.tuning.runs.happenings import State
    from citewell.tuning.runs.running import Terms, run_all
    from citewell.tuning.runs.working import Work

    with watcher(sys.stderr) as shown, ExitStack() as stack:
        works = []
        for run, recipe in runs:
            work = Work(run, partial(shown.told, run.id))
            stack.callback(work.close)
            works.append((work, recipe))
        for work, _ in works:
            if work.record.state is not State.WAITING:
                work.enter(State.WAITING)
        terms = Terms(place=Place(home.data_dir), confirm=_Asker(shown, asks=asks).confirm)
        try:
            records = asyncio.run(run_all(works, terms))
        except KeyboardInterrupt:
            _say_how_to_go_on([work for work, _ in works])
            raise
    _say([run for run, _ in runs], records, as_json=as_json)
    return 0 if all(record.state is State.DONE for record in records) else FAILED


def _say_how_to_go_on(works: Sequence[Work]) -> None:
    from citewell.tuning.runs.happenings import State

    for work in works:
        if work.record.state is State.INTERRUPTED:
            click.echo(f"to go on: citewell tune run --resume {work.run.id}", err=True)


def _say(runs: Sequence[Run], records: Sequence[Record], *, as_json: bool) -> None:
    from citewell.cli.runs.screen import ended, plain

    if as_json:
        fields = {"runs": [plain(*one) for one in zip(runs, records, strict=True)]}
        click.echo(document("tune-run", fields))
    for run, record in zip(runs, records, strict=True):
        if not as_json:
            ended(run, record)
