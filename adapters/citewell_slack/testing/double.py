"""Slack on a loopback port."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from aiohttp import web

from citewell_slack.testing.api import Tokens, WebApi
from citewell_slack.testing.assistance import Assistance
from citewell_slack.testing.board import Board
from citewell_slack.testing.calls import Call
from citewell_slack.testing.chat import Chat
from citewell_slack.testing.clock import Clock
from citewell_slack.testing.conversations import Conversations
from citewell_slack.testing.deliveries import Deliveries
from citewell_slack.testing.directory import Directory
from citewell_slack.testing.events import Events
from citewell_slack.testing.faults import Faults
from citewell_slack.testing.installation import Installation
from citewell_slack.testing.interactions import Interactions
from citewell_slack.testing.limits import Limits
from citewell_slack.testing.messages import Message
from citewell_slack.testing.person import Hands, Person
from citewell_slack.testing.requests import Requests, Signature
from citewell_slack.testing.sockets import Sockets
from citewell_slack.testing.streaming import Streaming
from citewell_slack.testing.triggers import ResponseUrls, Triggers
from citewell_slack.testing.views import Views
from citewell_slack.testing.workspace import Channel, ChannelKind, UserGroup, Workspace


class SlackDouble:
    """Slack with one workspace and one app, as far as the app can tell.

    Use it as an async context manager. Point `AsyncWebClient(base_url=double.api_url)` at it;
    Socket Mode needs nothing else, and `deliver_to` sends signed requests instead.

    Args:
        clock: one that a test sets, where none is given.
        seed: of everything that is left to chance.

    Attributes:
        workspace: people, channels, messages and all else there is to be seen.
        deliveries: what the app is sent, with what can happen to it on its way.
        sockets: the connections of Socket Mode.
        events: what the app subscribed to.
        tokens: which are good, and their scopes.
        limits: how much Slack takes.
        interactions: what became of submitted forms.
        installation: codes for OAuth.
    """

    def __init__(self, *, clock: Clock | None = None, seed: int = 0) -> None:
        self.clock = clock or Clock()
        self.limits = Limits()
        self.tokens = Tokens()
        self.signing_secret = "double-signing-secret"  # noqa: S105 - of nobody
        self.workspace = Workspace(self.clock)
        chance = random.Random(seed)  # noqa: S311 - must be the same each time
        self.deliveries = Deliveries(self.clock, chance, self._tell)
        self.sockets = Sockets(self.clock, chance, self._tell)
        self.events = Events(self.workspace, self.deliveries)
        self.api = WebApi(self.clock, self.tokens, self._tell)
        board = Board(self.workspace, self.events, self._tell)
        triggers = Triggers(self.clock, self.limits)
        self._response_urls = ResponseUrls(self.clock, board, self.limits)
        self._directory = Directory(self.workspace, self.events)
        streaming = Streaming(self.workspace, board, self.limits)
        views = Views(self.workspace, triggers)
        self.installation = Installation(self.workspace, self.tokens, self.sockets)
        self.interactions = Interactions(
            self.workspace,
            self.deliveries,
            triggers=triggers,
            response_urls=self._response_urls,
            views=views,
        )
        self._hands = Hands(
            self.workspace,
            board,
            self.events,
            self._directory,
            streaming,
            self.interactions,
            views,
        )
        for family in (
            Chat(self.workspace, board, self.limits),
            streaming,
            Conversations(self.workspace),
            self._directory,
            views,
            Assistance(self.workspace),
            self.installation,
        ):
            self.api.offer(family.methods())
        self._news = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._address = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_route("*", "/api/{method}", self.api.handle)
        app.router.add_get("/link/", self.sockets.connect)
        app.router.add_post("/actions/{channel}/{id}", self._response_urls.handle)
        app.router.add_get("/files-pri/{file}/{name}", self._download)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        await web.SockSite(self._runner, listener).start()
        self._address = f"127.0.0.1:{listener.getsockname()[1]}"
        self.sockets.address = self._response_urls.address = self._address
        self.sockets.app = self.workspace.app
        self.workspace.files_url = f"http://{self._address}/files-pri"
        self.deliveries.transport = self.sockets
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()
        await self.deliveries.close()
        self.clock.close()

    @property
    def api_url(self) -> str:
        """The base URL for clients."""
        return f"http://{self._address}/api/"

    @property
    def bot_token(self) -> str:
        """A token of the bot."""
        return self.tokens.bots[0]

    @property
    def app_token(self) -> str:
        """The token that opens sockets."""
        return self.tokens.app

    @property
    def bot_user_id(self) -> str:
        """The bot's own user."""
        return self.workspace.bot.id

    @property
    def mention(self) -> str:
        """What people write to name the bot."""
        return f"<@{self.bot_user_id}>"

    @property
    def team(self) -> str:
        """The workspace's id."""
        return self.workspace.team

    @property
    def faults(self) -> Faults:
        """What is to go wrong with calls."""
        return self.api.faults

    def add_person(self, name: str, *, is_bot: bool = False) -> Person:
        """Add somebody, or another app's bot, who is in no channel yet."""
        return Person(self.workspace.add_user(name, is_bot=is_bot), self._hands)

    def add_group(self, handle: str, people: Iterable[Person] = ()) -> UserGroup:
        """Add a group that can be mentioned."""
        return self.workspace.add_group(handle, [one.id for one in people])

    def add_channel(
        self,
        name: str,
        people: Iterable[Person] = (),
        *,
        is_private: bool = False,
        has_bot: bool = True,
    ) -> Channel:
        """Add a channel with these members."""
        members = [one.id for one in people] + ([self.bot_user_id] if has_bot else [])
        kind = ChannelKind.PRIVATE if is_private else ChannelKind.PUBLIC
        return self.workspace.add_channel(name, members, kind=kind)

    def bot(self) -> Person:
        """Return the app's own user, to be invited or removed."""
        return Person(self.workspace.bot, self._hands)

    def posted(self, channel: Channel) -> list[Message]:
        """Return what the app said in a channel and did not take back, oldest first."""
        every = self.workspace.messages.all(channel.id)
        return [one for one in every if one.user == self.bot_user_id and not one.is_deleted]

    def calls(self, method: str | None = None) -> list[Call]:
        """Return the calls of one method, or all, oldest first."""
        return [one for one in self.api.calls if method in {None, one.method}]

    async def deliver_to(self, url: str) -> Requests:
        """Send signed requests to `url` from now on, once it proved to be the app's.

        Raises:
            NotVerified: it did not return the challenge.
        """
        requests = Requests(self.clock, url, Signature(self.signing_secret))
        try:
            await requests.verify("verification-token")
        except BaseException:
            await requests.close()
            raise
        self.deliveries.transport = requests
        return requests

    async def connected(self, count: int = 1, *, timeout_s: float = 10.0) -> None:
        """Wait until the app has opened this many sockets."""
        await self.until(lambda: len(self.sockets.open) >= count, timeout_s=timeout_s)

    async def until(self, is_so: Callable[[], object], *, timeout_s: float = 10.0) -> None:
        """Wait until something is so, looking again whenever anything changed.

        Raises:
            TimeoutError: it was not so in time, by the machine's clock.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not is_so():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError as error:
            last = [f"{one.method} {one.error or one.status}" for one in self.api.calls[-5:]]
            raise TimeoutError(f"not so within {timeout_s} s; last calls: {last}") from error

    def _tell(self) -> None:
        self._news.set()

    async def _download(self, request: web.Request) -> web.Response:
        return await self._directory.download(request, self.tokens.bots)
