"""Remembers conversations of which Discord tells no bot that was restarted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from citewell_discord.keeping import keep

_MOST: Final = 1000


class Directs:
    """Keeps the ids of the conversations in which somebody wrote last.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_kept = True
        self._ids: dict[int, None] = {}
        try:
            self._ids = dict.fromkeys(map(int, json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError):
            # Nothing was kept yet, or a crash cut it short: what comes is remembered.
            self._ids = {}

    @property
    def ids(self) -> tuple[int, ...]:
        """The conversations, the last one last."""
        return tuple(self._ids)

    def note(self, channel: int) -> None:
        """Note that somebody wrote there."""
        is_new = channel not in self._ids
        self._ids.pop(channel, None)
        self._ids[channel] = None
        while len(self._ids) > _MOST:
            del self._ids[next(iter(self._ids))]
        if is_new or not self._is_kept:
            self._is_kept = keep(self._path, json.dumps(list(self._ids)))
