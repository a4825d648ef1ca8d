"""What is known of replies that are not complete: it outlives the process."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from citewell import content_hash


class Draft(Struct, frozen=True):
    """A reply that is being written.

    Attributes:
        posted: ids of its messages.
        is_posting: another one may stand there, whose id nobody was told.
    """

    posted: tuple[str, ...] = ()
    is_posting: bool = False


class Drafts:
    """Keeps a small file for each reply that is not complete; nobody can search in Telegram.

    Args:
        folder: for the files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def find(self, key: str) -> Draft | None:
        """Return what is known of a reply, if it is not complete."""
        try:
            return msgspec.json.decode(self._path(key).read_bytes(), type=Draft)
        except FileNotFoundError:
            return None

    def keep(self, key: str, draft: Draft) -> None:
        """Keep how far a reply is."""
        path = self._path(key)
        beside = path.with_suffix(".new")
        beside.write_bytes(msgspec.json.encode(draft))
        beside.replace(path)

    def drop(self, key: str) -> None:
        """Forget a reply: it is complete, and whoever asked for it knows its messages."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{content_hash(key)}.json"
