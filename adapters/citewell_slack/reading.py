"""Who reads a channel, and the files that were put into it."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from citewell import DeliveryError
from citewell.chat import Address, Attachment
from citewell_slack.calls import Api, Refused
from citewell_slack.workspaces import Workspaces

_GROUP_ID: Final = re.compile(r"S[A-Z0-9]{5,}")
_PAGE: Final = 1000


class Readers:
    """Tells who reads what; asked anew each time.

    Args:
        workspaces: with their tokens.
        log: for groups that there are not.
    """

    def __init__(self, workspaces: Workspaces, log: logging.Logger) -> None:
        self._workspaces = workspaces
        self._log = log
        # Whether a user is a bot never changes; who is where, and in which group, is not kept.
        self._are_bots: dict[tuple[str, str], bool] = {}

    async def of(self, address: Address, groups: Collection[str]) -> frozenset[frozenset[str]]:
        """Return which of `groups` each distinct reader of an address is in.

        Raises:
            DeliveryError: it cannot be known.
        """
        team, channel = address.venue.team, address.venue.channel
        api = await self._workspaces.api(team)
        if address.only_for is not None:
            in_groups = await self._members(api, groups)
            return frozenset({_groups_of(address.only_for, in_groups)})
        people = [
            str(one)
            async for one in api.pages(
                "conversations.members", "members", channel=channel, limit=_PAGE
            )
        ]
        # Asked after the channel: who comes in between is not taken for a member of a group.
        in_groups = await self._members(api, groups)
        bot = await self._workspaces.bot(team)
        by_groups: dict[frozenset[str], list[str]] = {}
        for user in people:
            if user != bot.user:
                by_groups.setdefault(_groups_of(user, in_groups), []).append(user)
        read = {one for one, users in by_groups.items() if await self._has_person(api, team, users)}
        # A channel without people is read by whoever comes next.
        return frozenset(read or {frozenset()})

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

    async def _members(self, api: Api, groups: Collection[str]) -> dict[str, frozenset[str]]:
        """Return who is in each group; in one that there is not, nobody."""
        ids = await self._ids(api, groups)
        found = await asyncio.gather(*(self._users(api, id_) for id_ in ids.values()))
        return dict(zip(ids, found, strict=True))

    async def _users(self, api: Api, group: str) -> frozenset[str]:
        try:
            told = await api.read("usergroups.users.list", usergroup=group)
        except Refused as error:
            if error.code not in {"no_such_subteam", "subteam_not_found"}:
                raise
            self._log.warning('slack knows no user group "%s"; nobody is in it', group)
            return frozenset()
        return frozenset(map(str, told.get("users") or ()))

    async def _ids(self, api: Api, groups: Collection[str]) -> dict[str, str]:
        """Return the id of each group, which settings may also name by its handle."""
        ids = {name: name for name in groups if _GROUP_ID.fullmatch(name)}
        named = [name for name in groups if name not in ids]
        if named:
            told = (await api.read("usergroups.list")).get("usergroups") or ()
            handles = {str(one.get("handle")): str(one["id"]) for one in told}
            for name in named:
                id_ = handles.get(name.removeprefix("@"))
                if id_ is None:
                    self._log.warning('slack knows no user group "%s"; nobody is in it', name)
                else:
                    ids[name] = id_
        return ids


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
