"""Searching and whole commands, beside other libraries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import commands, corpus, environments, report
from proofs import harness

ROUNDS = 3
TURNS = 3
_NEAR = ("citewell", "citewell, 50 labels", "llamaindex")
PACKAGES = (
    "haystack-ai",
    "langchain-community",
    "rank-bm25",
    "llama-index-retrievers-bm25",
    "bm25s",
)


def run(cache: Path, *, small: bool) -> report.Run:
    """Return the figures of one run."""
    sizes = (1000,) if small else (10_000, 100_000)
    peers = environments.made("peers", cache)
    llm = environments.made("llm", cache)
    own = environments.own(cache)
    load = os.getloadavg()[0]
    retrieval = {}
    with TemporaryDirectory() as folder:
        for size in sizes:
            print(f"{size} passages", file=sys.stderr)
            made = corpus.make(size, questions=40, folder=Path(folder))
            retrieval[str(size)] = _retrieval(made, peers)
        whole_commands = _commands(made, Path(folder) / "project", own=own, llm=llm)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": harness.commit(),
        "machine": harness.machine(),
        "load": load,
        "versions": environments.versions(peers, PACKAGES) | environments.versions(llm, ("llm",)),
        "corpus": f"{made.name}, with seeded variations",
        "retrieval": retrieval,
        "commands": whole_commands,
    }


def _retrieval(made: corpus.Corpus, peers: Path) -> dict[str, report.Figures]:
    files = (made.passages, made.questions, str(ROUNDS))
    ours = (sys.executable, "-m", "benchmarks.ours", *files)
    systems = {
        "citewell": (*ours, "1"),
        "citewell, 50 labels": (*ours, "50"),
        **{
            name: (peers / "python", environments.HERE / "peers.py", name, *files)
            for name in ("llamaindex", "langchain", "haystack")
        },
    }
    measured: dict[str, list[report.Measured]] = {name: [] for name in systems}
    # In turns, so that a slow moment of the machine meets each of those that are nearly as fast.
    for name in (*_NEAR * (TURNS - 1), *systems):
        print(f"  {name}", file=sys.stderr)
        done = subprocess.run(
            systems[name],
            cwd=harness.ROOT,
            env=os.environ | environments.QUIET,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        measured[name].append(json.loads(done.stdout.splitlines()[-1]))
    return {
        name: report.summary(processes, passages=made.count) for name, processes in measured.items()
    }


def _commands(made: corpus.Corpus, folder: Path, *, own: Path, llm: Path) -> report.Commands:
    print("  whole commands", file=sys.stderr)
    project, syncs = commands.synced(made, folder, own / "citewell", rounds=3)
    sync = sorted(syncs, key=lambda one: one.seconds)[len(syncs) // 2]
    question = next(harness.rows(made.questions))["text"]
    processes = commands.warm_processes(project, question, (llm / "llm", "--help"), rounds=15)
    saved = commands.saved_to_found(project, rounds=9)
    return {
        "sync_files": sync.files,
        "sync_passages": sync.passages,
        "sync_per_s": round(sync.passages / sync.seconds),
        "saved_rounds": len(saved),
        "saved_to_found_s": round(median(saved), 3),
        "saved_slowest_s": round(max(saved), 3),
        "citewell_ask_s": round(median(processes["citewell ask"]), 3),
        "llm_help_s": round(median(processes["llm --help"]), 3),
    }
