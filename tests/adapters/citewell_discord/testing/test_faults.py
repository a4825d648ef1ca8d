"""Calls that fail, hang or break, when a test says so."""

import time

import aiohttp
import discord
import pytest

MESSAGES = "POST /channels/{channel_id}/messages"


@pytest.fixture
def place(channel, bot):
    return bot.get_channel(channel.id)


async def test_a_call_fails_as_often_as_planned(double, channel, place):
    double.faults.fail(MESSAGES, calls=2, status=503)

    for _ in range(2):
        with pytest.raises(discord.DiscordServerError):
            await place.send("x")
    await place.send("x")

    assert [one.status for one in double.calls_of(MESSAGES)] == [503, 503, 200]
    assert len(double.messages(channel)) == 1


async def test_a_client_tries_again_after_a_500(double, channel, place):
    double.faults.fail(MESSAGES, status=500)

    await place.send("x")

    assert [one.status for one in double.calls_of(MESSAGES)] == [500, 200]
    assert len(double.messages(channel)) == 1


async def test_a_call_that_took_effect_may_fail_all_the_same(double, channel, place):
    double.faults.fail(MESSAGES, status=500, done=True)

    await place.send("x", nonce="outbox-7")

    assert [one.status for one in double.calls_of(MESSAGES)] == [500, 200]
    assert len(double.messages(channel)) == 1


async def test_a_line_may_break_before_the_answer(double, channel, place):
    double.faults.cut(MESSAGES, done=True)

    with pytest.raises(aiohttp.ClientError):
        await place.send("x")

    assert len(double.messages(channel)) == 1


async def test_a_line_may_break_before_the_call_takes_effect(double, channel, place):
    double.faults.cut(MESSAGES)

    with pytest.raises(aiohttp.ClientError):
        await place.send("x")

    assert double.messages(channel) == []


async def test_an_answer_may_be_late(double, place):
    double.faults.delay(0.1, MESSAGES)
    began = time.monotonic()

    await place.send("x")

    assert time.monotonic() - began >= 0.1


async def test_other_routes_are_left_alone(double, channel, place):
    double.faults.fail("GET /users/@me", status=503)

    await place.send("x")

    assert len(double.messages(channel)) == 1


async def test_a_fault_without_a_route_is_for_any_call(double, place):
    double.faults.fail(status=503)

    with pytest.raises(discord.DiscordServerError):
        await place.send("x")


async def test_faults_can_be_cleared(double, channel, place):
    double.faults.fail(MESSAGES, calls=100, status=503)
    double.faults.clear()

    await place.send("x")

    assert len(double.messages(channel)) == 1
