"""Shows how far a sync is, on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
        rich.TextColumn("{task.description}"),
        rich.BarColumn(bar_width=24),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[what]}", style="dim"),
        console=Console(file=out),
        transient=True,
    )
    task = bar.add_task("Reading", total=None, what="documents")

    def draw(progress: Progress) -> None:
        if progress.found > progress.done or progress.to_embed > progress.embedded:
            bar.start()
        if not bar.live.is_started:
            return
        if progress.to_embed:
            bar.update(
                task,
                description="Embedding",
                total=progress.to_embed,
                completed=progress.embedded,
                what="passages, which words find already",
            )
        else:
            what = f"documents, {progress.passages:,} passages"
            total = None if progress.is_listing else progress.found
            bar.update(task, total=total, completed=progress.done, what=what)

    try:
        yield draw
    finally:
        bar.stop()


@contextmanager
def counting_bar(out: TextIO, doing: str, what: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that draws how many of how many `what` are done; see `progress_bar`."""
    if not is_screen(out):
        yield _count_nothing
        return
    from rich import progress as rich
    from rich.console import Console

    bar = rich.Progress(
        rich.TextColumn(doing),
        rich.BarColumn(bar_width=24),
        rich.MofNCompleteColumn(),
        rich.TextColumn(what, style="dim"),
        rich.TimeRemainingColumn(),
        console=Console(file=out),
        transient=True,
    )
    task = bar.add_task("", total=None)
    with bar:
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def staged_bar(out: TextIO) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that draws what is being done, how much of it, and of how much; 0 for any.

    See `progress_bar`.
    """
    if not is_screen(out):
        yield lambda _doing, _done, _total: None
        return
    from rich import progress as rich
    from rich.console import Console

    bar = rich.Progress(
        rich.TextColumn("{task.description}"),
        rich.BarColumn(bar_width=24),
        rich.MofNCompleteColumn(),
        rich.TimeRemainingColumn(),
        console=Console(file=out),
        transient=True,
    )
    task = bar.add_task("", total=None)
    with bar:
        yield lambda doing, done, total: bar.update(
            task, description=doing, completed=done, total=total or None
        )


def _count_nothing(_done: int, _total: int) -> None:
    """Draw nothing."""


def _ignore(_progress: Progress) -> None:
    """Draw nothing."""
