"""Writes files anew so that no reader, and no crash, finds half of one."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from citewell.errors import CitewellError


def replace_content(path: Path, content: bytes) -> None:
    """Write a file anew; whoever reads meanwhile finds the old one or the new one.

    Raises:
        CitewellError: it cannot be written; it is as it was.
    """
    target = path.resolve()
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        _write_to_disk(fresh, content)
        with suppress(FileNotFoundError):
            shutil.copymode(target, fresh)
        fresh.replace(target)
    except OSError as error:
        raise CitewellError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        # Where it could not be written, it cannot be deleted either.
        with suppress(OSError):
            fresh.unlink()


def _write_to_disk(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        # Else a power failure may leave the name, and nothing behind it.
        os.fsync(file.fileno())
