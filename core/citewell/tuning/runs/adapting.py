"""From examples to an adapter."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from citewell.engine.folders import make_folder
from citewell.errors import CitewellError, TrainingError, TrainingLost
from citewell.protocols import Exporter, Trainer
from citewell.specs import Context
from citewell.training import Estimate, Trained, TrainingTask
from citewell.tuning.data.writing import save
from citewell.tuning.recipes.folders import ADAPTER_FILES, TOKENIZER_FILES, adapter_problems
from citewell.tuning.recipes.recipe import ChosenExporter, ChosenTrainer, Recipe
from citewell.tuning.runs.checking import Checked, files_of
from citewell.tuning.runs.happenings import Estimated, Lost
from citewell.tuning.runs.record import Record
from citewell.tuning.runs.store import Run
from citewell.tuning.runs.working import Work, closing

T = TypeVar("T")


class Place(Struct, frozen=True):
    """Where components keep their files; the folder for data."""

    data_dir: Path

    def trainer(
        self, recipe: Recipe, chosen: ChosenTrainer
    ) -> AbstractAsyncContextManager[Trainer]:
        """Open a trainer."""
        return chosen.spec.build(chosen.config, self._context("trainer", recipe))

    def exporter(
        self, recipe: Recipe, chosen: ChosenExporter
    ) -> AbstractAsyncContextManager[Exporter]:
        """Open an exporter."""
        return chosen.spec.build(chosen.config, self._context("exporter", recipe))

    def _context(self, kind: str, recipe: Recipe) -> Context:
        folder = self.data_dir / kind / recipe.name
        make_folder(folder)
        return Context(
            name=recipe.name,
            log=logging.getLogger(f"citewell.{kind}.{recipe.name}"),
            data_dir=folder,
            base_dir=recipe.base_dir,
        )


async def estimate(place: Place, recipe: Recipe, task: TrainingTask) -> Estimated:
    """Return what a training will take.

    Raises:
        TrainingError: the model cannot be trained so.
    """
    assert recipe.trainer is not None  # noqa: S101 - whoever calls has looked
    async with place.trainer(recipe, recipe.trainer) as trainer:
        found = await trainer.estimate(task)
    return Estimated(estimate=found, cost=_cost(recipe, found), currency=recipe.currency)


async def estimate_apart(place: Place, recipe: Recipe, checked: Checked) -> Estimated:
    """Return what a training will take, for which there is no run; nothing of it stays.

    Raises:
        TrainingError: the model cannot be trained so.
    """
    with tempfile.TemporaryDirectory(prefix="citewell-estimate-") as name:
        folder = Path(name)
        examples, validation, out = (
            folder / one for one in ("train.jsonl", "validation.jsonl", "out")
        )
        out.mkdir()
        save(examples, checked.train.examples)
        if checked.validation is not None:
            save(validation, checked.validation.examples)
        assert checked.train.schema is not None  # noqa: S101 - else there were errors
        task = TrainingTask(
            base=recipe.base,
            kind=checked.train.schema.kind,
            examples=examples,
            validation=None if checked.validation is None else validation,
            out=out,
        )
        return await estimate(place, recipe, task)


def task_of(run: Run, recipe: Recipe, record: Record) -> TrainingTask:
    """Return what the trainer of a run is given."""
    inputs = record.inputs
    if inputs is None or inputs.kind is None:
        raise TrainingError(f"run {run.id} has no examples; start a new run")
    examples, validation = files_of(run, inputs)
    assert examples is not None  # noqa: S101 - their kind is known
    make_folder(run.trainer)
    return TrainingTask(
        base=recipe.base,
        kind=inputs.kind,
        examples=examples,
        validation=validation,
        out=run.trainer,
    )


async def train(place: Place, work: Work, recipe: Recipe) -> None:
    """Let a model learn; then the run has its adapter.

    Raises:
        TrainingError: it cannot, or did not in as many attempts as there are.
    """
    chosen = recipe.trainer
    assert chosen is not None  # noqa: S101 - whoever calls has looked
    task = task_of(work.run, recipe, work.record)
    async with place.trainer(recipe, chosen) as trainer:

        async def attempt() -> Trained:
            resume = any(work.run.trainer.iterdir())
            ended = None
            async with closing(trainer.train(task, resume=resume)) as events:
                async for event in events:
                    work.tell(event)
                    ended = event
            if isinstance(ended, Trained):
                return ended
            raise TrainingError(
                f'trainer "{chosen.spec.name}" ended without an adapter; expected it to tell '
                "where that is: update it"
            )

        trained = await persistently(work, recipe.attempts, attempt)
    work.keep(step=trained.step, stopped_early=trained.stopped_early)
    await work.in_thread(lambda _: take_adapter(work.run, trained.adapter))


async def persistently(work: Work, attempts: int, attempt: Callable[[], Awaitable[T]]) -> T:
    """Try something again where its process ended before its time.

    Raises:
        TrainingLost: it did so each time.
    """
    for number in range(1, attempts + 1):
        try:
            return await attempt()
        except TrainingLost as error:
            if number == attempts:
                raise TrainingLost(
                    f"{error}; tried {attempts} times; to go on, run: {work.command}"
                ) from error
            work.tell(Lost(attempt=number, attempts=attempts, reason=str(error)))
    raise AssertionError("there is at least one attempt")


def take_adapter(run: Run, folder: Path) -> None:
    """Let a run have an adapter, which is there as a whole or not at all.

    Raises:
        TrainingError: it is none in the form of PEFT.
        CitewellError: it cannot be copied.
    """
    problems = [*adapter_problems(folder)]
    if problems:
        raise TrainingError("\n".join(problems))
    fresh = run.folder / ".adapter"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir()
        for path in _of_an_adapter(folder):
            _copy_to_disk(path, fresh / path.name)
        fresh.rename(run.adapter)
    except OSError as error:
        raise CitewellError(
            f"{error.filename or run.adapter} cannot be copied: {error.strerror}"
        ) from error


def _of_an_adapter(folder: Path) -> Sequence[Path]:
    """Return the files that count; the state of an optimizer is large and of no use here."""
    patterns = (*ADAPTER_FILES, *TOKENIZER_FILES)
    return sorted({path for one in patterns for path in folder.glob(one) if path.is_file()})


def _copy_to_disk(path: Path, target: Path) -> None:
    shutil.copyfile(path, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _cost(recipe: Recipe, found: Estimate) -> float | None:
    if recipe.price_per_hour is None:
        return None
    return recipe.price_per_hour * found.seconds / 3600
