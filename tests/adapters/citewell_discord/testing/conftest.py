"""A double with one guild in it, and real clients that talk to it."""

from contextlib import AsyncExitStack

import discord
import pytest

from citewell_discord.testing import ALL, DiscordDouble, pointed_at
from discord_clients import Bot, running


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


@pytest.fixture
async def bot(start):
    return await start(Bot())


@pytest.fixture
async def caller(double):
    """A client that only calls the API, and is told nothing."""
    async with Bot() as client:
        await client.login(double.token)
        yield client


@pytest.fixture
def impatient(monkeypatch):
    """Let a client that cannot connect try again at once."""
    monkeypatch.setattr(discord.backoff.ExponentialBackoff, "delay", lambda _self: 0.01)
