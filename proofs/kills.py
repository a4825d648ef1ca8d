"""A sync that is killed again and again, while three other processes ask.

The index is that of the retriever `hybrid`: words, vectors and passages. Each round gives every
document a new version, deletes some, and starts `citewell sync`, which is ended by SIGKILL at a
random moment; now and then one is let end, which acknowledges what it wrote. The readers ask all
the while: each answer must be one whole version of a document in both halves, never an older one
than before or than was acknowledged, and none of a document whose deletion was acknowledged. A new
version is found by words at once, and by vectors too when they have followed. Whoever asks embeds
what a kill left without vectors, and a sync waits for it. In the end a sync completes the rest, and
the index must equal one that is made from nothing, vectors included.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

from citewell import HybridRetriever, Passage, Query, Retriever
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
[embedder.words]
use = "scripted"
[retriever.main]
use = "hybrid"
embedder = "words"
[profile.default]
retriever = "main"
model = "extractive"
"""
_AFTERWARDS_S = 2.0
_SIZES = {"small": (200, 5), "full": (2000, 200)}
_READERS = 3
_MANY = 50
_ROUNDS_PER_ACKNOWLEDGEMENT = 4
_COMPARED = 50


def run(*, size: Size, seed: int) -> dict[str, object]:
    """Kill, ask, complete, compare."""
    files, kills = _SIZES[size]
    with TemporaryDirectory() as name:
        return asyncio.run(_tried(Path(name), files=files, kills=kills, seed=seed))


async def _tried(root: Path, *, files: int, kills: int, seed: int) -> dict[str, object]:
    trial = Trial(root, files=files, seed=seed)
    trial.next_version()
    await trial.sync()
    async with opened(root / "data.toml") as retriever:
        with ExitStack() as stack:
            readers = [stack.enter_context(trial.reader(number)) for number in range(_READERS)]
            for number in range(kills):
                if number % _ROUNDS_PER_ACKNOWLEDGEMENT == 0:
                    await trial.acknowledge(readers)
                await trial.kill_once(readers, retriever)
            last = await trial.acknowledge(readers)
            await asyncio.sleep(_AFTERWARDS_S)
            seen = [reader.ended() for reader in readers]
        grown = await content(retriever)
    await trial.sync("fresh")
    async with opened(root / "fresh.toml") as retriever:
        fresh = await content(retriever)
    counts: Counter[str] = Counter()
    for one in seen:
        counts.update(one["counts"])
    return {
        "files": files,
        "kills": kills,
        "readers": _READERS,
        "acknowledged syncs": trial.acknowledged,
        "acknowledged deletions": trial.deleted,
        "syncs that ended before their kill": trial.survived,
        "kills by documents indexed": trial.kills_by_progress,
        "answers": dict(counts),
        "wrong": [what for one in seen for what in one["wrong"]],
        "documents": len(fresh),
        "passages": sum(len(document.passages) for document in fresh.values()),
        "equal to a fresh index": grown == fresh,
        "last sync": last,
    }


def check(result: Mapping[str, object]) -> list[str]:
    """Name what was wrong."""
    broken = [f"wrong answer: {what}" for what in cast("list[str]", result["wrong"])]
    if not result["equal to a fresh index"]:
        broken.append("the index differs from one made from nothing")
    progress = cast("Mapping[str, int]", result["kills by documents indexed"])
    if cast("int", result["kills"]) >= _MANY and not progress["some"]:
        broken.append("no kill came while documents were being indexed: it proves nothing")
    answers = cast("Mapping[str, int]", result["answers"])
    broken += [
        f"the readers counted no {what}: it proves nothing"
        for what in ("newer version", "by both halves", "gone for good")
        if not answers.get(what)
    ]
    return broken


def table(result: Mapping[str, object]) -> str:
    """Show the counts."""
    answers = cast("Mapping[str, int]", result["answers"])
    progress = cast("Mapping[str, int]", result["kills by documents indexed"])
    # One reader asked when this was first published.
    readers = cast("int", result.get("readers", 1))
    several = f"{readers} reading processes" if readers > 1 else "a reading process"
    rows = {
        "files in the folder": result["files"],
        "syncs ended by SIGKILL": result["kills"],
        **{f"... with {share} of the new versions indexed": n for share, n in progress.items()},
        f"answers of {several} meanwhile": answers["answers"],
        "... that showed a newer version than before": answers.get("newer version", 0),
        "... wrong, older or of half a document": answers.get("wrong", 0),
        "passages after the last sync": result["passages"],
        "equal to an index made from nothing": "yes" if result["equal to a fresh index"] else "no",
    }
    if readers > 1:
        rows |= {
            "syncs acknowledged between the kills": result["acknowledged syncs"],
            "deletions acknowledged": result["acknowledged deletions"],
            "tries to show what was replaced or deleted": answers["gone for good"],
            "comparisons of words and vectors": answers["by both halves"],
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
    acknowledged: int = 0
    deleted: int = 0
    known: frozenset[str] = frozenset()
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

    def next_version(self, readers: Sequence[Reader] = ()) -> None:
        """Give every document a new version; the readers are told before there is one."""
        self.version += 1
        for reader in readers:
            reader.tell({"newest": self.version})
        write(self.root / "docs", files=self.files, version=self.version, chooser=self.chooser)
        self.known |= {path.stem for path in (self.root / "docs").iterdir()}

    def started(self, name: str = "data") -> subprocess.Popen[bytes]:
        """Start `citewell sync`."""
        return subprocess.Popen(
            [sys.executable, "-c", _SYNC, "sync", "--json", "--config", f"{name}.toml"],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    async def sync(self, name: str = "data") -> dict[str, int]:
        """Sync to the end.

        This process goes on meanwhile: where it embeds what a kill left out, a sync waits for it.
        """
        begin = time.perf_counter()
        process = self.started(name)
        out, complaints = await asyncio.to_thread(process.communicate)
        if process.returncode:
            raise RuntimeError(f"citewell sync failed: {complaints.decode()}")
        self.sync_s = time.perf_counter() - begin
        report = json.loads(out)
        return {key: report[key] for key in ("added", "updated", "removed", "unchanged")}

    async def acknowledge(self, readers: Sequence[Reader]) -> dict[str, int]:
        """Let a sync of a new version end, and tell what may not be seen from then on."""
        self.next_version(readers)
        report = await self.sync()
        there = frozenset(path.stem for path in (self.root / "docs").iterdir())
        gone = sorted(self.known - there)
        for reader in readers:
            reader.tell({"acknowledged": self.version, "gone": gone})
        self.acknowledged += 1
        self.deleted += report["removed"]
        return report

    async def kill_once(self, readers: Sequence[Reader], retriever: Retriever) -> None:
        """Start syncs of new versions until one is killed before it ends."""
        while True:
            self.next_version(readers)
            process = self.started()
            try:
                wait_s = self.chooser.uniform(0, self.sync_s)
                await asyncio.to_thread(process.communicate, timeout=wait_s)
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
    def reader(self, number: int) -> Iterator[Reader]:
        """Start a process that asks."""
        seed = self.seed * _READERS + number
        arguments = [str(self.root / "data.toml"), str(self.files), str(seed)]
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
async def opened(settings: Path) -> AsyncIterator[HybridRetriever]:
    """Open the index of a settings file."""
    async with open_runtime(load_settings(settings)) as runtime:
        yield cast("HybridRetriever", await runtime.retriever("main"))


@dataclass(frozen=True)
class Content:
    """What an index has of a document.

    Attributes:
        near: what the vectors find for its name, and how near that is; empty for most documents.
    """

    version: str
    passages: list[Passage]
    near: list[tuple[str, float]]


async def content(retriever: HybridRetriever) -> dict[str, Content]:
    """Return what there is of each document."""
    found = {}
    for number, (id_, version) in enumerate(sorted((await retriever.versions()).items())):
        query = Query(text=id_.removeprefix("docs:").removesuffix(".md"))
        words, near = await retriever.halves(query, limit=30, readable_by=READER)
        ids = [hit.id for hit in words if hit.document_id == id_]
        passages = await retriever.fetch(ids, readable_by=READER)
        found[id_] = Content(
            version,
            sorted(passages, key=lambda passage: passage.start),
            [(hit.id, hit.score) for hit in near] if number < _COMPARED else [],
        )
    return found


class Reader:
    """The asking process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._in = cast("IO[str]", process.stdin)
        self._out = cast("IO[str]", process.stdout)
        if self._out.readline().strip() != "ready":
            raise RuntimeError("the reader did not start")

    def tell(self, news: Mapping[str, object]) -> None:
        """Say which version is the newest on disk, or which was acknowledged."""
        self._in.write(f"{json.dumps(news)}\n")
        self._in.flush()

    def ended(self) -> dict[str, Any]:
        """End the process and return what it saw."""
        self._in.close()
        return cast("dict[str, Any]", json.loads(self._out.readline()))
