"""Runs the benchmarks: `python -m benchmarks [NAME ...] [--small]`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

import platformdirs

from benchmarks import chats, environments, growth, models, report, retrieval, scoring
from proofs import harness

PAGE = harness.ROOT / "docs" / "benchmarks.md"
RESULTS = environments.HERE / "results"
# What is measured, how, what is shown of it, and which promises it breaks.
BENCHMARKS: dict[str, Any] = {
    "retrieval": (retrieval.run, report.tables, report.broken),
    "models": (models.run, models.tables, models.broken),
    "chats": (chats.run, chats.tables, chats.broken),
    "hour": (chats.run_hour, chats.tables_of_hour, chats.broken_in_hour),
    "scoring": (scoring.run, scoring.tables, scoring.broken),
}


def main() -> int:
    """Measure; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--small", action="store_true", help="less of all; nothing is written")
    parser.add_argument(
        "--cache",
        type=Path,
        default=platformdirs.user_cache_path("citewell") / "benchmarks",
        help="where the environments of the others are kept",
    )
    parser.add_argument(
        "--only",
        action="append",
        choices=retrieval.PARTS,
        help="measure this part of `retrieval` alone, or several; nothing is published",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on where `retrieval` was interrupted"
    )
    wanted = parser.parse_args()
    names = wanted.names or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    chosen = {"only": wanted.only or retrieval.PARTS, "resumes": wanted.resume}
    options = {"retrieval": chosen}
    publishes = not wanted.small and not wanted.only
    return max(
        run(name, wanted.cache, publishes=publishes, small=wanted.small, **options.get(name, {}))
        for name in names
    )


def run(name: str, cache: Path, *, publishes: bool, **options: Any) -> int:
    """Run one benchmark; 1 when a promise is not kept."""
    measure, tables, broken = BENCHMARKS[name]
    result = measure(cache, **options)
    print(tables(result))
    for promise in broken(result):
        print(f"broken: {promise}", file=sys.stderr)
    if publishes:
        publish(name, result, tables(result))
        if name == "retrieval":
            growth.draw(RESULTS / "retrieval.json", PAGE.with_name("growth.svg"), cache)
    return 1 if broken(result) else 0


def publish(name: str, result: object, tables: str) -> None:
    """Keep the figures and put the tables into the documentation."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    marks = rf"(<!-- benchmark:{name} -->\n).*?(<!-- /benchmark:{name} -->)"
    shown = re.sub(
        marks, lambda found: f"{found[1]}\n{tables}\n\n{found[2]}", text, flags=re.DOTALL
    )
    PAGE.write_text(shown, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
