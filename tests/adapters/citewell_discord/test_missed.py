"""What was asked while nobody listened is found."""

import pytest

from citewell import DeliveryError
from citewell.chat import Asked, Deleted, Edited
from citewell_discord.directs import Directs


async def test_what_was_asked_meanwhile_is_found(stage, serving, double, alice, bob, channel):
    other = stage.channel("other", [alice])
    async with serving() as (_, host):
        first = await stage.say(alice, "directly, before")
        said = await stage.say(alice, "in a thread", channel=channel)
        await double.until(lambda: len(host.of(Asked)) == 2)
        stage._person(alice).start_thread(stage._message(said.id), "thread")
    double.clock.advance(60)
    since = double.clock.now()
    double.clock.advance(1)
    await stage.say(bob, "not for the bot", channel=channel, mention=False)
    missed = [
        await stage.say(alice, "directly"),
        await stage.say(alice, "in a channel", channel=channel),
        await stage.say(alice, "in another", channel=other),
        await stage.say(alice, "further", channel=channel, thread=said.thread, mention=False),
    ]
    async with serving(host) as (adapter, _):
        found = [one async for one in adapter.missed(since)]

    assert {one.key for one in found} == {one.id for one in missed}
    assert first.id not in {one.key for one in found}
    assert all(isinstance(one, Asked) for one in found)


async def test_a_channel_that_cannot_be_read_hinders_no_other(
    stage, serving, double, alice, channel
):
    other = stage.channel("other", [alice])
    one = await stage.say(alice, "one", channel=channel)
    two = await stage.say(alice, "two", channel=other)
    async with serving() as (adapter, _):
        double.faults.fail("GET /channels/{channel_id}/messages", status=503)
        events = adapter.missed(0)
        found = [(await anext(events)).key]
        with pytest.raises(DeliveryError, match="what was missed cannot be read") as error:
            await anext(events)

    assert error.value.passes
    assert len(found) == 1
    assert found[0] in {one.id, two.id}


async def test_a_question_that_names_the_bot_no_more_is_found_changed(
    stage, alice, channel, adapter, event
):
    said = await stage.say(alice, "How many days?", channel=channel)
    asked = await event(Asked)
    stage._person(alice).edit(stage._message(said.id), "How many weeks?")
    edited = await adapter.changed(asked)

    assert isinstance(edited, Edited)
    assert (edited.of, edited.text) == (said.id, "How many weeks?")
    assert edited.venue == asked.venue


async def test_a_question_that_the_bot_may_not_see_is_not_taken_for_deleted(
    stage, double, alice, channel, adapter, event
):
    said = await stage.say(alice, "How many days?", channel=channel)
    asked = await event(Asked)
    place = double.world.channels[int(channel)]
    before = list(place.overwrites)
    others = [one for one in before if one.target_id != int(double.bot_user_id)]
    double.world.set_overwrites(place, others)
    hidden = await adapter.changed(asked)
    double.world.set_overwrites(place, before)
    await stage.take_back(said)

    assert hidden is None
    assert isinstance(await adapter.changed(asked), Deleted)


def test_conversations_are_remembered(tmp_path):
    directs = Directs(tmp_path / "direct.json")
    for one in (3, 1, 3, 2):
        directs.note(one)

    assert directs.ids == (1, 3, 2)
    assert set(Directs(tmp_path / "direct.json").ids) == {1, 2, 3}


def test_not_all_conversations_are_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr("citewell_discord.directs._MOST", 3)
    directs = Directs(tmp_path / "direct.json")
    for one in range(5):
        directs.note(one)

    assert directs.ids == (2, 3, 4)


def test_a_file_that_was_cut_short_is_begun_anew(tmp_path):
    (tmp_path / "direct.json").write_text("[1, 2", encoding="utf-8")

    assert Directs(tmp_path / "direct.json").ids == ()
