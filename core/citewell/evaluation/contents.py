"""Files that a user keeps with an evaluation: read whole or not at all, replaced in one go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from citewell.errors import ConfigError

_MAX_BYTES = 100_000_000
_SHOWN = 5
_MARK = b"\xef\xbb\xbf"


def content_of(path: Path, *, expected: str) -> bytes:
    """Return what a file holds, as UTF-8 without a mark of the byte order.

    Args:
        path: of the file.
        expected: what it should be, in words.

    Raises:
        ConfigError: it cannot be read, is too large or in another encoding.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"{path}: cannot be read: {reason.lower()}") from error
    if len(content) > _MAX_BYTES:
        raise ConfigError(f"{path}: larger than {_MAX_BYTES:,} bytes; expected {expected}: cut it")
    content = content.removeprefix(_MARK)
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = len((content[: error.start] + b".").splitlines())
        raise ConfigError(
            f"{path}: line {line}: is not UTF-8 text; expected that encoding: save the file with it"
        ) from error
    return content


def wrong_lines(path: Path, problems: Sequence[tuple[int, str]]) -> ConfigError:
    """Return the error about lines of a file, each with what is wrong; it names the first ones."""
    lines = [f"{path}: line {line}: {' '.join(said.split())}" for line, said in sorted(problems)]
    if len(lines) > _SHOWN:
        lines[_SHOWN:] = [f"{path}: {len(lines) - _SHOWN} more lines like these"]
    return ConfigError(*lines)


def lowered(text: str) -> str:
    """Return a message that begins small, as it stands behind a line number."""
    is_name = text[1:2].isupper()
    return text if is_name else text[:1].lower() + text[1:]
