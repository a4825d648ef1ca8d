"""The Web API: who may call what, and how often."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from citewell_slack.testing.calls import Answer, Call, Method, read_arguments, read_token
from citewell_slack.testing.clock import Clock
from citewell_slack.testing.faults import Fault, Faults
from citewell_slack.testing.rates import Rates
from citewell_slack.testing.wire import JsonObject, Refusal

SCOPES = frozenset({
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "reactions:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users:read",
})


@dataclass
class Tokens:
    """The tokens of one workspace, and what they were granted.

    Attributes:
        bots: the good ones.
        expiring: when each of those that are rotated ends.
    """

    bots: list[str] = field(default_factory=list)
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    expiring: dict[str, float] = field(default_factory=dict)

    def issue(self, *, expires_at: float | None = None) -> str:
        """Return a new token."""
        token = f"xoxb-{secrets.token_hex(6)}"
        self.bots.append(token)
        if expires_at is not None:
            self.expiring[token] = expires_at
        return token


class WebApi:
    """Answers calls.

    Attributes:
        calls: every call, oldest first.
        app_token: the one that opens sockets.
    """

    def __init__(self, clock: Clock, changed: Callable[[], None]) -> None:
        self.calls: list[Call] = []
        self.app_token = "xapp-1-double"  # noqa: S105 - of nobody
        self.faults = Faults()
        self.rates = Rates(clock)
        self._clock = clock
        self._changed = changed
        self._of_app: dict[str, Method] = {}
        self._of_teams: list[tuple[Tokens, dict[str, Method]]] = []

    def offer(self, methods: Iterable[Method], tokens: Tokens | None = None) -> None:
        """Answer these methods, to the tokens of one workspace or to the app itself."""
        named = {method.name: method for method in methods}
        if tokens is None:
            self._of_app |= named
        else:
            self._of_teams.append((tokens, named))

    def known(self) -> list[Mapping[str, Method]]:
        """Return the methods that are offered, by name: of the app, then of each workspace."""
        return [self._of_app, *(methods for _, methods in self._of_teams)]

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one call of a method."""
        return await self.serve(request, request.match_info["method"], self._answer)

    async def serve(self, request: web.Request, name: str, answer_to: Answer) -> web.Response:
        """Answer one call, or end the connection where that is to go wrong."""
        call = Call(name, "", {}, self._clock.now)
        self.calls.append(call)
        fault = self.faults.next(name)
        refusal: Refusal | None = None
        try:
            arguments = await read_arguments(request)
            call.token, call.arguments = read_token(request, arguments), arguments
            await self._suffer(fault)
            answer = {"ok": True, **answer_to(call)}
        except Refusal as error:
            answer, refusal = error.answer(), error
        if fault is not None and fault.cut:
            # Whether the call was done is what the client cannot know.
            _cut(request)
            return web.Response(status=500)
        call.answer, call.status = answer, refusal.status if refusal else 200
        self._changed()
        return self._response(call, refusal)

    async def _suffer(self, fault: Fault | None) -> None:
        if fault is None:
            return
        if fault.delay_s:
            self._changed()
            await self._clock.sleep(fault.delay_s)
        if fault.cut == "before":
            raise Refusal("internal_error")
        if fault.refusal is not None:
            raise fault.refusal

    def _answer(self, call: Call) -> JsonObject:
        method = self._method(call)
        self.rates.check(method, call)
        return method.answer(call)

    def _method(self, call: Call) -> Method:
        """Return what is called, if the token is good for it."""
        if not any(call.method in methods for methods in self.known()):
            raise Refusal("unknown_method", extra={"req_method": call.method})
        of_app = self._of_app.get(call.method)
        if of_app is not None and of_app.token == "none":  # noqa: S105 - a kind of token
            return of_app
        if not call.token:
            raise Refusal("not_authed")
        team = self._team(call)
        if (of_app is None) != (team is not None):
            raise Refusal("not_allowed_token_type")
        if of_app is not None or team is None:
            return self._of_app[call.method]
        tokens, methods = team
        call.scopes = frozenset(tokens.scopes)
        method = methods[call.method]
        if method.scope:
            call.needs(method.scope)
        return method

    def _team(self, call: Call) -> tuple[Tokens, dict[str, Method]] | None:
        """Return whose token this is; None is the app itself."""
        if call.token == self.app_token:
            return None
        for tokens, methods in self._of_teams:
            if call.token in tokens.bots:
                if tokens.expiring.get(call.token, math.inf) <= self._clock.now:
                    raise Refusal("token_expired")
                return tokens, methods
        raise Refusal("invalid_auth")

    def _response(self, call: Call, refusal: Refusal | None) -> web.Response:
        headers = {"X-OAuth-Scopes": ",".join(sorted(call.scopes))}
        return web.Response(
            body=msgspec.json.encode(call.answer),
            status=call.status,
            headers=headers | (refusal.headers if refusal else {}),
            content_type="application/json",
            charset="utf-8",
        )


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
