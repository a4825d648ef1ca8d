"""Who and where people of a workspace mean, for what is read of its history."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, Final

from citewell import DeliveryError, SourceError
from citewell.conversations import Busy, plain_text
from citewell_slack.calls import Api, Refused
from citewell_slack.escaping import unescaped
from citewell_slack.mrkdwn import MARKUP, unmarked
from citewell_slack.workspaces import Member

_NAME_S: Final = 86400.0
_BUSY_S: Final = 30.0
_FIXES: Final[Mapping[str, str]] = {
    "not_in_channel": "invite the app there",
    "channel_not_found": "correct the id, or invite the app there",
    "invalid_auth": "copy bot_token anew from the app's page",
    "not_authed": "set bot_token to a token from the app's page",
    "token_revoked": "install the app again, and copy the new token",
    "token_expired": "install the app again, and copy the new token",
    "account_inactive": "install the app again, and copy the new token",
}


class Workspace:
    """The workspace that a token is of: who is who in it, and where its messages are opened.

    Args:
        api: with the token.
    """

    def __init__(self, api: Api) -> None:
        self.api = api
        self._own: Member | None = None
        self._url = ""
        self._names: dict[str, tuple[float, str]] = {}
        self._channels: dict[str, str] = {}

    async def read(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Call a method.

        Raises:
            Busy: not now.
            SourceError: it is refused.
        """
        try:
            return await self.api.read(method, **arguments)
        except Refused as error:
            if error.is_limit:
                raise Busy(error.retry_after_s or _BUSY_S) from error
            channel = f" for channel {arguments['channel']}" if "channel" in arguments else ""
            fix = f"; {_FIXES[error.code]}" if error.code in _FIXES else ""
            raise SourceError(f"{error}{channel}{fix}") from error
        except DeliveryError as error:
            raise SourceError(str(error)) from error

    async def own(self) -> Member:
        """Return who the app is there; asked once."""
        if self._own is None:
            told = await self.read("auth.test")
            self._url = str(told.get("url") or "").rstrip("/")
            self._own = Member(
                str(told["team_id"]), str(told["user_id"]), str(told.get("bot_id") or "")
            )
        return self._own

    async def url(self) -> str:
        """Return what the addresses of all its messages begin with."""
        await self.own()
        return self._url

    async def name(self, user: str) -> str:
        """Return what people call somebody; asked once a day."""
        at, known = self._names.get(user, (0.0, ""))
        if not known or at < time.monotonic() - _NAME_S:
            known = await self._asked_name(user)
            self._names[user] = time.monotonic(), known
        return known

    async def _asked_name(self, user: str) -> str:
        told = await self._maybe("users.info", user=user)
        user_told = told.get("user") or {}
        profile = user_told.get("profile") or {}
        names = (
            *(profile.get("display_name"), profile.get("real_name")),
            *(user_told.get("real_name"), user_told.get("name")),
        )
        return next((str(one) for one in names if one), user)

    async def _maybe(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """Call a method; nothing where Slack will not tell, today or tomorrow."""
        try:
            return await self.read(method, **arguments)
        except SourceError as error:
            if isinstance(error.__cause__, Refused) and not error.__cause__.passes:
                return {}
            raise

    async def channel_name(self, channel: str) -> str:
        """Return what people call a channel that is mentioned.

        What a private one is called, Slack shows to its members alone.
        """
        if channel not in self._channels:
            told = await self._maybe("conversations.info", channel=channel)
            found = told.get("channel") or {}
            is_open = found.get("name") and not found.get("is_private")
            self._channels[channel] = str(found["name"]) if is_open else "private-channel"
        return self._channels[channel]

    async def words(self, text: str) -> str:
        """Return what somebody wrote as a reader sees it."""
        names = {}
        for found in MARKUP.finditer(text):
            sign, id_ = found["sign"], found["id"]
            if sign == "@" and not found["label"]:
                names[id_] = await self.name(id_)
            elif sign == "#" and not found["label"]:
                names[id_] = await self.channel_name(id_)

        def read(found: re.Match[str]) -> str:
            shown, url = found["label"], found["url"]
            if url is not None:
                bare = url.removeprefix("mailto:")
                return f"{shown} ({url})" if shown and shown not in {url, bare} else bare
            id_ = found["id"]
            if id_.startswith("date^"):
                return shown or ""
            name = shown or names.get(id_) or id_.removeprefix("subteam^").partition("^")[0]
            sign = "#" if found["sign"] == "#" else "@"
            return name if name.startswith(("@", "#")) else f"{sign}{name}"

        return plain_text(unescaped(unmarked(text, read)))
