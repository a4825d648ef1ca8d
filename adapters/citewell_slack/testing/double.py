"""Slack on a loopback port."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from citewell_slack.testing.api import WebApi
from citewell_slack.testing.calls import Call
from citewell_slack.testing.clock import Clock
from citewell_slack.testing.deliveries import Deliveries
from citewell_slack.testing.faults import Faults
from citewell_slack.testing.installation import Installation
from citewell_slack.testing.limits import Limits
from citewell_slack.testing.requests import Requests, Signature
from citewell_slack.testing.sockets import Sockets
from citewell_slack.testing.team import Slack, Team
from citewell_slack.testing.triggers import ResponseUrls
from citewell_slack.testing.workspace import Ids

_LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in</body></html>"


class SlackDouble(Team):
    """Slack, with one app and one workspace that it is installed in; `add_team` adds more.

    Point `AsyncWebClient(base_url=double.api_url)` at it; Socket Mode needs nothing else, and
    `deliver_to` sends signed requests instead.

    Example:
        async with SlackDouble() as double:
            alice = double.add_person("alice")
            general = double.add_channel("general", [alice])
            client = AsyncWebClient(token=double.bot_token, base_url=double.api_url)
            app = AsyncApp(client=client)  # with its listeners
            handler = AsyncSocketModeHandler(app, double.app_token)
            await handler.connect_async()
            await double.connected()
            alice.say(general, f"{double.mention} how many days of leave?")
            await double.until(lambda: double.posted(general))
            print(rendered(double.posted(general)[0]).text)
            await handler.close_async()

    Args:
        clock: one that a test sets, where none is given.
        seed: of everything that is left to chance.

    Attributes:
        deliveries: what the app is sent, with what can happen to it on its way.
        sockets: the connections of Socket Mode.
        api: every call, and how often calls may come.
        limits: how much Slack takes.
        installation: the app's credentials for OAuth.
    """

    def __init__(self, *, clock: Clock | None = None, seed: int = 0) -> None:
        self.clock = clock or Clock()
        self.limits = Limits()
        self.signing_secret = "double-signing-secret"  # noqa: S105 - of nobody
        chance = random.Random(seed)  # noqa: S311 - must be the same each time
        ids = Ids()
        self.deliveries = Deliveries(self.clock, chance, self._tell)
        self.sockets = Sockets(self.clock, chance, self._tell)
        self.sockets.app = ids.app
        self.api = WebApi(self.clock, self._tell)
        self.installation = Installation(self.clock, self.sockets)
        self.api.offer(self.installation.methods())
        self._response_urls = ResponseUrls(self.clock, self.api, self.limits)
        self._news = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._address = ""
        slack = Slack(
            self.clock,
            ids,
            self.limits,
            self.api,
            self.deliveries,
            self._response_urls,
            self.installation,
            self._tell,
        )
        super().__init__(slack, "Example")
        self.tokens.issue()
        self._teams: list[Team] = [self]

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
        for team in self._teams:
            team.workspace.files_url = self._files_url
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
    def app_token(self) -> str:
        """The token that opens sockets."""
        return self.api.app_token

    @property
    def faults(self) -> Faults:
        """What is to go wrong with calls."""
        return self.api.faults

    def add_team(self, name: str) -> Team:
        """Add a workspace in which the app is not yet installed."""
        team = Team(self._slack, name)
        team.workspace.is_installed = False
        team.workspace.files_url = self._files_url
        self._teams.append(team)
        return team

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

    @property
    def _files_url(self) -> str:
        return f"http://{self._address}/files-pri"

    def _tell(self) -> None:
        self._news.set()

    async def _download(self, request: web.Request) -> web.Response:
        """Return a file; to strangers Slack shows its sign-in page, and calls that a success."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        for team in self._teams:
            file = team.file_for(token, request.match_info["file"])
            if file is not None:
                return web.Response(body=file.content, content_type=file.mimetype)
        return web.Response(text=_LOGIN_PAGE, content_type="text/html")
