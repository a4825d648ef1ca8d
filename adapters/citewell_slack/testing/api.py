"""The Web API: who may call what, and how often."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from citewell_slack.testing.calls import Call, Method, read_arguments, read_token
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
    "reactions:read",
    "reactions:write",
    "team:read",
    "usergroups:read",
    "users:read",
})


@dataclass
class Tokens:
    """The tokens that are good, and what they were granted.

    Attributes:
        scopes: of every bot token.
    """

    app: str = "xapp-1-A00000002-1-double"
    bots: list[str] = field(default_factory=lambda: ["xoxb-double"])
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))

    def check(self, method: Method, call: Call) -> None:
        """Let a call through.

        Raises:
            Refusal: its token is missing, wrong, or of another kind.
        """
        if method.token == "none":  # noqa: S105 - a kind of token, not one
            return
        if not call.token:
            raise Refusal("not_authed")
        if call.token not in {self.app, *self.bots}:
            raise Refusal("invalid_auth")
        if (call.token == self.app) != (method.token == "app"):  # noqa: S105 - likewise
            raise Refusal("not_allowed_token_type")
        call.scopes = frozenset(self.scopes)
        if method.scope:
            call.needs(method.scope)


class WebApi:
    """Answers calls.

    Attributes:
        calls: every call, oldest first.
    """

    def __init__(self, clock: Clock, tokens: Tokens, changed: Callable[[], None]) -> None:
        self.calls: list[Call] = []
        self.faults = Faults()
        self.rates = Rates(clock)
        self._clock = clock
        self._tokens = tokens
        self._changed = changed
        self._methods: dict[str, Method] = {}

    def offer(self, methods: Iterable[Method]) -> None:
        """Answer these methods from now on."""
        self._methods |= {method.name: method for method in methods}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call, or end the connection where that is to go wrong."""
        name = request.match_info["method"]
        call = Call(name, "", {}, self._clock.now)
        self.calls.append(call)
        fault = self.faults.next(name)
        refusal: Refusal | None = None
        try:
            arguments = await read_arguments(request)
            call.token, call.arguments = read_token(request, arguments), arguments
            await self._suffer(fault)
            answer = {"ok": True, **self._answer(call)}
        except Refusal as error:
            answer, refusal = error.answer(), error
        if fault is not None and fault.cut:
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
        method = self._methods.get(call.method)
        if method is None:
            raise Refusal("unknown_method", extra={"req_method": call.method})
        self._tokens.check(method, call)
        self.rates.check(method, call)
        return method.answer(call)

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
