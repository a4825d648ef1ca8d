"""The adapter connects, stays connected, and says in a line what keeps it out."""

import asyncio

import pytest

from citewell import AdapterError, MissingExtra
from citewell.chat import Asked
from citewell.errors import JournalError
from citewell_discord import plugin
from citewell_discord.config import DiscordConfig
from citewell_discord.connecting import Connecting
from citewell_discord.identifies import (
    DAY_S,
    FREE,
    LASTED_S,
    MOST_A_DAY,
    MOST_AT_ALL,
    SOON_S,
    Identifies,
)
from citewell_discord.plugin import build


@pytest.fixture
def refused(stage, context, recording):
    """Serve with these settings, and return why that is not possible."""

    async def refused(**settings):
        config = DiscordConfig.model_validate({**stage.settings, **settings})
        async with build(config, context) as adapter:
            with pytest.raises(AdapterError) as error:
                async with asyncio.timeout(10):
                    await adapter.serve(recording(config))
            assert not adapter.is_connected
        assert "\n" not in str(error.value)
        return str(error.value)

    return refused


async def test_a_wrong_token_is_told_with_what_to_do(refused):
    told = await refused(token="wrong-secret")

    assert "token: discord does not know it; copy it again" in told
    assert "wrong-secret" not in told


async def test_a_token_that_is_reset_meanwhile_is_told(stage, context, double, recording):
    config = DiscordConfig.model_validate(stage.settings)
    async with build(config, context) as adapter:
        serving = asyncio.create_task(adapter.serve(recording(config)))
        await double.until(lambda: adapter.is_connected)
        double.gateway.drop(4004)
        with pytest.raises(AdapterError, match="token: discord does not know it"):
            async with asyncio.timeout(10):
                await serving


@pytest.mark.parametrize("sharded", [False, True])
async def test_a_missing_intent_is_named(refused, double, sharded):
    double.world.enabled = 0
    told = await refused(server_members=False, sharded=sharded)

    assert "the intent Message Content; switch it on" in told
    assert "Server Members;" not in told


async def test_an_api_that_is_away_is_waited_for(stage, serving, double, monkeypatch):
    double.faults.fail("GET /users/@me", status=503)
    monkeypatch.setattr(Connecting.__init__, "__defaults__", (no_sleep,))
    async with serving() as (adapter, _):
        assert adapter.is_connected


async def test_a_login_that_is_refused_is_told(refused, double):
    double.faults.fail("GET /users/@me", status=418)

    assert "discord refuses the login" in await refused()


async def test_commands_that_cannot_be_registered_hinder_nothing(serving, double, caplog, context):
    double.faults.fail("PUT /applications/{application_id}/commands", status=418)
    async with serving() as (adapter, _):
        assert adapter.is_connected

    assert "the command /ask cannot be registered" in caplog.text
    assert not (context.data_dir / "commands.txt").exists()


async def test_who_needs_shards_is_told(stage, context, double, recording):
    config = DiscordConfig.model_validate(stage.settings)
    async with build(config, context) as adapter:
        serving = asyncio.create_task(adapter.serve(recording(config)))
        await double.until(lambda: adapter.is_connected)
        double.gateway.drop(4011)
        with pytest.raises(AdapterError, match="set sharded = true"):
            async with asyncio.timeout(10):
                await serving


async def test_sessions_that_are_invalid_again_and_again_end_the_adapter(
    stage, context, double, recording, monkeypatch
):
    monkeypatch.setattr(Connecting.__init__, "__defaults__", (no_sleep,))
    monkeypatch.setattr(Identifies, "pause_s", lambda _: 0.0)
    config = DiscordConfig.model_validate(stage.settings)
    async with build(config, context) as adapter, asyncio.timeout(20):
        serving = asyncio.create_task(adapter.serve(recording(config)))
        while not serving.done():
            double.gateway.invalidate()
            await asyncio.sleep(0.01)
        with pytest.raises(AdapterError, match="sessions ended badly or at once in the last day"):
            await serving

    assert len(double.gateway.identifies) < 50


async def no_sleep(_):
    await asyncio.sleep(0)


async def test_a_connection_that_breaks_is_resumed(
    stage, adapter, double, alice, channel, host, event
):
    stage.cut()
    said = await stage.say(alice, "How many days?", channel=channel)
    await stage.until_connected()

    assert (await event(Asked)).key == said.id
    await double.until(lambda: adapter.is_connected)
    assert len(double.gateway.identifies) == 1
    assert len(double.gateway.resumes) == 1
    assert len(host.events) == 1


async def test_what_was_said_between_two_sessions_is_looked_for(
    stage, adapter, double, alice, channel, host, event, monkeypatch
):
    monkeypatch.setattr("citewell_discord.connecting.IDENTIFY_PAUSE_S", 0)
    await stage.say(alice, "The first directly?")
    await event(Asked)
    stage.cut()
    double.gateway.sessions.clear()
    said = await stage.say(alice, "How many days?", channel=channel)
    direct = await stage.say(alice, "And directly?")
    await stage.until_connected()
    await double.until(lambda: {said.id, direct.id} <= host.keys)

    assert len(double.gateway.identifies) == 2
    assert len(host.keys) == 3


async def test_what_was_missed_and_cannot_be_kept_is_looked_for_again(
    stage, adapter, double, alice, channel, host, event, monkeypatch
):
    monkeypatch.setattr("citewell_discord.connecting.IDENTIFY_PAUSE_S", 0)
    monkeypatch.setattr("citewell_discord.hearing._TRIES", 2)
    stage.cut()
    double.gateway.sessions.clear()
    said = await stage.say(alice, "How many days?", channel=channel)
    host.failures += [JournalError("locked")] * 2
    await stage.until_connected()
    await double.until(lambda: said.id in host.keys)

    assert host.failures == []


async def test_half_an_hour_without_a_connection_loses_nothing(
    stage, adapter, double, alice, bob, channel, host, event, monkeypatch
):
    monkeypatch.setattr("citewell_discord.connecting.IDENTIFY_PAUSE_S", 0)
    await stage.say(alice, "The first directly?")
    await event(Asked)
    double.gateway.refused_connections = 5
    stage.cut()
    said = [await stage.say(alice, "How many days?", channel=channel)]
    double.clock.advance(1800)
    said += [
        await stage.say(bob, "How many weeks?", channel=channel),
        await stage.say(alice, "And directly?"),
    ]
    await stage.until_connected()
    await double.until(lambda: {one.id for one in said} <= host.keys)

    assert len(double.gateway.identifies) == 2
    assert len(host.keys) == 4


async def test_who_asks_to_reconnect_is_obeyed(stage, adapter, double, alice, channel, event):
    double.gateway.ask_to_reconnect()
    await double.until(lambda: double.gateway.resumes)
    await stage.say(alice, "How many days?", channel=channel)

    assert (await event(Asked)).text == "How many days?"


async def test_shards_are_connected(stage, serving, double, alice, channel, until, monkeypatch):
    monkeypatch.setattr("citewell_discord.connecting.IDENTIFY_PAUSE_S", 0)
    double.gateway.recommended_shards = 2
    async with serving(sharded=True) as (adapter, host):
        await stage.say(alice, "How many days?", channel=channel)
        await until(lambda: host.of(Asked))
        assert len(double.gateway.connected) == 2
        stage.cut()
        await until(lambda: len(double.gateway.resumes) == 2)
        await until(lambda: adapter.is_connected)


async def test_commands_are_registered_only_when_they_change(stage, serving, double):
    async with serving():
        pass
    async with serving():
        pass

    assert len(double.calls_of("PUT /applications/{application_id}/commands")) == 1
    assert {one.name for one in double.world.commands} == {"ask", "Ask about this"}
    assert {tuple(one.body.contexts) for one in double.world.commands} == {(0, 1)}
    assert {tuple(one.body.integration_types) for one in double.world.commands} == {(0,)}


async def test_two_adapters_speak_to_one_server_or_not_at_all(stage, context):
    own = DiscordConfig.model_validate(stage.settings)
    other = DiscordConfig.model_validate({**stage.settings, "api_url": "https://example.org/v10"})
    async with build(own, context):
        with pytest.raises(AdapterError, match="give both the same, or start two processes"):
            async with build(other, context):
                pass
        async with build(own, context):
            pass


async def test_a_missing_package_is_named(stage, context, monkeypatch):
    monkeypatch.setattr(plugin, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match=r"citewell\[discord\]"):
        async with build(DiscordConfig.model_validate(stage.settings), context):
            pass
    with pytest.raises(MissingExtra, match=r"citewell\[discord\]"):
        async with plugin.rehearsal():
            pass


# --- sessions of a day ------------------------------------------------------------------------


class Time:
    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


def sessions_of_a_day(folder, lasts_s, *, vouches_after_s=0.0):
    """Count the sessions that processes begin in a day, each of which lasts so long."""
    clock = Time()
    began, identified = clock.now, 0
    while clock.now < began + DAY_S:
        starts = Identifies(folder / "starts.json", clock)
        clock.now += starts.pause_s()
        if clock.now < began + DAY_S:
            starts.note()
            identified += 1
            clock.now += lasts_s
            starts.vouch(after_s=vouches_after_s)
    return identified


@pytest.mark.parametrize("lasts_s", [1.0, 60.0, 600.0, LASTED_S + 1])
def test_a_process_that_crashes_again_and_again_identifies_fewer_than_50_times_a_day(
    tmp_path, lasts_s
):
    identified = sessions_of_a_day(tmp_path, lasts_s, vouches_after_s=LASTED_S)

    assert FREE < identified < 50


def test_restarts_on_purpose_are_free(tmp_path):
    clock = Time()
    for _ in range(300):
        starts = Identifies(tmp_path / "starts.json", clock)
        assert starts.pause_s() == 0
        starts.note()
        clock.now += 61.0
        starts.vouch()

    assert starts.bad_today() == 0


def test_what_ends_soon_again_and_again_identifies_fewer_than_50_times_a_day(tmp_path):
    assert sessions_of_a_day(tmp_path, 5.0) == MOST_A_DAY


def test_what_ends_on_purpose_again_and_again_identifies_fewer_than_1000_times_a_day(tmp_path):
    assert sessions_of_a_day(tmp_path, 61.0) == MOST_AT_ALL < 1000


@pytest.mark.parametrize(("shards", "most"), [(1, 45), (3, 45), (7, 45), (50, 300)])
def test_all_shards_together_identify_so_often(tmp_path, shards, most):
    clock = Time()
    began, identified = clock.now, 0
    while clock.now < began + DAY_S:
        starts = Identifies(tmp_path / "starts.json", clock)
        for shard in range(shards):
            clock.now += starts.pause_s()
            if clock.now < began + DAY_S:
                starts.note(shard)
                identified += 1
                clock.now += 5.0

    assert identified <= most
    assert identified >= min(most, shards * FREE)


def test_many_shards_begin_without_a_pause(tmp_path):
    clock = Time()
    for _ in range(2):
        starts = Identifies(tmp_path / "starts.json", clock)
        for shard in range(100):
            assert starts.pause_s() == 0
            starts.note(shard)
            clock.now += 5.0
        clock.now += LASTED_S
        starts.vouch(after_s=LASTED_S)

    assert starts.bad_today() == 0


def test_a_day_later_all_is_forgotten(tmp_path):
    clock = Time()
    starts = Identifies(tmp_path / "starts.json", clock)
    for _ in range(MOST_A_DAY):
        starts.note()
    assert starts.pause_s() > DAY_S - 1
    clock.now += DAY_S + 1

    assert starts.pause_s() == 0


def test_a_file_that_was_cut_short_says_nothing(tmp_path):
    path = tmp_path / "starts.json"
    path.write_text("[[17", encoding="utf-8")

    assert Identifies(path).pause_s() == 0


def full(folder, *names):
    """Let these files not be written any more, as on a full disk."""
    for name in names:
        (folder / name).with_suffix(".part").mkdir()


def test_what_cannot_be_written_is_counted_all_the_same(tmp_path):
    full(tmp_path, "starts.json")
    starts = Identifies(tmp_path / "starts.json")
    for _ in range(MOST_A_DAY):
        starts.note()
    assert starts.is_spent()
    (tmp_path / "starts.part").rmdir()
    starts.note()

    assert Identifies(tmp_path / "starts.json").bad_today() == MOST_A_DAY + 1


async def test_with_a_full_disk_the_bot_starts_and_stops(
    stage, context, recording, double, alice, channel, caplog
):
    full(context.data_dir, "starts.json", "commands.txt")
    config = DiscordConfig.model_validate(stage.settings)
    host = recording(config)
    async with build(config, context) as adapter, asyncio.timeout(10):
        serving = asyncio.create_task(adapter.serve(host))
        await double.until(lambda: adapter.is_connected or serving.done())
        said = await stage.say(alice, "How many days?", channel=channel)
        await double.until(lambda: said.id in host.keys or serving.done())
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    assert host.of(Asked)
    assert "starts.json cannot be written" in caplog.text
    assert "Traceback" not in caplog.text


async def test_with_a_full_disk_sessions_that_end_badly_are_counted(
    stage, context, recording, double, monkeypatch
):
    monkeypatch.setattr(Connecting.__init__, "__defaults__", (no_sleep,))
    monkeypatch.setattr(Identifies, "pause_s", lambda _: 0.0)
    full(context.data_dir, "starts.json")
    config = DiscordConfig.model_validate(stage.settings)
    async with build(config, context) as adapter, asyncio.timeout(20):
        told = ""
        while "sessions ended badly or at once in the last day" not in told:
            told = await broken(adapter, recording(config), double)

    assert len(double.gateway.identifies) == MOST_A_DAY


async def broken(adapter, host, double):
    """Serve until Discord ends the session for good, and return why no other one is begun."""
    serving = asyncio.create_task(adapter.serve(host))
    await double.until(lambda: adapter.is_connected or serving.done())
    if not serving.done():
        double.gateway.drop(4011)
    with pytest.raises(AdapterError) as error:
        await serving
    return str(error.value)


async def test_who_is_stopped_before_a_session_begins_vouches_for_none_of_before(stage, context):
    config = DiscordConfig.model_validate(stage.settings)
    clock = Time()
    starts = Identifies(context.data_dir / "starts.json", clock)
    starts.note()
    clock.now += SOON_S
    async with build(config, context):
        with pytest.raises(asyncio.CancelledError):
            async with asyncio.timeout(10), Connecting(config, context, starts).logged_in():
                raise asyncio.CancelledError

    assert starts.bad_today() == 1


async def test_after_too_many_bad_ends_nothing_is_begun(refused, context, double):
    starts = Identifies(context.data_dir / "starts.json")
    for _ in range(MOST_A_DAY):
        starts.note()
    told = await refused()

    assert f"{MOST_A_DAY} sessions ended badly or at once in the last day" in told
    assert "start again in 24 hours" in told
    assert double.gateway.identifies == []


async def test_after_some_bad_ends_the_next_session_waits(stage, serving, context, monkeypatch):
    starts = Identifies(context.data_dir / "starts.json")
    for _ in range(FREE + 1):
        starts.note()
    waited = []

    async def sleep(seconds):
        waited.append(seconds)

    monkeypatch.setattr(Connecting.__init__, "__defaults__", (sleep,))
    async with serving():
        pass

    assert 55 < waited[0] <= 60
    assert Identifies(context.data_dir / "starts.json").bad_today() == FREE + 2
