"""Which threads begin with a mention of the bot, whatever of them was heard in which order."""

from __future__ import annotations

import logging
from collections import OrderedDict
from typing import Final

from citewell import DeliveryError
from citewell_slack.incoming import Payload, Workspace
from citewell_slack.workspaces import Workspaces

_MOST: Final = 5_000


class Threads:
    """Looks at how threads begin, once at each.

    A follow-up may be heard before the question that it follows, which then nobody knows yet.

    Args:
        workspaces: with their tokens.
        log: for threads that cannot be read.
    """

    def __init__(self, workspaces: Workspaces, log: logging.Logger) -> None:
        self._workspaces = workspaces
        self._log = log
        self._known: OrderedDict[tuple[str, str, str], bool] = OrderedDict()

    async def begin_with_mention(self, where: Workspace, channel: str, thread: str) -> bool | None:
        """Tell whether the first message of a thread names the bot.

        False where it cannot be read, None where it was just found to be gone.
        """
        key = where.team, channel, thread
        if key not in self._known:
            try:
                is_named = await self._first_names_bot(where, channel, thread)
            except DeliveryError as error:
                self._log.info("how thread %s begins cannot be read: %s", thread, error)
                return False
            self._known[key] = bool(is_named)
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
            return is_named
        return self._known[key]

    async def _first_names_bot(self, where: Workspace, channel: str, thread: str) -> bool | None:
        api = await self._workspaces.api(where.team)
        told = await api.read("conversations.replies", channel=channel, ts=thread, limit=1)
        first: Payload = next(iter(told.get("messages") or ()), {})
        if first.get("ts") != thread or first.get("subtype") == "tombstone":
            return None
        return where.mentions_bot(str(first.get("text") or ""))
