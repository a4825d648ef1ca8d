"""Names for what files hold, so that it can be told whether they are what they were."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from citewell.errors import CitewellError

_BLOCK = 1 << 20


def file_hash(path: Path, told: Callable[[int], None] | None = None) -> str:
    """Return the SHA-256 of a file.

    Args:
        path: of the file.
        told: given how many bytes were read, now and then.

    Raises:
        CitewellError: it cannot be read.
    """
    found, done = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
                done += len(block)
                if told is not None:
                    told(done)
    except OSError as error:
        raise CitewellError(f"{path} cannot be read: {error.strerror}") from error
    return found.hexdigest()


def folder_hash(
    folder: Path,
    told: Callable[[int, int], None] | None = None,
    *,
    only: Sequence[str] = ("**/*",),
) -> str:
    """Return the SHA-256 of the names and contents of the files of a folder, hidden ones left out.

    Args:
        folder: with everything below it.
        told: given how many bytes were read, and of how many.
        only: patterns of the files that count.

    Raises:
        CitewellError: a file cannot be read.
    """
    files = _files(folder, only)
    total, before = sum(path.stat().st_size for path in files), 0

    def progress(done: int) -> None:
        if told is not None:
            told(before + done, total)

    lines: list[str] = []
    for path in files:
        lines.append(f"{file_hash(path, progress)} {path.relative_to(folder).as_posix()}\n")
        before += path.stat().st_size
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _files(folder: Path, only: Sequence[str]) -> Sequence[Path]:
    found = {path for pattern in only for path in folder.glob(pattern) if path.is_file()}
    return sorted(
        path
        for path in found
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
