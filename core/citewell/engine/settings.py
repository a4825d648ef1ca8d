"""The settings of one run: read from `citewell.toml` and checked as a whole."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

from citewell.engine.assembly import Assembly
from citewell.engine.registry import Registry
from citewell.engine.replacing import replace_content
from citewell.engine.sections import LibrarySettings, RetrieverSettings, Section, Settings
from citewell.engine.tables import Profile
from citewell.engine.toml_files import content_of, parsed
from citewell.errors import ConfigError

__all__ = [
    "FILE_NAME",
    "LibrarySettings",
    "Profile",
    "RetrieverSettings",
    "Section",
    "Settings",
    "find_config",
    "folder_settings",
    "load_registry",
    "load_settings",
    "save_settings",
    "settings_of",
]

FILE_NAME: Final = "citewell.toml"


def find_config(start: Path) -> Path | None:
    """Return the `citewell.toml` of `start` or of the nearest folder above it that has one."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def load_settings(path: Path, *, strict: bool = False) -> Settings:
    """Read the settings file at `path` and check all of it.

    Args:
        path: a TOML file; relative paths in it start at its folder.
        strict: raise on the first bad plugin.

    Raises:
        ConfigError: with every problem of the file.
        PluginError: with `strict` only.
    """
    data = _read(path)
    return Assembly(str(path), path.resolve().parent, data, strict=strict).settings(path)


def settings_of(path: Path, text: str) -> Settings:
    """Return what the settings file at `path` would say with `text` in it.

    Raises:
        ConfigError: with every problem of the text.
    """
    return Assembly(str(path), path.resolve().parent, parsed(path, text.encode())).settings(path)


def save_settings(path: Path, text: str) -> Settings:
    """Let the settings file at `path` hold `text`, if that is right; return what it says.

    Whoever reads the file meanwhile finds the old text or the new one.

    Raises:
        ConfigError: with every problem of the text; the file is as it was.
        CitewellError: the file cannot be written.
    """
    settings = settings_of(path, text)
    replace_content(path, text.encode())
    return settings


def load_registry(path: Path | None) -> Registry:
    """Load the plugins that the settings file at `path` asks for, whatever else is wrong with it.

    Args:
        path: None for those that are installed.

    Raises:
        ConfigError: the file cannot be read, or its `[plugins]` is wrong.
    """
    data = {} if path is None else {"plugins": _read(path).get("plugins", {})}
    folder = Path.cwd() if path is None else path.resolve().parent
    return Assembly(str(path), folder, data).registry


def folder_settings(docs: Path) -> Settings:
    """Return the settings with which the folder `docs` is asked when there is no file.

    Its index is kept in the user's cache folder, under a name made from the folder's own.

    Raises:
        ConfigError: `docs` is no folder, or what every answer needs cannot be loaded.
    """
    import platformdirs

    folder = docs.resolve()
    if not folder.is_dir():
        raise ConfigError(f"{docs}: expected a folder with documents")
    name = hashlib.sha256(str(folder).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    data: dict[str, Any] = {
        "data_dir": str(platformdirs.user_cache_path("citewell") / name),
        "library": {"docs": {"use": "files", "path": str(folder)}},
    }
    return Assembly(f"defaults for {docs}", folder, data).settings(None)


def _read(path: Path) -> dict[str, Any]:
    return parsed(path, content_of(path))
