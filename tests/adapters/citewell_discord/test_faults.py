"""A whole bot in a Discord where things go wrong: each question has one outcome all the same."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from citewell import AdapterError
from citewell.testing.adapters.library import DAYS, NOTE
from citewell_discord.connecting import Connecting
from citewell_discord.identifies import DAY_S, Identifies
from citewell_discord.plugin import rehearsal
from stages import NO_OUTCOME, hurry, locked, staged

SAID = "28 days"
MESSAGES = "/channels/{channel_id}/messages"
SHOWING = [
    f"POST {MESSAGES}",
    f"PATCH {MESSAGES}/{{message_id}}",
    f"POST {MESSAGES}/{{message_id}}/threads",
    f"GET {MESSAGES}",
    "POST /channels/{channel_id}/typing",
]
MINUTE_S = 60.0


@pytest.fixture
async def stage(monkeypatch):
    hurry(monkeypatch)
    monkeypatch.setattr("citewell.journal.database._BUSY_MS", 1000)
    monkeypatch.setattr("citewell_discord.connecting.IDENTIFY_PAUSE_S", 0)
    async with staged("discord") as opened:
        yield opened


@pytest.fixture
def double(stage):
    return stage.chat.double


async def whole(stage, said, text=SAID):
    """Assert that one message answers, and that it is whole."""
    seen = await stage.one_reply(said)
    assert text in seen.text
    assert not seen.is_growing
    assert NO_OUTCOME not in seen.text


async def disconnected(stage):
    await stage.until(lambda: not stage.bot.is_connected, lambda: "it is said to be connected")


async def connected(stage):
    await stage.until(lambda: stage.bot.is_connected, lambda: "it is not connected again")


# --- calls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", SHOWING)
async def test_a_limit_is_waited_for(stage, double, route):
    person, channel = await stage.scene(profile="slow")
    double.faults.limit(route, calls=4, wait_s=0.05)

    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)


async def test_a_long_limit_is_kept(stage, double, monkeypatch):
    monkeypatch.setattr("citewell_discord.client._MAX_WAIT_S", 30.0)
    person, channel = await stage.scene()
    double.faults.limit(f"POST {MESSAGES}/{{message_id}}/threads", calls=1, wait_s=1.5)
    asked_at = double.clock.now()

    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)
    assert double.clock.now() - asked_at >= 1.5


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("route", SHOWING[:3])
async def test_a_server_error_passes(stage, double, route, status, monkeypatch):
    person, channel = await stage.scene(profile="slow")
    double.faults.fail(route, calls=2, status=status)

    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("route", SHOWING)
async def test_a_cut_call_is_done_once(stage, double, route, done):
    person, channel = await stage.scene(profile="slow")
    double.faults.cut(route, calls=2, done=done)

    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)


@pytest.mark.parametrize("route", SHOWING[:3])
async def test_a_call_that_hangs_is_left(stage, double, route, monkeypatch):
    monkeypatch.setattr("citewell.delivery.shown._SHOW_S", 0.5)
    person, channel = await stage.scene(profile="slow")
    double.faults.delay(3.0, route)

    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)


async def test_a_discord_that_cannot_be_reached_for_long_is_told_in_the_end(stage, double, caplog):
    person, channel = await stage.scene()
    double.faults.cut(calls=10**9)
    said = await stage.chat.say(person, DAYS, channel=channel)
    await stage.until(lambda: "waits, for nobody can be told" in caplog.text, lambda: caplog.text)

    double.faults.clear()

    await whole(stage, said)


# --- the gateway ------------------------------------------------------------------------------


async def test_a_zombie_is_left_and_what_it_swallowed_is_answered(monkeypatch):
    hurry(monkeypatch)
    monkeypatch.setattr("citewell_discord.client._SILENCE_S", 0.5)
    async with staged("discord") as stage:
        double = stage.chat.double
        await stage.settled()
        double.gateway.heartbeat_s = 0.1
        stage.chat.cut()
        await double.until(lambda: double.gateway.resumes)
        await connected(stage)
        person, channel = await stage.scene()
        double.gateway.go_silent()
        said = await stage.chat.say(person, DAYS, channel=channel)

        await whole(stage, said)
        assert len(double.gateway.identifies) == 1


async def test_refused_connections_are_tried_again(stage, double):
    person, channel = await stage.scene()
    double.gateway.refused_connections = 5
    stage.chat.cut()
    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)
    assert double.gateway.refused_connections == 0


async def test_who_asks_to_reconnect_amid_an_answer_is_obeyed(stage, double):
    person, channel = await stage.scene(profile="slower")
    said = await stage.chat.say(person, DAYS, channel=channel)
    await stage.growing(said)
    double.gateway.ask_to_reconnect()
    later = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)
    await whole(stage, later)
    assert len(double.gateway.resumes) == 1
    assert len(double.gateway.identifies) == 1


@pytest.mark.parametrize("resumable", [True, False])
async def test_an_invalid_session_loses_nothing(stage, double, resumable):
    person, channel = await stage.scene()
    first = await stage.chat.say(person, DAYS, channel=channel)
    await whole(stage, first)
    double.gateway.invalidate(resumable=resumable)
    said = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, said)
    assert len(double.gateway.identifies) == (1 if resumable else 2)


async def test_a_disconnect_of_half_an_hour_loses_nothing(stage, double):
    person, channel = await stage.scene()
    changed = await stage.chat.say(person, DAYS, channel=channel)
    deleted = await stage.chat.say(person, DAYS, channel=channel)
    direct = await stage.chat.say(person, DAYS)
    for said in (changed, deleted, direct):
        await stage.reply(said)
    double.gateway.refused_connections = 10**9
    stage.chat.cut()
    await disconnected(stage)

    double.clock.advance(5 * MINUTE_S)
    await stage.chat.change(changed, NOTE)
    await stage.chat.take_back(deleted)
    missed = await stage.chat.say(person, DAYS, channel=channel)
    directly = await stage.chat.say(person, NOTE)
    double.clock.advance(25 * MINUTE_S)
    assert not stage.seen(missed)
    double.gateway.refused_connections = 0

    await whole(stage, missed)
    await stage.says(directly, "fourth day")
    await stage.says(changed, "fourth day")
    await stage.until(lambda: not stage.seen(deleted), lambda: "the answer still stands there")
    await whole(stage, changed, "fourth day")
    assert len(double.gateway.identifies) == 2


async def test_what_was_missed_is_read_as_soon_as_that_is_possible(stage, double):
    person, channel = await stage.scene()
    await stage.settled()
    double.gateway.refused_connections = 10**9
    stage.chat.cut()
    await disconnected(stage)
    said = await stage.chat.say(person, DAYS, channel=channel)
    double.clock.advance(30 * MINUTE_S)
    double.faults.cut(f"GET {MESSAGES}", calls=6)
    double.gateway.refused_connections = 0

    await whole(stage, said)


@pytest.mark.parametrize(("code", "told"), [(4004, "token: "), (4014, "the intent ")])
async def test_what_only_people_can_mend_ends_the_bot_with_a_line(stage, double, code, told):
    await stage.settled()
    double.gateway.drop(code)

    with pytest.raises(AdapterError, match=told) as error:
        await stage.until(lambda: False, lambda: "the bot goes on")
    assert "\n" not in str(error.value)


# --- the journal ------------------------------------------------------------------------------


async def test_what_comes_while_the_journal_is_locked_is_answered_once(stage, caplog):
    person, channel = await stage.scene()
    with locked(stage):
        said = await stage.chat.say(person, DAYS, channel=channel)
        await stage.until(lambda: "try 2" in caplog.text, lambda: caplog.text)

    await whole(stage, said)


async def test_who_asks_while_the_journal_is_locked_for_long_is_told(stage, double, monkeypatch):
    monkeypatch.setattr("citewell_discord.hearing._TRIES", 2)
    person, channel = await stage.scene()
    place = double.world.channels[int(channel)]
    with locked(stage):
        await stage.chat.say(person, DAYS, channel=channel)
        told = "This could not be taken in just now. Please ask again in a minute."
        await stage.until(
            lambda: [one for one in double.messages(place) if told in str(one.components)],
            lambda: repr(double.messages(place)),
        )
    again = await stage.chat.say(person, DAYS, channel=channel)

    await whole(stage, again)


# --- crash loops ------------------------------------------------------------------------------


async def test_an_adapter_that_breaks_down_all_day_identifies_fewer_than_50_times(monkeypatch):
    hurry(monkeypatch)
    monkeypatch.setattr("citewell.delivery.watching._LONGEST_PAUSE_S", 0.01)
    stays = Connecting.stay

    async def stay(self, client):
        staying = asyncio.create_task(stays(self, client))
        await client.wait_until_ready()
        staying.cancel()
        await asyncio.gather(staying, return_exceptions=True)
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(Connecting, "stay", stay)
    async with staged("discord", day_of(monkeypatch)) as stage:
        double = stage.chat.double
        began, most = double.clock.now(), 0

        def is_over():
            nonlocal most
            most = max(most, double.gateway.identifies_today)
            return double.clock.now() - began > 2 * DAY_S

        await stage.until(is_over, lambda: f"{len(double.gateway.identifies)} sessions")
        assert 10 < most < 50


async def test_a_bot_that_is_started_again_and_again_identifies_fewer_than_50_times(monkeypatch):
    hurry(monkeypatch)
    async with staged("discord", day_of(monkeypatch)) as stage:
        with pytest.raises(AdapterError, match="sessions ended badly or at once in the last day"):
            await restarted(stage, 60)
        assert stage.chat.double.gateway.identifies_today < 50


async def restarted(stage, times):
    for _ in range(times):
        await connected(stage)
        await stage.restart()


def day_of(monkeypatch):
    """Return an opener of a Discord by whose clock the adapter waits and counts."""

    @asynccontextmanager
    async def opened():
        async with rehearsal() as chat:
            clock = chat.double.clock

            async def sleep(seconds):
                clock.advance(seconds)
                await asyncio.sleep(0)

            monkeypatch.setattr(Connecting.__init__, "__defaults__", (sleep,))
            monkeypatch.setattr(Identifies.__init__, "__defaults__", (clock.now,))
            yield chat

    return opened
