"""Building wheels, and environments in which nothing of this checkout is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Environment:
    """A virtual environment without anything of this checkout."""

    folder: Path
    bare_bytes: int
    constraints: Path

    def run(self, *command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        program, *arguments = map(str, command)
        return subprocess.run(
            [str(self.folder / "bin" / program), *arguments],
            check=False,
            cwd=cwd,
            capture_output=True,
            text=True,
            env={"PATH": f"{self.folder / 'bin'}:/usr/bin:/bin", "HOME": str(self.folder)},
        )

    def install(self, *requirements: object) -> None:
        done = subprocess.run(
            [
                *[self.folder / "bin" / "python", "-m", "pip", "install", "--quiet"],
                *["--disable-pip-version-check", "--constraint", self.constraints],
                *map(str, requirements),
            ],
            check=False,
            capture_output=True,
            text=True,
        )
        if "Could not find a version" in done.stderr or "NewConnectionError" in done.stderr:
            pytest.skip(f"packages cannot be had here: {done.stderr.strip().splitlines()[-1]}")
        assert done.returncode == 0, done.stderr


def size_of(folder: Path) -> int:
    """Return the bytes of all files below `folder`."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def build_wheel(project: Path, out: Path) -> Path:
    """Build the project's wheel without a network."""
    subprocess.run(
        [
            *[sys.executable, "-m", "build", "--wheel", "--no-isolation"],
            *["--outdir", out, project],
        ],
        check=True,
        capture_output=True,
    )
    (wheel,) = out.glob("*.whl")
    return wheel


def new_environment(folder: Path) -> Environment:
    """Make an environment; what is installed later has the versions of our lock."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    locked = (ROOT / "requirements" / "dev.lock").read_text(encoding="utf-8")
    # Constraints name no extras.
    bare_names = re.sub(r"^([\w.-]+)\[[\w,-]+\]", r"\1", locked, flags=re.MULTILINE)
    pins = re.findall(r"^([\w.-]+==[^ \\\n]+(?: ; [^\\\n]+)?)", bare_names, flags=re.MULTILINE)
    constraints = folder / "constraints.txt"
    bare = size_of(folder)
    constraints.write_text("\n".join(pins), encoding="utf-8")
    return Environment(folder=folder, bare_bytes=bare, constraints=constraints)
