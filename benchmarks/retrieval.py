"""Searching beside other engines and libraries, and whole commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory
from typing import TypeVar

from benchmarks import commands, corpus, environments, report
from benchmarks.measuring import Measured
from proofs import harness
from proofs.retrieval import ndcg

T = TypeVar("T")

ROUNDS = 3
TURNS = 3
QUESTIONS = 100
SIZES = (10_000, 100_000, 1_000_000)
COLLECTIONS = ("xquad_mini", "cranfield", "medquad_4k")
COMMANDS = "commands"
PEERS = "benchmarks.peers"
FRESH_ROUNDS = 60
PACKAGES = (
    "bm25s",
    "haystack-ai",
    "lancedb",
    "langchain-community",
    "llama-index-retrievers-bm25",
    "rank-bm25",
)


@dataclass(frozen=True, slots=True)
class System:
    """What is measured.

    Attributes:
        module: measures it, in the environment of Citewell unless that is `benchmarks.peers`.
        largest: number of passages.
        rounds: in each process; those that take long are asked once.
    """

    module: str
    largest: int = SIZES[-1]
    rounds: int = ROUNDS


SYSTEMS: Mapping[str, System] = {
    "citewell": System("benchmarks.ours"),
    "citewell, 50 labels": System("benchmarks.ours"),
    "tantivy": System("benchmarks.bare"),
    "lancedb": System(PEERS),
    "fts5": System("benchmarks.bare", rounds=1),
    "bm25s": System(PEERS, largest=100_000),
    "llamaindex": System(PEERS, largest=100_000),
    "rank_bm25": System(PEERS, largest=100_000, rounds=1),
    "langchain": System(PEERS, largest=100_000, rounds=1),
    "haystack": System(PEERS, largest=100_000, rounds=1),
}
PARTS = (*SYSTEMS, COMMANDS)
# Its reader may not read all that answers.
_NOT_JUDGED = "citewell, 50 labels"


def run(
    cached: Path, *, small: bool, only: Sequence[str] = PARTS, resumes: bool = False
) -> report.Run:
    """Return the figures of one run.

    Args:
        cached: keeps environments, and what was measured so far.
        small: less of all.
        only: of `PARTS`.
        resumes: takes what an interrupted run of the same commit has measured.
    """
    folder_of_run = cached / "retrieval" / harness.commit()
    if not resumes:
        shutil.rmtree(folder_of_run, ignore_errors=True)
    kept = _Kept(None if small else folder_of_run)
    systems = {name: system for name, system in SYSTEMS.items() if name in only}
    has_peers = any(system.module == PEERS for system in systems.values())
    peers = environments.made("peers", cached) if has_peers else None
    load = os.getloadavg()[0]
    with TemporaryDirectory() as name:
        bench = _Bench(systems, peers, kept, Path(name), turns=1 if small else TURNS)
        retrieval = {str(size): bench.sized(size) for size in ((1000,) if small else SIZES)}
        quality = {name: bench.judged(name) for name in COLLECTIONS}
        whole_commands = None
        if COMMANDS in only:
            whole_commands = kept.get(COMMANDS, lambda: _commands(Path(name), cached, small=small))
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": harness.commit(),
        "machine": harness.machine(),
        "load": load,
        "versions": {
            "tantivy": version("tantivy"),
            **(environments.versions(peers, PACKAGES) if peers else {}),
        },
        "corpus": "MedQuAD, with seeded variations" if corpus.has_medquad() else "made up",
        "retrieval": retrieval,
        "quality": {name: figures for name, figures in quality.items() if figures},
        "commands": whole_commands,
    }


class _Kept:
    """What was measured so far, in a folder, so that an interrupted run loses little."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, name: str, make: Callable[[], T]) -> T:
        """Return what is kept under `name`, made if it is not there."""
        if self._folder is None:
            return make()
        path = self._folder / f"{name}.json"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            made = json.dumps(make())
            path.write_text(made, encoding="utf-8")
        found: T = json.loads(path.read_text(encoding="utf-8"))
        return found


@dataclass(frozen=True, slots=True)
class _Bench:
    """Runs systems, each in processes of its own.

    Attributes:
        peers: programs of the environment of other libraries, where one is needed.
        folder: for passages and questions.
        turns: processes for each system and size.
    """

    systems: Mapping[str, System]
    peers: Path | None
    kept: _Kept
    folder: Path
    turns: int

    def sized(self, size: int) -> dict[str, report.Figures]:
        """Return the figures of all systems that can hold so many passages."""
        print(f"{size:,} passages", file=sys.stderr)
        systems = [name for name, system in self.systems.items() if size <= system.largest]
        made = cache(lambda: corpus.make(size, questions=QUESTIONS, folder=self.folder))
        measured: dict[str, list[Measured]] = {name: [] for name in systems}
        # In turns, so that a slow moment of the machine meets each of them.
        for turn in range(self.turns):
            for name in systems:
                measure = partial(self._sized, name, made)
                measured[name].append(self.kept.get(f"{size} {name} {turn}", measure))
        return {name: report.summary(found, passages=size) for name, found in measured.items()}

    def judged(self, collection: str) -> dict[str, float]:
        """Return nDCG@10 of each system on a collection; nothing where it is not here."""
        found = corpus.judged(collection, self.folder)
        if found is None:
            return {}
        print(collection, file=sys.stderr)
        return {
            name: self.kept.get(f"{collection} {name}", partial(self._quality, name, found))
            for name in self.systems
            if name != _NOT_JUDGED
        }

    def _sized(self, name: str, made: Callable[[], corpus.Corpus]) -> Measured:
        return self._measured(name, made().passages, made().questions)

    def _quality(self, name: str, judged: corpus.Judged) -> float:
        found = self._measured(name, judged.passages, judged.questions)["found"]
        return fmean(
            ndcg(ids, relevant) for ids, relevant in zip(found, judged.relevant, strict=True)
        )

    def _measured(self, name: str, passages: Path, questions: Path) -> Measured:
        print(f"  {name}", file=sys.stderr)
        system = self.systems[name]
        is_peer = system.module == PEERS and self.peers
        python = self.peers / "python" if is_peer and self.peers else sys.executable
        done = subprocess.run(
            [python, "-m", system.module, name, passages, questions, str(system.rounds)],
            cwd=harness.ROOT,
            env=os.environ | environments.QUIET,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        measured: Measured = json.loads(done.stdout.splitlines()[-1])
        return measured


def _commands(folder: Path, cached: Path, *, small: bool) -> report.Commands:
    print("whole commands", file=sys.stderr)
    own = environments.own(cached)
    llm = environments.made("llm", cached)
    made = corpus.make(1000 if small else 100_000, questions=1, folder=folder)
    project, syncs = commands.synced(made, folder / "project", own / "citewell", rounds=3)
    sync = sorted(syncs, key=lambda one: one.seconds)[len(syncs) // 2]
    question = next(harness.rows(made.questions))["text"]
    processes = commands.warm_processes(project, question, (llm / "llm", "--help"), rounds=15)
    fresh = commands.freshness(project, rounds=9 if small else FRESH_ROUNDS)
    return {
        "sync_files": sync.files,
        "sync_passages": sync.passages,
        "sync_per_s": round(sync.passages / sync.seconds),
        "rounds": len(fresh.saved_s),
        "saved_s": report.spread(fresh.saved_s),
        "deleted_s": report.spread(fresh.deleted_s),
        "citewell_ask_s": round(median(processes["citewell ask"]), 3),
        "llm_help_s": round(median(processes["llm --help"]), 3),
        "llm": environments.versions(llm, ("llm",))["llm"],
    }
