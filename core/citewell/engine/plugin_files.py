"""Plugins of one file: run from the very bytes that were checked, never read a second time."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from types import ModuleType

from citewell.errors import PluginError, UntrustedPlugin

_MAX_BYTES = 1_000_000
_PREFIX = "citewell_plugin_file_"


def digest(content: bytes) -> str:
    """Return the SHA-256 of `content` as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def read_plugin_file(path: Path) -> bytes:
    """Return the bytes of the plugin file at `path`.

    Raises:
        PluginError: there is no such file, or it cannot be a plugin.
    """
    if not path.is_file():
        raise PluginError(f"{path} is not a file")
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise PluginError(f"{path} is larger than {_MAX_BYTES:,} bytes; make it a package")
    return content


def run_plugin_file(path: Path, content: bytes) -> ModuleType:
    """Run `content`, which the caller trusts, as the module of the file `path`."""
    name = f"{_PREFIX}{digest(content)}"
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        exec(compile(content, str(path), "exec"), module.__dict__)  # noqa: S102 - trusted by hash
    except BaseException:
        del sys.modules[name]
        raise
    return module


def is_plugin_file(name: str) -> bool:
    """Tell whether the module `name` is a plugin file, by its name alone."""
    return name.startswith(_PREFIX)


def rerun_plugin_file(name: str, path: Path) -> ModuleType:
    """Run the plugin file of the module `name` in another process than the one that checked it.

    Raises:
        UntrustedPlugin: it does not hold the bytes any more that the name stands for.
    """
    content = read_plugin_file(path)
    if name != f"{_PREFIX}{digest(content)}":
        raise UntrustedPlugin(f"{path} changed after it was loaded; start again")
    return run_plugin_file(path, content)
