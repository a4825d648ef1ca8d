"""Environments for the programs that are measured beside Citewell; none of them is changed."""

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
    binaries = environment / ("Scripts" if os.name == "nt" else "bin")
    if not marker.exists() or marker.read_text(encoding="utf-8") != requirements:
        print(f"installing {name} into {environment}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        pip = (binaries / "python", "-m", "pip", "install", "--quiet", "--quiet", "-r", wanted)
        subprocess.run(pip, check=True)
        marker.write_text(requirements, encoding="utf-8")
    return binaries


def versions(binaries: Path, packages: tuple[str, ...]) -> dict[str, str]:
    """Return the installed versions of `packages`."""
    code = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    done = subprocess.run(
        [binaries / "python", "-c", code, *packages], capture_output=True, text=True, check=True
    )
    return dict(zip(packages, done.stdout.split(), strict=True))
