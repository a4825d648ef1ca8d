"""Shows how far runs are while they go on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from citewell.cli.printing import is_screen
from citewell.cli.wording import safe_line

if TYPE_CHECKING:
    from citewell.training import Stepped
    from citewell.tuning.runs.happenings import Happening

_SAID_EVERY_S = 30.0
"""Where nothing can be drawn, the steps of a training are told so often."""


class Watcher:
    """Tells what happens, line by line; subclasses draw as well.

    Args:
        out: where to.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._said = 0.0
        self._steps = 0
        self._begun = 0

    def told(self, run: str, what: Happening) -> None:
        """Show what happens in a run."""
        from citewell.training import Started, Stepped

        if isinstance(what, Started):
            self._steps, self._begun = what.steps, what.step
        for line in self._lines(what):
            self._write(f"{run}: {line}")
        for line in _failed(what):
            self._fail(f"{run}: {line}")
        if isinstance(what, Stepped):
            self._step(run, what)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the screen to somebody else."""
        yield

    def close(self) -> None:
        """Leave nothing behind."""

    def _step(self, run: str, what: Stepped) -> None:
        if time.monotonic() - self._said >= _SAID_EVERY_S:
            self._said = time.monotonic()
            self._write(f"{run}: {self._progress(what)}")

    def _progress(self, what: Stepped) -> str:
        """Return how far a training is: `step 10 of 50, loss 1.2, 900 tokens/s, 5 s left`."""
        from citewell.tuning.runs.saying import duration

        said = f"step {what.step:,} of {self._steps:,}, loss {what.loss:.4g}"
        done = what.step - self._begun
        if what.seconds > 0 and done > 0:
            left = (self._steps - what.step) * what.seconds / done
            rate = what.tokens / what.seconds
            said += f", {rate:,.0f} tokens/s, {duration(left)} left"
        return said

    def _write(self, text: str) -> None:
        click.echo(safe_line(text), file=self._out)

    def _fail(self, text: str) -> None:
        self._write(f"error: {text}")

    def _lines(self, what: Happening) -> Iterator[str]:
        """Yield what is worth a line that stays."""
        from citewell.training import Exported, Started, Trained, Validated
        from citewell.tuning.runs.happenings import Entered, Estimated, Lost, State, Warned

        match what:
            case Entered(state=state, reason=reason) if state.is_active or not reason:
                yield state.value
            case Entered(state=state, reason=reason) if state is not State.FAILED:
                yield f"{state}: {' '.join(reason.split())}"
            case Warned(said=said):
                yield from (f"warning: {one}" for one in said)
            case Estimated():
                from citewell.tuning.runs.saying import estimate_lines

                yield from estimate_lines(what)
            case Started():
                begun = f" behind step {what.step:,}" if what.step else ""
                yield f"{what.parameters:,} parameters learn on {what.device}{begun}"
                from citewell.tuning.runs.saying import started_notes

                yield from (f"note: {one}" for one in started_notes(what))
            case Validated(step=step, loss=loss):
                yield f"validation after step {step:,}: loss {loss:.4g}"
            case Trained(stopped_early=why) if why:
                yield f"ended early: {why}"
            case Lost():
                from citewell.tuning.runs.saying import lost_line

                yield lost_line(what)
            case Exported(kind=kind):
                yield f"{kind} is made and proven"


class _Drawing(Watcher):
    """Draws a bar below the lines."""

    def __init__(self, out: TextIO) -> None:
        super().__init__(out)
        from rich import progress as rich
        from rich.console import Console

        self._bar = rich.Progress(
            rich.TextColumn("{task.description}", markup=False),
            rich.BarColumn(bar_width=24),
            rich.TextColumn("{task.fields[said]}", style="dim", markup=False),
            console=Console(file=out, highlight=False, markup=False),
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, said="")
        self._bar.start()

    def told(self, run: str, what: Happening) -> None:
        """Show what happens in a run."""
        from citewell.training import Exporting
        from citewell.tuning.runs.happenings import Doing, Entered

        super().told(run, what)
        match what:
            case Entered(state=state):
                self._draw(f"{run}: {state}", 0, None, "")
            case (
                Doing(said=said, done=done, total=total)
                | Exporting(said=said, done=done, total=total)
            ):
                self._draw(f"{run}: {said}", done, total or None, "")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the screen to somebody else."""
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()

    def _step(self, run: str, what: Stepped) -> None:
        self._draw(f"{run}: training", what.step, self._steps, self._progress(what))

    def _draw(self, doing: str, done: int, total: int | None, said: str) -> None:
        self._bar.update(self._task, description=doing, completed=done, total=total, said=said)

    def _write(self, text: str) -> None:
        self._bar.console.print(safe_line(text), soft_wrap=True)

    def _fail(self, text: str) -> None:
        from rich.text import Text

        said = Text.assemble(("error: ", "bold red"), safe_line(text))
        self._bar.console.print(said, soft_wrap=True)


def _failed(what: Happening) -> Sequence[str]:
    """Return why a run failed, where it just did."""
    from citewell.tuning.runs.happenings import Entered, State

    if isinstance(what, Entered) and what.state is State.FAILED:
        return what.reason.splitlines()
    return ()


@contextmanager
def watcher(out: TextIO) -> Iterator[Watcher]:
    """Yield what tells what happens; on a screen it draws."""
    found = _Drawing(out) if is_screen(out) else Watcher(out)
    try:
        yield found
    finally:
        found.close()
