"""Exports small models with random weights, as whoever trained one does."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import ggufs  # noqa: F401 - skips the tests where llama.cpp was not compiled
import random_models
from citewell import Context
from citewell.training import Exported, ExportTask
from citewell_llamacpp.export.settings import GgufConfig, build


def context_in(folder: Path) -> Context:
    """Return what an exporter is given."""
    log = logging.getLogger("citewell.exporter.gguf")
    return Context(name="gguf", log=log, data_dir=folder, base_dir=folder)


async def exported(task: ExportTask, **settings: Any) -> list[Exported]:
    """Export, and return the files."""
    config = GgufConfig(**{"threads": 1, "min_agreement": 0.0, **settings})
    async with build(config, context_in(task.out)) as exporter:
        return [one async for one in exporter.export(task) if isinstance(one, Exported)]


@cache
def folder() -> Path:
    """Return a folder of this process."""
    return Path(mkdtemp(prefix="citewell-export-"))


@cache
def base(family: str = "llama", *, tied: bool = False) -> Path:
    """Return a model of a family."""
    return random_models.make(folder() / f"{family}-{tied}", family, tied=tied)


@cache
def adapter(family: str = "llama", *, tied: bool = False) -> Path:
    """Return an adapter for `base`."""
    return random_models.adapt(base(family, tied=tied), folder() / f"{family}-{tied}-lora")


def task(out: Path, of: Path, learnt: Path | None, **settings: Any) -> ExportTask:
    """Return an export into a folder."""
    out.mkdir(exist_ok=True)
    return ExportTask(base=of, adapter=learnt, out=out, **settings)


def by_kind(files: Sequence[Exported]) -> dict[str, Exported]:
    """Return files by what they are."""
    return {one.kind: one for one in files}
