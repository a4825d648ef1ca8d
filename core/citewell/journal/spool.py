"""The quick way into the journal: one durable file a record, taken in when the journal opens.

A one-shot command can so leave its record without waiting for the database layer to start.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import convert, to_builtins

from citewell.errors import JournalError
from citewell.journal.records import AnswerRecord

log = logging.getLogger(__name__)


class Spool:
    """A folder of records that wait for the journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, record: AnswerRecord) -> None:
        """Keep `record`; durable on return.

        Raises:
            JournalError: the folder cannot be written.
        """
        final = self.folder / f"{record.id}.json"
        partial = final.with_suffix(".partial")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with partial.open("w", encoding="utf-8") as file:
                json.dump(to_builtins(record), file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(final)
        except OSError as error:
            raise JournalError(
                f"answer {record.id} could not be recorded in {self.folder}: {error.strerror}; "
                "make the folder writable"
            ) from error

    def waiting(self) -> Iterator[tuple[Path, AnswerRecord]]:
        """Yield each waiting record with its file, in the order of their names.

        A file that another process takes in meanwhile is passed over; one that holds no record is
        set aside, with a warning.
        """
        for path in sorted(self.folder.glob("*.json")):
            try:
                record = convert(json.loads(path.read_bytes()), AnswerRecord)
            except FileNotFoundError:
                continue
            except (OSError, ValueError, RecursionError) as error:
                _set_aside(path, error)
            else:
                yield path, record

    def set_aside(self) -> list[Path]:
        """Return the files that held no record."""
        return sorted(self.folder.glob("*.unreadable"))


def _set_aside(path: Path, error: Exception) -> None:
    kept = path.with_suffix(".unreadable")
    with suppress(OSError):
        path.rename(kept)
    log.warning("%s holds no record of an answer (%s); it is kept as %s", path, error, kept.name)
