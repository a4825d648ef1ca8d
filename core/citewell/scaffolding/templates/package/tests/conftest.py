"""Runs the command `citewell` in a copy of the example."""

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parent.parent / "example"
COMMAND = Path(sysconfig.get_path("scripts")) / "citewell"


@pytest.fixture
def citewell(tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs one command and returns what it shows."""
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".citewell"))
    home = tmp_path / "home"
    surroundings = {
        **os.environ,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        "NO_COLOR": "1",
    }

    def run(*words: str) -> str:
        done = subprocess.run(
            [COMMAND, *words],
            check=False,
            cwd=folder,
            env=surroundings,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
