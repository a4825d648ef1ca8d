"""A double, and the real clients that talk to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from citewell_slack.testing import SlackDouble


class Bot:
    """A real app, and what it was told."""

    def __init__(self, double: SlackDouble) -> None:
        self.client = AsyncWebClient(token=double.bot_token, base_url=double.api_url)
        self.app = AsyncApp(client=self.client, signing_secret=double.signing_secret)
        self.heard: list[dict[str, Any]] = []
        self.bodies: list[dict[str, Any]] = []

    def listen(self, *events: str) -> None:
        """Note each of these events."""

        async def note(event, body):
            self.heard.append(event)
            self.bodies.append(body)

        for name in events:
            self.app.event(name)(note)

    def texts(self) -> list[str]:
        return [event.get("text", "") for event in self.heard]


@pytest.fixture
async def double() -> AsyncIterator[SlackDouble]:
    async with SlackDouble(seed=7) as started:
        yield started


@pytest.fixture
def client(double) -> AsyncWebClient:
    return AsyncWebClient(token=double.bot_token, base_url=double.api_url)


@pytest.fixture
def bot(double) -> Bot:
    return Bot(double)


@pytest.fixture
def connecting(double):
    """Connect an app by Socket Mode."""

    @asynccontextmanager
    async def connect(bot: Bot, *, ping_interval_s: float = 10.0):
        before = len(double.sockets.open)
        handler = AsyncSocketModeHandler(bot.app, double.app_token, ping_interval=ping_interval_s)
        try:
            await handler.connect_async()
            await double.connected(before + 1)
            yield handler
        finally:
            await handler.close_async()

    return connect


@pytest.fixture
async def connected(bot, connecting) -> AsyncIterator[Bot]:
    async with connecting(bot):
        yield bot


@pytest.fixture
async def served(bot, double) -> AsyncIterator[Bot]:
    """The app behind a request URL, which `double` was told."""
    runner = web.AppRunner(bot.app.web_app(path="/slack/events"), shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    await double.deliver_to(f"http://127.0.0.1:{port}/slack/events")
    try:
        yield bot
    finally:
        await runner.cleanup()


@pytest.fixture
def alice(double):
    return double.add_person("alice")


@pytest.fixture
def general(double, alice):
    return double.add_channel("general", [alice])


@pytest.fixture
def refused() -> Callable[[Awaitable[Any]], Awaitable[str]]:
    """Return the error that a call is refused with."""

    async def error_of(call: Awaitable[Any]) -> str:
        with pytest.raises(SlackApiError) as caught:
            await call
        return caught.value.response["error"]

    return error_of
