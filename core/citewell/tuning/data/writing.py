"""Writes examples in the one form that trainers take: JSON lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from citewell.engine.replacing import replace_content
from citewell.errors import ConfigError
from citewell.tuning.data.examples import Example


def save(path: Path, examples: Iterable[Example]) -> None:
    """Write a file of examples; it is the old or the new one.

    Raises:
        CitewellError: it cannot be written; it is as it was.
    """
    replace_content(path, b"".join(msgspec.json.encode(one.row()) + b"\n" for one in examples))


def check_new(path: Path, *sources: Path, force: bool) -> None:
    """Raise where a file cannot be written.

    Args:
        path: of the file.
        sources: what is read for it, which stays as it is.
        force: whether it may replace a file.

    Raises:
        ConfigError: it is there already, has another suffix, or there is no folder for it.
    """
    if path.suffix.lower() not in {".jsonl", ".ndjson"}:
        raise ConfigError(
            f"{path} cannot be written: expected a name that ends with .jsonl, as examples are "
            "written as JSON lines: rename it"
        )
    if any(path.resolve() == one.resolve() for one in sources):
        raise ConfigError(
            f"{path} is read, and would be written; expected another file, as the one that is read "
            "stays as it is: name one"
        )
    if path.exists() and not force:
        raise ConfigError(
            f"{path} is there already; expected a new file: name another, or use --force"
        )
    if not path.parent.is_dir():
        raise ConfigError(f"{path} cannot be written: there is no folder {path.parent}; make it")
