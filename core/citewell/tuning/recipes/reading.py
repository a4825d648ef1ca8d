"""From a file to a recipe, or to a list of all that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel

from citewell.engine.problems import Problems
from citewell.engine.registry import Registry
from citewell.engine.table_reader import TableReader
from citewell.engine.tables import Component
from citewell.engine.toml_files import content_of, parsed
from citewell.errors import ConfigError, UnknownComponent
from citewell.specs import ExporterSpec, TrainerSpec
from citewell.training import ExampleKind
from citewell.tuning.data.loading import kind_of
from citewell.tuning.recipes.folders import adapter_problems, base_problems
from citewell.tuning.recipes.recipe import (
    Answering,
    ChosenExporter,
    ChosenTrainer,
    DataFiles,
    Recipe,
)
from citewell.tuning.recipes.tables import SECTIONS, Data, Deploy, Form, Head

M = TypeVar("M", bound=BaseModel)

_LONGEST_NAME = 64


def load_recipe(path: Path, registry: Registry) -> Recipe:
    """Read the recipe at `path` and check all of it, the files that it names among it.

    Raises:
        ConfigError: with every problem.
    """
    return recipe_of(path, content_of(path), registry, base_dir=path.resolve().parent)


def recipe_of(
    path: Path, content: bytes, registry: Registry, *, base_dir: Path, is_begun: bool = False
) -> Recipe:
    """Return the recipe that a content describes; see `load_recipe`.

    Args:
        path: what messages call the file.
        content: of it.
        registry: the components that there are.
        base_dir: what relative paths are relative to.
        is_begun: its run has copies of the examples and of the adapter, so theirs are not needed.

    Raises:
        ConfigError: with every problem.
    """
    tables = TableReader(parsed(path, content), base_dir, Problems(str(path)))
    return _Reading(tables, registry, is_begun=is_begun).recipe(path, content)


def answering_of(path: Path, content: bytes, registry: Registry, *, base_dir: Path) -> Answering:
    """Return what a recipe says about the answers; the rest of it may name what is gone.

    Raises:
        ConfigError: with every problem.
    """
    tables = TableReader(parsed(path, content), base_dir, Problems(str(path)))
    return _Reading(tables, registry, is_begun=True).answering()


def name_from(path: Path) -> str:
    """Return what a recipe is called by its file."""
    name = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")
    return name[:_LONGEST_NAME] or "recipe"


class _Reading:
    """One pass over a file; it goes on after a problem, so that all are found."""

    def __init__(self, tables: TableReader, registry: Registry, *, is_begun: bool) -> None:
        self._tables = tables
        self._problems = tables.problems
        self._registry = registry
        self._is_begun = is_begun

    def recipe(self, path: Path, content: bytes) -> Recipe:
        head, data = self._head(), self._data()
        form, deploy = self._table("form", Form), self._table("deploy", Deploy)
        trainer, export = self._trainer(), self._export()
        if head is not None:
            self._check_maker(head)
        if data is not None and not self._is_begun:
            self._check_kinds(data, form, trainer)
        # A folder that holds no model has been told of.
        if head is not None and not self._is_begun and not self._problems.found:
            base = self._resolved(head.base)
            self._check_component("trainer", trainer, base)
            self._check_component("export", export, base)
        self._problems.found += [f"{path}: {line}" for line in self._tables.missing]
        if self._problems.found or head is None:
            raise ConfigError(*self._problems.found)
        return Recipe(
            file=path,
            base_dir=self._tables.base_dir,
            content=content,
            name=head.name or name_from(path),
            base=self._resolved(head.base),
            license=head.license,
            price_per_hour=head.price_per_hour,
            currency=head.currency,
            attempts=head.attempts,
            data=data,
            form=form,
            trainer=trainer,
            adapter=None if head.adapter is None else self._resolved(head.adapter),
            export=export,
            deploy=deploy or Deploy(),
        )

    def answering(self) -> Answering:
        form, deploy = self._table("form", Form), self._table("deploy", Deploy)
        if self._problems.found:
            raise ConfigError(*self._problems.found)
        return Answering(deploy=deploy or Deploy(), form=form)

    def _head(self) -> Head | None:
        ours = {name: one for name, one in self._tables.data.items() if name not in SECTIONS}
        checked = self._tables.checked(Head, (), ours, owner="a recipe", beside=tuple(SECTIONS))
        if checked is None:
            return None
        head = checked.model
        for problem in base_problems(self._resolved(head.base)):
            self._problems.add(("base",), problem)
        if head.adapter is not None and not self._is_begun:
            for problem in adapter_problems(self._resolved(head.adapter)):
                self._problems.add(("adapter",), problem)
        return head

    def _check_maker(self, head: Head) -> None:
        """Check that something makes an adapter, and one thing alone."""
        is_trained = "trainer" in self._tables.data
        if head.adapter is not None and is_trained:
            message = "stands beside [trainer]; expected one of them: delete the other"
            self._problems.add(("adapter",), message)
        if head.adapter is None and not is_trained:
            self._problems.add(("trainer",), "required section is missing; add [trainer] with use")
        if head.adapter is None and "data" not in self._tables.data:
            self._problems.add(("data",), "required section is missing; add [data] with train")

    def _section(self, name: str) -> Mapping[str, Any] | None:
        table = self._tables.data.get(name)
        if table is None or isinstance(table, dict):
            return table
        self._problems.add((name,), f"expected a table, [{name}]")
        return None

    def _table(self, name: str, model: type[M]) -> M | None:
        """Return a section of the core's own; None where it is absent or wrong."""
        table = self._section(name)
        if table is None:
            return None
        checked = self._tables.checked(model, (name,), table, owner=f"[{name}]")
        return None if checked is None else checked.model

    # --- data -----------------------------------------------------------------------------

    def _data(self) -> DataFiles | None:
        data = self._table("data", Data)
        if data is None:
            return None
        found = DataFiles(
            train=self._resolved(data.train),
            validation=None if data.validation is None else self._resolved(data.validation),
            questions=tuple(map(self._resolved, data.questions)),
            by=data.by,
            region=data.region,
        )
        return found if self._is_begun or self._check_files(found) else None

    def _check_files(self, data: DataFiles) -> bool:
        before = len(self._problems.found)
        named: dict[tuple[str | int, ...], Path] = {("data", "train"): data.train}
        if data.validation is not None:
            named["data", "validation"] = data.validation
        named |= {("data", "questions", at): path for at, path in enumerate(data.questions)}
        seen: dict[Path, str] = {}
        for key, path in named.items():
            if not path.is_file():
                what = "is a folder" if path.is_dir() else "is not there"
                self._problems.add(key, f"{path} {what}; expected a file: name another, or make it")
            elif path.resolve() in seen:
                message = f"{path} is {seen[path.resolve()]} too; expected another file"
                self._problems.add(key, f"{message}: run citewell data split")
            seen.setdefault(path.resolve(), str(key[1]))
        return len(self._problems.found) == before

    def _check_kinds(
        self, data: DataFiles, form: Form | None, trainer: ChosenTrainer | None
    ) -> None:
        """Check that the files hold examples of a kind that can be learnt so."""
        learns = frozenset(ExampleKind) if trainer is None else trainer.learns
        for setting, path in (("train", data.train), ("validation", data.validation)):
            kind = None if path is None else kind_of(path)
            if kind is None:
                # What is wrong with its rows, a check of the data tells.
                continue
            said = f"{path} holds examples of the kind {kind}"
            if kind not in learns:
                self._problems.add(
                    ("data", setting),
                    f"{said}; expected {' or '.join(sorted(learns))}, of which [trainer] learns as "
                    "it is set: name another file, or change [trainer]",
                )
            if kind is not ExampleKind.CHAT and form is not None:
                message = f"{said}; expected {ExampleKind.CHAT}, whose answers have a [form]"
                self._problems.add(("data", setting), f"{message}: delete [form]")

    # --- components -----------------------------------------------------------------------

    def _trainer(self) -> ChosenTrainer | None:
        found = self._component("trainer", "trainer")
        if found is None:
            return None
        return ChosenTrainer(spec=cast("TrainerSpec[Any]", found[0]), config=found[1])

    def _export(self) -> ChosenExporter | None:
        found = self._component("export", "exporter")
        if found is None:
            return None
        return ChosenExporter(spec=cast("ExporterSpec[Any]", found[0]), config=found[1])

    def _check_component(
        self, section: str, chosen: ChosenTrainer | ChosenExporter | None, base: Path
    ) -> None:
        for setting, said in () if chosen is None else chosen.faults(base, self._tables.base_dir):
            self._problems.add((section, setting) if setting else ("base",), said)

    def _component(self, section: str, kind: str) -> tuple[Any, Any] | None:
        """Return the spec that a section chooses, and its settings."""
        table = self._section(section)
        if table is None:
            return None
        ours = {name: one for name, one in table.items() if name in Component.model_fields}
        core = self._tables.checked(Component, (section,), ours, owner=f"[{section}]")
        if core is None:
            return None
        try:
            spec: Any = self._registry.find(kind, core.model.use)
        except UnknownComponent as error:
            self._problems.add((section, "use"), str(error))
            return None
        own = {name: one for name, one in table.items() if name not in Component.model_fields}
        config = self._tables.checked(
            spec.config,
            (section,),
            own,
            owner=f'"{spec.name}"',
            beside=tuple(Component.model_fields),
        )
        return None if config is None else (spec, config.model)

    def _resolved(self, path: Path) -> Path:
        found = self._tables.base_dir / path.expanduser()
        # Whoever reads a message, or a report, has no use for a way there and back.
        return found.resolve() if ".." in found.parts else found
