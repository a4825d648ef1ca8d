"""The double as a whole."""

import asyncio

import discord
import pytest

from citewell_discord.testing import DiscordDouble, pointed_at
from discord_clients import Bot, running


async def test_nothing_is_left_behind():
    before = asyncio.all_tasks()
    async with DiscordDouble() as double:
        channel = double.world.add_text(double.world.add_guild("acme"), "help")
        with pointed_at(double):
            async with running(Bot(), double.token) as bot:
                await bot.get_channel(channel.id).send("hello")

    assert asyncio.all_tasks() == before


async def test_a_client_that_is_still_connected_does_not_hold_it_up():
    async with DiscordDouble() as double:
        double.world.add_guild("acme")
        with pointed_at(double):
            bot = Bot()
            task = asyncio.create_task(bot.start(double.token, reconnect=False))
            await double.until(bot.is_ready)
    await bot.close()
    await asyncio.gather(task, return_exceptions=True)

    assert not double.gateway.connected


async def test_a_silent_connection_does_not_hold_it_up():
    async with DiscordDouble() as double:
        double.world.add_guild("acme")
        with pointed_at(double):
            bot = Bot()
            task = asyncio.create_task(bot.start(double.token, reconnect=False))
            await double.until(bot.is_ready)
        double.gateway.go_silent()
    await bot.close()
    await asyncio.gather(task, return_exceptions=True)

    assert not double.gateway.connected


async def test_messages_can_be_watched(double, channel, alice, bot):
    seen = []
    double.watch(lambda message: seen.append((message.content, message.is_deleted)))

    sent = await bot.get_channel(channel.id).send("one")
    await sent.edit(content="two")
    await sent.delete()

    assert seen == [("one", False), ("two", False), ("two", True)]


async def test_the_library_is_left_as_it_was():
    before = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY

    async with DiscordDouble() as one:
        with pointed_at(one):
            assert one.api_url == discord.http.Route.BASE
            assert str(discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY) == one.gateway_url

    assert before == (discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY)


async def test_two_doubles_share_nothing():
    async with DiscordDouble() as one, DiscordDouble() as other:
        one.world.add_guild("acme")

        assert one.api_url != other.api_url
        assert other.world.guilds == {}
        assert one.token != other.token


async def test_a_condition_that_never_holds_times_out(double):
    with pytest.raises(TimeoutError):
        await double.until(lambda: False, timeout_s=0.05)


def test_time_does_not_run_backwards(double):
    before = double.clock.now()
    double.clock.advance(60)

    assert 60 <= double.clock.now() - before < 61
    with pytest.raises(ValueError, match="ids must not repeat"):
        double.clock.advance(-1)
