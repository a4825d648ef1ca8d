"""Which plugin files may run: remembered by the hash of their bytes."""

from __future__ import annotations

import json
import os
from pathlib import Path

from citewell.engine.plugin_files import digest, read_plugin_file
from citewell.errors import UntrustedPlugin


class Trust:
    """The user's memory of plugin files that may run.

    Args:
        path: the file that holds it; by default in the user's data folder, out of reach of any
            folder that was cloned.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """The file that holds it."""
        if self._path is None:
            import platformdirs

            self._path = platformdirs.user_data_path("citewell") / "trusted-plugins.json"
        return self._path

    def is_trusted(self, plugin: Path, content: bytes) -> bool:
        """Tell whether `content` is what the file `plugin` held when it was trusted."""
        return self._read().get(str(plugin.resolve())) == digest(content)

    def content(self, path: Path) -> bytes:
        """Return what the file `path` holds, if that is what was trusted.

        Raises:
            UntrustedPlugin: nobody has trusted these bytes at this path.
            PluginError: there is no such file.
        """
        path = path.resolve()
        content = read_plugin_file(path)
        if not self.is_trusted(path, content):
            why = "changed since it was trusted" if self.is_known(path) else "is not trusted yet"
            raise UntrustedPlugin(f"{path} {why}; read it, then run: citewell plugins trust {path}")
        return content

    def is_known(self, plugin: Path) -> bool:
        """Tell whether some content of the file `plugin` was trusted once."""
        return str(plugin.resolve()) in self._read()

    def add(self, plugin: Path, content: bytes) -> None:
        """Trust the file `plugin` for as long as it holds `content`.

        Raises:
            OSError: the memory cannot be written.
        """
        trusted = self._read() | {str(plugin.resolve()): digest(content)}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(trusted, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        fresh.replace(self.path)

    def _read(self) -> dict[str, str]:
        """Return path to hash; a memory that cannot be read trusts nothing."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}
