"""Documents read on a Ray cluster whose workers are killed, beside the same read by processes.

A sync has its documents read by four Ray workers; one after the other is ended by SIGKILL in the
middle of a task. The index must then equal, passage for passage, one that was made without Ray.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from citewell import Passage
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from proofs._bulk_cluster import WORKERS, Cluster, cluster
from proofs.harness import READER, Size

_SYNC = "import sys; from citewell.cli.main import main; sys.exit(main())"
_SETTINGS = """\
data_dir = "{name}"
[library.docs]
use = "files"
path = "docs"
[retriever.main]
use = "lexical"
[engine.cluster]
use = "ray"
address = "{address}"
[profile.default]
retriever = "main"
model = "extractive"
"""
_SIZES = {"small": (240, 1), "full": (4000, 12)}
_LOOK_S = 0.02
_SENTENCES = (
    "The keeper writes the weather into the book every evening.",
    "Oil is brought by boat in the first week of each month; {number} barrels in all.",
    "No ship has been lost on this coast since {number}.",
    "The lens was ground abroad and came in {number} crates.",
)


def run(*, size: Size, seed: int) -> dict[str, object]:
    """Read by processes, read by workers that are killed, compare."""
    files, kills = _SIZES[size]
    with TemporaryDirectory() as name, cluster() as workers:
        trial = _Trial(Path(name), workers, random.Random(seed))
        trial.write(files)
        one = trial.sync("one", "--workers", "1")
        two = trial.sync("two", "--workers", "2")
        away = trial.sync("away", "--engine", "cluster", kills=kills)
        again = trial.sync("away", "--engine", "cluster")
        by_processes, by_workers = trial.content("two"), trial.content("away")
    found = [passage for _, passages in by_workers.values() for passage in passages]
    return {
        "files": files,
        "workers": WORKERS,
        "killed": away.killed,
        "documents": len(by_workers),
        "passages": len(found),
        "not readable": len(away.report["failed"]),
        "lost": sorted(by_processes.keys() - by_workers.keys()),
        "twice": len(found) - len({passage.id for passage in found}),
        "equal": by_workers == by_processes and away.report["failed"] == two.report["failed"],
        "read again": again.report["added"] + again.report["updated"],
        "seconds": {
            "1 process": round(one.seconds, 2),
            "2 processes": round(two.seconds, 2),
            f"{WORKERS} Ray workers": round(away.seconds, 2),
        },
    }


def check(result: Mapping[str, object]) -> list[str]:
    """Name what was wrong."""
    promises = {
        "the index differs from one made without Ray": result["equal"],
        f"documents are lost: {result['lost']}": not result["lost"],
        f"{result['twice']} passages are there twice": not result["twice"],
        f"{result['read again']} documents were read again": not result["read again"],
        "no worker was killed in the middle of a task: it proves nothing": result["killed"],
    }
    return [broken for broken, is_kept in promises.items() if not is_kept]


def table(result: Mapping[str, object]) -> str:
    """Show the counts."""
    seconds = cast("Mapping[str, float]", result["seconds"])
    rows = {
        "files in the folder": f"{result['files']:,}",
        "Ray workers": result["workers"],
        "... ended by SIGKILL in the middle of a task": result["killed"],
        "documents indexed": f"{result['documents']:,}",
        "passages": f"{result['passages']:,}",
        "documents lost": len(cast("list[str]", result["lost"])),
        "passages that are there twice": result["twice"],
        "files that nobody can read, reported alike": result["not readable"],
        "passage for passage equal to an index made without Ray": "yes"
        if result["equal"]
        else "no",
        **{f"the whole sync, {name}": f"{taken:.1f} s" for name, taken in seconds.items()},
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| what | figure |", "|---|---:|", *lines])


@dataclass(frozen=True, slots=True)
class _Synced:
    """How a sync went."""

    report: dict[str, Any]
    seconds: float
    killed: int


@dataclass
class _Trial:
    """A folder, and indexes of it."""

    root: Path
    workers: Cluster
    chooser: random.Random

    def write(self, files: int) -> None:
        """Write documents of several kinds; some that no loader can read."""
        (self.root / "docs").mkdir()
        kinds = (_markdown, _markdown, _text, _page, _table)
        for number in range(files):
            suffix, content = kinds[number % len(kinds)](number, self.chooser)
            if number % 97 == 96:
                suffix, content = ".pdf", "no PDF at all"
            path = self.root / "docs" / f"{number // 100:02}" / f"beacon{number}{suffix}"
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def sync(self, name: str, *options: str, kills: int = 0) -> _Synced:
        """Sync the index `name`, while so many workers are killed one after the other."""
        config = self.root / f"{name}.toml"
        text = _SETTINGS.format(name=name, address=self.workers.address)
        config.write_text(text, encoding="utf-8")
        begin = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-c", _SYNC, "sync", "--json", "--config", str(config), *options],
            env=self.workers.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            killed = 0
            while killed < kills and process.poll() is None:
                time.sleep(_LOOK_S)
                killed += self.workers.kill_a_busy_worker(self.chooser.randrange(WORKERS))
            out, complaints = process.communicate()
        if process.returncode:
            raise RuntimeError(f"citewell sync failed: {complaints}")
        return _Synced(json.loads(out), time.perf_counter() - begin, killed)

    def content(self, name: str) -> dict[str, tuple[str, list[Passage]]]:
        """Return version and passages of each document of the index `name`."""
        return asyncio.run(_content(self.root / f"{name}.toml"))


async def _content(settings: Path) -> dict[str, tuple[str, list[Passage]]]:
    found = {}
    async with open_runtime(load_settings(settings)) as runtime:
        retriever = await runtime.retriever("main")
        for id_, version in (await retriever.versions()).items():
            passages = await retriever.within(id_, start=0, end=2**40, readable_by=READER)
            found[id_] = (version, list(passages))
    return found


def _sentences(number: int, chooser: random.Random) -> str:
    chosen = chooser.choices(_SENTENCES, k=chooser.randint(3, 12))
    return " ".join(one.format(number=number + chooser.randrange(1000)) for one in chosen)


def _markdown(number: int, chooser: random.Random) -> tuple[str, str]:
    sections = (f"## Part {at}\n\n{_sentences(number, chooser)}\n" for at in range(40))
    return ".md", f"# Lighthouse {number}\n\n" + "\n".join(sections)


def _text(number: int, chooser: random.Random) -> tuple[str, str]:
    return ".txt", "\n\n".join(_sentences(number, chooser) for _ in range(40))


def _page(number: int, chooser: random.Random) -> tuple[str, str]:
    parts = (f"<h2>Part {at}</h2><p>{_sentences(number, chooser)}</p>" for at in range(40))
    return ".html", f"<html><body><h1>Lighthouse {number}</h1>{''.join(parts)}</body></html>"


def _table(number: int, chooser: random.Random) -> tuple[str, str]:
    rows = (f"{number},{at},{chooser.randrange(1000)}" for at in range(200))
    return ".csv", "lighthouse,night,ships\n" + "\n".join(rows) + "\n"
