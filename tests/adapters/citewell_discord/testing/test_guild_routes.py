"""Guilds, their members and roles, and the application itself."""

import discord
import pytest

from citewell_discord.testing import Intents, Permissions


async def test_members_come_and_go(double, guild, bot):
    bob = double.person("bob", guild)
    seen = bot.get_guild(guild.id)
    await double.until(lambda: seen.get_member(bob.user.id))

    double.world.leave(guild, bob.user)
    await double.until(lambda: not seen.get_member(bob.user.id))

    with pytest.raises(discord.NotFound) as refusal:
        await seen.fetch_member(bob.user.id)
    assert refusal.value.code == 10007


async def test_roles_of_members_change(double, guild, alice, bot):
    staff = double.world.add_role(guild, "staff", Permissions.MANAGE_MESSAGES)
    double.world.set_roles(guild, alice.user, [staff])
    seen = bot.get_guild(guild.id)
    await double.until(lambda: seen.get_member(alice.user.id).get_role(staff.id))

    fetched = await seen.fetch_member(alice.user.id)

    assert [role.name for role in fetched.roles] == ["@everyone", "staff"]
    assert {role.name for role in await seen.fetch_roles()} == {"@everyone", "staff"}


async def test_members_are_listed_with_the_intent_alone(double, guild, alice, bot):
    seen = bot.get_guild(guild.id)

    names = {member.name async for member in seen.fetch_members()}
    double.world.enabled = Intents.NONE
    with pytest.raises(discord.Forbidden):
        [member async for member in seen.fetch_members()]

    assert names == {"owner of acme", "citewell", "alice"}


async def test_guilds_and_channels_can_be_read(guild, channel, bot):
    fetched = await bot.fetch_guild(guild.id)
    channels = await fetched.fetch_channels()
    one = await bot.fetch_channel(channel.id)

    assert (fetched.name, fetched.owner_id) == ("acme", guild.owner_id)
    assert [each.name for each in channels] == ["help"]
    assert (one.name, one.guild.id) == ("help", guild.id)
    assert [each.id async for each in bot.fetch_guilds()] == [guild.id]


async def test_what_does_not_exist_is_unknown(double, guild, bot):
    for fetching, code in (
        (bot.fetch_channel(5), 10003),
        (bot.fetch_guild(5), 10004),
        (bot.fetch_user(5), 10013),
        (bot.get_guild(guild.id).fetch_member(5), 10013),
    ):
        with pytest.raises(discord.NotFound) as refusal:
            await fetching
        assert refusal.value.code == code


async def test_the_application_is_known(double, guild, bot):
    about = await bot.application_info()

    assert about.id == double.application_id
    assert about.owner.id == double.world.developer.id
    assert about.bot_public


async def test_the_bot_leaves_and_is_thrown_out(double, guild, bot):
    other = double.world.add_guild("other")
    await double.until(lambda: bot.get_guild(other.id))

    await bot.get_guild(guild.id).leave()
    double.world.remove_guild(other)
    await double.until(lambda: not bot.guilds)

    assert double.world.guilds == {}


async def test_bots_may_be_told_how_many_shards_to_use(double, guild, bot):
    double.gateway.recommended_shards = 3

    shards, url, limit = await bot.http.get_bot_gateway()

    assert (shards, url) == (3, double.gateway_url)
    assert (limit["total"], limit["remaining"]) == (1000, 999)


async def test_where_the_gateway_is_can_be_asked(double, caller):
    answer = await caller.http.request(discord.http.Route("GET", "/gateway"))

    assert answer == {"url": double.gateway_url}


async def test_who_does_not_exist_cannot_be_talked_to(bot):
    with pytest.raises(discord.NotFound) as refusal:
        await bot.http.start_private_message(5)

    assert refusal.value.code == 10013


def test_channels_are_linked_by_their_mention(channel):
    assert channel.mention == f"<#{channel.id}>"


async def test_a_deleted_channel_is_gone_with_its_threads(double, channel, alice, bot):
    thread = alice.start_thread(alice.say(channel, "look"), "mine")
    await double.until(lambda: bot.get_channel(thread.id))
    seen = bot.get_channel(channel.id)

    double.world.remove_channel(channel)
    await double.until(lambda: not bot.get_channel(channel.id))

    with pytest.raises(discord.NotFound) as refusal:
        await seen.send("too late")
    assert refusal.value.code == 10003
    assert double.world.channels == {}
    assert bot.get_channel(thread.id) is None
