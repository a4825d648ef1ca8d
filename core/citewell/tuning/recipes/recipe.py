"""A recipe, as values that never change."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from msgspec import Struct
from pydantic import BaseModel

from citewell.specs import ExporterSpec, Faults, TrainerSpec
from citewell.training import ExampleKind
from citewell.tuning.recipes.tables import Deploy, Form


class ChosenTrainer(Struct, frozen=True, kw_only=True):
    """A trainer with its settings; `config` is an instance of `spec.config`."""

    spec: TrainerSpec[Any]
    config: BaseModel

    @property
    def learns(self) -> frozenset[ExampleKind]:
        """The kinds of examples that it learns from."""
        return self.spec.learns(self.config)

    def faults(self, base: Path, base_dir: Path) -> Faults:
        """Return what keeps it from being used; see `TrainerSpec.check`."""
        return () if self.spec.check is None else self.spec.check(self.config, base, base_dir)


class ChosenExporter(Struct, frozen=True, kw_only=True):
    """An exporter with its settings; `config` is an instance of `spec.config`."""

    spec: ExporterSpec[Any]
    config: BaseModel

    def faults(self, base: Path, base_dir: Path) -> Faults:
        """Return what keeps it from being used; see `TrainerSpec.check`."""
        return () if self.spec.check is None else self.spec.check(self.config, base, base_dir)


class DataFiles(Struct, frozen=True, kw_only=True):
    """The files of examples and questions; see `tables.Data`."""

    train: Path
    validation: Path | None = None
    questions: tuple[Path, ...] = ()
    by: str | None = None
    region: str | None = None


class Answering(Struct, frozen=True, kw_only=True):
    """Where what was made is to answer, and the form that its answers have."""

    deploy: Deploy
    form: Form | None


class Recipe(Struct, frozen=True, kw_only=True):
    """What a training is told; its files were there when it was read.

    Attributes:
        file: that it was read from.
        base_dir: what its relative paths are relative to.
        content: of the file.
        adapter: that another trainer made; there is either one or a `trainer`.
        form: that every answer has; None where that is free.
        export: None where only the adapter is wanted.
    """

    file: Path
    base_dir: Path
    content: bytes
    name: str
    base: Path
    license: str | None = None
    price_per_hour: float | None = None
    currency: str | None = None
    attempts: int = 3
    data: DataFiles | None = None
    form: Form | None = None
    trainer: ChosenTrainer | None = None
    adapter: Path | None = None
    export: ChosenExporter | None = None
    deploy: Deploy

    @property
    def sha256(self) -> str:
        """Of the file."""
        return hashlib.sha256(self.content).hexdigest()
