"""Who reads a channel, and the files that were put into it."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from citewell import DeliveryError
from citewell.chat import Address, Attachment
from citewell_slack.calls import Api, Refused
from citewell_slack.openness import OpenChannels, Openness
from citewell_slack.settings import channel_of
from citewell_slack.workspaces import Workspaces

_GROUP_ID: Final = re.compile(r"S[A-Z0-9]{5,}")
_PAGE: Final = 1000
# Slack lets nobody list the groups more often than 20 times a minute.
_SHARED_S: Final = 1.0


@dataclass
class _Look:
    """What Slack says of its user groups, or of who is in a channel, and when it was asked."""

    at: float = float("-inf")
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    people: frozenset[str] = frozenset()
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class Readers:
    """Tells who reads what; asked anew each time; only groups are shared for a second.

    Args:
        workspaces: with their tokens.
        log: for groups that there are not.
    """

    def __init__(self, workspaces: Workspaces, log: logging.Logger) -> None:
        self._workspaces = workspaces
        self._log = log
        # Whether a user is a bot never changes; who is where, and in which group, is not kept.
        self._are_bots: dict[tuple[str, str], bool] = {}
        self._looks: defaultdict[str, _Look] = defaultdict(_Look)
        self._channels: defaultdict[tuple[str, str], _Look] = defaultdict(_Look)
        self._open = OpenChannels()

    async def of(self, address: Address, groups: Collection[str]) -> frozenset[frozenset[str]]:
        """Return which of `groups` each distinct reader of an address is in.

        Whoever is not in a public channel may open it at any time: they are one more reader.

        Raises:
            DeliveryError: it cannot be known.
        """
        team, channel = address.venue.team, address.venue.channel
        api = await self._workspaces.api(team)
        if address.only_for is not None:
            in_groups = await self._members(api, team, groups, [address.only_for])
            return frozenset({_groups_of(address.only_for, in_groups)})
        people = await _members_of(api, channel)
        # Asked after the channel: who comes in between is not taken for a member of a group.
        in_groups = await self._members(api, team, groups, people)
        bot = await self._workspaces.bot(team)
        by_groups: dict[frozenset[str], list[str]] = {}
        for user in people:
            if user != bot.user:
                by_groups.setdefault(_groups_of(user, in_groups), []).append(user)
        read = {one for one, users in by_groups.items() if await self._has_person(api, team, users)}
        read |= await self._who_may_come(api, address, groups)
        # A channel without people is read by whoever comes next.
        return frozenset(read or {frozenset()})

    async def _who_may_come(
        self, api: Api, address: Address, groups: Collection[str]
    ) -> frozenset[frozenset[str]]:
        """Return the groups of who may open a channel without being a member; nobody if private."""
        team, channel = address.venue.team, address.venue.channel
        if channel.startswith("D"):
            return frozenset()
        match await self._open.openness(api, team, channel):
            case Openness.CLOSED:
                return frozenset()
            case Openness.SHARED:
                # People of another workspace see no other channel of this one.
                return frozenset({frozenset(one for one in groups if channel_of(one) == channel)})
            case Openness.OPEN:
                return frozenset({frozenset(await self._public(api, team, groups))})

    async def _public(self, api: Api, team: str, groups: Collection[str]) -> set[str]:
        """Return those groups that are the readers of public channels."""
        channels = {one: channel for one in groups if (channel := channel_of(one)) is not None}
        found = await self._open.open_among(api, team, channels.values())
        return {one for one, channel in channels.items() if channel in found}

    async def _has_person(self, api: Api, team: str, users: Iterable[str]) -> bool:
        for user in users:
            if not await self._is_bot(api, team, user):
                return True
        return False

    async def _is_bot(self, api: Api, team: str, user: str) -> bool:
        known = self._are_bots.get((team, user))
        if known is None:
            told = (await api.read("users.info", user=user)).get("user") or {}
            known = bool(told.get("is_bot")) or user == "USLACKBOT"
            self._are_bots[team, user] = known
        return known

    async def _members(
        self, api: Api, team: str, groups: Collection[str], people: Collection[str]
    ) -> dict[str, frozenset[str]]:
        """Return who is in each group; in one that there is not, nobody.

        In the group of a public channel are all of `people` who may open it.
        """
        found: dict[str, frozenset[str]] = {}
        channels = {one: channel for one in groups if (channel := channel_of(one)) is not None}
        for group, channel in channels.items():
            found[group] = await self._in_channel(api, team, channel)
        public = await self._public(api, team, channels)
        if others := {one for one in people if any(one not in found[group] for group in public)}:
            may = await self._open.who_may(api, team, others)
            found |= {group: found[group] | may for group in public}
        named = [one for one in groups if one not in channels]
        known = await self._listed(api, team) if named else {}
        for name in named:
            is_id = _GROUP_ID.fullmatch(name)
            users = known.get(name if is_id else f"@{name.removeprefix('@')}")
            if users is None:
                self._log.warning('slack knows no user group "%s"; nobody is in it', name)
            found[name] = users or frozenset()
        return found

    async def _in_channel(self, api: Api, team: str, channel: str) -> frozenset[str]:
        """Return who is in a channel now; of one that the bot does not see, nobody."""
        look, called_at = self._channels[team, channel], monotonic()
        async with look.asking:
            # Who waited for the same meanwhile need not ask again.
            if look.at < called_at:
                look_at = monotonic()
                try:
                    look.people = frozenset(await _members_of(api, channel))
                except Refused as error:
                    if error.passes:
                        raise
                    self._log.info("nobody counts as a member of channel %s: %s", channel, error)
                    look.people = frozenset()
                look.at = look_at
            return look.people

    async def _listed(self, api: Api, team: str) -> Mapping[str, frozenset[str]]:
        """Return who is in each group, by its id and by its handle, as of a second ago at most.

        What Slack tells of a change counts at once.
        """
        look = self._looks[team]
        async with look.asking:
            changed_at = self._workspaces.groups_changed.get(team, float("-inf"))
            if look.at <= max(changed_at, monotonic() - _SHARED_S):
                look_at = monotonic()
                told = await api.read("usergroups.list", include_users="true")
                look.groups = {}
                for one in told.get("usergroups") or ():
                    users = frozenset(map(str, one.get("users") or ()))
                    look.groups[f"@{one.get('handle')}"] = look.groups[str(one["id"])] = users
                look.at = look_at
            return look.groups


async def _members_of(api: Api, channel: str) -> list[str]:
    pages = api.pages("conversations.members", "members", channel=channel, limit=_PAGE)
    return [str(one) async for one in pages]


def _groups_of(user: str, in_groups: dict[str, frozenset[str]]) -> frozenset[str]:
    return frozenset(group for group, users in in_groups.items() if user in users)


async def fetch(workspaces: Workspaces, attachment: Attachment, *, max_bytes: int) -> bytes:
    """Return the content of a file.

    Raises:
        DeliveryError: it is larger, or cannot be had.
    """
    team, _, url = attachment.ref.partition(" ")
    if attachment.size is not None and attachment.size > max_bytes:
        raise DeliveryError(f"the file is larger than {max_bytes} bytes", passes=False)
    if not _is_of_slack(url, workspaces.base_url):
        raise DeliveryError("the file is not kept by slack", passes=False)
    headers = {"Authorization": f"Bearer {await workspaces.token(team)}"}
    try:
        async with workspaces.session.get(url, headers=headers, allow_redirects=False) as answer:
            if answer.status != 200:
                passes = answer.status == 429 or answer.status >= 500
                raise DeliveryError(f"slack answers {answer.status} for a file", passes=passes)
            # To who may not read it, Slack shows a page to sign in, and calls that a success.
            is_page = answer.content_type == "text/html"
            if is_page and not attachment.name.lower().endswith((".html", ".htm")):
                raise DeliveryError(
                    "slack does not hand the file out; add the scope files:read", passes=False
                )
            return await _content(answer, max_bytes)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise DeliveryError("slack does not hand the file out now", passes=True) from error


async def _content(answer: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    content = bytearray()
    async for chunk in answer.content.iter_chunked(2**16):
        content += chunk
        if len(content) > max_bytes:
            raise DeliveryError(f"the file is larger than {max_bytes} bytes", passes=False)
    return bytes(content)


def _is_of_slack(url: str, base_url: str) -> bool:
    """Tell whether the token may be sent there."""
    try:
        asked, own = urlsplit(url), urlsplit(base_url)
    except ValueError:
        return False
    if asked.netloc == own.netloc:
        return asked.scheme == own.scheme
    host = asked.hostname or ""
    return asked.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com"))
