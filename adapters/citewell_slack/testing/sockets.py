"""Socket Mode: what Slack says over WebSockets that the app opens."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from aiohttp import WSMsgType, web

from citewell_slack.testing.clock import Clock
from citewell_slack.testing.deliveries import Attempt, Delivery, Reply, is_done_in_time
from citewell_slack.testing.wire import JsonObject, Refusal, decoded_object

# Source: https://docs.slack.dev/apis/events-api/using-socket-mode, "Using multiple connections".
MAX_SOCKETS = 10


@dataclass(eq=False)
class Socket:
    """One connection.

    Attributes:
        is_leaving: it was told to reconnect, and gets nothing new.
        is_deaf: it looks open, but nothing comes through in either direction.
    """

    number: int
    channel: web.WebSocketResponse
    transport: asyncio.Transport | None
    is_leaving: bool = False
    is_deaf: bool = False
    waiting: dict[str, asyncio.Future[object]] = field(default_factory=dict)

    async def send(self, frame: JsonObject) -> None:
        """Send a frame, or lose it."""
        if not self.is_deaf and not self.channel.closed:
            try:
                await self.channel.send_str(msgspec.json.encode(frame).decode())
            except ConnectionError:
                # It broke just now; the missing acknowledgement tells.
                return


class Sockets:
    """The connections of one app.

    Attributes:
        address: of this server, without a scheme.
        refused_until: no connection before this time; infinity until it is lifted.
    """

    def __init__(self, clock: Clock, chance: random.Random, changed: Callable[[], None]) -> None:
        self.address = ""
        self.app = ""
        self.refused_until = 0.0
        self._clock = clock
        self._chance = chance
        self._changed = changed
        self._tickets: set[str] = set()
        self._open: list[Socket] = []
        self._opened = 0
        self._arrived = asyncio.Event()

    @property
    def open(self) -> list[Socket]:
        """The connections that still get something, oldest first."""
        return [one for one in self._open if not one.is_leaving]

    @property
    def opened(self) -> int:
        """How many there ever were."""
        return self._opened

    def url(self) -> str:
        """Return where to connect, once.

        Raises:
            Refusal: nobody may connect now.
        """
        if self._clock.now < self.refused_until:
            raise Refusal("internal_error", status=503)
        ticket = uuid.uuid4().hex
        self._tickets.add(ticket)
        return f"ws://{self.address}/link/?ticket={ticket}&app_id={self.app}"

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one connection, from hello to the end."""
        # As with Slack, each URL is good for one connection.
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets or self._clock.now < self.refused_until:
            raise web.HTTPForbidden
        self._tickets.discard(ticket)
        # A deaf socket must not answer pings, so nothing answers them unasked.
        channel = web.WebSocketResponse(autoping=False)
        await channel.prepare(request)
        self._opened += 1
        socket = Socket(self._opened, channel, request.transport)
        if len(self._open) >= MAX_SOCKETS:
            await socket.send(_disconnect("too_many_websockets"))
            await channel.close()
            return channel
        self._open.append(socket)
        self._arrived.set()
        try:
            await socket.send(self._hello())
            self._changed()
            await self._listen(socket)
        finally:
            self._open.remove(socket)
            self._changed()
        return channel

    async def attempt(self, delivery: Delivery, attempt: Attempt) -> Reply:
        """Send it on one socket, and wait for the acknowledgement."""
        # A retry or a copy goes where it was not before, if it can.
        fresh = [one for one in self.open if one.number not in delivery.connections]
        choice = fresh or self.open
        if not choice:
            return Reply("connection_failed")
        socket = self._chance.choice(choice)
        delivery.connections.append(socket.number)
        envelope = str(uuid.uuid4())
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        socket.waiting[envelope] = answer
        await socket.send(_envelope(envelope, delivery, attempt))
        try:
            in_time = await is_done_in_time(answer, self._clock)
        finally:
            socket.waiting.pop(envelope, None)
        return Reply(answer=answer.result()) if in_time else Reply("timeout")

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask each socket to reconnect, as Slack does about every hour, and close it then."""
        leaving = self.open
        opened = self._opened
        for socket in leaving:
            socket.is_leaving = True
            await socket.send(_disconnect(reason))
        # Clients reconnect upon the frame and upon the end: ending at once makes two sockets.
        while self._opened < opened + len(leaving):
            self._arrived.clear()
            await self._arrived.wait()
        for socket in leaving:
            await socket.channel.close()

    def cut(self) -> None:
        """Break every connection now, without a word; nothing more is sent on any of them."""
        for socket in [*self._open]:
            socket.is_leaving = True
            _break(socket)

    async def drop(self, how: Literal["closed", "broken", "half-open"] = "closed") -> None:
        """End every connection: with a close frame, without, or so that the app cannot tell."""
        for socket in [*self._open]:
            if how == "half-open":
                socket.is_deaf = True
            elif how == "closed":
                await socket.channel.close()
            else:
                _break(socket)

    def refuse(self, seconds: float | None = None) -> None:
        """Let nobody connect, for a while of the clock or until `accept`."""
        self.refused_until = float("inf") if seconds is None else self._clock.now + seconds

    def accept(self) -> None:
        """Let everybody connect again."""
        self.refused_until = 0.0

    async def close(self) -> None:
        """End every connection for good."""
        self.refuse()
        for socket in [*self._open]:
            _break(socket)

    async def _listen(self, socket: Socket) -> None:
        async for message in socket.channel:
            if socket.is_deaf:
                continue
            if message.type == WSMsgType.PING:
                await socket.channel.pong(message.data)
            elif message.type == WSMsgType.TEXT:
                self._acknowledge(socket, message.data)

    def _acknowledge(self, socket: Socket, text: str) -> None:
        frame = decoded_object(text) or {}
        answer = socket.waiting.get(str(frame.get("envelope_id")))
        if answer is not None and not answer.done():
            answer.set_result(frame.get("payload"))

    def _hello(self) -> JsonObject:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "connection_info": {"app_id": self.app},
            "debug_info": {
                "host": "applink-1",
                "started": "2026-11-01 00:00:00.000",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
        }


def _break(socket: Socket) -> None:
    """Cut a connection without a word."""
    if socket.transport is not None:
        socket.transport.abort()


def _envelope(id_: str, delivery: Delivery, attempt: Attempt) -> JsonObject:
    frame: JsonObject = {
        "envelope_id": id_,
        "type": delivery.kind,
        "payload": delivery.payload,
        "accepts_response_payload": delivery.kind != "events_api",
    }
    if delivery.kind == "events_api":
        frame |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
    return frame


def _disconnect(reason: str) -> JsonObject:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}
