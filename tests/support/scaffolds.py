"""New plugins, installed and tested as their authors do it, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from citewell.cli.main import run
from packages import build_wheel

needs_checkers = pytest.mark.skipif(
    find_spec("mypy") is None or find_spec("ruff") is None,
    reason="mypy and ruff are not installed; run: make dev-setup",
)


@dataclass(frozen=True)
class Package:
    """A package that was written, with what it is installed as on the path."""

    folder: Path
    site: Path
    home: Path

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run Python with the package installed."""
        paths = [str(self.site), *filter(None, [os.environ.get("PYTHONPATH")])]
        return subprocess.run(
            [sys.executable, *map(str, words)],
            check=False,
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(paths),
                "HOME": str(self.home),
            },
        )


def new_package(name: str, kind: str, folder: Path, *options: str) -> Package:
    """Write a package by the command, build its wheel, and lay that out beside it."""
    plugins = folder / "plugins"
    assert run(["plugins", "new", name, "--kind", kind, "--folder", str(plugins), *options]) == 0
    (written,) = plugins.iterdir()
    with zipfile.ZipFile(build_wheel(written, folder / "wheel")) as wheel:
        wheel.extractall(folder / "site")
    return Package(folder=written, site=folder / "site", home=folder / "home")
