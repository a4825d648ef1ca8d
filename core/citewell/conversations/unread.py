"""What of a channel was not read yet: documents about it would be incomplete."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from citewell.conversations.messages import Talk
from citewell.conversations.record import Record
from citewell.conversations.settings import HistoryConfig

_DAY_S: Final = 86400
_ANSWERED_WITHIN_S: Final = 7 * _DAY_S


class Unread:
    """The stretches of a channel that were never read, and its threads that were not.

    Args:
        talk: the channel.
        record: what was read of it.
        config: the settings.
    """

    def __init__(self, talk: Talk, record: Record, config: HistoryConfig) -> None:
        self._talk = talk
        state = record.state(talk.id)
        # Up to the newest, gaps are of what is read again.
        gaps = [(max(since, state.newest), before) for since, before in state.stretches]
        if not state.newest and not gaps:
            gaps = [("", talk.id_at(time.time() + _DAY_S))]
        if not state.is_whole:
            recent = talk.id_at(max(time.time() - config.recent_days * _DAY_S, 0.0))
            gaps.append(("", state.swept or recent))
        self._stretches = [(since, before) for since, before in gaps if since < before]
        self._threads = record.unread_threads(talk.id)

    def holds(self, key: str) -> bool:
        """Tell whether some of a thread, or of a day like 2026-01-02, was not read yet."""
        if not _is_day(key):
            return any(since <= key < before for since, before in self._stretches)
        start = datetime.fromisoformat(key).replace(tzinfo=UTC).timestamp()
        first, end = self._talk.id_at(start), self._talk.id_at(start + _DAY_S)
        is_cut = any(since < end and before > first for since, before in self._stretches)
        # Of a thread that is too short, the days tell on which somebody wrote in it.
        began = self._talk.id_at(max(start - _ANSWERED_WITHIN_S, 0.0))
        return is_cut or any(began <= id_ < end for id_ in self._threads)


def _is_day(key: str) -> bool:
    return len(key) == len("2026-01-02") and key[4] == key[7] == "-"
