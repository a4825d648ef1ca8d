"""The gateway: who is connected, and what they are told.

Source: discord.com/developers/docs/events/gateway, and "Gateway Close Event Codes" in
discord.com/developers/docs/topics/opcodes-and-status-codes.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator
from enum import IntEnum

import msgspec
from aiohttp import WSMsgType, web

from citewell_discord.testing.bodies import Id
from citewell_discord.testing.errors import Payload
from citewell_discord.testing.events import PRIVILEGED, Event, Intents
from citewell_discord.testing.payloads import guild_payload, member_payload, user_payload
from citewell_discord.testing.places import Guild
from citewell_discord.testing.sessions import Connection, Session
from citewell_discord.testing.world import World

DAY_S = 24 * 3600.0
IDENTIFIES_A_DAY = 1000
FRAMES_WINDOW_S = 60.0
MAX_FRAMES = 120
"""What one connection may send in the window; heartbeats are not counted here."""

SESSION_LIFE_S = 180.0
"""How long after its connection was lost a session can be resumed; Discord does not say."""

_GOODBYE_S = 1.0
_GOODBYES = frozenset({1000, 1001})


class Op(IntEnum):
    """What a frame is."""

    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE_STATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class Closing(IntEnum):
    """Why the gateway closes a connection."""

    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_SEQUENCE = 4007
    RATE_LIMITED = 4008
    INVALID_SHARD = 4010
    INVALID_VERSION = 4012
    DISALLOWED_INTENTS = 4014


class Identify(msgspec.Struct, kw_only=True):
    """A bot says who it is."""

    token: str
    intents: int
    shard: tuple[int, int] = (0, 1)


class Resume(msgspec.Struct, kw_only=True):
    """A bot takes a session up again."""

    token: str
    session_id: str
    seq: int


class RequestMembers(msgspec.Struct, kw_only=True):
    """A bot asks who is in a guild."""

    guild_id: Id
    query: str | None = None
    limit: int = 0
    user_ids: list[Id] | Id | None = None
    nonce: str | None = None


class Frame(msgspec.Struct, kw_only=True):
    """Anything that a bot sends."""

    op: int
    d: msgspec.Raw = msgspec.Raw(b"null")


class Gateway:
    """Takes connections and tells sessions of events.

    Attributes:
        heartbeat_s: how often a bot has to send a heartbeat.
        acknowledges: whether heartbeats are acknowledged; else connections become zombies.
        compresses: whether frames are compressed for who asks for it.
        refused_connections: how many of the next connections are refused.
        identify_pause_s: how long after one session the next may begin; Discord wants 5 seconds.
        recommended_shards: how many an application that asks is told to use.
        token_resets: how often the token was reset, for identifying too often in a day.
        identifies: when bots identified themselves.
        resumes: when sessions were resumed.
        close_codes: with which bots closed their connections.
    """

    def __init__(self, world: World, is_token: Callable[[str], bool]) -> None:
        self._world = world
        self._is_token = is_token
        self.url = ""
        self.heartbeat_s = 41.25
        self.acknowledges = True
        self.compresses = True
        self.refused_connections = 0
        self.identify_pause_s = 0.0
        self.recommended_shards = 1
        self.token_resets = 0
        self.identifies: list[float] = []
        self.resumes: list[float] = []
        self.close_codes: list[int | None] = []
        self.sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()

    @property
    def connected(self) -> list[Session]:
        """The sessions that can be told something now."""
        return [one for one in self.sessions.values() if one.connection is not None]

    @property
    def identifies_today(self) -> int:
        """How often bots identified themselves in the last 24 hours."""
        since = self._world.clock.now() - DAY_S
        return sum(at > since for at in self.identifies)

    def tell(self, event: Event) -> None:
        """Tell every session that asked for it."""
        for session in self.sessions.values():
            if not session.is_told(event):
                continue
            payload = event.told(session.intents)
            if payload is not None:
                session.tell(event.name, payload)

    def ask_to_reconnect(self) -> None:
        """Tell all bots to connect anew and resume, as Discord does every few hours."""
        for session in self.connected:
            self._send(session, Op.RECONNECT)

    def invalidate(self, *, resumable: bool = False) -> None:
        """Tell all bots that their session is not valid now, or never again."""
        for session in self.connected:
            self._send(session, Op.INVALID_SESSION, resumable)
            if not resumable:
                del self.sessions[session.id]

    def drop(self, code: int = 1001) -> None:
        """Close all connections; the sessions can be resumed."""
        for connection in self._connections:
            connection.close(code)
        for session in self.connected:
            self._lose(session)

    def cut(self) -> None:
        """Break all connections without a goodbye; the sessions can be resumed."""
        for connection in self._connections:
            connection.cut()
        for session in self.connected:
            self._lose(session)

    def go_silent(self) -> None:
        """Let nothing through on the present connections, as if a cable was cut."""
        for connection in self._connections:
            connection.is_half_open = True
        for session in self.connected:
            self._lose(session)

    async def close(self) -> None:
        """End all connections."""
        for connection in self._connections:
            if connection.is_half_open:
                connection.cut()
            else:
                connection.close(1001)
        await asyncio.gather(*(one.ended.wait() for one in self._connections))

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        if self.refused_connections:
            self.refused_connections -= 1
            return web.Response(status=503)
        asked = request.query.get("compress")
        is_compressed = self.compresses and asked == "zlib-stream"
        socket = web.WebSocketResponse(autoclose=False, timeout=_GOODBYE_S)
        await socket.prepare(request)
        connection = Connection(socket, request.transport, is_compressed=is_compressed)
        self._connections.add(connection)
        writer = asyncio.create_task(connection.write())
        try:
            interval: Payload = {"heartbeat_interval": int(self.heartbeat_s * 1000)}
            connection.send({"op": Op.HELLO, "s": None, "t": None, "d": interval})
            if request.query.get("v") != "10":
                connection.close(Closing.INVALID_VERSION)
            await self._read(connection)
            if connection.is_half_open:
                await connection.released.wait()
                connection.cut()
            else:
                self.close_codes.append(socket.close_code)
        finally:
            connection.ended.set()
            self._connections.discard(connection)
            self._disconnect(connection)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
        return socket

    async def _read(self, connection: Connection) -> None:
        async for message in connection.socket:
            if connection.is_half_open:
                return
            if connection.is_closing:
                continue
            if message.type != WSMsgType.TEXT:
                connection.close(Closing.DECODE_ERROR)
                continue
            try:
                frame = msgspec.json.decode(message.data, type=Frame)
                self._take(connection, frame)
            except msgspec.DecodeError:
                connection.close(Closing.DECODE_ERROR)

    def _take(self, connection: Connection, frame: Frame) -> None:
        """Do what a bot asks with one frame."""
        session = next((one for one in self.connected if one.connection is connection), None)
        if frame.op == Op.HEARTBEAT:
            if self.acknowledges:
                connection.send({"op": Op.HEARTBEAT_ACK, "s": None, "t": None, "d": None})
        elif self._is_too_much(connection):
            connection.close(Closing.RATE_LIMITED)
        elif frame.op in {Op.IDENTIFY, Op.RESUME}:
            if session is not None:
                connection.close(Closing.ALREADY_AUTHENTICATED)
            elif frame.op == Op.IDENTIFY:
                self._identify(connection, msgspec.json.decode(frame.d, type=Identify))
            else:
                self._resume(connection, msgspec.json.decode(frame.d, type=Resume))
        elif frame.op not in set(Op):
            connection.close(Closing.UNKNOWN_OPCODE)
        elif session is None:
            connection.close(Closing.NOT_AUTHENTICATED)
        elif frame.op == Op.REQUEST_MEMBERS:
            self._list_members(session, msgspec.json.decode(frame.d, type=RequestMembers))

    def _is_too_much(self, connection: Connection) -> bool:
        """Count a frame, and tell whether it is one too many."""
        now = self._world.clock.now()
        since = now - FRAMES_WINDOW_S
        connection.received = [at for at in connection.received if at > since] + [now]
        return len(connection.received) > MAX_FRAMES

    def _identify(self, connection: Connection, asked: Identify) -> None:
        number, count = asked.shard
        intents = Intents(asked.intents)
        if not self._is_token(asked.token):
            connection.close(Closing.AUTHENTICATION_FAILED)
        elif not 0 <= number < count:
            connection.close(Closing.INVALID_SHARD)
        elif intents & PRIVILEGED & ~self._world.enabled:
            connection.close(Closing.DISALLOWED_INTENTS)
        elif self._is_too_soon():
            connection.send({"op": Op.INVALID_SESSION, "s": None, "t": None, "d": False})
        elif self.identifies_today >= IDENTIFIES_A_DAY:
            self._reset_token()
            connection.close(Closing.AUTHENTICATION_FAILED)
        else:
            self.identifies.append(self._world.clock.now())
            session = Session(secrets.token_hex(16), intents, (number, count), connection)
            self.sessions[session.id] = session
            self._welcome(session)

    def _is_too_soon(self) -> bool:
        """Tell whether another session was begun just before."""
        now = self._world.clock.now()
        return bool(self.identifies) and now - self.identifies[-1] < self.identify_pause_s

    def _reset_token(self) -> None:
        """End all sessions of a bot that identified itself too often."""
        self.token_resets += 1
        self.drop(Closing.AUTHENTICATION_FAILED)
        self.sessions.clear()

    def _welcome(self, session: Session) -> None:
        guilds = list(self._guilds(session))
        ready: Payload = {
            "v": 10,
            "user": {**user_payload(self._world.bot), "verified": True, "mfa_enabled": True},
            "guilds": [{"id": str(one.id), "unavailable": True} for one in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": str(self._world.application_id), "flags": 0},
        }
        session.tell("READY", ready)
        if not session.intents & Intents.GUILDS:
            return
        for guild in guilds:
            is_told_all = bool(session.intents & Intents.GUILD_MEMBERS)
            own = [guild.members[self._world.bot.id]]
            members = guild.members.values() if is_told_all else own
            session.tell("GUILD_CREATE", guild_payload(guild, self._world.bot, members=members))

    def _guilds(self, session: Session) -> Iterator[Guild]:
        number, count = session.shard
        for guild in self._world.guilds.values():
            if (guild.id >> 22) % count == number:
                yield guild

    def _resume(self, connection: Connection, asked: Resume) -> None:
        session = self.sessions.get(asked.session_id)
        if not self._is_token(asked.token):
            connection.close(Closing.AUTHENTICATION_FAILED)
        elif session is None or self._is_over(session):
            self.sessions.pop(asked.session_id, None)
            connection.send({"op": Op.INVALID_SESSION, "s": None, "t": None, "d": False})
        elif asked.seq > session.sequence:
            connection.close(Closing.INVALID_SEQUENCE)
        else:
            self.resumes.append(self._world.clock.now())
            session.resume(connection, asked.seq)

    def _is_over(self, session: Session) -> bool:
        lost_at = session.lost_at
        return lost_at is not None and self._world.clock.now() - lost_at > SESSION_LIFE_S

    def _list_members(self, session: Session, asked: RequestMembers) -> None:
        guild = self._world.guilds.get(int(asked.guild_id))
        if guild is None:
            return
        ids = asked.user_ids if isinstance(asked.user_ids, list) else [asked.user_ids or 0]
        wanted = {int(id_) for id_ in ids}
        found = [
            one
            for one in guild.members.values()
            if one.user.id in wanted
            or (asked.query is not None and one.user.name.startswith(asked.query))
        ]
        if asked.limit:
            found = found[: asked.limit]
        chunk: Payload = {
            "guild_id": str(guild.id),
            "members": [member_payload(one) for one in found],
            "chunk_index": 0,
            "chunk_count": 1,
        }
        if asked.nonce is not None:
            chunk["nonce"] = asked.nonce
        session.tell("GUILD_MEMBERS_CHUNK", chunk)

    def _disconnect(self, connection: Connection) -> None:
        """Note that a connection ended; a bot that says goodbye ends its session, too."""
        for session in self.connected:
            if session.connection is connection:
                self._lose(session)
                if not connection.is_closing and connection.socket.close_code in _GOODBYES:
                    del self.sessions[session.id]

    def _send(self, session: Session, op: Op, data: object = None) -> None:
        if session.connection is not None:
            session.connection.send({"op": op, "s": None, "t": None, "d": data})

    def _lose(self, session: Session) -> None:
        session.connection = None
        session.lost_at = self._world.clock.now()
