"""Which channels everybody in a workspace may open, and who "everybody" is."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from time import monotonic
from typing import Any, Final

from citewell_slack.calls import Api, Refused

# Slack lets channels be asked for 50 times a minute, and all people 20 times a minute.
_KIND_S: Final = 60.0
_PEOPLE_S: Final = 300.0
_ASKED_SINGLY: Final = 20
_PAGE: Final = 1000


class Openness(Enum):
    """Who may open a channel: its members, or everybody in the workspace.

    One that is shared with other workspaces may be open to theirs, too.
    """

    CLOSED = "closed"
    OPEN = "open"
    SHARED = "shared"


@dataclass
class _Look:
    """What Slack said of a channel, or of the people of a workspace, and when it was asked."""

    at: float = float("-inf")
    openness: Openness = Openness.CLOSED
    people: dict[str, tuple[float, bool]] = field(default_factory=dict)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class OpenChannels:
    """Tells which channels are public, as of a minute ago, and who may open them.

    These are the members of a workspace, but neither its guests nor people of other workspaces; as
    of five minutes ago.
    """

    def __init__(self) -> None:
        self._channels: defaultdict[tuple[str, str], _Look] = defaultdict(_Look)
        self._people: defaultdict[str, _Look] = defaultdict(_Look)

    async def openness(self, api: Api, team: str, channel: str) -> Openness:
        """Return who may open a channel.

        Raises:
            DeliveryError: Slack does not say.
        """
        look = self._channels[team, channel]
        async with look.asking:
            if look.at < monotonic() - _KIND_S:
                look_at = monotonic()
                told = await api.read("conversations.info", channel=channel)
                look.openness = _openness(told.get("channel") or {})
                look.at = look_at
            return look.openness

    async def open_among(self, api: Api, team: str, channels: Collection[str]) -> frozenset[str]:
        """Return those of some channels that everybody in the workspace may open.

        Raises:
            DeliveryError: Slack does not say.
        """
        found = set()
        for channel in channels:
            try:
                openness = await self.openness(api, team, channel)
            except Refused as error:
                if error.passes:
                    raise
                # What the bot does not see is not known to be open.
                continue
            if openness is not Openness.CLOSED:
                found.add(channel)
        return frozenset(found)

    async def who_may(self, api: Api, team: str, users: Collection[str]) -> frozenset[str]:
        """Return who of these people may open every public channel of the workspace.

        Raises:
            DeliveryError: Slack does not say.
        """
        look = self._people[team]
        async with look.asking:
            oldest = monotonic() - _PEOPLE_S
            asked = [user for user in users if look.people.get(user, (oldest, False))[0] <= oldest]
            if len(asked) > _ASKED_SINGLY:
                await self._list(api, team, look)
            for user in asked:
                if look.people.get(user, (oldest, False))[0] <= oldest:
                    look.people[user] = monotonic(), await _may(api, team, user)
            return frozenset(user for user in users if look.people[user][1])

    async def _list(self, api: Api, team: str, look: _Look) -> None:
        at = monotonic()
        look.people = {
            str(told["id"]): (at, _is_of(told, team))
            async for told in api.pages("users.list", "members", limit=_PAGE)
        }


def _openness(told: Mapping[str, Any]) -> Openness:
    if not told.get("is_channel") or told.get("is_private", True):
        return Openness.CLOSED
    is_shared = any(told.get(name) for name in ("is_shared", "is_ext_shared", "is_org_shared"))
    return Openness.SHARED if is_shared else Openness.OPEN


async def _may(api: Api, team: str, user: str) -> bool:
    try:
        told = await api.read("users.info", user=user)
    except Refused as error:
        if error.code in {"user_not_found", "user_not_visible"}:
            return False
        raise
    return _is_of(told.get("user") or {}, team)


def _is_of(told: Mapping[str, Any], team: str) -> bool:
    """Tell whether somebody is a full member of a workspace."""
    limits = ("deleted", "is_restricted", "is_ultra_restricted", "is_stranger")
    teams = [told.get("team_id"), *((told.get("enterprise_user") or {}).get("teams") or ())]
    return team in teams and not any(told.get(one) for one in limits)
