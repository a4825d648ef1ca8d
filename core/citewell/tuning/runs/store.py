"""The folders of all runs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil
from msgspec import Struct
from msgspec.structs import replace

from citewell.engine.folders import make_folder
from citewell.engine.nearest import did_you_mean
from citewell.engine.registry import Registry
from citewell.errors import CitewellError
from citewell.tuning.recipes.reading import answering_of, recipe_of
from citewell.tuning.recipes.recipe import Answering, Recipe
from citewell.tuning.runs.events import Event, load
from citewell.tuning.runs.happenings import State
from citewell.tuning.runs.holding import Hold, is_held
from citewell.tuning.runs.record import Record, load_record, save_record

_LISTED = 5

KINDS = ("trainer", "exporter")
"""Of components, each with a folder of its own for every recipe, beside those of the runs."""


class Run(Struct, frozen=True):
    """The folder of a run.

    Attributes:
        folder: whose name is the run's.
    """

    folder: Path

    @property
    def id(self) -> str:
        """What people call it."""
        return self.folder.name

    @property
    def record_file(self) -> Path:
        """What is kept of it."""
        return self.folder / "run.json"

    @property
    def events_file(self) -> Path:
        """What happened, in JSON lines."""
        return self.folder / "events.jsonl"

    @property
    def log_file(self) -> Path:
        """What the trainer and the exporter said to people who look for a cause."""
        return self.folder / "log.txt"

    @property
    def recipe_file(self) -> Path:
        """The recipe as it was when the run began."""
        return self.folder / "recipe.toml"

    @property
    def data(self) -> Path:
        """Folder of the examples as they were."""
        return self.folder / "data"

    @property
    def trainer(self) -> Path:
        """Folder of the trainer's own."""
        return self.folder / "trainer"

    @property
    def adapter(self) -> Path:
        """Folder of what was learnt; there only where it is whole."""
        return self.folder / "adapter"

    @property
    def export(self) -> Path:
        """Folder of the exported files, and of their card."""
        return self.folder / "export"

    @property
    def report_file(self) -> Path:
        """The page about it."""
        return self.folder / "report.html"

    @property
    def cancel_file(self) -> Path:
        """There once somebody asked for its end."""
        return self.folder / "cancel"

    def record(self) -> Record:
        """Return what is kept of it; one whose process was killed is interrupted.

        Raises:
            CitewellError: it cannot be read.
        """
        found = load_record(self.record_file)
        if found.state.is_active and not is_held(self.folder):
            # It may have ended in between.
            found = load_record(self.record_file)
        if found.state.is_active and not is_held(self.folder):
            reason = f"its process was gone while it was {found.state}"
            return replace(found, state=State.INTERRUPTED, reason=reason)
        return found

    def events(self) -> tuple[Event, ...]:
        """Return what happened, in order."""
        return load(self.events_file)

    def recipe(self, registry: Registry) -> Recipe:
        """Return the recipe that it began with.

        Raises:
            ConfigError: a file that it names is gone, or a component is.
        """
        record = load_record(self.record_file)
        found = recipe_of(
            self.recipe_file,
            self._recipe_content(),
            registry,
            base_dir=Path(record.base_dir),
            is_begun=record.inputs is not None,
        )
        return replace(found, name=record.name)

    def answering(self, registry: Registry) -> Answering:
        """Return what its recipe says about the answers, also where the base is gone.

        Raises:
            ConfigError: that is wrong.
        """
        base_dir = Path(load_record(self.record_file).base_dir)
        content = self._recipe_content()
        return answering_of(self.recipe_file, content, registry, base_dir=base_dir)

    def _recipe_content(self) -> bytes:
        try:
            return self.recipe_file.read_bytes()
        except OSError as error:
            raise CitewellError(
                f"{self.recipe_file} cannot be read: {error.strerror}; start a new run"
            ) from error


class Runs(Struct, frozen=True):
    """All runs that are kept in a folder for data, and those that are found elsewhere.

    Attributes:
        data_dir: in which new ones are made.
        elsewhere: other folders for data; no run of theirs has the name of a new one.
    """

    data_dir: Path
    elsewhere: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        """Where the folders of new ones are."""
        return self.data_dir / "runs"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the folders of all are."""
        return (self.folder, *(one / "runs" for one in self.elsewhere))

    def every(self) -> list[Run]:
        """Return the runs, the newest first; what cannot be read is none."""
        found: list[tuple[str, Run]] = []
        for run in self._folders():
            with suppress(CitewellError):
                found.append((load_record(run.record_file).created, run))
        return [run for _, run in sorted(found, key=lambda one: one[0], reverse=True)]

    def find(self, name: str) -> Run:
        """Return the run that people call so; where two are, the one that is not elsewhere.

        Raises:
            CitewellError: there is none; names the nearest.
        """
        every = self.every()
        known = {run.id: run for run in every}
        known |= {run.id: run for run in every if run.folder.parent == self.folder}
        if name in known:
            return known[name]
        listed = ", ".join([*known][:_LISTED])
        hint = did_you_mean(name, known, f"there are: {listed}" if listed else "there are none")
        raise CitewellError(f'no run is called "{name}"{hint}')

    def new(self, recipe: Recipe) -> Run:
        """Make the folder of a run, in which nothing has happened.

        Raises:
            CitewellError: it cannot be made.
        """
        make_folder(self.folder)
        self._tidy()
        # A folder whose name begins with a dot is no run yet.
        fresh = self.folder / f".new-{os.getpid()}"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        try:
            (fresh / "recipe.toml").write_bytes(recipe.content)
            for _ in range(100):
                name = f"{recipe.name}-{self._next_number(recipe.name)}"
                save_record(fresh / "run.json", _new_record(name, recipe))
                with suppress(OSError):
                    return Run(fresh.rename(self.folder / name))
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        raise CitewellError(f"no folder for a run can be made in {self.folder}")

    def remove(self, run: Run) -> None:
        """Delete a run.

        Raises:
            CitewellError: a process holds it.
        """
        name = load_record(run.record_file).name
        hold = Hold(run.folder)
        # What is deleted half is no run any more, whatever happens then.
        gone = run.folder.with_name(f".gone-{run.id}-{os.getpid()}")
        try:
            run.folder.rename(gone)
        finally:
            hold.release()
        shutil.rmtree(gone, ignore_errors=True)
        self._remove_left(name)

    def _remove_left(self, name: str) -> None:
        """Delete what components keep for the runs of a recipe, once there is none of it."""
        for run in self.every():
            # It may be deleted meanwhile.
            with suppress(CitewellError):
                if load_record(run.record_file).name == name:
                    return
        for data_dir in (self.data_dir, *self.elsewhere):
            for kind in KINDS:
                shutil.rmtree(data_dir / kind / name, ignore_errors=True)

    def _tidy(self) -> None:
        """Delete what processes left that were killed while they made or deleted a run."""
        for folder in (*self.folder.glob(".new-*"), *self.folder.glob(".gone-*")):
            process = folder.name.rpartition("-")[2]
            if not (process.isdecimal() and psutil.pid_exists(int(process))):
                shutil.rmtree(folder, ignore_errors=True)

    def _folders(self) -> Iterator[Run]:
        for above in self.folders:
            for folder in above.iterdir() if above.is_dir() else ():
                if folder.is_dir() and not folder.name.startswith("."):
                    yield Run(folder)

    def _next_number(self, name: str) -> int:
        pattern = re.compile(rf"{re.escape(name)}-(\d+)")
        found = (pattern.fullmatch(run.id) for run in self._folders())
        return max((int(one[1]) for one in found if one), default=0) + 1


def now() -> str:
    """Return the time, as records have it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _new_record(name: str, recipe: Recipe) -> Record:
    return Record(
        id=name,
        name=recipe.name,
        created=datetime.now(UTC).isoformat(),
        state=State.WAITING,
        changed=now(),
        recipe=str(recipe.base_dir / recipe.file.name),
        base_dir=str(recipe.base_dir),
        recipe_sha256=recipe.sha256,
        citewell=version("citewell"),
        currency=recipe.currency,
        price_per_hour=recipe.price_per_hour,
        is_handed=recipe.adapter is not None,
    )
