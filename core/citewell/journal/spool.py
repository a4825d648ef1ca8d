"""The quick way into the journal: one durable file a record, taken in when the journal opens.

A one-shot command can so leave its record without waiting for the database layer to start.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import to_builtins

from citewell.errors import JournalError
from citewell.journal.records import AnswerRecord


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

    def waiting(self) -> Iterator[tuple[Path, str]]:
        """Yield the file and the JSON text of each waiting record, in the order of their names.

        A file that another process takes in meanwhile is passed over.
        """
        for path in sorted(self.folder.glob("*.json")):
            text = None
            with suppress(FileNotFoundError):
                text = path.read_text(encoding="utf-8")
            if text is not None:
                yield path, text
