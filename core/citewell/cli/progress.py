"""Shows how far a sync is, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from citewell.cli.printing import is_screen

if TYPE_CHECKING:
    from citewell.library.plans import Progress, ProgressListener


@contextmanager
def progress_bar(out: TextIO) -> Iterator[ProgressListener]:
    """Yield a listener that draws a bar on `out` once there is something to read.

    The bar goes away at the end; where `out` is no terminal there is none.
    """
    if not is_screen(out):
        yield _ignore
        return
    from rich import progress as rich
    from rich.console import Console

    bar = rich.Progress(
        rich.TextColumn("Reading"),
        rich.BarColumn(bar_width=24),
        rich.MofNCompleteColumn(),
        rich.TextColumn("documents, {task.fields[passages]:,} passages", style="dim"),
        console=Console(file=out),
        transient=True,
    )
    task = bar.add_task("", total=None, passages=0)

    def draw(progress: Progress) -> None:
        if progress.found > progress.done:
            bar.start()
        if bar.live.is_started:
            total = None if progress.is_listing else progress.found
            bar.update(task, total=total, completed=progress.done, passages=progress.passages)

    try:
        yield draw
    finally:
        bar.stop()


def _ignore(_progress: Progress) -> None:
    """Draw nothing."""
