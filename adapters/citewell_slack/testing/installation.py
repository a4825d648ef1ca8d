"""The methods that come before everything: a socket to talk over, and tokens."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from citewell_slack.testing.api import Tokens
from citewell_slack.testing.calls import Call, Method
from citewell_slack.testing.clock import Clock
from citewell_slack.testing.sockets import Sockets
from citewell_slack.testing.wire import JsonObject, Refusal
from citewell_slack.testing.workspace import Workspace

TOKEN_LIFE_S = 43_200


@dataclass(frozen=True)
class Grant:
    """Somebody's leave to install the app in their workspace."""

    workspace: Workspace
    tokens: Tokens
    user: str


class Installation:
    """Lets an app connect and be installed.

    Attributes:
        client_id: of the app, with its secret.
        rotates: whether tokens end after twelve hours, and are to be refreshed.
    """

    def __init__(self, clock: Clock, sockets: Sockets) -> None:
        self.client_id = "111.222"
        self.client_secret = "double-client-secret"  # noqa: S105 - of nobody
        self.rotates = False
        self._clock = clock
        self._sockets = sockets
        self._codes: dict[str, Grant] = {}
        self._refreshes: dict[str, Grant] = {}

    def methods(self) -> Iterator[Method]:
        """Yield what is offered."""
        yield Method("apps.connections.open", self._connect, tier=1, token="app")  # noqa: S106 - a kind
        yield Method("oauth.v2.access", self._install, tier=4, token="none")  # noqa: S106 - a kind

    def allow(self, grant: Grant) -> str:
        """Return the code that Slack hands over once somebody pressed "Allow"."""
        code = secrets.token_hex(8)
        self._codes[code] = grant
        return code

    def _connect(self, _call: Call) -> JsonObject:
        return {"url": self._sockets.url()}

    def _install(self, call: Call) -> JsonObject:
        shown = (call.maybe("client_id"), call.maybe("client_secret"))
        if shown != (self.client_id, self.client_secret):
            raise Refusal("bad_client_secret")
        if call.maybe("grant_type") == "refresh_token":
            grant = self._refreshes.pop(call.text("refresh_token", ""), None)
            error = "invalid_refresh_token"
        else:
            grant = self._codes.pop(call.text("code", ""), None)
            error = "invalid_code"
        if grant is None:
            raise Refusal(error)
        grant.workspace.is_installed = True
        return self._granted(grant)

    def _granted(self, grant: Grant) -> JsonObject:
        workspace = grant.workspace
        expires_at = self._clock.now + TOKEN_LIFE_S if self.rotates else None
        answer = {
            "access_token": grant.tokens.issue(expires_at=expires_at),
            "token_type": "bot",
            "scope": ",".join(sorted(grant.tokens.scopes)),
            "bot_user_id": workspace.bot.id,
            "app_id": workspace.app,
            "team": {"id": workspace.team, "name": workspace.name},
            "enterprise": None,
            "is_enterprise_install": False,
            "authed_user": {"id": grant.user},
        }
        if not self.rotates:
            return answer
        refresh = f"xoxe-1-{secrets.token_hex(6)}"
        self._refreshes[refresh] = grant
        return {**answer, "refresh_token": refresh, "expires_in": TOKEN_LIFE_S}
