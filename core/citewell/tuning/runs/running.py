"""A run from its beginning to its end, or from where it was interrupted."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct

from citewell.engine.replacing import replace_content
from citewell.errors import CitewellError
from citewell.memory import available_bytes
from citewell.redaction import Redacting
from citewell.tuning.recipes.recipe import Recipe
from citewell.tuning.runs.adapting import Place, estimate, take_adapter, task_of, train
from citewell.tuning.runs.card import write_card
from citewell.tuning.runs.checking import Checked, check, check_again, refuse, take_in
from citewell.tuning.runs.exporting import export
from citewell.tuning.runs.happenings import Estimated, State, Warned
from citewell.tuning.runs.hashing import folder_hash
from citewell.tuning.runs.page import write_page
from citewell.tuning.runs.record import Record
from citewell.tuning.runs.saying import size
from citewell.tuning.runs.store import Run
from citewell.tuning.runs.working import LOOK_S, RunCancelled, Work

log = logging.getLogger(__name__)

_LOGGED = ("citewell.trainer", "citewell.exporter", __name__)
_WARNINGS = 20
_ASKED = "ended with citewell runs cancel"


class Terms(Struct, frozen=True, kw_only=True):
    """How runs are worked on.

    Attributes:
        confirm: given what a training will take, tells whether it may begin.
    """

    place: Place
    confirm: Callable[[Estimated], Awaitable[bool]]


class _Declined(CitewellError):
    """Whoever was asked did not want it."""


async def run_all(works: Sequence[tuple[Work, Recipe]], terms: Terms) -> list[Record]:
    """Work on runs in turn; those that wait can be cancelled meanwhile.

    One that fails keeps none of the others from its turn. Returns how each ended; one that was done
    before is so afterwards, whatever became of it now.
    """
    every = [work for work, _ in works]
    watching = asyncio.create_task(_end_waiting(every))
    try:
        for work, recipe in works:
            if work.record.state is State.WAITING:
                await _go(work, recipe, terms)
        return [work.record for work in every]
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        for work in every:
            if work.record.state is State.WAITING:
                work.enter(State.INTERRUPTED, "stopped before its turn")
            work.put_back()


async def _end_waiting(works: Sequence[Work]) -> None:
    """Cancel the runs that wait, once their end is asked for."""
    while True:
        for work in works:
            if work.record.state is State.WAITING and work.is_cancelled:
                work.enter(State.CANCELLED, _ASKED)
        await asyncio.sleep(LOOK_S)


async def _go(work: Work, recipe: Recipe, terms: Terms) -> None:
    """Work on a run; how it ended stands in its record."""
    began = _computed()
    try:
        with _logged(work.run):
            await _worked(work, recipe, terms)
    finally:
        work.keep(cpu_s=round(work.record.cpu_s + _computed() - began, 3))
        try:
            write_page(work.run, work.lasting)
        except CitewellError as error:
            # How the run ended is not to be lost, nor the turn of those that wait.
            work.tell(Warned(said=(str(error),)))


async def _worked(work: Work, recipe: Recipe, terms: Terms) -> None:
    try:
        await work.unless_cancelled(_course(work, recipe, terms))
    except RunCancelled:
        work.enter(State.CANCELLED, _ASKED)
    except _Declined as error:
        work.enter(State.CANCELLED, str(error))
    except CitewellError as error:
        work.enter(State.FAILED, str(error))
    except asyncio.CancelledError:
        work.enter(State.INTERRUPTED, "stopped from the keyboard")
        raise
    except Exception as error:
        # A plugin may raise anything.
        log.exception("run %s failed", work.run.id)
        said = " ".join(f"{type(error).__name__}: {error}".split())
        work.enter(State.FAILED, f"this should not have happened: {said}; see {work.run.log_file}")
    else:
        work.enter(State.DONE)


async def _course(work: Work, recipe: Recipe, terms: Terms) -> None:
    await _check(work, recipe)
    if not work.run.adapter.is_dir():
        await _adapt(work, recipe, terms)
    # It is whole, and what a process before this one could not say any more is said.
    work.keep(adapter_sha256=await work.in_thread(lambda _: folder_hash(work.run.adapter)))
    if recipe.export is not None:
        work.enter(State.EXPORTING)
        await export(terms.place, work, recipe)
    _adopt(work, recipe)
    write_card(work.run, work.record, recipe)


def _adopt(work: Work, recipe: Recipe) -> None:
    """Keep the recipe by which the files were made, which may export otherwise than before."""
    if recipe.sha256 != work.record.recipe_sha256:
        replace_content(work.run.recipe_file, recipe.content)
        work.keep(recipe_sha256=recipe.sha256)


async def _check(work: Work, recipe: Recipe) -> None:
    """Look at what the run is made from, or whether that is still what it was."""
    work.enter(State.CHECKING)
    known = work.record.inputs
    if known is not None:
        await work.in_thread(lambda told: check_again(work.run, recipe, known, told))
        return
    checked = None
    if recipe.data is not None:
        checked = await work.in_thread(lambda told: check(recipe, told))
        _warn(work, checked)
        refuse(checked, recipe)
    inputs = await work.in_thread(lambda told: take_in(work.run, recipe, checked, told))
    work.keep(inputs=inputs)


def _warn(work: Work, checked: Checked) -> None:
    """Tell what may be meant so, and what was not looked for."""
    lines = [one.text for one in checked.warnings]
    if len(lines) > _WARNINGS:
        lines = [*lines[:_WARNINGS], f"{len(lines) - _WARNINGS} more warnings"]
    if checked.missing:
        names = ", ".join(checked.missing)
        lines.append(f'not looked for: {names}; run: pip install "citewell[data]"')
    if lines:
        work.tell(Warned(said=tuple(lines)))


async def _adapt(work: Work, recipe: Recipe, terms: Terms) -> None:
    """Have the adapter made, or take the one that another trainer made."""
    if recipe.adapter is not None:
        folder = recipe.adapter
        await work.in_thread(lambda _: take_adapter(work.run, folder))
        return
    if work.record.estimate is None:
        work.enter(State.ESTIMATING)
        found = await estimate(terms.place, recipe, task_of(work.run, recipe, work.record))
        work.tell(found)
        _warn_of_memory(work, found)
        if not await terms.confirm(found):
            raise _Declined("not confirmed")
        work.keep(estimate=found.estimate, cost=found.cost)
    work.enter(State.TRAINING)
    await train(terms.place, work, recipe)


def _warn_of_memory(work: Work, found: Estimated) -> None:
    """Tell where this machine has less memory than a training on it needs."""
    needed, free = found.estimate.memory_bytes, available_bytes()
    if found.estimate.device.startswith("cpu") and needed > free:
        said = f"needs {size(needed)} of memory, and {size(free)} are free on this machine"
        work.tell(Warned(said=(said,)))


@contextmanager
def _logged(run: Run) -> Iterator[None]:
    """Keep what components log in the folder of a run, and off the screen, which shows the run."""
    handler = logging.FileHandler(run.log_file, encoding="utf-8", delay=True)
    handler.setFormatter(Redacting("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    loggers = [logging.getLogger(name) for name in _LOGGED]
    before = [(one.level, one.propagate) for one in loggers]
    for one in loggers:
        one.addHandler(handler)
        one.setLevel(logging.INFO)
        one.propagate = False
    try:
        yield
    finally:
        for one, (level, propagates) in zip(loggers, before, strict=True):
            one.removeHandler(handler)
            one.setLevel(level)
            one.propagate = propagates
        handler.close()


def _computed() -> float:
    """Return the seconds of computing of this process, and of those it started that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
