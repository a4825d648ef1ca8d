"""A sync that is killed again and again, while another process asks.

Each round gives every document a new version and starts `citewell sync`, which is ended by SIGKILL
at a random moment. A reader asks all the while: each answer must be one whole version of a
document, never an older one than before. In the end a sync completes what the kills left, and the
index must equal one that is made from nothing.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, cast

from citewell import Passage, Query, Retriever
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from proofs._kills_corpus import write
from proofs.harness import READER, ROOT, Size

_SYNC = "import sys; from citewell.cli.main import main; sys.exit(main())"
_SETTINGS = """\
data_dir = "{data_dir}"
[library.docs]
use = "files"
path = "docs"
[retriever.main]
use = "lexical"
[profile.default]
retriever = "main"
model = "extractive"
"""
_AFTERWARDS_S = 2.0
_SIZES = {"small": (200, 5), "full": (2000, 100)}


def run(*, size: Size, seed: int) -> dict[str, object]:
    """Kill, ask, complete, compare."""
    files, kills = _SIZES[size]
    with TemporaryDirectory() as name:
        return asyncio.run(_tried(Path(name), files=files, kills=kills, seed=seed))


async def _tried(root: Path, *, files: int, kills: int, seed: int) -> dict[str, object]:
    trial = Trial(root, files=files, seed=seed)
    trial.next_version()
    trial.sync()
    async with opened(root / "data.toml") as retriever:
        with trial.reader() as reader:
            for _ in range(kills):
                await trial.kill_once(reader, retriever)
            last = trial.sync()
            await asyncio.sleep(_AFTERWARDS_S)
            seen = reader.ended()
        grown = await content(retriever)
    trial.sync("fresh")
    async with opened(root / "fresh.toml") as retriever:
        fresh = await content(retriever)
    return {
        "files": files,
        "kills": kills,
        "syncs that ended before their kill": trial.survived,
        "kills by documents indexed": trial.kills_by_progress,
        "answers": seen["counts"],
        "wrong": seen["wrong"],
        "documents": len(fresh),
        "passages": sum(len(passages) for _, passages in fresh.values()),
        "equal to a fresh index": grown == fresh,
        "last sync": last,
    }


def check(result: Mapping[str, object]) -> list[str]:
    """Name what was wrong."""
    broken = [f"wrong answer: {what}" for what in cast("list[str]", result["wrong"])]
    if not result["equal to a fresh index"]:
        broken.append("the index differs from one made from nothing")
    answers = cast("Mapping[str, int]", result["answers"])
    if not answers.get("newer version"):
        broken.append("the reader saw no document change: it proves nothing")
    return broken


def table(result: Mapping[str, object]) -> str:
    """Show the counts."""
    answers = cast("Mapping[str, int]", result["answers"])
    progress = cast("Mapping[str, int]", result["kills by documents indexed"])
    rows = {
        "files in the folder": result["files"],
        "syncs ended by SIGKILL": result["kills"],
        **{f"... with {share} of the new versions indexed": n for share, n in progress.items()},
        "answers of a reading process meanwhile": answers["answers"],
        "... that showed a newer version than before": answers.get("newer version", 0),
        "... wrong, older or of half a document": answers.get("wrong", 0),
        "passages after the last sync": result["passages"],
        "equal to an index made from nothing": "yes" if result["equal to a fresh index"] else "no",
    }
    lines = [f"| {name} | {_shown(value)} |" for name, value in rows.items()]
    return "\n".join(["| what | count |", "|---|---:|", *lines])


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


@dataclass
class Trial:
    """One folder, its index, and what happened to them."""

    root: Path
    files: int
    seed: int
    version: int = 0
    survived: int = 0
    sync_s: float = 1.0
    kills_by_progress: dict[str, int] = field(
        default_factory=lambda: {"none": 0, "some": 0, "all": 0}
    )

    def __post_init__(self) -> None:
        self.chooser = random.Random(self.seed)
        (self.root / "docs").mkdir()
        for name in ("data", "fresh"):
            settings = _SETTINGS.format(data_dir=name)
            (self.root / f"{name}.toml").write_text(settings, encoding="utf-8")

    def next_version(self) -> None:
        """Give every document a new version."""
        self.version += 1
        write(self.root / "docs", files=self.files, version=self.version, chooser=self.chooser)

    def started(self, name: str = "data") -> subprocess.Popen[bytes]:
        """Start `citewell sync`."""
        return subprocess.Popen(
            [sys.executable, "-c", _SYNC, "sync", "--json", "--config", f"{name}.toml"],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def sync(self, name: str = "data") -> dict[str, int]:
        """Sync to the end."""
        begin = time.perf_counter()
        out, complaints = (process := self.started(name)).communicate()
        if process.returncode:
            raise RuntimeError(f"citewell sync failed: {complaints.decode()}")
        self.sync_s = time.perf_counter() - begin
        report = json.loads(out)
        return {key: report[key] for key in ("added", "updated", "removed", "unchanged")}

    async def kill_once(self, reader: Reader, retriever: Retriever) -> None:
        """Start syncs of new versions until one is killed before it ends."""
        while True:
            self.next_version()
            reader.tell(self.version)
            process = self.started()
            try:
                process.communicate(timeout=self.chooser.uniform(0, self.sync_s))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                self.kills_by_progress[await self.progress(retriever)] += 1
                return
            self.survived += 1

    async def progress(self, retriever: Retriever) -> str:
        """Tell how many documents of the newest version the killed sync left."""
        query = Query(text=str(self.version))
        hits = await retriever.retrieve(query, limit=6 * self.files, readable_by=READER)
        mark = f"holds version {self.version},"
        done = len({hit.document_id for hit in hits if mark in hit.text})
        there = len(list((self.root / "docs").iterdir()))
        return "none" if not done else "all" if done == there else "some"

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Start a process that asks."""
        arguments = [str(self.root / "data.toml"), str(self.files), str(self.seed)]
        with subprocess.Popen(
            [sys.executable, "-m", "proofs._kills_reader", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield Reader(process)
            finally:
                process.kill()


@asynccontextmanager
async def opened(settings: Path) -> AsyncIterator[Retriever]:
    """Open the index of a settings file."""
    async with open_runtime(load_settings(settings)) as runtime:
        yield await runtime.retriever("main")


async def content(retriever: Retriever) -> dict[str, tuple[str, list[Passage]]]:
    """Return version and passages of each document."""
    found = {}
    for id_, version in (await retriever.versions()).items():
        text = id_.removeprefix("docs:").removesuffix(".md")
        hits = await retriever.retrieve(Query(text=text), limit=30, readable_by=READER)
        ids = [hit.id for hit in hits if hit.document_id == id_]
        passages = await retriever.fetch(ids, readable_by=READER)
        found[id_] = (version, sorted(passages, key=lambda passage: passage.start))
    return found


class Reader:
    """The asking process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._in = cast("IO[str]", process.stdin)
        self._out = cast("IO[str]", process.stdout)
        if self._out.readline().strip() != "ready":
            raise RuntimeError("the reader did not start")

    def tell(self, version: int) -> None:
        """Say which version is the newest on disk."""
        self._in.write(f"{version}\n")
        self._in.flush()

    def ended(self) -> dict[str, dict[str, int]]:
        """End the process and return what it saw."""
        self._in.close()
        return cast("dict[str, dict[str, int]]", json.loads(self._out.readline()))
