"""The folders that Citewell keeps its files in."""

from __future__ import annotations

from pathlib import Path

from citewell.errors import ConfigError


def make_folder(folder: Path) -> None:
    """Make `folder`, which is in the data folder or is it, where it is not there yet.

    Raises:
        ConfigError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def check_folder(folder: Path) -> None:
    """Make the data folder, and write to it.

    Raises:
        ConfigError: it cannot be made or written.
    """
    from tempfile import TemporaryFile

    make_folder(folder)
    try:
        with TemporaryFile(dir=folder) as file:
            file.write(b"citewell")
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"data_dir {folder} cannot be written: {error.strerror}; set data_dir to another folder"
    )
