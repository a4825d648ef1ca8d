"""Runs the benchmarks: `python -m benchmarks [--small]`."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import platformdirs

from benchmarks import commands, corpus, environments, report
from proofs import harness

RESULTS = environments.HERE / "results" / "retrieval.json"
PAGE = harness.ROOT / "docs" / "benchmarks.md"
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


def main() -> int:
    """Measure everything; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--small", action="store_true", help="1,000 passages; nothing is written")
    parser.add_argument(
        "--cache",
        type=Path,
        default=platformdirs.user_cache_path("citewell") / "benchmarks",
        help="where the environments of the others are kept",
    )
    wanted = parser.parse_args()
    result = run((1000,) if wanted.small else (10_000, 100_000), cache=wanted.cache)
    print(report.tables(result))
    for promise in report.broken(result):
        print(f"broken: {promise}", file=sys.stderr)
    if not wanted.small:
        publish(result)
    return 1 if report.broken(result) else 0


def run(sizes: tuple[int, ...], *, cache: Path) -> report.Run:
    """Return the figures of one run."""
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


def publish(result: report.Run) -> None:
    """Keep the figures and put the tables into the documentation."""
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    marks = r"(<!-- benchmark:retrieval -->\n).*?(<!-- /benchmark:retrieval -->)"
    PAGE.write_text(
        re.sub(
            marks,
            lambda found: f"{found[1]}\n{report.tables(result)}\n\n{found[2]}",
            text,
            flags=re.DOTALL,
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    sys.exit(main())
