"""Events that are held, come twice, or in another order."""

import asyncio
from random import Random

import pytest

from discord_clients import Bot


async def test_held_events_come_when_they_are_let_go(double, channel, alice, bot):
    double.deliveries.hold()
    alice.say(channel, "one")
    alice.say(channel, "two")
    await asyncio.sleep(0.05)
    before = len(bot.heard)

    double.deliveries.release()
    await double.until(lambda: len(bot.heard) == 2)

    assert before == 0
    assert [one.content for one in bot.heard] == ["one", "two"]


async def heard(double, channel, person, bot, count):
    """Say numbers, and return them as they were heard."""
    since = len(bot.heard)
    for number in range(count):
        person.say(channel, str(number))
    double.deliveries.release()
    person.tell_bot("end")
    double.deliveries.release()
    await double.until(lambda: any(one.content == "end" for one in bot.heard[since:]))
    return [one.content for one in bot.heard[since:] if one.content != "end"]


async def test_duplicates_come_the_same_way_for_a_seed(double, channel, alice, bot):
    runs = []
    for seed in (1, 1, 2):
        double.deliveries.trouble(seed, duplicated=0.5)
        runs.append(await heard(double, channel, alice, bot, 30))
        double.deliveries.trouble(0)

    assert runs[0] == runs[1] != runs[2]
    assert 30 < len(runs[0]) < 60
    assert set(runs[0]) == {str(number) for number in range(30)}


async def test_order_is_changed_within_a_window(double, channel, alice, bot):
    double.deliveries.trouble(1, window=5)

    order = await heard(double, channel, alice, bot, 20)

    numbers = [int(one) for one in order]
    assert sorted(numbers) == list(range(20))
    assert numbers != sorted(numbers)
    assert all(abs(number - place) < 5 for place, number in enumerate(numbers))


@pytest.mark.parametrize("shuffled", [False, True])
async def test_what_was_held_may_be_let_go_in_any_order(double, channel, alice, bot, shuffled):
    double.deliveries.trouble(3)
    double.deliveries.hold()
    for number in range(10):
        alice.say(channel, str(number))

    double.deliveries.release(shuffled=shuffled)
    await double.until(lambda: len(bot.heard) == 10)

    order = [one.content for one in bot.heard]
    assert (order != sorted(order)) == shuffled
    assert sorted(order) == [str(number) for number in range(10)]


async def test_the_first_message_of_a_post_may_lag(double, moderated, bot):
    forum = double.world.add_forum(moderated, "questions")
    alice = double.person("alice", moderated)
    double.deliveries.names = frozenset({"MESSAGE_CREATE"})
    double.deliveries.hold()
    post = alice.post(forum, "Leave?", "How many days?")
    await double.until(lambda: bot.get_channel(post.id))
    before = list(bot.heard)

    double.deliveries.release()
    await double.until(lambda: bot.heard)

    assert before == []
    assert bot.heard[0].content == "How many days?"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("seed", range(5))
async def test_nothing_is_lost_however_the_line_breaks(double, channel, alice, start, seed):
    """Whatever happens to the connection, each message is heard, if it can be resumed."""
    random = Random(seed)
    bot = await start(Bot())
    double.deliveries.trouble(seed, duplicated=0.2, window=3)
    troubles = [
        double.gateway.drop,
        double.gateway.ask_to_reconnect,
        double.gateway.cut,
        lambda: double.gateway.invalidate(resumable=True),
        lambda: None,
    ]
    for number in range(40):
        alice.say(channel, str(number))
        if number % 5 == 4:
            random.choice(troubles)()
            await asyncio.sleep(random.random() / 50)
    double.deliveries.release()

    await double.until(lambda: len({one.content for one in bot.heard}) == 40)

    assert len(double.gateway.identifies) == 1
