"""The HTTP side of a double: takes calls, limits and troubles them, and writes them down."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable

import msgspec
from aiohttp import BodyPartReader, web

from citewell_discord.testing.calls import Api, Call, RestCall, Route
from citewell_discord.testing.channel_routes import ROUTES as CHANNELS
from citewell_discord.testing.errors import Refusal, not_found, unauthorized
from citewell_discord.testing.faults import Faults, Trouble
from citewell_discord.testing.guild_routes import ROUTES as GUILDS
from citewell_discord.testing.interaction_routes import ROUTES as INTERACTIONS
from citewell_discord.testing.message_routes import ROUTES as MESSAGES
from citewell_discord.testing.messages import Upload
from citewell_discord.testing.rates import Rates, Verdict

API_PATH = "/api/v10"
# discord.py reads a body as JSON if the type is exactly this, without a charset.
_JSON = {"Content-Type": "application/json"}
# A 429 without it counts as a ban by the wall before Discord, and is not tried again.
_VIA = {"Via": "1.1 google"}


class Rest:
    """Serves the API.

    Attributes:
        log: every call that was answered, in the order of the answers.
    """

    def __init__(self, api: Api, is_token: Callable[[str], bool]) -> None:
        self._api = api
        self._is_token = is_token
        self.rates = Rates(api.world.clock)
        self.faults = Faults()
        self.log: list[RestCall] = []

    def add_to(self, app: web.Application) -> None:
        """Serve all routes, and refuse all others."""
        for route in (*MESSAGES, *CHANNELS, *INTERACTIONS, *GUILDS):
            handler = functools.partial(self._handle, route)
            app.router.add_route(route.method, API_PATH + route.template, handler)
        app.router.add_get("/attachments/{rest:.*}", self._download)
        app.router.add_route("*", "/{rest:.*}", self._refuse)

    async def _handle(self, route: Route, request: web.Request) -> web.StreamResponse:
        call = await _received(request)
        trouble = self.faults.take(route.name)
        if trouble.delay_s:
            await asyncio.sleep(trouble.delay_s)
        verdict = trouble.verdict or self.rates.take(route.name, call.path)
        status, answer = self._answer(route, request, call, trouble, verdict)
        self._note(route.name, request, call, status, answer)
        if trouble.is_broken:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        headers = {**verdict.headers, **_JSON, **({} if verdict.is_ban else _VIA)}
        if status == 204:
            return web.Response(status=204, headers={**verdict.headers, **_VIA})
        return web.Response(status=status, headers=headers, body=msgspec.json.encode(answer))

    def _answer(
        self,
        route: Route,
        request: web.Request,
        call: Call,
        trouble: Trouble,
        verdict: Verdict,
    ) -> tuple[int, object]:
        """Return the status and the body."""
        if verdict.body is not None:
            return 429, verdict.body
        failure = 0 if trouble.is_broken else trouble.status
        if failure is not None and not trouble.is_done:
            return failure, {"message": f"{failure}: failed on purpose", "code": 0}
        status, answer = self._serve(route, request, call)
        if failure is not None:
            return failure, {"message": f"{failure}: failed on purpose", "code": 0}
        return status, answer

    def _serve(self, route: Route, request: web.Request, call: Call) -> tuple[int, object]:
        try:
            if not route.is_open and not self._is_authorized(request):
                raise unauthorized()
            answer = route.handler(self._api, call)
        except Refusal as refusal:
            return refusal.status, refusal.body
        return (204 if answer is None else route.status), answer

    def _is_authorized(self, request: web.Request) -> bool:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme == "Bot" and self._is_token(token)

    def _note(
        self, route: str, request: web.Request, call: Call, status: int, answer: object
    ) -> None:
        code = answer.get("code") if status >= 400 and isinstance(answer, dict) else None
        self.rates.note(status)
        self.log.append(
            RestCall(
                route=route,
                path=request.path.removeprefix(API_PATH),
                query=dict(call.query),
                body=_decoded(call.body),
                at=self._api.world.clock.now(),
                status=status,
                code=code if isinstance(code, int) else None,
            )
        )

    async def _download(self, request: web.Request) -> web.StreamResponse:
        attachment = self._api.world.files.get(request.path)
        if attachment is None:
            return web.Response(status=404, text="This content is no longer available.")
        kind = attachment.content_type or "application/octet-stream"
        return web.Response(body=attachment.data, headers={"Content-Type": kind})

    async def _refuse(self, request: web.Request) -> web.StreamResponse:
        call = await _received(request)
        refusal = not_found()
        route = f"{request.method} {request.path}"
        self._note(route, request, call, refusal.status, refusal.body)
        body = msgspec.json.encode(refusal.body)
        return web.Response(status=refusal.status, headers={**_JSON, **_VIA}, body=body)


async def _received(request: web.Request) -> Call:
    body, uploads = b"", dict[str, Upload]()
    if request.content_type == "multipart/form-data":
        body, uploads = await _parts(request)
    elif request.can_read_body:
        body = await request.read()
    return Call(path=dict(request.match_info), query=request.query, body=body, uploads=uploads)


async def _parts(request: web.Request) -> tuple[bytes, dict[str, Upload]]:
    body, uploads = b"", dict[str, Upload]()
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        data = bytes(await part.read(decode=True))
        if part.name == "payload_json":
            body = data
        elif part.name and part.filename:
            number = part.name.removeprefix("files[").removesuffix("]")
            kind = part.headers.get("Content-Type")
            uploads[number] = Upload(part.filename, data, kind)
    return body, uploads


def _decoded(body: bytes) -> object:
    if not body:
        return None
    try:
        decoded: object = json.loads(body)
    except ValueError:
        return body.decode(errors="replace")
    return decoded
