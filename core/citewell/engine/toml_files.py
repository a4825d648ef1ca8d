"""Reads files that people write in TOML."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from citewell.errors import ConfigError

_MAX_BYTES = 1_000_000


def content_of(path: Path) -> bytes:
    """Return what a file of settings holds.

    Raises:
        ConfigError: it cannot be read, or is too large to be one.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{path}: cannot be read: {reason.lower()}") from error
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{path}: larger than {_MAX_BYTES:,} bytes; this is no settings file")
    return content


def parsed(path: Path, content: bytes) -> dict[str, Any]:
    """Return the tables that the content of the file at `path` describes.

    Raises:
        ConfigError: it is no TOML.
    """
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: line {line}: expected text in UTF-8") from error
    except (ValueError, RecursionError) as error:
        text = str(error) if isinstance(error, ValueError) else "nested too deeply"
        raise ConfigError(f"{path}: this is not TOML: {text[:1].lower()}{text[1:]}") from error
