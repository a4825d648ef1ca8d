"""What is there, and by what it can be told to be unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from citewell_filesystems.opening import STORES, FileSystem

# Each names the content, or one writing of it.
_STRONG = ("ETag", "etag", "md5Hash", "md5", "crc32c", "CRC")
_TIMES = ("mtime", "LastModified", "last_modified", "modified", "updated", "created")
_COARSEST_S = 120.0
"""Some servers tell times by the minute; what was written this short a while ago may be written
again and keep its time."""


class Found(Struct, frozen=True):
    """A file.

    Attributes:
        id: its path below what is read.
        name: as the file system calls it.
        size: in bytes; None when it is not told.
        stamp: stays the same as long as the content does; None when nothing can tell.
    """

    id: str
    name: str
    size: int | None
    stamp: str | None


def listed(filesystem: FileSystem, root: str, protocol: str) -> Iterator[Found]:
    """Yield every file below `root`, or `root` itself when it is one.

    Raises:
        Exception: whatever the library of the file system raises when it cannot list something.
    """
    prefix = f"{root}/" if root else filesystem.root_marker
    infos = _found_at_once(filesystem, root) if _finds(filesystem) else _walked(filesystem, root)
    is_empty = True
    for info in infos:
        is_empty = False
        name = info["name"]
        if info["type"] != "file" or info.get("islink") or name.endswith("/"):
            continue
        id_ = name.rpartition("/")[2] if name == root else name.removeprefix(prefix)
        size = info.get("size")
        yield Found(id_, name, size if isinstance(size, int) else None, stamp(info))
    if is_empty and protocol not in STORES and root and not filesystem.exists(root):
        raise FileNotFoundError(root)


def stamp(info: Mapping[str, Any]) -> str | None:
    """Return what stays the same as long as the content of a file does."""
    size = info.get("size")
    for key in _STRONG:
        value = info.get(key)
        if value not in {None, ""} and not str(value).startswith("W/"):
            return f"{value} {size} {info.get('date_time', '')}".strip()
    moment = next((info[key] for key in _TIMES if info.get(key)), None)
    written = _seconds(moment)
    if written is None or datetime.now(UTC).timestamp() - written < _COARSEST_S:
        return None
    return f"{written} {size}"


def _seconds(moment: object) -> float | None:
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return None
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return float(moment) if isinstance(moment, int | float) else None


def _finds(filesystem: FileSystem) -> bool:
    """Tell whether it lists a whole tree in its own way; object stores need few requests then.

    Folders that fsspec's own way cannot list are passed over in silence.
    """
    from fsspec import AbstractFileSystem
    from fsspec.asyn import AsyncFileSystem

    kind = type(filesystem)
    if isinstance(filesystem, AsyncFileSystem):
        return kind._find is not AsyncFileSystem._find  # noqa: SLF001 - no other way to tell
    return kind.find is not AbstractFileSystem.find


def _found_at_once(filesystem: FileSystem, root: str) -> Iterator[Mapping[str, Any]]:
    infos = filesystem.find(root, detail=True)
    # What it remembers would stay in memory, and be old by the time a file is fetched.
    filesystem.invalidate_cache()
    while infos:
        yield infos.popitem()[1]


def _walked(filesystem: FileSystem, root: str) -> Iterator[Mapping[str, Any]]:
    """Yield what is below `root`, folder by folder, following no link."""
    folders = [root]
    while folders:
        folder = folders.pop()
        for info in filesystem.ls(folder, detail=True):
            if info["type"] == "directory" and info["name"].rstrip("/") != folder:
                if not info.get("islink"):
                    folders.append(info["name"].rstrip("/"))
            else:
                yield info
