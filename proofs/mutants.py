"""Change the checker and the formatters on purpose: a test must notice each change.

mutmut makes the changes in a copy; what no test notices must be explained in
`docs/proof/mutants.md`, by function and changed line.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from proofs.harness import ROOT, Size

EXPLAINED = ROOT / "docs" / "proof" / "mutants.md"
_SAMPLE = 20
# At small size only the hard checks and the marks: their tests take seconds.
_SMALL_MODULES = ("evidence", "marks")
_PACKAGES = {"citewell": "core", "citewell_formats": "plugins"}
_MUTATED = ("src/citewell/engine/citing/*", "src/citewell_formats/*")
_TESTS = ("core/engine/citing", "plugins/citewell_formats")
# They look at the repository itself, which the copy is not.
_LEFT_OUT = ("core/engine/citing/test_seal.py", "plugins/citewell_formats/test_contract.py")
_KILLED, _SURVIVED = "killed", "survived"
# Source: mutmut 3.8, `mutmut/stats.py`; a mutant that never ends or crashes is noticed as well.
_STATUS = {0: _SURVIVED, 5: "without test", 33: "without test", None: "not run"}
_ENTRY = re.compile(r"^- `(?P<where>[\w.ǁ]+)`: `(?P<old>.*?)` → `(?P<new>.*?)`: (?P<why>.+)$")

_SETTINGS = """\
[tool.mutmut]
source_paths = ["src"]
only_mutate = {mutated}
do_not_mutate = ["src/citewell_formats/plugin.py"]
pytest_add_cli_args = ["-p", "no:cacheprovider"]
pytest_add_cli_args_test_selection = {tests}
timeout_multiplier = 10.0
timeout_constant = 3.0

[tool.pytest.ini_options]
addopts = ["--import-mode=importlib"]
asyncio_mode = "auto"
pythonpath = ["tests/support"]
"""
_PROFILE = """
from hypothesis import settings

settings.register_profile(
    "mutants", deadline=None, max_examples=15, derandomize=True, database=None
)
settings.load_profile("mutants")
"""


def run(*, size: Size, seed: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as place:
        stage = Path(place)
        _lay_out(stage, size)
        results = _mutate(stage, _chosen(stage, seed) if size == "small" else ())
        survivors = [name for name, status in results.items() if status != _KILLED]
        changes = [_change(stage, name) for name in sorted(survivors)]
    counts = Counter(results.values())
    known = explanations()
    return {
        "mutants": len(results),
        "killed": counts[_KILLED],
        "explained": sum(tuple(change) in known for change in changes),
        "unexplained": [change for change in changes if tuple(change) not in known],
        "by_module": _by_module(results),
    }


def check(result: dict[str, object]) -> Sequence[str]:
    unexplained = result["unexplained"]
    assert isinstance(unexplained, list)
    broken = [f"nobody notices in {where}: {old} -> {new}" for where, old, new in unexplained]
    return broken if result["mutants"] else ["no mutant was tested"]


def table(result: dict[str, object]) -> str:
    modules = result["by_module"]
    assert isinstance(modules, dict)
    lines = [
        f"| {module} | {counts['mutants']} | {counts['killed']} |"
        for module, counts in modules.items()
    ]
    unexplained = result["unexplained"]
    assert isinstance(unexplained, list)
    total = (
        f"| **all** | **{result['mutants']}** | **{result['killed']}** |\n\n"
        f"The others: {result['explained']} explained one by one in "
        f"`docs/proof/mutants.md`, {len(unexplained)} not explained."
    )
    return "\n".join(["| module | changes | noticed |", "|---|---:|---:|", *lines, total])


def explanations() -> dict[tuple[str, str, str], str]:
    """Return why a change cannot be noticed, by function, old line and new line."""
    if not EXPLAINED.exists():
        return {}
    entries = map(_ENTRY.match, EXPLAINED.read_text(encoding="utf-8").splitlines())
    return {
        (entry["where"], entry["old"], entry["new"]): entry["why"] for entry in entries if entry
    }


def _lay_out(stage: Path, size: Size) -> None:
    """Copy the code and its tests; mutmut names modules after the folder `src`."""
    ignored = shutil.ignore_patterns("__pycache__")
    for package, root in _PACKAGES.items():
        shutil.copytree(ROOT / root / package, stage / "src" / package, ignore=ignored)
    for folder in (*_TESTS, "../tests/support"):
        source = (ROOT / "tests" / folder).resolve()
        shutil.copytree(source, stage / source.relative_to(ROOT), ignore=ignored)
    for path in _LEFT_OUT:
        (stage / "tests" / path).unlink(missing_ok=True)
    conftest = (ROOT / "tests" / "conftest.py").read_text(encoding="utf-8")
    (stage / "tests" / "conftest.py").write_text(conftest + _PROFILE, encoding="utf-8")
    mutated: Sequence[str] = _MUTATED
    tests: Sequence[str] = ["tests"]
    if size == "small":
        mutated = [f"src/citewell/engine/citing/{module}.py" for module in _SMALL_MODULES]
        tests = [f"tests/core/engine/citing/test_{module}.py" for module in _SMALL_MODULES]
    settings = _SETTINGS.format(mutated=json.dumps(list(mutated)), tests=json.dumps(list(tests)))
    (stage / "pyproject.toml").write_text(settings, encoding="utf-8")


def _mutate(stage: Path, names: Sequence[str]) -> dict[str, str]:
    _mutmut(stage, "run", *names)
    results = {
        name: _STATUS.get(code, _KILLED)
        for name, code in _results(stage)
        if not names or name in names
    }
    assert results, "mutmut tested nothing"
    return results


def _chosen(stage: Path, seed: int) -> list[str]:
    """Return a sample of the mutants, which mutmut names only once it has tested something."""
    _mutmut(stage, "run", "citewell.engine.citing.evidence.x_restore__mutmut_1")
    names = sorted(name for name, _ in _results(stage))
    return random.Random(seed).sample(names, min(_SAMPLE, len(names)))


def _results(stage: Path) -> Iterator[tuple[str, int | None]]:
    for path in (stage / "mutants").rglob("*.meta"):
        yield from json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"].items()


def _change(stage: Path, name: str) -> list[str]:
    """Return the function, the old and the new line of a mutant."""
    diff = _mutmut(stage, "show", name).splitlines()
    old = " ".join(line[1:].strip() for line in diff if re.match(r"-(?!--)", line))
    new = " ".join(line[1:].strip() for line in diff if re.match(r"\+(?!\+\+)", line))
    return [name.rpartition("__mutmut_")[0], old, new]


def _by_module(results: dict[str, str]) -> dict[str, dict[str, int]]:
    modules: dict[str, dict[str, int]] = {}
    for name, status in sorted(results.items()):
        module = re.split(r"\.x[_ǁ]", name)[0].removeprefix("citewell.engine.")
        counts = modules.setdefault(module, {"mutants": 0, "killed": 0})
        counts["mutants"] += 1
        counts["killed"] += status == _KILLED
    return modules


def _mutmut(stage: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments],
        cwd=stage,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout
