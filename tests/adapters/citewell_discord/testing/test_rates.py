"""Limits on calls, and a real client that keeps to them."""

import aiohttp
import discord
import pytest

from citewell_discord.testing import Rate
from citewell_discord.testing.rates import MAX_INVALID

MESSAGES = "POST /channels/{channel_id}/messages"


@pytest.fixture
def place(channel, bot):
    return bot.get_channel(channel.id)


@pytest.fixture
async def post(double, channel):
    """Send a message without a client that waits by itself."""
    headers = {"Authorization": f"Bot {double.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:

        async def post(text="x", where=channel):
            url = f"{double.api_url}/channels/{where.id}/messages"
            async with session.post(url, json={"content": text}) as answer:
                return answer.status, answer.headers, await answer.json()

        yield post


async def test_a_client_keeps_to_the_limits_it_is_told(double, channel, place):
    double.rates.by_route[MESSAGES] = Rate(2, 10.0)

    for number in range(5):
        await place.send(str(number))

    calls = double.calls_of(MESSAGES)
    assert [one.status for one in calls] == [200] * 5
    # The window opens a moment before its first call is answered.
    assert calls[2].at - calls[0].at >= 0.08
    assert calls[4].at - calls[2].at >= 0.08


async def test_limits_are_told_with_each_answer(double, post):
    _, headers, _ = await post()

    assert headers["X-RateLimit-Limit"] == "5"
    assert headers["X-RateLimit-Remaining"] == "4"
    assert 0 < float(headers["X-RateLimit-Reset-After"]) <= 0.05
    assert len(headers["X-RateLimit-Bucket"]) == 32
    assert headers["Content-Type"] == "application/json"
    assert headers["Via"]


async def test_a_call_over_the_limit_is_refused_until_the_window_ends(double, channel, post):
    double.rates.time_scale = 1.0
    for _ in range(5):
        assert (await post())[0] == 200

    status, headers, body = await post()
    double.clock.advance(5.0)
    after = await post()

    assert status == 429
    assert 0 < float(headers["Retry-After"]) <= 5
    assert headers["X-RateLimit-Scope"] == "user"
    assert headers["Via"]
    assert body["global"] is False
    assert body["message"] == "You are being rate limited."
    assert after[0] == 200
    assert len(double.messages(channel)) == 6


async def test_each_channel_has_its_own_limit(double, guild, channel, post):
    double.rates.time_scale = 1.0
    other = double.world.add_text(guild, "other")

    statuses = [(await post(where=where))[0] for _ in range(6) for where in (channel, other)]

    assert statuses == [200] * 10 + [429] * 2


async def test_all_calls_together_have_a_limit(double, channel, post):
    double.rates.time_scale = 1.0
    double.rates.all_routes = Rate(3, 1.0)

    answers = [await post() for _ in range(4)]

    assert [one[0] for one in answers] == [200, 200, 200, 429]
    assert answers[3][1]["X-RateLimit-Global"] == "true"
    assert answers[3][2]["global"] is True


async def test_a_client_waits_and_tries_again_after_a_429(double, channel, place):
    double.faults.limit(MESSAGES, wait_s=0.05)

    await place.send("x")

    assert [one.status for one in double.calls_of(MESSAGES)] == [429, 200]
    assert len(double.messages(channel)) == 1


async def test_a_client_waits_for_a_global_limit(double, channel, place):
    double.faults.limit(MESSAGES, wait_s=0.05, is_global=True)

    await place.send("x")

    assert [one.status for one in double.calls_of(MESSAGES)] == [429, 200]


async def test_a_ban_is_not_tried_again(double, channel, place):
    double.faults.ban(MESSAGES)

    with pytest.raises(discord.HTTPException) as refusal:
        await place.send("x")

    assert refusal.value.status == 429
    assert double.messages(channel) == []


async def test_ten_thousand_invalid_calls_are_a_ban(double, post):
    for _ in range(MAX_INVALID):
        double.rates.note(403)

    status, headers, _ = await post()
    double.clock.advance(601)

    assert status == 429
    assert "Via" not in headers
    assert (await post())[0] == 200


async def test_limits_can_be_lifted(double, channel, post):
    double.rates.is_strict = False

    statuses = [(await post())[0] for _ in range(20)]

    assert statuses == [200] * 20
