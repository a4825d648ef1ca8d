"""What goes wrong between Slack and the app."""

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient


async def test_the_next_calls_fail_as_they_are_told_to(double, client, general):
    double.faults.fail("chat.postMessage", "fatal_error", times=2)
    errors = []

    for _ in range(3):
        try:
            await client.chat_postMessage(channel=general.id, text="a")
        except SlackApiError as error:
            errors.append(error.response["error"])

    assert errors == ["fatal_error", "fatal_error"]
    assert len(double.posted(general)) == 1


async def test_other_methods_are_spared(double, client):
    double.faults.fail("chat.postMessage")

    assert (await client.auth_test())["ok"]


async def test_a_server_error_has_its_status(double, client, general):
    double.faults.break_down("*", 503)

    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=general.id, text="a")

    assert caught.value.response.status_code == 503


async def test_a_429_says_when_to_come_back(double, client, general):
    double.faults.limit("chat.postMessage", retry_after_s=30)

    with pytest.raises(SlackApiError) as caught:
        await client.chat_postMessage(channel=general.id, text="a")

    assert caught.value.response.headers["Retry-After"] == "30"


async def test_a_cut_answer_may_hide_that_the_call_was_done(double, general):
    client = AsyncWebClient(token=double.bot_token, base_url=double.api_url, retry_handlers=[])
    for when in ("before", "after"):
        double.faults.cut("chat.postMessage", when)
        with pytest.raises(aiohttp.ClientError):
            await client.chat_postMessage(channel=general.id, text=when)

    assert [one.text for one in double.posted(general)] == ["after"]
    assert [one.status for one in double.calls("chat.postMessage")] == [0, 0]


async def test_the_client_as_it_comes_posts_twice_when_an_answer_is_cut(double, client, general):
    double.faults.cut("chat.postMessage")

    await client.chat_postMessage(channel=general.id, text="a")

    assert len(double.posted(general)) == 2


async def test_a_delayed_call_waits_for_slacks_clock(double, client, general):
    import asyncio

    double.faults.delay("chat.postMessage", 10)
    posting = asyncio.ensure_future(client.chat_postMessage(channel=general.id, text="a"))
    await double.until(lambda: double.clock.is_awaited)
    assert not posting.done()

    await double.clock.advance(10)

    assert (await posting)["ok"]


async def test_faults_can_be_cleared(double, client, general):
    double.faults.fail("*", times=100)
    double.faults.clear()

    assert (await client.chat_postMessage(channel=general.id, text="a"))["ok"]


@pytest.fixture
def listening(connected):
    connected.listen("message")
    return connected


async def test_what_is_held_comes_when_it_is_released(double, listening, general, alice):
    double.deliveries.hold()
    for number in range(10):
        alice.say(general, str(number))
    await listening.client.auth_test()
    before = listening.texts()

    double.deliveries.release(shuffled=True)
    await double.until(lambda: len(listening.heard) == 10)

    assert before == []
    sent = sorted(double.deliveries.log, key=lambda one: one.attempts[0].order)
    assert [one.event["text"] for one in sent] != [str(number) for number in range(10)]


async def test_mishaps_lose_nothing_and_repeat_the_same_event(double, listening, general, alice):
    double.deliveries.mishaps.duplicate = 0.3
    double.deliveries.mishaps.late = 0.3
    double.deliveries.mishaps.unheard = 0.3

    for number in range(100):
        alice.say(general, str(number))
    double.deliveries.release()
    await double.deliveries.idle()
    for _ in range(6):
        await double.clock.advance(60)
        await double.deliveries.idle()

    texts = listening.texts()
    assert {*map(int, texts)} == {*range(100)}
    assert len(texts) > 150
    assert [*map(int, texts)] != sorted(map(int, texts))


async def test_the_same_seed_makes_the_same_mishaps(general):
    from citewell_slack.testing import SlackDouble

    async def orders(seed):
        async with SlackDouble(seed=seed) as double:
            double.deliveries.mishaps.duplicate = double.deliveries.mishaps.late = 0.3
            alice = double.add_person("alice")
            channel = double.add_channel("general", [alice])
            for number in range(30):
                alice.say(channel, str(number))
            double.deliveries.release()
            await double.deliveries.idle()
            sent = sorted(double.deliveries.log, key=lambda one: one.attempts[0].order)
            return [one.event["text"] for one in sent]

    assert await orders(1) == await orders(1)
    assert await orders(1) != await orders(2)
