"""Installs made-up packages for one test: metadata in a folder that is put on the path."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

BAD_PLUGINS = Path(__file__).resolve().parent.parent / "bad_plugins"


class Site:
    """A folder of installed packages."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._patch = patch
        folder.mkdir()
        patch.syspath_prepend(str(BAD_PLUGINS))
        patch.syspath_prepend(str(folder))

    def install(self, plugins: Mapping[str, str], *, name: str, group: str = "citewell.v1") -> None:
        """Install a package, version 0.3, with plugins: entry point to module."""
        info = self._folder / f"{name.replace('-', '_')}-0.3.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.3\n")
        lines = [f"{plugin} = {module}" for plugin, module in plugins.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
        for module in plugins.values():
            self._patch.delitem(sys.modules, module, raising=False)
