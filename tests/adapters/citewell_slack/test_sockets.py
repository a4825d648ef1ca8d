"""Socket Mode, as slack_sdk's own client speaks it."""

import asyncio
import time

import aiohttp
import pytest

from citewell_slack.testing import SlackDouble


async def test_it_starts_at_once():
    began = time.perf_counter()

    async with SlackDouble():
        took_s = time.perf_counter() - began

    assert took_s < 0.2


async def test_an_event_is_acknowledged_and_not_sent_again(double, connected, general, alice):
    connected.listen("message")
    alice.say(general, "how many?")
    (delivery,) = double.deliveries.log

    await delivery.settled()
    await double.clock.advance(600)

    assert (delivery.state, len(delivery.attempts)) == ("acknowledged", 1)
    assert connected.texts() == ["how many?"]


async def test_hello_comes_first_and_counts_connections(double):
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(double.sockets.url()) as first,
        session.ws_connect(double.sockets.url()) as second,
    ):
        hello, again = await first.receive_json(), await second.receive_json()

    assert (hello["type"], hello["num_connections"]) == ("hello", 1)
    assert again["num_connections"] == 2
    assert hello["connection_info"]["app_id"] == double.workspace.app


async def test_a_url_opens_one_connection(double):
    url = double.sockets.url()
    async with aiohttp.ClientSession() as session, session.ws_connect(url):
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await session.ws_connect(url)


async def test_the_eleventh_socket_is_one_too_many(double):
    async with aiohttp.ClientSession() as session:
        opened = [await session.ws_connect(double.sockets.url()) for _ in range(10)]
        async with session.ws_connect(double.sockets.url()) as extra:
            frame = await extra.receive_json()
        for one in opened:
            await one.close()

    assert (frame["type"], frame["reason"]) == ("disconnect", "too_many_websockets")


async def test_what_is_not_acknowledged_in_three_seconds_is_sent_again(double, general, alice):
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(double.sockets.url()) as channel,
    ):
        await channel.receive_json()
        alice.say(general, "how many?")
        frames = [await channel.receive_json()]
        for seconds in (3, 60, 300):
            await double.clock.advance(seconds)
            frames.append(await channel.receive_json())
        await double.clock.advance(3)

    (delivery,) = double.deliveries.log
    await delivery.settled()
    assert [one["retry_attempt"] for one in frames] == [0, 1, 2, 3]
    assert [one["retry_reason"] for one in frames] == ["", "timeout", "timeout", "timeout"]
    assert len({one["payload"]["event_id"] for one in frames}) == 1
    assert delivery.state == "lost"


async def test_an_event_without_a_listener_waits_for_the_next_try(
    double, general, alice, bot, connecting
):
    alice.say(general, "how many?")
    await double.deliveries.idle()
    bot.listen("message")

    async with connecting(bot):
        await double.clock.advance(60)
        (delivery,) = double.deliveries.log
        await delivery.settled()

    assert [one.number for one in delivery.attempts] == [0, 1, 2]
    assert bot.texts() == ["how many?"]


async def test_the_last_try_comes_after_five_minutes(double, general, alice):
    alice.say(general, "how many?")
    began = double.clock.now
    await double.deliveries.idle()

    for _ in range(6):
        await double.clock.advance(60)
        await double.deliveries.idle()

    (delivery,) = double.deliveries.log
    assert [round(one.at - began) for one in delivery.attempts] == [0, 0, 60, 300]
    assert delivery.state == "lost"


async def test_slack_picks_one_socket_for_each_event(double, bot, connecting, general, alice):
    bot.listen("message")
    async with connecting(bot), connecting(bot):
        for number in range(20):
            alice.say(general, str(number))
        await double.until(lambda: len(bot.heard) == 20)

    assert sorted(map(int, bot.texts())) == [*range(20)]
    assert {one.connections[0] for one in double.deliveries.log} == {1, 2}


async def test_the_same_event_can_come_over_two_sockets(double, bot, connecting, general, alice):
    bot.listen("message")
    async with connecting(bot), connecting(bot):
        alice.say(general, "how many?")
        await double.deliveries.repeat(double.deliveries.log[0]).settled()
        await double.until(lambda: len(bot.heard) == 2)

    assert sorted(double.deliveries.log[0].connections) == [1, 2]
    assert len({body["event_id"] for body in bot.bodies}) == 1


async def test_a_refresh_makes_one_new_socket_and_loses_nothing(double, connected, general, alice):
    connected.listen("message")

    await double.sockets.refresh("warning")
    await double.until(lambda: len(double.sockets.open) == 1)
    alice.say(general, "how many?")
    await double.until(lambda: connected.heard)

    assert double.sockets.opened == 2


@pytest.mark.parametrize("how", ["closed", "broken", "half-open"])
async def test_the_client_comes_back_after_a_lost_connection(
    double, bot, connecting, general, alice, how
):
    bot.listen("message")
    async with connecting(bot, ping_interval_s=0.05):
        await double.sockets.drop(how)
        await double.until(lambda: double.sockets.opened >= 2)
        alice.say(general, "how many?")
        while not bot.heard:
            # On a socket that is lost nothing tells of it, but time.
            await asyncio.sleep(0.1)
            await double.clock.advance(3)

    assert {*bot.texts()} == {"how many?"}


async def test_nobody_can_connect_while_slack_refuses(double, client, refused):
    double.sockets.refuse(1800)

    opening = client.apps_connections_open(app_token=double.app_token)
    assert await refused(opening) == "internal_error"
    await double.clock.advance(1801)
    answer = await client.apps_connections_open(app_token=double.app_token)
    assert answer["url"].startswith("ws://127.0.0.1:")


async def test_the_client_comes_back_after_half_an_hour(double, bot, connecting, general, alice):
    bot.listen("message")
    async with connecting(bot, ping_interval_s=0.05):
        double.sockets.refuse()
        await double.sockets.drop("closed")
        tries = len(double.calls("apps.connections.open"))
        await double.until(lambda: len(double.calls("apps.connections.open")) > tries)
        await double.clock.advance(1800)
        double.sockets.accept()
        await double.connected()
        alice.say(general, "how many?")
        await double.until(lambda: bot.heard)

    assert bot.texts() == ["how many?"]
