"""A double, and the real clients that talk to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from citewell import Context, JournalError
from citewell_slack.plugin import build
from citewell_slack.settings import SlackConfig
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


class Recorder:
    """A host that keeps what it is told, and says what a test has it say."""

    def __init__(self, config: SlackConfig) -> None:
        self.config = config
        self.events: list[Any] = []
        self.repeated: list[Any] = []
        self.failures = 0
        self.quoted: list[Any] = []
        self.handed: Any = None
        self.asked_for: list[tuple[Any, ...]] = []
        self.told: list[tuple[Any, ...]] = []
        self.states: list[Any] = []
        self.latest: list[Any] = []

    async def accept(self, event):
        if self.failures:
            self.failures -= 1
            raise JournalError("the disk is full")
        if any(
            (one.venue.channel, one.key) == (event.venue.channel, event.key) for one in self.events
        ):
            self.repeated.append(event)
            return False
        self.events.append(event)
        return True

    async def quotes(self, answer_id, address):
        self.asked_for.append((answer_id, address))
        return self.quoted

    async def hand_off(self, answer_id, address):
        self.asked_for.append((answer_id, address))
        return self.handed

    async def handed_off(self, answer_id, by, venue):
        self.told.append((answer_id, by, venue))

    async def libraries(self, address):
        return self.states

    async def recent(self, venue, user, *, limit=5):
        self.asked_for.append((venue, user))
        return self.latest[:limit]

    def takes_part(self, venue):
        return any(
            one.venue.conversation == venue.conversation
            for one in self.events
            if type(one).__name__ == "Asked"
        )

    def of(self, kind):
        return [one for one in self.events if type(one) is kind]


@pytest.fixture
def settings(double):
    """Settings that lead to the double."""

    def make(**more: Any) -> SlackConfig:
        given = {
            "bot_token": double.bot_token,
            "app_token": double.app_token,
            "api_url": double.api_url,
        }
        return SlackConfig.model_validate(given | more)

    return make


@pytest.fixture
def opening(tmp_path):
    """Open adapters."""
    context = Context(
        name="slack", log=logging.getLogger("test.slack"), data_dir=tmp_path, base_dir=tmp_path
    )
    return lambda config: build(config, context)


@pytest.fixture
async def adapter(settings, opening):
    """An adapter that is connected to nothing."""
    async with opening(settings()) as opened:
        yield opened


@pytest.fixture
def serving(settings, opening, double):
    """Connect adapters, each to a recorder."""

    @asynccontextmanager
    async def serve(host: Any = None, **more: Any):
        config = settings(**more)
        host = host or Recorder(config)
        async with opening(config) as opened:
            task = asyncio.create_task(opened.serve(host))
            try:
                async with asyncio.timeout(10):
                    while not opened.is_connected and not task.done():  # noqa: ASYNC110 - no event
                        await asyncio.sleep(0.005)
                if task.done():
                    task.result()
                yield opened, host
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    return serve


@pytest.fixture
def eventually():
    """Wait until something is so."""

    async def wait(is_so: Callable[[], object], *, within_s: float = 10.0) -> None:
        async with asyncio.timeout(within_s):
            while not is_so():  # noqa: ASYNC110 - of what others do there is no event
                await asyncio.sleep(0.005)

    return wait
