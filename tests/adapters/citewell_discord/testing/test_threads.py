"""Threads below messages, and the posts of forums."""

import discord
import pytest

from citewell_discord.testing import ALL, ChannelKind, MessageFlags, MessageKind
from discord_clients import Bot, running


@pytest.fixture
def place(channel, bot):
    return bot.get_channel(channel.id)


async def heard(double, bot, count=1):
    await double.until(lambda: len(bot.heard) >= count)
    return bot.heard[count - 1]


async def test_a_thread_hangs_below_its_message(double, channel, alice, bot):
    question = alice.say(channel, "How many days?")

    thread = await (await heard(double, bot)).create_thread(name="How many days?")
    await thread.send("28")

    started = question.thread
    assert (started.id, started.name, started.parent) == (question.id, "How many days?", channel)
    assert question.flags == MessageFlags.HAS_THREAD
    starter, answer = double.messages(started)
    assert (starter.kind, starter.reference) == (MessageKind.THREAD_STARTER, question)
    assert answer.content == "28"


async def test_a_second_thread_of_a_message_is_refused(double, channel, alice, bot):
    alice.say(channel, "How many days?")
    message = await heard(double, bot)
    await message.create_thread(name="one")

    with pytest.raises(discord.HTTPException) as refusal:
        await message.create_thread(name="two")

    assert (refusal.value.status, refusal.value.code) == (400, 160004)


async def test_a_name_over_a_hundred_is_refused(double, channel, alice, bot):
    alice.say(channel, "How many days?")
    message = await heard(double, bot)

    with pytest.raises(discord.HTTPException) as refusal:
        await message.create_thread(name="x" * 101)
    await message.create_thread(name="x" * 100)

    assert "In name: Must be between 1 and 100 in length." in refusal.value.text


async def test_people_follow_up_in_a_thread(double, channel, alice, bot):
    question = alice.say(channel, "How many days?")
    await (await heard(double, bot)).create_thread(name="days")

    alice.say(question.thread, "and abroad?")
    follow_up = await heard(double, bot, 2)

    assert isinstance(follow_up.channel, discord.Thread)
    assert follow_up.content == "and abroad?"
    assert alice.user.id in question.thread.members


async def test_a_person_starts_a_thread(double, channel, alice, bot):
    message = alice.say(channel, "look")

    thread = alice.start_thread(message, "mine")
    await double.until(lambda: bot.get_channel(thread.id))

    assert bot.get_channel(thread.id).owner_id == alice.user.id


async def test_a_thread_without_a_message_is_announced(double, channel, place):
    thread = await place.create_thread(name="talk", type=discord.ChannelType.public_thread)

    (announced,) = double.messages(channel)
    assert announced.kind == MessageKind.THREAD_CREATED
    assert double.world.channels[thread.id].kind == ChannelKind.PUBLIC_THREAD


async def test_a_private_thread_is_seen_by_its_members_alone(double, moderated):
    channel = double.world.add_text(moderated, "private")
    alice = double.person("alice", moderated)
    async with running(Bot(), double.token) as bot:
        thread = await bot.get_channel(channel.id).create_thread(name="secret")
        made = double.world.channels[thread.id]
        before = made.permissions_of(alice.user)
        await thread.add_user(discord.Object(alice.user.id))

    assert made.kind == ChannelKind.PRIVATE_THREAD
    assert not before
    assert made.permissions_of(alice.user)


async def test_joining_and_leaving_are_kept(double, channel, alice, bot):
    message = alice.say(channel, "look")
    thread = alice.start_thread(message, "mine")
    await double.until(lambda: bot.get_channel(thread.id))
    seen = bot.get_channel(thread.id)

    await seen.join()
    members = {member.id for member in await seen.fetch_members()}
    await seen.leave()

    assert members == {alice.user.id, bot.user.id}
    assert list(thread.members) == [alice.user.id]


async def test_an_archived_thread_wakes_up_when_somebody_writes(double, channel, alice, bot):
    question = alice.say(channel, "q")
    thread = await (await heard(double, bot)).create_thread(name="q")
    await thread.edit(archived=True)
    assert question.thread.is_archived

    with pytest.raises(discord.HTTPException) as refusal:
        await thread.edit(name="other")
    alice.say(question.thread, "more")

    assert refusal.value.code == 50083
    assert not question.thread.is_archived


async def test_archived_threads_can_be_listed(double, channel, alice, bot):
    question = alice.say(channel, "q")
    thread = await (await heard(double, bot)).create_thread(name="q")
    await thread.edit(archived=True)

    found = [one.id async for one in bot.get_channel(channel.id).archived_threads()]

    assert found == [question.id]


async def test_others_threads_need_a_right_to_be_changed(double, channel, alice, bot):
    thread = alice.start_thread(alice.say(channel, "look"), "mine")
    await double.until(lambda: bot.get_channel(thread.id))

    with pytest.raises(discord.Forbidden) as refusal:
        await bot.get_channel(thread.id).edit(name="ours")

    assert refusal.value.code == 50013


@pytest.fixture
def forum(double, moderated):
    return double.world.add_forum(moderated, "questions", ["open", "!solved"])


async def test_a_post_is_told_with_its_tags_and_first_message(double, moderated, forum, bot):
    threads = []
    bot.on_thread_create = lambda thread: record(threads, thread)
    alice = double.person("alice", moderated)

    post = alice.post(forum, "Leave?", "How many days?", tags=["open"])
    await double.until(lambda: threads and bot.heard)

    (thread,) = threads
    assert isinstance(thread.parent, discord.ForumChannel)
    assert [tag.name for tag in thread.applied_tags] == ["open"]
    assert (bot.heard[0].id, bot.heard[0].content) == (post.id, "How many days?")


async def record(into, one):
    into.append(one)


async def test_a_post_is_tagged_as_solved(double, moderated, forum, bot):
    post = double.person("alice", moderated).post(forum, "Leave?", "How many days?")
    await double.until(lambda: bot.get_channel(post.id))
    thread = bot.get_channel(post.id)

    await thread.add_tags(thread.parent.available_tags[1])

    assert post.applied_tags == [forum.tag("solved").id]


async def test_a_moderated_tag_is_for_moderators(double, guild, alice, bot):
    forum = double.world.add_forum(guild, "questions", ["!solved"])
    await double.until(lambda: bot.get_channel(forum.id))
    seen = bot.get_channel(forum.id)
    made = await seen.create_thread(name="mine", content="x")

    with pytest.raises(discord.Forbidden) as refusal:
        await made.thread.add_tags(seen.available_tags[0])

    assert refusal.value.code == 50013


async def test_the_client_posts_in_a_forum(double, moderated, forum, bot):
    seen = bot.get_channel(forum.id)

    made = await seen.create_thread(
        name="News", content="hello", applied_tags=[seen.available_tags[0]]
    )

    post = double.world.channels[made.thread.id]
    assert post.applied_tags == [forum.tag("open").id]
    assert [one.content for one in double.messages(post)] == ["hello"]
    assert made.message.id == made.thread.id


async def test_a_forum_may_require_a_tag(double, moderated, bot):
    forum = double.world.add_forum(moderated, "strict", ["open"], requires_tag=True)
    await double.until(lambda: bot.get_channel(forum.id))

    with pytest.raises(discord.HTTPException) as refusal:
        await bot.get_channel(forum.id).create_thread(name="x", content="x")

    assert refusal.value.code == 40067


async def test_an_unknown_tag_is_refused(double, moderated, forum, bot):
    with pytest.raises(discord.NotFound) as refusal:
        await bot.get_channel(forum.id).create_thread(
            name="x", content="x", applied_tags=[discord.Object(5)]
        )

    assert refusal.value.code == 10087


async def test_a_forum_takes_no_plain_messages(forum, caller):
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=forum.id)

    with pytest.raises(discord.HTTPException) as refusal:
        await caller.http.request(route, json={"content": "x"})

    assert refusal.value.code == 50008


async def test_active_threads_of_a_guild_are_told_on_connecting(double, moderated, forum, start):
    post = double.person("alice", moderated).post(forum, "Leave?", "How many days?")
    bot = await start(Bot())

    assert bot.get_channel(post.id).name == "Leave?"
    assert [one.id for one in await bot.get_guild(moderated.id).active_threads()] == [post.id]
    assert moderated.permissions_of(double.world.bot) == ALL


async def test_threads_start_in_text_channels_alone(double, alice, forum, caller):
    message = alice.tell_bot("hello")
    below = discord.http.Route(
        "POST",
        "/channels/{channel_id}/messages/{message_id}/threads",
        channel_id=message.channel.id,
        message_id=message.id,
    )
    route = discord.http.Route(
        "PUT", "/channels/{channel_id}/thread-members/@me", channel_id=forum.id
    )

    for one in (below, route):
        with pytest.raises(discord.HTTPException) as refusal:
            await caller.http.request(one, json={"name": "x"})
        assert refusal.value.code in {50013, 50024}


async def test_a_locked_thread_is_closed_to_all_but_moderators(double, guild, channel, alice, bot):
    thread = alice.start_thread(alice.say(channel, "look"), "mine")
    await double.until(lambda: bot.get_channel(thread.id))
    thread.is_archived = thread.is_locked = True

    with pytest.raises(discord.HTTPException) as refusal:
        await bot.get_channel(thread.id).send("x")

    assert refusal.value.code == 50083


async def test_locking_is_for_moderators(double, channel, alice, bot):
    alice.say(channel, "q")
    thread = await (await heard(double, bot)).create_thread(name="q")

    with pytest.raises(discord.Forbidden) as refusal:
        await thread.edit(locked=True)

    assert refusal.value.code == 50013


async def test_messages_of_an_archived_thread_stay_as_they_are(double, channel, alice, bot):
    alice.say(channel, "q")
    thread = await (await heard(double, bot)).create_thread(name="q")
    sent = await thread.send("x")
    await thread.edit(archived=True)

    for changing in (sent.edit(content="y"), thread.join()):
        with pytest.raises(discord.HTTPException) as refusal:
            await changing
        assert refusal.value.code == 50083


async def test_the_bot_is_told_of_a_private_thread_when_it_is_added(double, moderated, guild, bot):
    channel = double.world.add_text(guild, "ours")
    alice = double.person("alice", guild)
    thread = alice.start_private_thread(channel, "secret")
    alice.say(thread, "not for you")

    alice.add_to_thread(thread, double.world.bot)
    await double.until(lambda: bot.get_channel(thread.id))
    alice.say(thread, "for you")
    await double.until(lambda: bot.heard)

    assert [one.content for one in bot.heard] == ["for you"]


async def test_others_are_removed_from_a_thread_with_a_right(double, moderated, bot):
    channel = double.world.add_text(moderated, "ours")
    alice = double.person("alice", moderated)
    thread = alice.start_thread(alice.say(channel, "look"), "mine")
    await double.until(lambda: bot.get_channel(thread.id))
    seen = bot.get_channel(thread.id)

    await seen.remove_user(discord.Object(alice.user.id))
    with pytest.raises(discord.NotFound) as refusal:
        await seen.fetch_member(alice.user.id)

    assert refusal.value.code == 10007
    assert alice.user.id not in thread.members


@pytest.mark.parametrize("body", [{"name": "x", "auto_archive_duration": 7}, {"name": ""}])
async def test_threads_that_make_no_sense_are_refused(double, channel, alice, caller, body):
    message = alice.say(channel, "q")
    route = discord.http.Route(
        "POST",
        "/channels/{channel_id}/messages/{message_id}/threads",
        channel_id=channel.id,
        message_id=message.id,
    )

    with pytest.raises(discord.HTTPException) as refusal:
        await caller.http.request(route, json=body)

    assert refusal.value.code == 50035


async def test_a_post_without_a_message_is_refused(forum, caller):
    route = discord.http.Route("POST", "/channels/{channel_id}/threads", channel_id=forum.id)

    with pytest.raises(discord.HTTPException) as refusal:
        await caller.http.request(route, json={"name": "x"})

    assert "In message: This field is required" in refusal.value.text


def test_a_tag_that_a_forum_lacks_is_named(forum):
    with pytest.raises(KeyError, match="no tag of questions; it has"):
        forum.tag("closed")
