"""Documents that could not be read, remembered so that they are not tried at each sync."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct, convert, to_builtins

RETRY_S = 3600.0
"""After so long a document is tried again: it may have failed for want of time or memory."""


class Failure(Struct, frozen=True, kw_only=True):
    """A document that could not be read.

    Attributes:
        library: its library.
        id: within the library.
        reason: one line for people.
        version: that was tried.
        tried: when, in seconds since 1970.
    """

    library: str
    id: str
    reason: str
    version: str = ""
    tried: float = 0.0


class Failures:
    """The failures of one index, kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failures = {(failure.library, failure.id): failure for failure in _load(path)}
        self._saved = dict(self._failures)

    def add(self, failure: Failure) -> None:
        """Remember `failure` in place of an earlier one of the same document."""
        self._failures[failure.library, failure.id] = failure

    def forget(self, library: str, id_: str) -> None:
        """Forget the document, which is gone or can be read."""
        self._failures.pop((library, id_), None)

    def of(self, library: str) -> Iterator[Failure]:
        """Yield what failed in `library`."""
        yield from [failure for (name, _), failure in self._failures.items() if name == library]

    def recent(self, library: str) -> Iterator[Failure]:
        """Yield what failed in `library` so lately that it is not tried again."""
        now = time.time()
        return (failure for failure in self.of(library) if 0 <= now - failure.tried < RETRY_S)

    def save(self) -> None:
        """Write what has changed since the last time."""
        if self._failures != self._saved:
            part = self._path.with_suffix(f".{os.getpid()}.part")
            records = to_builtins([*self._failures.values()])
            part.write_text(json.dumps(records, indent=1), encoding="utf-8")
            part.replace(self._path)
            self._saved = dict(self._failures)


def _load(path: Path) -> list[Failure]:
    # What cannot be read is only tried again.
    with suppress(OSError, ValueError, TypeError):
        return convert(json.loads(path.read_text(encoding="utf-8")), list[Failure])
    return []
