"""Whether examples may be learnt, and what a run is made from."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from citewell.engine.extras import missing_packages
from citewell.engine.folders import make_folder
from citewell.errors import ConfigError
from citewell.training import ExampleKind
from citewell.tuning.data.inspecting import Limits, Told, every_problem
from citewell.tuning.data.loading import Loaded, load
from citewell.tuning.data.looking import Looked, limits
from citewell.tuning.data.problems import Concern, Problem
from citewell.tuning.data.writing import save
from citewell.tuning.recipes.folders import BASE_FILES, context_of
from citewell.tuning.recipes.recipe import DataFiles, Recipe
from citewell.tuning.recipes.shaping import shape
from citewell.tuning.runs.hashing import file_hash, folder_hash
from citewell.tuning.runs.record import DataFacts, Inputs
from citewell.tuning.runs.store import Run

_SHOWN = 5


class Checked(Struct, frozen=True, kw_only=True):
    """What files of examples hold, and what is wrong with them.

    Attributes:
        found: the examples that are learnt, then those of the validation, with their problems.
        limits: what was looked for.
        missing: what was not, for want of packages.
    """

    found: tuple[tuple[Loaded, list[Problem]], ...]
    limits: Limits
    missing: tuple[str, ...]

    @property
    def train(self) -> Loaded:
        """The examples that are learnt."""
        return self.found[0][0]

    @property
    def validation(self) -> Loaded | None:
        """Those that are not."""
        return self.found[1][0] if len(self.found) > 1 else None

    @property
    def errors(self) -> list[Problem]:
        """What keeps them from being learnt."""
        return [one for _, problems in self.found for one in problems if one.is_error]

    @property
    def warnings(self) -> list[Problem]:
        """What may be meant so."""
        return [one for _, problems in self.found for one in problems if not one.is_error]


def check(recipe: Recipe, told: Told) -> Checked:
    """Look at the examples of a recipe as `citewell data check` does.

    Raises:
        ConfigError: a file of questions or the tokenizer cannot be read.
        MissingExtra: a file needs a package that is not installed.
    """
    data, form = recipe.data, recipe.form
    assert data is not None  # noqa: S101 - whoever calls has looked
    # Nothing is learnt from what an adapter is proven with, so there may be few.
    unasked = {Concern.NUMBER} if recipe.adapter is not None else set()

    def reading(done: int) -> None:
        told("Reading", done, 0)

    with limits(_looked(recipe.base, data)) as (wanted, missing):
        train = load(data.train, reading, by=data.by)
        other = None if data.validation is None else load(data.validation, reading, by=data.by)
        for loaded in (train, other):
            if form is not None and loaded is not None:
                shape(loaded, form)
        problems = every_problem(train, other, data.questions, wanted, told)
        found = [(train, _of_a_training(train, problems, unasked))]
        if other is not None:
            problems = every_problem(other, None, data.questions, wanted, told)
            # Few examples are too few to learn from, and not to see how far it is.
            found.append((other, _of_a_training(other, problems, {Concern.NUMBER})))
        return Checked(found=tuple(found), limits=wanted, missing=tuple(missing))


def _looked(base: Path, data: DataFiles) -> Looked:
    """Return what is looked for; lengths only where the tokenizer of the base can tell them."""
    tokenizer = base / "tokenizer.json"
    if not tokenizer.is_file() or missing_packages("citewell", "data"):
        return Looked(region=data.region)
    return Looked(tokenizer=tokenizer, context=context_of(base), region=data.region)


def _of_a_training(
    loaded: Loaded, problems: Sequence[Problem], unasked: AbstractSet[Concern]
) -> list[Problem]:
    """Return problems as a training has them: it leaves out what is too long, unless all is."""
    longer = sum(one.concern is Concern.LENGTH for one in problems)
    concern = Concern.LEFT_OUT if longer < len(loaded.examples) else Concern.LENGTH
    fix = "cut it; it is left out, as the base reads no more"
    asked = [
        replace(one, concern=concern, fix=fix) if one.concern is Concern.LENGTH else one
        for one in problems
        if one.concern not in unasked
    ]
    return sorted(asked, key=lambda one: (not one.is_error, one.line))


def refuse(checked: Checked, recipe: Recipe) -> None:
    """Let nothing be learnt from examples that are wrong.

    Raises:
        ConfigError: some are; names the first.
    """
    lines = [one.text for one in checked.errors]
    if len(lines) > _SHOWN:
        more = f"{len(lines) - _SHOWN} more problems; run: citewell tune check {recipe.file}"
        lines = [*lines[:_SHOWN], f"{recipe.file}: {more}"]
    if lines:
        raise ConfigError(*lines)


def take_in(run: Run, recipe: Recipe, checked: Checked | None, told: Told) -> Inputs:
    """Copy what is learnt into the folder of a run, and name all that the run is made from.

    Raises:
        CitewellError: a file cannot be read or written.
    """
    facts: dict[str, DataFacts] = {}
    kind: ExampleKind | None = None
    shutil.rmtree(run.data, ignore_errors=True)
    make_folder(run.data)
    if checked is not None and checked.train.schema is not None:
        kind = checked.train.schema.kind
        for name, (loaded, _) in zip(("train", "validation"), checked.found, strict=False):
            facts[name] = _copied(loaded, run.data / f"{name}.jsonl")
    data = recipe.data
    return Inputs(
        base=str(recipe.base),
        base_sha256=_base_hash(recipe.base, told),
        kind=kind,
        train=facts.get("train"),
        validation=facts.get("validation"),
        questions={} if data is None else {str(one): file_hash(one) for one in data.questions},
    )


def check_again(run: Run, recipe: Recipe, inputs: Inputs, told: Told) -> None:
    """Check that a run goes on with what it began with.

    Raises:
        ConfigError: something has changed; says what.
    """
    changed = []
    if _base_hash(recipe.base, told) != inputs.base_sha256:
        changed.append(f"{recipe.base}: the base has changed since the run began")
    for name, facts in (("train", inputs.train), ("validation", inputs.validation)):
        path = run.data / f"{name}.jsonl"
        if facts is not None and (not path.is_file() or file_hash(path) != facts.copied_sha256):
            changed.append(f"{path}: the examples have changed since the run began")
    if changed:
        raise ConfigError(
            *(f"{one}; expected what it was: put it back, or start a new run" for one in changed)
        )


def files_of(run: Run, inputs: Inputs) -> Sequence[Path | None]:
    """Return the copies of what is learnt, and of what validates it."""
    named = (("train", inputs.train), ("validation", inputs.validation))
    return [None if facts is None else run.data / f"{name}.jsonl" for name, facts in named]


def _copied(loaded: Loaded, path: Path) -> DataFacts:
    save(path, loaded.examples)
    return DataFacts(
        file=str(loaded.path),
        sha256=file_hash(loaded.path),
        copied_sha256=file_hash(path),
        examples=len(loaded.examples),
        documents=len({name for one in loaded.examples for name in one.documents}),
    )


def _base_hash(folder: Path, told: Told) -> str:
    def progress(done: int, total: int) -> None:
        told("Hashing the base", done, total)

    return folder_hash(folder, progress, only=BASE_FILES)
