"""Who may do what, by roles, channels and threads."""

import io

import discord
import pytest

from citewell_discord.testing import ALL, MEMBER, CannotAct, Overwrite, Permissions


async def refused(sending, code):
    with pytest.raises(discord.Forbidden) as refusal:
        await sending
    assert refusal.value.code == code


def test_everybody_has_what_the_guild_gives(guild, channel, alice):
    assert channel.permissions_of(alice.user) == MEMBER


def test_roles_add_up(double, guild, channel, alice):
    one = double.world.add_role(guild, "one", Permissions.MANAGE_MESSAGES)
    two = double.world.add_role(guild, "two", Permissions.MANAGE_THREADS)

    double.world.set_roles(guild, alice.user, [one, two])

    more = Permissions.MANAGE_MESSAGES | Permissions.MANAGE_THREADS
    assert channel.permissions_of(alice.user) == MEMBER | more


def test_owners_and_administrators_may_do_everything(double, guild, channel, alice):
    double.world.set_overwrites(channel, [Overwrite(guild.id, deny=ALL)])
    role = double.world.add_role(guild, "admin", Permissions.ADMINISTRATOR)
    double.world.set_roles(guild, alice.user, [role])

    owner = guild.members[guild.owner_id].user
    assert channel.permissions_of(alice.user) == channel.permissions_of(owner) == ALL


def test_members_come_before_roles_and_roles_before_everybody(double, guild, channel, alice):
    role = double.world.add_role(guild, "staff")
    double.world.set_roles(guild, alice.user, [role])
    sending = Permissions.SEND_MESSAGES
    layers = [
        Overwrite(guild.id, deny=sending),
        Overwrite(role.id, allow=sending),
        Overwrite(alice.user.id, True, deny=sending),
    ]
    allowed = []

    for count in (1, 2, 3):
        double.world.set_overwrites(channel, layers[:count])
        allowed.append(channel.allows(alice.user, sending))

    assert allowed == [False, True, False]


def test_who_cannot_see_a_channel_can_do_nothing_in_it(double, guild, channel, alice):
    double.world.set_overwrites(channel, [Overwrite(guild.id, deny=Permissions.VIEW_CHANNEL)])

    assert channel.permissions_of(alice.user) == Permissions.NONE


def test_strangers_can_do_nothing(double, channel):
    assert channel.permissions_of(double.person("stranger").user) == Permissions.NONE


async def test_a_channel_that_the_bot_may_not_see_is_closed_to_it(
    double, guild, channel, alice, bot
):
    double.world.set_overwrites(
        channel, [Overwrite(double.bot_user_id, True, deny=Permissions.VIEW_CHANNEL)]
    )
    alice.say(channel, "secret")
    alice.tell_bot("hello")
    await double.until(lambda: bot.heard)

    place = bot.get_channel(channel.id)
    await refused(place.send("x"), 50001)
    await refused(bot.fetch_channel(channel.id), 50001)
    assert [one.content for one in bot.heard] == ["hello"]


async def test_writing_needs_its_right(double, guild, channel, bot):
    double.world.set_overwrites(channel, [Overwrite(guild.id, deny=Permissions.SEND_MESSAGES)])

    await refused(bot.get_channel(channel.id).send("x"), 50013)
    await refused(bot.get_channel(channel.id).typing(), 50013)


async def test_history_needs_its_right(double, guild, channel, alice, bot):
    message = alice.say(channel, "old")
    await double.until(lambda: bot.heard)
    double.world.set_overwrites(
        channel, [Overwrite(guild.id, deny=Permissions.READ_MESSAGE_HISTORY)]
    )

    place = bot.get_channel(channel.id)
    await refused(place.fetch_message(message.id), 50013)
    await refused(bot.heard[0].reply("x"), 160002)
    await refused(bot.heard[0].add_reaction("👍"), 50013)
    assert [one async for one in place.history()] == []


async def test_starting_a_thread_needs_its_right(double, guild, channel, alice, bot):
    alice.say(channel, "q")
    await double.until(lambda: bot.heard)
    denied = Permissions.CREATE_PUBLIC_THREADS
    double.world.set_overwrites(channel, [Overwrite(guild.id, deny=denied)])

    await refused(bot.heard[0].create_thread(name="q"), 50013)


async def test_writing_in_a_thread_needs_its_right(double, guild, channel, alice, bot):
    alice.say(channel, "q")
    await double.until(lambda: bot.heard)
    denied = Permissions.SEND_MESSAGES_IN_THREADS
    double.world.set_overwrites(channel, [Overwrite(guild.id, deny=denied)])

    thread = await bot.heard[0].create_thread(name="q")

    await refused(thread.send("x"), 50013)


async def test_files_and_reactions_need_their_rights(double, guild, channel, alice, bot):
    alice.say(channel, "q")
    await double.until(lambda: bot.heard)
    denied = Permissions.ATTACH_FILES | Permissions.ADD_REACTIONS
    double.world.set_overwrites(channel, [Overwrite(guild.id, deny=denied)])

    file = discord.File(io.BytesIO(b"x"), "x.txt")
    await refused(bot.get_channel(channel.id).send(file=file), 50013)
    await refused(bot.heard[0].add_reaction("👍"), 50013)


async def test_a_reaction_that_is_there_may_be_joined(double, guild, channel, alice, bot):
    message = alice.say(channel, "q")
    alice.react(message, "👍")
    await double.until(lambda: bot.heard)
    double.world.set_overwrites(channel, [Overwrite(guild.id, deny=Permissions.ADD_REACTIONS)])

    await bot.heard[0].add_reaction("👍")

    assert message.reactions["👍"] == [alice.user.id, bot.user.id]


async def test_channels_are_changed_with_a_right_alone(double, guild, channel, moderated, bot):
    other = double.world.add_text(moderated, "ours")
    await double.until(lambda: bot.get_channel(other.id))

    await refused(bot.get_channel(channel.id).edit(topic="x"), 50013)
    await bot.get_channel(other.id).edit(topic="x", name="yours")

    assert (other.topic, other.name) == ("x", "yours")


async def test_the_client_sees_changed_rights(double, guild, channel, alice, bot):
    role = double.world.add_role(guild, "staff")
    double.world.set_roles(guild, alice.user, [role])
    double.world.change_role(guild, role, Permissions.MANAGE_GUILD)
    double.world.set_overwrites(channel, [Overwrite(role.id, deny=Permissions.SEND_MESSAGES)])
    await double.until(lambda: bot.get_channel(channel.id).overwrites)

    member = bot.get_guild(guild.id).get_member(alice.user.id)

    assert member.guild_permissions.manage_guild
    assert not bot.get_channel(channel.id).permissions_for(member).send_messages


def test_people_are_held_to_their_rights_too(double, guild, channel, alice):
    bob = double.person("bob", guild)
    message = alice.say(channel, "mine")

    with pytest.raises(CannotAct):
        bob.edit(message, "yours")
    with pytest.raises(CannotAct):
        bob.delete(message)
    double.world.set_overwrites(channel, [Overwrite(guild.id, deny=Permissions.SEND_MESSAGES)])
    with pytest.raises(CannotAct, match="alice lacks SEND_MESSAGES in help"):
        alice.say(channel, "more")


async def test_overwrites_are_changed_by_the_client(double, moderated, bot):
    channel = double.world.add_text(moderated, "ours")
    await double.until(lambda: bot.get_channel(channel.id))
    overwrite = discord.PermissionOverwrite(send_messages=False)

    seen = bot.get_channel(channel.id)
    await seen.edit(overwrites={seen.guild.default_role: overwrite})

    assert channel.overwrites == [Overwrite(moderated.id, deny=Permissions.SEND_MESSAGES)]


async def test_a_direct_conversation_cannot_be_changed(double, alice, caller):
    alice.tell_bot("hello")
    route = discord.http.Route(
        "PATCH", "/channels/{channel_id}", channel_id=double.world.direct(alice.user).id
    )

    with pytest.raises(discord.HTTPException) as refusal:
        await caller.http.request(route, json={"name": "x"})

    assert refusal.value.code == 50024


def test_who_may_not_write_may_not_ring_or_attach(double, guild, channel, alice):
    denied = Permissions.SEND_MESSAGES | Permissions.SEND_MESSAGES_IN_THREADS
    double.world.set_overwrites(channel, [Overwrite(guild.id, deny=denied)])

    assert not channel.permissions_of(alice.user) & Permissions.ATTACH_FILES
    assert channel.allows(alice.user, Permissions.VIEW_CHANNEL)


def test_people_read_what_they_have_the_right_to(double, guild, channel, alice):
    message = alice.say(channel, "hello")
    before = alice.seen(channel)

    double.world.set_overwrites(
        channel, [Overwrite(guild.id, deny=Permissions.READ_MESSAGE_HISTORY)]
    )
    without_history = alice.seen(channel)
    double.world.set_overwrites(channel, [Overwrite(guild.id, deny=Permissions.VIEW_CHANNEL)])

    assert before == [message]
    assert without_history == []
    assert alice.seen(channel) == []
