"""Plugins of a test: installed like any other, for as long as the test runs."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from citewell.engine.registry import Registry
from citewell.hookspecs import API, PROJECT


class Plugins:
    """The plugins that are installed, and those that a test adds.

    What is added is found wherever plugins are: by a registry, by settings, by the contracts, and
    by the processes that read documents.

    Args:
        folder: for the metadata of what is added; it must not be there yet.
        patch: undoes at the end of the test what is done here.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        patch.syspath_prepend(str(folder))
        self._folder = folder
        self._patch = patch

    def add(self, module: ModuleType, *, name: str = "") -> None:
        """Install `module` as a plugin.

        Args:
            module: with hooks; it can be the module of the test: `sys.modules[__name__]`.
            name: of the plugin; by default the module's own.
        """
        name = name or module.__name__.rpartition(".")[2]
        self._patch.setitem(sys.modules, module.__name__, module)
        package = f"{PROJECT}-test-{re.sub('[^a-z0-9]+', '-', name.lower())}"
        info = self._folder / f"{package.replace('-', '_')}-0.dist-info"
        info.mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: 0\n"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        entry = f"[{PROJECT}.v{API}]\n{name} = {module.__name__}\n"
        (info / "entry_points.txt").write_text(entry, encoding="utf-8")
        importlib.invalidate_caches()

    def load(self) -> Registry:
        """Return a registry of them all.

        Raises:
            PluginError: one of them is bad; says which, and what is wrong with it.
        """
        return Registry.load(strict=True)
