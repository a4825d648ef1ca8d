"""One connection of a bot to the gateway, and the session that outlives it."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from citewell_discord.testing.errors import Payload
from citewell_discord.testing.events import Event, Intents

DISPATCH = 0
BACKLOG_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class _Close:
    code: int


class Connection:
    """Writes frames to one socket, in order.

    Attributes:
        is_closing: this side ends it, and takes no more frames.
        is_half_open: nothing goes through any more, and neither side is told.
        received: when frames came.
        released: set when a connection that is half open may end.
        ended: set once nobody reads or writes it any more.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        *,
        is_compressed: bool,
    ) -> None:
        self.socket = socket
        self._transport = transport
        self.is_half_open = False
        self.is_closing = False
        self.received: list[float] = []
        self.released = asyncio.Event()
        self.ended = asyncio.Event()
        self._outgoing: asyncio.Queue[Payload | _Close] = asyncio.Queue()
        self._compressor = zlib.compressobj() if is_compressed else None

    def send(self, payload: Payload) -> None:
        """Write a frame after those before it."""
        self._outgoing.put_nowait(payload)

    def close(self, code: int) -> None:
        """Close the socket after the frames before."""
        self.is_closing = True
        self._outgoing.put_nowait(_Close(code))

    def cut(self) -> None:
        """Break the line; the other side sees no goodbye."""
        self.released.set()
        if self._transport is not None:
            self._transport.abort()

    async def write(self) -> None:
        """Write frames until the socket is closed."""
        while True:
            frame = await self._outgoing.get()
            if self.is_half_open:
                continue
            if isinstance(frame, _Close):
                await self.socket.close(code=frame.code)
                return
            await self._write(msgspec.json.encode(frame))

    async def _write(self, data: bytes) -> None:
        try:
            if self._compressor is None:
                await self.socket.send_str(data.decode())
            else:
                packed = self._compressor.compress(data)
                await self.socket.send_bytes(packed + self._compressor.flush(zlib.Z_SYNC_FLUSH))
        except ConnectionError:
            # The other side is gone; its session may resume elsewhere.
            return


@dataclass(eq=False, slots=True)
class Session:
    """What a bot was told since it identified itself.

    Attributes:
        shard: its number, and how many there are.
        backlog: the events that a resume replays, by sequence number.
        lost_at: when its connection was lost; None while it has one.
    """

    id: str
    intents: Intents
    shard: tuple[int, int]
    connection: Connection | None
    sequence: int = 0
    backlog: dict[int, Payload] = field(default_factory=dict)
    lost_at: float | None = None

    def is_told(self, event: Event) -> bool:
        """Tell whether the event is for this shard."""
        number, count = self.shard
        return number == (0 if event.guild_id is None else (event.guild_id >> 22) % count)

    def tell(self, name: str, payload: Payload) -> None:
        """Tell of an event now, or once the session is resumed."""
        self.sequence += 1
        frame: Payload = {"op": DISPATCH, "s": self.sequence, "t": name, "d": payload}
        self.backlog[self.sequence] = frame
        if len(self.backlog) > BACKLOG_EVENTS:
            del self.backlog[next(iter(self.backlog))]
        if self.connection is not None:
            self.connection.send(frame)

    def resume(self, connection: Connection, sequence: int) -> None:
        """Replay what was missed after `sequence` to a new connection."""
        self.connection = connection
        self.lost_at = None
        for number, frame in list(self.backlog.items()):
            if number > sequence:
                connection.send(frame)
        self.tell("RESUMED", {})
