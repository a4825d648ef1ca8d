"""The gateway: sessions, their ends, and how a real client gets over them."""

import asyncio
import logging

import aiohttp
import discord
import pytest

from citewell_discord.testing import Intents
from discord_clients import Bot, running

pytestmark = pytest.mark.usefixtures("impatient")


async def test_a_client_is_told_of_its_guilds(double, guild, channel, alice, bot):
    seen = bot.get_guild(guild.id)

    assert bot.user.id == double.bot_user_id
    assert bot.application_id == double.application_id
    assert seen.get_channel(channel.id).name == "help"
    assert seen.get_member(alice.user.id).name == "alice"
    assert seen.me.guild_permissions.send_messages


async def test_members_are_told_with_their_intent_alone(double, guild, alice, start):
    bot = await start(Bot(intents=discord.Intents.default()))

    assert bot.get_guild(guild.id).get_member(alice.user.id) is None
    assert bot.get_guild(guild.id).me is not None


async def test_members_can_be_asked_for(double, guild, alice, start):
    bot = await start(Bot(intents=discord.Intents.default()))

    found = await bot.get_guild(guild.id).query_members("ali")

    assert [one.id for one in found] == [alice.user.id]


async def test_a_new_guild_is_told_while_connected(double, bot):
    guild = double.world.add_guild("late")
    channel = double.world.add_text(guild, "general")

    await double.until(lambda: bot.get_channel(channel.id))

    assert bot.get_guild(guild.id).name == "late"


async def test_content_is_empty_without_the_intent(double, guild, channel, alice, start):
    bot = await start(Bot(intents=discord.Intents.default()))

    alice.say(channel, "secret")
    alice.say(channel, f"{bot.user.mention} not secret")
    alice.tell_bot("direct")
    await double.until(lambda: len(bot.heard) == 3)

    assert [one.content for one in bot.heard] == ["", f"<@{bot.user.id}> not secret", "direct"]


async def test_history_is_empty_where_the_application_lacks_the_intent(
    double, channel, alice, start
):
    double.world.enabled = Intents.NONE
    bot = await start(Bot(intents=discord.Intents.default()))
    alice.say(channel, "secret")

    (found,) = [one async for one in bot.get_channel(channel.id).history()]

    assert found.content == ""


async def test_nothing_is_told_of_what_was_not_asked_for(double, channel, alice, start):
    intents = discord.Intents(guilds=True, dm_messages=True)
    bot = await start(Bot(intents=intents))

    alice.say(channel, "in the guild")
    alice.tell_bot("directly")
    await double.until(lambda: bot.heard)

    assert [one.content for one in bot.heard] == ["directly"]


async def test_a_wrong_token_is_refused(double):
    client = Bot()
    async with client:
        with pytest.raises(discord.LoginFailure):
            await client.start("not.the.token")

    assert double.calls[-1].status == 401


async def test_a_wrong_token_at_the_gateway_closes_with_4004(double, guild):
    client = Bot()
    async with client:
        await client.login(double.token)
        client.http.token = "not.the.token"
        with pytest.raises(discord.ConnectionClosed) as closed:
            await client.connect()

    assert closed.value.code == 4004


async def test_a_privileged_intent_that_is_not_enabled_closes_with_4014(double):
    double.world.enabled = Intents.GUILD_MEMBERS
    client = Bot(intents=discord.Intents(guilds=True, message_content=True))
    async with client:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.start(double.token)


async def test_heartbeats_are_acknowledged(double, guild, start):
    double.gateway.heartbeat_s = 0.05
    bot = await start(Bot(heartbeat_timeout=5))

    await asyncio.sleep(0.2)

    assert bot.latency < 1
    assert double.gateway.resumes == []


async def test_frames_may_be_plain_text(double, channel, alice, start):
    double.gateway.compresses = False
    bot = await start(Bot())

    alice.say(channel, "hello")
    await double.until(lambda: bot.heard)

    assert bot.heard[0].content == "hello"


async def test_a_zombie_resumes_and_hears_what_it_missed(double, channel, alice, start):
    double.gateway.heartbeat_s = 0.05
    bot = await start(Bot(heartbeat_timeout=0.15))
    double.gateway.acknowledges = False

    await double.until(lambda: double.gateway.resumes)
    double.gateway.acknowledges = True
    alice.say(channel, "there?")
    await double.until(lambda: bot.heard)

    assert double.gateway.close_codes[0] == 4000
    assert len(double.gateway.identifies) == 1


async def test_a_cut_cable_is_noticed_and_nothing_is_lost(double, channel, alice, start):
    double.gateway.heartbeat_s = 0.05
    bot = await start(Bot(heartbeat_timeout=0.15))

    double.gateway.go_silent()
    alice.say(channel, "one")
    alice.say(channel, "two")
    await double.until(lambda: len(bot.heard) == 2)

    assert [one.content for one in bot.heard] == ["one", "two"]
    assert len(double.gateway.resumes) == 1


@pytest.mark.parametrize("code", [1000, 1001, 4000, 4009])
async def test_a_dropped_connection_resumes_and_replays(double, channel, alice, bot, code):
    double.gateway.drop(code)
    alice.say(channel, "meanwhile")
    await double.until(lambda: bot.heard)

    assert bot.heard[0].content == "meanwhile"
    assert len(double.gateway.identifies) == 1
    assert len(double.gateway.resumes) == 1


async def test_a_broken_line_resumes_and_replays(double, channel, alice, bot):
    double.gateway.cut()
    alice.say(channel, "meanwhile")
    await double.until(lambda: bot.heard)

    assert bot.heard[0].content == "meanwhile"
    assert double.gateway.close_codes[0] != 1000


async def test_reconnects_that_are_refused_are_tried_again(double, channel, alice, bot):
    double.gateway.refused_connections = 2
    double.gateway.drop()
    alice.say(channel, "meanwhile")

    await double.until(lambda: bot.heard)

    assert double.gateway.refused_connections == 0
    assert bot.heard[0].content == "meanwhile"


async def test_asked_to_reconnect_a_client_resumes(double, channel, alice, bot):
    double.gateway.ask_to_reconnect()
    await double.until(lambda: double.gateway.resumes)

    alice.say(channel, "after")
    await double.until(lambda: bot.heard)

    assert len(double.gateway.identifies) == 1


async def test_an_invalid_session_is_begun_anew(double, channel, alice, bot):
    double.gateway.invalidate()
    alice.say(channel, "lost for good")
    await double.until(lambda: len(double.gateway.identifies) == 2)
    await double.until(lambda: double.gateway.connected)

    alice.say(channel, "after")
    await double.until(lambda: bot.heard)

    assert [one.content for one in bot.heard] == ["after"]


async def test_a_session_that_is_invalid_for_now_resumes(double, channel, alice, bot):
    double.gateway.invalidate(resumable=True)

    await double.until(lambda: double.gateway.resumes)

    assert len(double.gateway.identifies) == 1


async def test_after_half_an_hour_nothing_can_be_resumed(double, channel, alice, bot):
    double.gateway.refused_connections = 1
    double.gateway.drop()
    alice.say(channel, "unheard")
    double.clock.advance(1800)
    await double.until(lambda: len(double.gateway.identifies) == 2)
    await double.until(lambda: double.gateway.connected)

    missed = [one.content async for one in bot.get_channel(channel.id).history()]

    assert bot.heard == []
    assert missed == ["unheard"]


async def test_sequence_numbers_rise_by_one(double, channel, alice, start):
    numbers = []

    class Watching(Bot):
        async def on_socket_raw_receive(self, text):
            numbers.append(discord.utils._from_json(text).get("s"))

    bot = await start(Watching(enable_debug_events=True))
    alice.say(channel, "one")
    await double.until(lambda: bot.heard)

    told = [number for number in numbers if number is not None]
    assert told == list(range(1, len(told) + 1))


class Sharded(discord.AutoShardedClient):
    async def before_identify_hook(self, shard_id, *, initial=False):
        """Wait for nothing, where the library waits for five seconds."""


async def test_shards_are_told_of_their_own_guilds(double, start, guild):
    double.gateway.recommended_shards = 2
    other = double.world.add_guild("other")
    while (other.id >> 22) % 2 == (guild.id >> 22) % 2:
        double.clock.advance(0.001)
        other = double.world.add_guild("other")
    channels = [double.world.add_text(one, "help") for one in (guild, other)]

    client = await start(Sharded(intents=discord.Intents.all(), guild_ready_timeout=0.05))

    assert client.shard_count == 2
    assert len(double.gateway.connected) == 2
    assert {one.shard for one in double.gateway.connected} == {(0, 2), (1, 2)}
    for one, channel in zip((guild, other), channels, strict=True):
        assert client.get_guild(one.id).shard_id == (one.id >> 22) % 2
        assert client.get_channel(channel.id) is not None
    assert double.calls_of("GET /gateway/bot")


async def test_sessions_that_begin_too_soon_are_tried_again(double, guild, start):
    double.gateway.recommended_shards = 2
    double.gateway.identify_pause_s = 0.1

    client = await start(Sharded(intents=discord.Intents.all(), guild_ready_timeout=0.05))

    first, second = double.gateway.identifies
    assert len(client.shards) == 2
    assert second - first >= 0.1


async def test_shards_resume_and_interactions_reach_them(double, guild, channel, alice, start):
    double.gateway.recommended_shards = 2
    client = Sharded(intents=discord.Intents.all(), guild_ready_timeout=0.05)
    tree = discord.app_commands.CommandTree(client)

    @tree.command(description="Ask")
    async def ask(interaction: discord.Interaction):
        await interaction.response.send_message(f"shard {interaction.guild.shard_id}")

    client.setup_hook = tree.sync
    await start(client)
    double.gateway.drop()
    await double.until(lambda: len(double.gateway.resumes) == 2)
    interaction = alice.slash(channel, "ask")
    await double.until(lambda: interaction.replies)

    assert interaction.replies[0].content == f"shard {(guild.id >> 22) % 2}"
    assert len(double.gateway.identifies) == 2


async def test_a_direct_message_goes_to_the_first_shard(double, guild, alice):
    heard = []
    for number in (0, 1):
        bot = Bot(shard_id=number, shard_count=2)
        async with running(bot, double.token):
            alice.tell_bot(f"shard {number}?")
            await asyncio.sleep(0.05)
        heard.append(len(bot.heard))

    assert heard == [1, 0]


async def test_a_thousand_identifies_a_day_and_the_token_is_reset(double, guild):
    now = double.clock.now()
    double.gateway.identifies += [now - 25 * 3600] * 10 + [now] * 999
    client = Bot()
    async with running(client, double.token):
        assert double.gateway.identifies_today == 1000
    client = Bot()
    async with client:
        await client.login(double.token)
        with pytest.raises(discord.ConnectionClosed) as closed:
            await client.connect()
    client = Bot()
    async with client:
        with pytest.raises(discord.LoginFailure):
            await client.login(double.token)

    assert closed.value.code == 4004
    assert double.gateway.token_resets == 1


async def talk(double, *frames, query="?v=10&encoding=json"):
    """Send frames by hand and return with which code the connection was closed."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(double.gateway_url + query) as socket,
    ):
        await socket.receive_json()
        for frame in frames:
            await socket.send_str(frame)
        while not socket.closed:
            message = await socket.receive(timeout=2)
            if message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}:
                break
        return socket.close_code


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ('{"op": 99}', 4001),
        ("not json", 4002),
        ('{"op": 2, "d": {}}', 4002),
        ('{"op": 3, "d": {}}', 4003),
        ('{"op": 2, "d": {"token": "x", "intents": 0}}', 4004),
        ('{"op": 2, "d": {"token": "TOKEN", "intents": 0, "shard": [2, 2]}}', 4010),
        ('{"op": 6, "d": {"token": "x", "session_id": "x", "seq": 1}}', 4004),
    ],
)
async def test_what_makes_no_sense_closes_the_connection(double, frame, code):
    assert await talk(double, frame.replace("TOKEN", double.token)) == code


async def test_too_many_frames_close_with_4008(double):
    frame = f'{{"op": 2, "d": {{"token": "{double.token}", "intents": 0}}}}'

    assert await talk(double, frame, *['{"op": 3, "d": {}}'] * 120) == 4008


async def test_identifying_twice_closes_with_4005(double):
    frame = f'{{"op": 2, "d": {{"token": "{double.token}", "intents": 0}}}}'

    assert await talk(double, frame, frame) == 4005


async def test_an_old_version_closes_with_4012(double):
    assert await talk(double, query="?v=5&encoding=json") == 4012


async def test_a_sequence_from_the_future_closes_with_4007(double, guild, bot):
    (session,) = double.gateway.connected
    frame = (
        f'{{"op": 6, "d": {{"token": "{double.token}", "session_id": "{session.id}", "seq": 999}}}}'
    )

    assert await talk(double, frame) == 4007


async def test_a_session_outlives_a_line_that_is_being_closed(double, guild, bot):
    (session,) = double.gateway.connected
    resume = {"token": double.token, "session_id": session.id, "seq": 1}
    async with (
        aiohttp.ClientSession() as client,
        client.ws_connect(double.gateway_url + "?v=10&encoding=json") as socket,
    ):
        await socket.receive_json()
        double.gateway.drop(1001)
        await socket.send_json({"op": 6, "d": resume})
        closed = await socket.receive(timeout=2)
    await double.until(lambda: double.gateway.resumes)

    assert closed.type is aiohttp.WSMsgType.CLOSE
    assert list(double.gateway.sessions) == [session.id]
    assert len(double.gateway.identifies) == 1


async def test_closing_leaves_nothing_behind(double, guild, caplog):
    with caplog.at_level(logging.ERROR):
        async with running(Bot(), double.token):
            pass
        await double.until(lambda: not double.gateway.connected)

    assert caplog.records == []
    # The library says 1000, but its own reader may be quicker with 4000.
    assert double.gateway.close_codes in ([1000], [4000])
