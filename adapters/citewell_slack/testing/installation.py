"""The methods that come before everything: a socket to talk over, and tokens."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from citewell_slack.testing.api import Tokens
from citewell_slack.testing.calls import Call, Method
from citewell_slack.testing.sockets import Sockets
from citewell_slack.testing.wire import JsonObject, Refusal
from citewell_slack.testing.workspace import Workspace


class Installation:
    """Lets an app connect and be installed.

    Attributes:
        client_id: of the app, with its secret.
    """

    def __init__(self, workspace: Workspace, tokens: Tokens, sockets: Sockets) -> None:
        self.client_id = "111.222"
        self.client_secret = "double-client-secret"  # noqa: S105 - of nobody
        self._workspace = workspace
        self._tokens = tokens
        self._sockets = sockets
        self._codes: dict[str, str] = {}

    def methods(self) -> Iterator[Method]:
        """Yield what is offered."""
        yield Method("apps.connections.open", self._connect, tier=1, token="app")  # noqa: S106 - a kind
        yield Method("oauth.v2.access", self._install, tier=4, token="none")  # noqa: S106 - a kind

    def allow(self, user: str) -> str:
        """Return the code that Slack hands over once `user` pressed "Allow"."""
        code = secrets.token_hex(8)
        self._codes[code] = user
        return code

    def _connect(self, _call: Call) -> JsonObject:
        return {"url": self._sockets.url()}

    def _install(self, call: Call) -> JsonObject:
        if (call.maybe("client_id"), call.maybe("client_secret")) != (
            self.client_id,
            self.client_secret,
        ):
            raise Refusal("bad_client_secret")
        user = self._codes.pop(call.text("code", ""), None)
        if user is None:
            raise Refusal("invalid_code")
        token = f"xoxb-{secrets.token_hex(6)}"
        self._tokens.bots.append(token)
        return {
            "access_token": token,
            "token_type": "bot",
            "scope": ",".join(sorted(self._tokens.scopes)),
            "bot_user_id": self._workspace.bot.id,
            "app_id": self._workspace.app,
            "team": {"id": self._workspace.team, "name": self._workspace.name},
            "enterprise": None,
            "is_enterprise_install": False,
            "authed_user": {"id": user},
        }
