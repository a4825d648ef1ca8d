"""What was said while nobody was connected is asked afterwards."""

import pytest

from citewell.chat import Asked, Edited


async def missed(adapter, since):
    return [event async for event in adapter.missed(since)]


@pytest.fixture
async def since(double):
    at = double.clock.now
    await double.clock.advance(5)
    return at


async def test_mentions_and_direct_messages_are_found_oldest_first(
    adapter, double, alice, general, since
):
    file = alice.upload("plan.txt", b"the plan")
    first = alice.say(alice.im, "first?")
    second = alice.say(general, f"{double.mention} second?", files=[file])
    alice.say(general, "lunch?")
    double.bot().say(general, f"{double.mention} me?")

    found = await missed(adapter, since)

    assert [(one.key, one.text) for one in found] == [(first.ts, "first?"), (second.ts, "second?")]
    assert [one.name for one in found[1].attachments] == ["plan.txt"]


async def test_what_was_heard_live_has_the_same_key(serving, double, alice, general, since):
    async with serving() as (adapter, host):
        alice.say(general, f"{double.mention} how many days?")
        await double.deliveries.idle()
        found = await missed(adapter, since)

    assert found == host.of(Asked)


async def test_threads_go_on(serving, double, alice, general):
    async with serving() as (adapter, host):
        first = alice.say(general, f"{double.mention} how many days?")
        await double.deliveries.idle()
        since = double.clock.now
        await double.clock.advance(60)
        double.deliveries.hold()
        alice.say(general, "and nights?", thread=first)
        other = alice.say(general, "lunch?")
        alice.say(general, "yes", thread=other)

        found = await missed(adapter, since)

    assert [one.text for one in found] == ["and nights?"]
    assert found[0].venue == host.events[0].venue


async def test_a_change_is_found(adapter, double, alice, general):
    since = double.clock.now - 1
    said = alice.say(general, f"{double.mention} how many days?")
    (asked,) = await missed(adapter, since)
    unchanged = await adapter.changed(asked)
    await double.clock.advance(60)
    alice.edit(said, f"{double.mention} how many nights?")

    edited = await adapter.changed(asked)
    assert unchanged is None
    assert isinstance(edited, Edited)
    assert (edited.of, edited.text) == (said.ts, "how many nights?")


async def test_nothing_is_found_where_the_bot_is_not_or_does_not_answer(
    serving, double, alice, general, since
):
    away = double.add_channel("away", [alice], has_bot=False)
    async with serving(channels={general.id: {"answers": False}}) as (adapter, _):
        double.deliveries.hold()
        alice.say(general, f"{double.mention} how many days?")
        alice.say(away, f"{double.mention} how many days?")

        assert await missed(adapter, since) == []


async def test_a_channel_that_cannot_be_read_costs_only_itself(
    adapter, double, alice, general, since, caplog
):
    alice.say(general, f"{double.mention} how many days?")
    alice.say(alice.im, "how many nights?")
    double.faults.fail("conversations.history", "missing_scope")

    assert [one.text for one in await missed(adapter, since)] == ["how many nights?"]
    assert general.id in caplog.text


async def test_many_messages_are_read_page_by_page(
    adapter, double, alice, general, since, monkeypatch
):
    monkeypatch.setattr("citewell_slack.calls._PAGE", 3)
    for number in range(10):
        alice.say(general, f"{double.mention} number {number}?")

    assert len(await missed(adapter, since)) == 10
