"""Whole commands: a sync of files, files saved and deleted while a process watches, a question."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from benchmarks.corpus import Corpus, write_files
from citewell import EVERYONE, Audience, Passage, Query
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings

_SETTINGS = """
data_dir = "data"

[library.docs]
use = "files"
path = "docs"

[retriever.main]
use = "lexical"

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "quotes"
"""
_GIVE_UP_S = 30.0
_SETTLE_S = 1.0
_POLL_S = 0.005
_READER = Audience.of(EVERYONE)
_Find: TypeAlias = Callable[[], Awaitable[Sequence[Passage]]]


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with documents and settings, and the program that reads them."""

    folder: Path
    citewell: Path

    @property
    def config(self) -> Path:
        return self.folder / "citewell.toml"


@dataclass(frozen=True, slots=True)
class Sync:
    """How a first sync went, the whole process."""

    files: int
    passages: int
    seconds: float


def synced(
    corpus: Corpus, folder: Path, citewell: Path, *, rounds: int
) -> tuple[Project, list[Sync]]:
    """Return a project with the passages as files, and how its first sync went, each time anew."""
    folder.mkdir()
    files = write_files(corpus, folder / "docs")
    project = Project(folder, citewell)
    project.config.write_text(_SETTINGS, encoding="utf-8")
    return project, [_first_sync(project, files) for _ in range(rounds)]


def _first_sync(project: Project, files: int) -> Sync:
    shutil.rmtree(project.folder / "data", ignore_errors=True)
    begin = time.perf_counter()
    done = subprocess.run(
        [project.citewell, "sync", "--json", "--config", project.config],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds = time.perf_counter() - begin
    return Sync(files, json.loads(done.stdout)["passages"], seconds)


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds until another process knows, by round.

    Attributes:
        saved_s: from a file that is written until a question finds what it says.
        deleted_s: from a file that is deleted until it can neither be found nor cited.
    """

    saved_s: list[float]
    deleted_s: list[float]


def freshness(project: Project, *, rounds: int) -> Freshness:
    """Save and delete files while `citewell sync --watch` runs, and ask in this process."""
    watching = subprocess.Popen(
        [project.citewell, "sync", "--watch", "--json", "--config", project.config],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        # The first line says that the watching process is up to date.
        if watching.stdout is None or not watching.stdout.readline():
            raise RuntimeError("citewell sync --watch ended before its first sync")
        return asyncio.run(_freshness(project, rounds))
    finally:
        watching.terminate()
        watching.wait()


async def _freshness(project: Project, rounds: int) -> Freshness:
    taken = Freshness([], [])
    async with open_runtime(load_settings(project.config)) as runtime:
        retriever = await runtime.retriever("main")
        for at in range(rounds):
            query = Query(text=f"freshlysaved{at}x")
            path = project.folder / "docs" / f"saved-{at}.txt"

            async def found(query: Query = query) -> Sequence[Passage]:
                return await retriever.retrieve(query, limit=1, readable_by=_READER)

            await asyncio.sleep(_SETTLE_S)
            path.write_text(f"This was saved just now: {query.text}.", encoding="utf-8")
            taken.saved_s.append(await _until(found))
            (passage,) = await found()

            async def gone(id_: str = passage.id, found: _Find = found) -> bool:
                # An answer in work may still hold what a question before has found.
                return not await retriever.fetch([id_], readable_by=_READER) and not await found()

            await asyncio.sleep(_SETTLE_S)
            path.unlink()
            taken.deleted_s.append(await _until(gone))
    return taken


async def _until(is_so: Callable[[], Awaitable[object]]) -> float:
    """Return the seconds until it is so."""
    begin = time.perf_counter()
    while not await is_so():
        if time.perf_counter() - begin > _GIVE_UP_S:
            raise TimeoutError(f"a change was not noticed in {_GIVE_UP_S} s")
        await asyncio.sleep(_POLL_S)
    return time.perf_counter() - begin


def warm_processes(
    project: Project, question: str, other: Sequence[str | Path], *, rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of whole processes, run in turn: `citewell ask`, and `other`."""
    commands: dict[str, Sequence[str | Path]] = {
        "citewell ask": (project.citewell, "ask", question, "--config", project.config),
        "llm --help": other,
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for at in range(rounds + 1):
        for name, command in commands.items():
            begin = time.perf_counter()
            subprocess.run(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
            )
            if at:
                taken[name].append(time.perf_counter() - begin)
    return taken
