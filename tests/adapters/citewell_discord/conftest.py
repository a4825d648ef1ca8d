"""A double with one guild in it, and real clients that talk to it."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import discord
import pytest

from citewell_discord.testing import ALL, DiscordDouble, pointed_at


@pytest.fixture
async def double():
    async with DiscordDouble() as double:
        # What Discord counts in seconds passes here in hundredths.
        double.rates.time_scale = 0.01
        with pointed_at(double):
            yield double


@pytest.fixture
def guild(double):
    """A guild in which the bot has no more rights than everybody."""
    return double.world.add_guild("acme")


@pytest.fixture
def channel(double, guild):
    return double.world.add_text(guild, "help")


@pytest.fixture
def alice(double, guild):
    return double.person("alice", guild)


@pytest.fixture
def moderated(double):
    """A guild in which the bot may do everything."""
    return double.world.add_guild("moderated", rights=ALL)


@pytest.fixture
async def start(double):
    """Start a client, which is ready once this returns, and stop it at the end."""
    async with AsyncExitStack() as stack:

        async def start(client):
            await stack.enter_async_context(running(client, double.token))
            return client

        yield start


@asynccontextmanager
async def running(client, token):
    """Yield a client that is ready."""
    task = asyncio.create_task(client.start(token))
    ready = asyncio.create_task(client.wait_until_ready())
    try:
        await asyncio.wait({task, ready}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        assert client.is_ready()
        yield client
    finally:
        ready.cancel()
        await client.close()
        await asyncio.gather(task, return_exceptions=True)


class Bot(discord.Client):
    """A client that remembers what it was told."""

    def __init__(self, *, intents=None, **settings):
        super().__init__(
            intents=discord.Intents.all() if intents is None else intents,
            guild_ready_timeout=0.05,
            **settings,
        )
        self.heard = []
        self.edits = []
        self.deleted = []

    async def on_message(self, message):
        if message.author.id != self.user.id:
            self.heard.append(message)

    async def on_raw_message_edit(self, payload):
        self.edits.append(payload)

    async def on_raw_message_delete(self, payload):
        self.deleted.append(payload)


@pytest.fixture
async def bot(start):
    return await start(Bot())
