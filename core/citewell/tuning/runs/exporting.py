"""From an adapter to files that a model loads, each proven."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from citewell import blocking
from citewell.engine.folders import make_folder
from citewell.errors import TrainingError
from citewell.training import Exported, ExportTask
from citewell.tuning.recipes.recipe import Recipe
from citewell.tuning.runs.adapting import Place, persistently
from citewell.tuning.runs.checking import files_of
from citewell.tuning.runs.hashing import file_hash
from citewell.tuning.runs.record import Made, Record
from citewell.tuning.runs.working import Work, closing


async def export(place: Place, work: Work, recipe: Recipe) -> None:
    """Make the files of a run.

    Raises:
        TrainingError: they cannot be made, or one is not proven.
    """
    chosen = recipe.export
    assert chosen is not None  # noqa: S101 - whoever calls has looked
    task = _task(work, recipe)
    former = await blocking.call(_there, work.record)
    async with place.exporter(recipe, chosen) as exporter:

        async def attempt() -> tuple[Made, ...]:
            made: dict[str, Made] = {}
            async with closing(exporter.export(task)) as events:
                async for event in events:
                    work.tell(event)
                    if isinstance(event, Exported):
                        made[event.kind] = await blocking.call(_made, event)
                        work.keep(made=_beside(former, made))
            return tuple(made.values())

        if not await persistently(work, recipe.attempts, attempt):
            raise TrainingError(
                f'exporter "{chosen.spec.name}" made no file; name at least one in [export]'
            )


def _there(record: Record) -> tuple[Made, ...]:
    return tuple(one for one in record.made if Path(one.file).is_file())


def _beside(former: Sequence[Made], made: Mapping[str, Made]) -> tuple[Made, ...]:
    """Return what was made, and behind it what was before and is of no kind that is made anew."""
    return (*made.values(), *(one for one in former if one.kind not in made))


def _task(work: Work, recipe: Recipe) -> ExportTask:
    run, inputs = work.run, work.record.inputs
    make_folder(run.export)
    train, validation = (None, None) if inputs is None else files_of(run, inputs)
    return ExportTask(
        base=recipe.base,
        adapter=run.adapter,
        samples=validation or train,
        out=run.export,
        card=dict(_said(work.record, recipe)),
    )


def _said(record: Record, recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Yield what the files say about themselves: what is the same whenever they are made."""
    yield "name", recipe.name
    if recipe.license is not None:
        yield "license", recipe.license
    inputs = record.inputs
    if inputs is not None:
        yield "base_model", f"{Path(inputs.base).name} sha256:{inputs.base_sha256}"
        if inputs.train is not None and not record.is_handed:
            yield "datasets", f"{Path(inputs.train.file).name} sha256:{inputs.train.sha256}"
    yield "recipe", f"sha256:{recipe.sha256}"
    yield "citewell", version("citewell")


def _made(exported: Exported) -> Made:
    if not exported.file.is_file():
        raise TrainingError(f"{exported.file} was said to be finished, and is not there")
    return Made(
        kind=exported.kind,
        file=str(exported.file),
        size=exported.file.stat().st_size,
        sha256=file_hash(exported.file),
        section=_plain(exported.section),
        # JSON has nothing for what is no number.
        figures={name: one for name, one in exported.figures.items() if math.isfinite(one)},
    )


def _plain(section: Mapping[str, object]) -> dict[str, object]:
    """Return a section as JSON and TOML hold it."""
    return {
        name: _plain(value)
        if isinstance(value, Mapping)
        else str(value)
        if isinstance(value, Path)
        else value
        for name, value in section.items()
    }
