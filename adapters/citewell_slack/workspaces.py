"""The workspaces that the app is installed in, with their tokens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Final

import aiohttp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackClientError, SlackTokenRotationError
from slack_sdk.oauth.installation_store.models.bot import Bot
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator

from citewell import AdapterError, DeliveryError, blocking
from citewell_slack.calls import Api, Refused, Unheard, client, refused
from citewell_slack.installing import Installations
from citewell_slack.settings import OAuthConfig

# Slack's tokens that are rotated end after twelve hours.
_RENEWED_BEFORE_MIN: Final = 120
# After a failure, as long as the old one is good.
_RENEWED_AGAIN_S: Final = 60.0
_SPARE_S: Final = 60.0

_FIXES: Final[Mapping[str, str]] = {
    "invalid_auth": "copy it anew from the app's page",
    "not_authed": "set it to a token from the app's page",
    "token_revoked": "install the app again, and copy the new token",
    "token_expired": "install the app again, and copy the new token",
    "account_inactive": "install the app again, and copy the new token",
    "not_allowed_token_type": "bot_token begins with xoxb-, app_token with xapp-",
    "missing_scope": "add the scope to the app, and install it again",
}


@dataclass(frozen=True)
class Member:
    """The app's own user in a workspace."""

    team: str
    user: str
    id: str


def cannot_connect(what: str, error: DeliveryError) -> AdapterError:
    """Return why the adapter cannot work, with what to do, without the token."""
    code = error.code if isinstance(error, Refused) else ""
    fix = _FIXES.get(code, "")
    said = f"slack does not take {what}: {code}" if code else str(error)
    return AdapterError(f"{said}; {fix}" if fix else said)


class Workspaces:
    """Tells the token for each workspace.

    Args:
        base_url: of the Web API.
        session: for every call.
        token: of the one workspace; None where they are installed.

    Attributes:
        groups_changed: when a user group of each workspace was changed, by the monotonic clock.
    """

    def __init__(
        self, base_url: str, session: aiohttp.ClientSession, *, token: str | None = None
    ) -> None:
        self.base_url = base_url
        self.session = session
        self.groups_changed: dict[str, float] = {}
        self._token = token
        self._bots: dict[str, Member] = {}
        self._asking = asyncio.Lock()

    async def token(self, _team: str) -> str:
        """Return the token of the bot in a workspace.

        Raises:
            DeliveryError: there is none.
        """
        if self._token is None:
            raise DeliveryError("slack has no token of this workspace", passes=False)
        return self._token

    async def teams(self) -> list[str]:
        """Return the workspaces that the app is installed in."""
        return [(await self.bot("")).team]

    async def api(self, team: str) -> Api:
        """Return the Web API for a workspace.

        Raises:
            DeliveryError: the app is not installed there.
        """
        return Api(client(await self.token(team), self.base_url, self.session))

    async def bot(self, team: str) -> Member:
        """Return who the bot is in a workspace; asked once.

        Raises:
            DeliveryError: the token is no good.
        """
        # One token is good for one workspace, however an event of a shared channel names it.
        key = team if self._token is None else ""
        async with self._asking:
            if key not in self._bots:
                told = await (await self.api(team)).do("auth.test")
                self._bots[key] = Member(
                    str(told["team_id"]), str(told["user_id"]), str(told.get("bot_id") or "")
                )
            return self._bots[key]

    async def forget(self, team: str) -> None:
        """Know nothing more of a workspace that took the app away."""
        self._bots.pop(team, None)

    async def authorize(
        self,
        enterprise_id: str | None,
        team_id: str | None,
        logger: logging.Logger,
    ) -> AuthorizeResult | None:
        """Tell bolt whose event this is; None where the app is not installed."""
        team = team_id or ""
        try:
            token, bot = await self.token(team), await self.bot(team)
        except DeliveryError as error:
            if error.passes:
                raise
            logger.warning("%s", error)
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team,
            bot_user_id=bot.user,
            bot_id=bot.id,
            bot_token=token,
        )


class InstalledWorkspaces(Workspaces):
    """Workspaces that installed the app by themselves; their tokens are kept in files.

    Args:
        base_url: of the Web API.
        session: for every call.
        oauth: the app's credentials.
        folder: for the tokens.
        log: for tokens that are not renewed.
    """

    def __init__(
        self,
        base_url: str,
        session: aiohttp.ClientSession,
        *,
        oauth: OAuthConfig,
        folder: Path,
        log: logging.Logger,
    ) -> None:
        super().__init__(base_url, session)
        self.store = Installations(folder, oauth.teams, log)
        self._log = log
        self._rotator = AsyncTokenRotator(
            client_id=oauth.client_id,
            client_secret=oauth.client_secret.get_secret_value(),
            client=client(None, base_url, session),
        )
        self._rotating = asyncio.Lock()
        self._not_renewed_until: dict[str, float] = {}
        self._unsaved: dict[str, Bot] = {}

    async def token(self, team: str) -> str:
        """Return the token of the bot in a workspace, renewed where it would end soon."""
        async with self._rotating:
            found = await self._found(team)
            if found is None:
                raise DeliveryError(f"slack: the app is not installed in {team}", passes=False)
            ends_at = found.bot_token_expires_at
            is_good = ends_at is None or ends_at > time() + _SPARE_S
            if is_good and self._not_renewed_until.get(team, 0.0) > time():
                return str(found.bot_token)
            try:
                found = await self._renewed(found)
            except DeliveryError as error:
                if not is_good:
                    raise
                self._log.warning("the token of %s is not renewed yet: %s", team, error)
                self._not_renewed_until[team] = time() + _RENEWED_AGAIN_S
        return str(found.bot_token)

    async def _found(self, team: str) -> Bot | None:
        """Return the bot of a workspace with its last token, also where that is not saved yet."""
        found = await blocking.call(self.store.found, team)
        unsaved = self._unsaved.get(team)
        # Who installs the app again gets a token that ends later.
        if found is None or unsaved is None or _ends_at(found) >= _ends_at(unsaved):
            self._unsaved.pop(team, None)
            return found
        await self._save(team, unsaved)
        return unsaved

    async def _save(self, team: str, bot: Bot) -> None:
        """Keep a bot; where that cannot be done now, as long as the process lives.

        Each token is renewed once, so the one that it was made from is good for nothing more.
        """
        try:
            await blocking.call(self.store.save_bot, bot)
        except OSError as error:
            if team not in self._unsaved:
                self._log.warning("the new token of %s cannot be saved yet: %s", team, error)
            self._unsaved[team] = bot
        else:
            self._unsaved.pop(team, None)

    async def _renewed(self, bot: Bot) -> Bot:
        """Return a bot whose token does not end soon.

        Raises:
            DeliveryError: there is no new token.
        """
        try:
            renewed = await self._rotator.perform_bot_token_rotation(
                bot=bot, minutes_before_expiration=_RENEWED_BEFORE_MIN
            )
        except SlackTokenRotationError as error:
            raise refused("oauth.v2.access", error.api_error) from error
        except (aiohttp.ClientError, SlackClientError, TimeoutError, OSError) as error:
            raise Unheard("oauth.v2.access") from error
        if renewed is None:
            return bot
        await self._save(str(bot.team_id), renewed)
        return renewed

    async def teams(self) -> list[str]:
        """Return the workspaces of which there is a token."""
        return await blocking.call(self.store.teams)

    async def forget(self, team: str) -> None:
        """Delete the token of a workspace that took the app away."""
        await super().forget(team)
        await blocking.call(self.store.forget, team)


def _ends_at(bot: Bot) -> float:
    return float(bot.bot_token_expires_at or 0)
