"""Files beside the settings that components depend on: model files, templates, secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from stat import S_ISREG

from msgspec import Struct
from pydantic import BaseModel


class FileState(Struct, frozen=True):
    """A file as it was found.

    Attributes:
        stamp: what differs once the file is written or replaced; None while it is no file.
    """

    path: Path
    stamp: tuple[int, int, int, int] | None


def file_state(path: Path) -> FileState:
    """Return the state of a file, and of none where there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return FileState(path, None)
    if not S_ISREG(found.st_mode):
        return FileState(path, None)
    stamp = found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
    return FileState(path, stamp)


def named_files(config: BaseModel, base_dir: Path) -> Iterator[Path]:
    """Yield every path that is a setting, in lists and tables of settings as well."""
    for value in _paths(config.__dict__.values()):
        try:
            yield base_dir / value.expanduser()
        except RuntimeError:
            continue


def _paths(values: Iterable[object]) -> Iterator[Path]:
    for value in values:
        if isinstance(value, Path):
            yield value
        elif isinstance(value, BaseModel):
            yield from _paths(value.__dict__.values())
        elif isinstance(value, Mapping):
            yield from _paths(value.values())
        elif isinstance(value, list | tuple | set | frozenset):
            yield from _paths(value)
