"""Environments for the programs that are measured; none of the others is changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

QUIET = {
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "ANONYMIZED_TELEMETRY": "False",
    "DO_NOT_TRACK": "1",
    "PYTHONWARNINGS": "ignore",
}


def made(name: str, folder: Path) -> Path:
    """Return the `bin` folder of an environment with `requirements-NAME.txt`, made once."""
    wanted = HERE / f"requirements-{name}.txt"
    requirements = wanted.read_text(encoding="utf-8")
    environment = folder / name
    marker = environment / "made"
    if not marker.exists() or marker.read_text(encoding="utf-8") != requirements:
        _install(environment, "-r", wanted)
        marker.write_text(requirements, encoding="utf-8")
    return _binaries(environment)


def own(folder: Path) -> Path:
    """Return the `bin` folder of an environment with this Citewell, installed as users do."""
    _install(folder / "citewell", HERE.parent)
    return _binaries(folder / "citewell")


def _install(environment: Path, *what: str | Path) -> None:
    print(f"installing into {environment}", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
    pip = (_binaries(environment) / "python", "-m", "pip", "install", "--quiet", "--quiet")
    subprocess.run((*pip, *what), check=True)


def _binaries(environment: Path) -> Path:
    return environment / ("Scripts" if os.name == "nt" else "bin")


def versions(binaries: Path, packages: tuple[str, ...]) -> dict[str, str]:
    """Return the installed versions of `packages`."""
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    done = subprocess.run(
        [binaries / "python", "-c", code, *packages], capture_output=True, text=True, check=True
    )
    return dict(zip(packages, done.stdout.split(), strict=True))
