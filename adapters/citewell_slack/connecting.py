"""The ways in which events come in: over a socket that we open, or as signed requests."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings

from citewell import AdapterError, DeliveryError
from citewell_slack.calls import Api, client
from citewell_slack.installing import States
from citewell_slack.manifest import scopes
from citewell_slack.settings import HttpConfig, OAuthConfig
from citewell_slack.workspaces import InstalledWorkspaces, Workspaces, cannot_connect

_PING_S: Final = 3.0
_MOST_BODY: Final = 4 * 2**20
# As old as Slack has it, a request may still be new.
_MOST_AGE_S: Final = 300
_SECONDS: Final = re.compile(r"[0-9]{1,12}")
# Slack looks whether the certificate is good, and signs nothing then.
_SSL_CHECK: Final = re.compile(rb"(?:^|&)ssl_check=1(?:&|$)")
# Pings that a connection may be gone for, until its address is taken for used up.
_STUCK_AFTER: Final = 2
# Pings between two proofs that the token is good still, as long as there is no connection.
_PROVED_EVERY: Final = 10


class SocketLink:
    """A socket of Socket Mode, which the library keeps open.

    Args:
        app: that hears the events.
        app_token: that opens sockets.
        workspaces: tell where the Web API is.
        log: of the library.
    """

    def __init__(
        self, app: AsyncApp, app_token: str, workspaces: Workspaces, log: logging.Logger
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._workspaces = workspaces
        self._log = log
        self._handler: AsyncSocketModeHandler | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the socket is open."""
        if self._handler is None:
            return False
        socket = self._handler.client
        session = socket.current_session
        return session is not None and not session.closed and not socket.stale

    async def run(self) -> None:
        """Stay connected until cancelled.

        Raises:
            AdapterError: the token is no good.
        """
        url = await self._first_url()
        handler = AsyncSocketModeHandler(
            self._app, self._app_token, logger=self._log, ping_interval=_PING_S
        )
        self._handler = handler
        handler.client.wss_uri = url
        try:
            await self._watch(handler)
        finally:
            self._handler = None
            # Who is cut off amid an acknowledgement is told again, so nobody need hear of it.
            self._log.disabled = True
            await handler.close_async()  # type: ignore[no-untyped-call]
            socket = handler.client
            running = (
                socket.message_processor,
                socket.current_session_monitor,
                socket.message_receiver,
            )
            await asyncio.gather(*filter(None, running), return_exceptions=True)

    async def _first_url(self) -> str:
        """Return where to connect, which also proves the token."""
        while True:
            try:
                return await self._url()
            except DeliveryError as error:
                self._log.warning("%s; tried again", error)
            await asyncio.sleep(_PING_S)

    async def _url(self) -> str:
        """Return where to connect.

        Raises:
            AdapterError: the token is no good, and will not be.
            DeliveryError: Slack cannot be reached now.
        """
        workspaces = self._workspaces
        api = Api(client(self._app_token, workspaces.base_url, workspaces.session))
        try:
            return str((await api.do("apps.connections.open"))["url"])
        except DeliveryError as error:
            if error.passes:
                raise
            raise cannot_connect("app_token", error) from error

    async def _watch(self, handler: AsyncSocketModeHandler) -> None:
        """Keep the library from trying for ever what leads nowhere."""
        connecting = asyncio.create_task(handler.connect_async())  # type: ignore[no-untyped-call]
        gone = 0
        try:
            while True:
                await asyncio.sleep(_PING_S)
                gone = 0 if self.is_connected else gone + 1
                if gone >= _STUCK_AFTER:
                    # Each address is good for one connection: have it ask for a new one.
                    handler.client.wss_uri = None
                if gone and gone % _PROVED_EVERY == 0:
                    with suppress(DeliveryError):
                        await self._url()
        finally:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)


class HttpLink:
    """A server for the requests of Slack, and for installations.

    Args:
        app: that hears the events.
        config: where to listen.
        flow: that installs; None for one workspace alone.
        signing_secret: of the events that come in here; None where they do not.

    Attributes:
        port: that is listened on.
        is_connected: whether it is.
    """

    def __init__(
        self,
        app: AsyncApp,
        config: HttpConfig,
        *,
        flow: AsyncOAuthFlow | None,
        signing_secret: str | None,
    ) -> None:
        self._app = app
        self._config = config
        self._flow = flow
        self._signing_secret = signing_secret
        self.port = 0
        self.is_connected = False

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Listen as long as this is open.

        Raises:
            AdapterError: the address is taken.
        """
        served = web.Application(client_max_size=_MOST_BODY)
        if self._signing_secret is not None:
            served.router.add_post(self._config.path, self._request)
        if self._flow is not None:
            served.router.add_get(self._flow.install_path, self._install)
            served.router.add_get(self._flow.redirect_uri_path, self._installed)
        runner = web.AppRunner(served, access_log=None, shutdown_timeout=3.0)
        await runner.setup()
        try:
            await self._listen(runner)
            self.is_connected = True
            yield
        finally:
            self.is_connected = False
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner) -> None:
        where = f"{self._config.host}:{self._config.port}"
        try:
            await web.TCPSite(runner, self._config.host, self._config.port).start()
        except OSError as error:
            raise AdapterError(
                f"slack cannot listen on {where}: {error.strerror}; set http.host and http.port"
            ) from error
        self.port = int(runner.addresses[0][1])

    async def _request(self, request: web.Request) -> web.Response:
        body = await request.read()
        # Before anybody reads what anybody may have written.
        if not _is_signed(body, request.headers, self._signing_secret or ""):
            return web.Response(status=200 if _SSL_CHECK.search(body) else 401)
        return await to_aiohttp_response(
            await self._app.async_dispatch(await to_bolt_request(request))
        )

    async def _install(self, request: web.Request) -> web.Response:
        assert self._flow is not None  # noqa: S101 - its route is there with it alone
        return await to_aiohttp_response(
            await self._flow.handle_installation(await to_bolt_request(request))
        )

    async def _installed(self, request: web.Request) -> web.Response:
        assert self._flow is not None  # noqa: S101 - its route is there with it alone
        return await to_aiohttp_response(
            await self._flow.handle_callback(await to_bolt_request(request))
        )


def _is_signed(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Tell whether Slack sent this, and just now."""
    at = headers.get("X-Slack-Request-Timestamp", "")
    if not _SECONDS.fullmatch(at) or abs(time.time() - int(at)) > _MOST_AGE_S:
        return False
    made = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    given = headers.get("X-Slack-Signature", "").encode("utf-8", "surrogateescape")
    return hmac.compare_digest(f"v0={made}".encode(), given)


class Links:
    """Every way in at once."""

    def __init__(self, socket: SocketLink | None, http: HttpLink | None) -> None:
        self.socket = socket
        self.http = http

    @property
    def is_connected(self) -> bool:
        """Whether events come in."""
        way = self.socket or self.http
        return way is not None and way.is_connected

    async def run(self) -> None:
        """Take events until cancelled."""
        async with AsyncExitStack() as stack:
            if self.http is not None:
                await stack.enter_async_context(self.http.opened())
            if self.socket is not None:
                await self.socket.run()
            else:
                await asyncio.Event().wait()


def oauth_flow(
    config: OAuthConfig, workspaces: InstalledWorkspaces, folder: Path, log: logging.Logger
) -> AsyncOAuthFlow:
    """Return the flow with which workspaces install the app."""
    settings = AsyncOAuthSettings(
        client_id=config.client_id,
        client_secret=config.client_secret.get_secret_value(),
        scopes=scopes(),
        user_scopes=[],
        redirect_uri=config.redirect_uri,
        installation_store=workspaces.store,
        state_store=States(folder),
        logger=log,
    )
    web_client = client(None, workspaces.base_url, workspaces.session)
    return AsyncOAuthFlow(client=web_client, logger=log, settings=settings)
