"""What a file must pass before any loader sees it."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from citewell.errors import DocumentError

MAX_UNPACKED_BYTES = 256 * 1024 * 1024
MAX_RATIO = 100
MAX_ENTRIES = 20_000
_SMALL_ENTRY_BYTES = 1024 * 1024

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_OFFICE = frozenset({".docx", ".xlsx", ".pptx", ".docm", ".xlsm", ".pptm", ".odt", ".epub"})


def check_size(size: int, *, max_mb: float) -> None:
    """Refuse a file of `size` bytes that is empty or over the limit.

    Raises:
        DocumentError: says which.
    """
    if size == 0:
        raise DocumentError("is empty (0 bytes)")
    if size > max_mb * 1024 * 1024:
        raise DocumentError(
            f"has {size / 1024 / 1024:.1f} MB, more than the {max_mb:g} MB allowed; "
            "raise max_mb of its library to read it"
        )


def screen(path: Path) -> None:
    """Refuse a file whose content belies its name, or that would unpack to far more than it is.

    Raises:
        DocumentError: says why.
    """
    with path.open("rb") as file:
        start = file.read(1024)
    suffix = path.suffix.lower()
    if suffix == ".pdf" and b"%PDF-" not in start:
        raise DocumentError("is named .pdf but is not a PDF (it does not begin with %PDF-)")
    if suffix in _OFFICE and start.startswith(_OLE):
        raise DocumentError(
            f"is named {suffix} but is encrypted or in the old binary Office format; "
            "save it again without a password"
        )
    if suffix in _OFFICE and not start.startswith(_ZIP):
        raise DocumentError(f"is named {suffix} but is not a zip archive, as {suffix} files are")
    if start.startswith(_ZIP):
        _screen_zip(path)


def _screen_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError) as error:
        raise DocumentError("is a damaged zip archive") from error
    if len(entries) > MAX_ENTRIES:
        raise DocumentError(f"holds {len(entries)} entries, more than {MAX_ENTRIES}")
    for entry in entries:
        _screen_entry(entry)
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES:
        raise DocumentError(
            f"unpacks to {unpacked // 1024**2} MB, more than {MAX_UNPACKED_BYTES // 1024**2} MB"
        )


def _screen_entry(entry: zipfile.ZipInfo) -> None:
    name = PurePosixPath(entry.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts:
        raise DocumentError("holds an entry that points outside the archive")
    if entry.flag_bits & 1:
        raise DocumentError("is an encrypted archive; save it again without a password")
    ratio = entry.file_size / max(entry.compress_size, 1)
    if entry.file_size > _SMALL_ENTRY_BYTES and ratio > MAX_RATIO:
        raise DocumentError(
            f"holds an entry that unpacks to {ratio:.0f} times its size, more than {MAX_RATIO}: "
            "a decompression bomb"
        )
