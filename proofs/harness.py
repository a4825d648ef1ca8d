"""Runs a proof, keeps its result, and puts its table into the documentation."""

from __future__ import annotations

import importlib
import json
import os
import platform
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, cast

from citewell import EVERYONE, Audience

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "docs" / "proof"
READER = Audience.of(EVERYONE)
Size: TypeAlias = Literal["small", "full"]


class Proof(Protocol):
    """What a module of this package offers."""

    def run(self, *, size: Size, seed: int) -> dict[str, object]:
        """Do the work; the result is plain data."""
        ...

    def table(self, result: dict[str, object]) -> str:
        """Show a result as Markdown."""
        ...

    def check(self, result: dict[str, object]) -> Sequence[str]:
        """Name each promise that the result breaks."""
        ...


class MissingData(Exception):
    """Something that a proof needs is not on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of a proof."""

    result: dict[str, object]
    broken: tuple[str, ...]
    seconds: float


def data(name: str) -> Path:
    """Return the folder of a data set below the one that CITEWELL_DATA names.

    Raises:
        MissingData: there is none.
    """
    root = os.environ.get("CITEWELL_DATA")
    if not root:
        raise MissingData("CITEWELL_DATA is not set; let it name the folder of the data sets")
    folder = Path(root) / name
    if not folder.is_dir():
        raise MissingData(f"CITEWELL_DATA has no folder {name}: {root}")
    return folder


def need(*packages: str) -> None:
    """Raise where a package is not installed.

    Raises:
        MissingData: it is not.
    """
    for package in packages:
        if find_spec(package) is None:
            raise MissingData(f"{package} is not installed")


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file that holds one JSON object a line."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def names() -> tuple[str, ...]:
    """Return the names of all proofs."""
    own = {"__init__", "__main__", "harness"}
    return tuple(
        sorted(
            path.stem
            for path in Path(__file__).parent.glob("*.py")
            if path.stem not in own and not path.stem.startswith("_")
        )
    )


def load(name: str) -> Proof:
    """Return the proof `name`."""
    return cast("Proof", importlib.import_module(f"proofs.{name}"))


def prove(name: str, *, size: Size, seed: int) -> Report:
    """Run a proof and check what it promises."""
    proof = load(name)
    begin = time.perf_counter()
    result = proof.run(size=size, seed=seed)
    seconds = time.perf_counter() - begin
    return Report(result=result, broken=tuple(proof.check(result)), seconds=seconds)


def publish(name: str, report: Report, *, seed: int) -> Path:
    """Write a full-size result and renew its table in the documentation."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    record = {
        "proof": name,
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "seed": seed,
        "seconds": round(report.seconds, 1),
        "machine": machine(),
        "broken": report.broken,
        "result": report.result,
    }
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    table = load(name).table(report.result)
    for page in pages():
        text = page.read_text(encoding="utf-8")
        renewed = with_table(text, name, table)
        if renewed != text:
            page.write_text(renewed, encoding="utf-8")
    return path


def pages() -> list[Path]:
    """Return the pages that may show tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def with_table(text: str, name: str, table: str) -> str:
    """Put `table` between the two comments that name the proof."""
    return re.sub(
        rf"(<!-- proof:{re.escape(name)} -->\n).*?(<!-- /proof:{re.escape(name)} -->)",
        lambda marks: f"{marks[1]}\n{table.strip()}\n\n{marks[2]}",
        text,
        flags=re.DOTALL,
    )


def machine() -> dict[str, object]:
    """Describe this machine as far as figures depend on it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gb": round(memory / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"


def commit() -> str:
    """Return the commit that is checked out, and whether the code differs from it."""

    def git(*command: str) -> str:
        done = subprocess.run(
            ["git", *command], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "core", "plugins", "proofs")
    return git("rev-parse", "HEAD") + ("-changed" if changed else "")
