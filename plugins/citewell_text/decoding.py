"""Bytes turned into text, or refused."""

from __future__ import annotations

import codecs
import contextlib
import re
from pathlib import Path, PurePosixPath

from citewell import DocumentError, RawDocument

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FOREIGN = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a zip archive or Office document"),
    (b"\xd0\xcf\x11\xe0", "an old binary Office document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\0", "an SQLite database"),
)
_WIDE = ["utf_16", "utf_16_le", "utf_16_be", "utf_32", "utf_32_le", "utf_32_be", "utf_7"]
_FEW = 20
"""Letters beyond ASCII: below this, statistics of a language say nothing."""

_SAMPLE_BYTES = 64 * 1024
_CONTROL = bytes({*range(32)} - {*b"\t\n\v\f\r\x1b"})

# Source: RFC 1468. What begins a run of Japanese characters.
_JAPANESE = re.compile(rb"\x1b\$[@B]")


def read_text(
    path: Path, *, encoding: str | None = None, declared: re.Pattern[bytes] | None = None
) -> str:
    r"""Return the text of a file, each line ended by `\n`.

    Args:
        path: of the file.
        encoding: that the user names; otherwise it is found out.
        declared: finds the encoding that the beginning of the file names.

    Raises:
        DocumentError: it is not text, or its encoding cannot be told.
    """
    data = path.read_bytes()
    for magic, name in _FOREIGN:
        if data.startswith(magic):
            raise DocumentError(f"is {name}, not text; give it the suffix that says so")
    encoding = encoding or _encoding(data, declared)
    control = len(data) - len(data.translate(None, _CONTROL))
    is_wide = encoding.startswith(("utf-16", "utf-32", "utf_16", "utf_32"))
    if control > len(data) // 100 and not is_wide:
        raise DocumentError("is binary, not text")
    text = _decoded(data, encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")


def stem(raw: RawDocument) -> str:
    """Return the name of the file without folder and suffix: the title of last resort."""
    return PurePosixPath(raw.id).stem or raw.id


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"is not valid {encoding}: {error.reason} at byte {error.start}; save it as UTF-8"
        ) from error
    except LookupError as error:
        raise DocumentError(f"has the unknown encoding {encoding!r}") from error


def _encoding(data: bytes, declared: re.Pattern[bytes] | None) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding
    if _JAPANESE.search(data):
        # Seven bits a byte: valid UTF-8 as well, of escape sequences.
        with contextlib.suppress(UnicodeDecodeError):
            data.decode("iso2022_jp")
            return "iso2022_jp"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        if named := declared.search(data, 0, 4096) if declared else None:
            return named[1].decode("ascii")
        return _guess(data[max(error.start - _SAMPLE_BYTES // 2, 0) :][:_SAMPLE_BYTES])
    zeros = data.count(b"\0", 0, _SAMPLE_BYTES)
    return _guess(data[:_SAMPLE_BYTES]) if zeros * 10 > len(data[:_SAMPLE_BYTES]) else "utf-8"


def _guess(sample: bytes) -> str:
    """Return the encoding of bytes that are not UTF-8."""
    from charset_normalizer import from_bytes

    replaced = sample.decode("utf-8", "replace")
    unreadable = replaced.count("\ufffd")
    foreign = sum(character > "\x7f" for character in replaced)
    if foreign > 2 * unreadable:
        raise DocumentError("is damaged UTF-8; save it again as UTF-8")
    guesses = from_bytes(sample, cp_exclusion=None if b"\0" in sample else _WIDE)
    best = guesses.best()
    if best is None:
        raise DocumentError("is binary or in an encoding that cannot be told; save it as UTF-8")
    # Western text fits other code pages as well, and Windows' own is by far the likeliest.
    for guess in guesses:
        fits = guess.chaos <= best.chaos + 0.01 and guess.coherence >= best.coherence - 0.05
        if "cp1252" in guess.could_be_from_charset and (fits or unreadable < _FEW):
            return "cp1252"
    return best.encoding
