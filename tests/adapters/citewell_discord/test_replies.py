"""One reply is shown, grows, is found again after a crash, and never stands there twice."""

import asyncio

import pytest

from answers import citation
from citewell import DeliveryError
from citewell.blocks import Action, Actions, Source, SourceList, Span, Text
from citewell.chat import Address, Asked, Venue
from citewell_discord.config import DiscordConfig
from citewell_discord.encoding import fits
from citewell_discord.plugin import build
from citewell_discord.testing import Overwrite, Permissions
from citewell_discord.testing.errors import Refusal
from citewell_discord.testing.threads import Threads

POST = "POST /channels/{channel_id}/messages"
PATCH = "PATCH /channels/{channel_id}/messages/{message_id}"


def text(words):
    return Text((Span(words),))


ANSWER = [
    text("Everyone has 28 days."),
    SourceList((Source(1, (citation(),)),), quoted=False),
    Actions((Action("helpful", "Helpful", "a1"), Action("why", "Why", "a1"))),
]


@pytest.fixture
async def asked(stage, alice, channel, event):
    await stage.say(alice, "How many days?", channel=channel)
    return await event(Asked)


@pytest.fixture
def shown(stage, alice, channel, asked):
    def shown():
        return stage.seen(alice, channel=channel, thread=asked.venue.thread)

    return shown


async def test_an_answer_stands_in_a_thread_of_its_own(adapter, asked, shown, double):
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([ANSWER], complete=True)

    (message,) = shown()
    assert reply.posted == (message.id,)
    assert message.text.startswith("Everyone has 28 days.\n[1] Leave")
    assert message.links == ("https://example.org/leave.html",)
    assert [one.name for one in message.buttons] == ["helpful"]
    assert (message.pings, message.images, message.previews) == ((), (), ())
    assert not message.is_growing
    thread = double.world.channels[int(asked.venue.thread)]
    assert thread.name == "How many days?"


async def test_an_answer_grows_in_one_message(adapter, asked, shown):
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([[text("Everyone")]], complete=False)
    (first,) = shown()
    assert first.is_growing
    await reply.show([[text("Everyone has 28 days.")]], complete=False)
    await reply.show([ANSWER], complete=True)

    (message,) = shown()
    assert message.id == first.id
    assert message.changes == 2
    assert not message.is_growing


async def test_what_is_shown_already_is_not_sent_again(adapter, asked, double):
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([[text("one")], [text("two")]], complete=False)
    await reply.show([[text("one")], [text("two")], [text("three")]], complete=True)

    assert len(double.calls_of(POST)) == 3
    # Of the second message only the sign that more is to come goes away.
    assert len(double.calls_of(PATCH)) == 1


async def test_fewer_messages_take_the_rest_away(adapter, asked, shown):
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([[text("one")], [text("two")], [text("three")]], complete=True)
    await reply.show([[text("one")]], complete=True)
    assert [one.text for one in shown()] == ["one"]
    await reply.show([[text("one")], [text("again")]], complete=True)

    assert [one.text for one in shown()] == ["one", "again"]
    assert len(reply.posted) == 2


async def test_an_answer_goes_when_it_is_withdrawn(adapter, asked, shown):
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([[text("one")], [text("two")]], complete=True)
    await reply.withdraw()

    assert shown() == []
    assert reply.posted == ()


async def test_somebody_is_seen_typing_until_there_is_an_answer(adapter, asked, double):
    reply = await adapter.open_reply(asked.address, "k")
    await reply.status("Looking …")
    thread = double.world.channels[int(asked.venue.thread)]
    await double.until(lambda: thread.typing)
    assert thread.typing[0].user_id == double.bot_user_id
    await reply.show([ANSWER], complete=True)

    assert adapter._signs._shown == {}


async def test_no_call_rings_anybody(adapter, asked, double, shown):
    reply = await adapter.open_reply(asked.address, "k")
    hostile = text(
        f"@everyone @here <@{asked.user}> <@&{asked.venue.team}> <#{asked.venue.channel}>"
    )
    await reply.show([[hostile]], complete=False)
    await reply.show([[hostile, text("more")]], complete=True)

    bodies = [one.body for one in double.calls if isinstance(one.body, dict)]
    written = [one for one in bodies if "components" in one or "content" in one]
    assert len(written) == 2
    assert all(one["allowed_mentions"]["parse"] == [] for one in written)
    (message,) = shown()
    assert message.pings == ()
    assert message.text.startswith(f"@everyone @here <@{asked.user}>")


# --- after a crash ----------------------------------------------------------------------------


async def test_a_reply_is_found_by_what_is_known_of_it(serving, stage, asked, adapter, host, shown):
    first = await adapter.open_reply(asked.address, "k")
    await first.show([[text("half")]], complete=False)
    async with serving(host) as (second, _):
        found = await second.find_reply(asked.address, "k", first.posted)
        await found.show([ANSWER], complete=True)

    (message,) = shown()
    assert message.id == first.posted[0]
    assert message.text.startswith("Everyone has 28 days.")


@pytest.mark.parametrize("minutes", [0, 10])
async def test_a_reply_is_found_by_its_key_alone(
    serving, asked, adapter, host, shown, double, minutes
):
    first = await adapter.open_reply(asked.address, "k")
    await first.show([[text("one")], [text("two")]], complete=False)
    double.clock.advance(minutes * 60)
    async with serving(host) as (second, _):
        found = await second.find_reply(asked.address, "k", ())
        assert found.posted == first.posted
        await found.show([[text("one")], [text("two, whole")]], complete=True)
        other = await second.find_reply(asked.address, "another", ())

    assert [one.text for one in shown()] == ["one", "two, whole"]
    assert other.posted == ()


async def test_a_reply_of_which_nothing_was_posted_is_empty(serving, asked, adapter, host):
    async with serving(host) as (second, _):
        found = await second.find_reply(asked.address, "k", ())

    assert found.posted == ()


async def test_what_was_posted_but_not_heard_of_is_not_posted_again(adapter, asked, double, shown):
    double.faults.fail(POST, status=503, done=True)
    reply = await adapter.open_reply(asked.address, "k")
    with pytest.raises(DeliveryError) as failure:
        await reply.show([ANSWER], complete=True)
    assert failure.value.passes
    again = await adapter.open_reply(asked.address, "k")
    await again.show([ANSWER], complete=True)

    assert len(shown()) == 1


async def test_an_answer_that_a_moderator_took_away_is_not_found(adapter, asked, double, shown):
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([[text("one")], [text("two")]], complete=True)
    double._posts.remove(
        double.world.channels[int(asked.venue.thread)].messages[int(reply.posted[0])]
    )

    assert await adapter.find_reply(asked.address, "k", reply.posted) is None
    assert shown() == []


async def test_without_the_history_what_is_known_is_trusted(
    adapter, asked, double, stage, channel, shown, alice
):
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([[text("one")]], complete=False)
    place = double.world.channels[int(channel)]
    bot = double.bot_user_id
    see, read = Permissions.VIEW_CHANNEL, Permissions.READ_MESSAGE_HISTORY
    mine = [one for one in place.overwrites if one.target_id != bot]
    double.world.set_overwrites(
        place, [*mine, Overwrite(bot, is_member=True, allow=see, deny=read)]
    )
    found = await adapter.find_reply(asked.address, "k", reply.posted)
    await found.show([[text("one, whole")]], complete=True)

    assert [one.text for one in shown()] == ["one, whole"]


async def test_a_thread_that_fell_asleep_wakes_for_a_change(adapter, asked, double, shown):
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([ANSWER], complete=True)
    thread = double.world.channels[int(asked.venue.thread)]
    thread.is_archived = True
    await reply.show([[text("better")]], complete=True)

    assert [one.text for one in shown()] == ["better"]
    assert not thread.is_archived


async def test_a_thread_that_somebody_started_meanwhile_is_used(
    adapter, asked, double, stage, alice, shown
):
    stage._person(alice).start_thread(stage._message(asked.key), "mine")
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([ANSWER], complete=True)

    assert len(shown()) == 1


@pytest.mark.parametrize("code", [160006, 200001, 50024, 50001])
async def test_whatever_keeps_a_thread_from_starting_the_channel_has_the_answer(
    stage, adapter, asked, alice, channel, event, monkeypatch, code
):
    def refuse(*_):
        raise Refusal(400, code, "no thread for this")

    monkeypatch.setattr(Threads, "start_below", refuse)
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([ANSWER], complete=True)
    monkeypatch.undo()

    again = await adapter.find_reply(asked.address, "k", reply.posted)
    await again.show([[text("Now 30 days.")]], complete=True)
    (message,) = stage.seen(alice, channel=channel)
    assert message.text == "Now 30 days."
    stage._person(alice).reply(stage._message(message.id), "And for interns?")
    followed = await event(Asked, 2)
    assert followed.venue == asked.venue
    assert "name" not in followed.address.data


async def test_where_no_thread_may_be_started_the_channel_has_the_answer(
    serving, adapter, asked, double, stage, host, channel, alice
):
    place = double.world.channels[int(channel)]
    bot = double.bot_user_id
    see, start = Permissions.VIEW_CHANNEL, Permissions.CREATE_PUBLIC_THREADS
    mine = [one for one in place.overwrites if one.target_id != bot]
    double.world.set_overwrites(
        place, [*mine, Overwrite(bot, is_member=True, allow=see, deny=start)]
    )
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([[text("one")]], complete=False)
    async with serving(host) as (second, _):
        found = await second.find_reply(asked.address, "k", ())
        await found.show([ANSWER], complete=True)

    (message,) = stage.seen(alice, channel=channel)
    assert message.text.startswith("Everyone")
    assert message.pings == ()
    assert stage._message(message.id).reference.id == int(asked.key)


# --- what Discord refuses ---------------------------------------------------------------------


async def test_too_many_calls_are_waited_for(adapter, asked, double, shown):
    double.faults.limit(POST, calls=2, wait_s=0.02)
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([ANSWER], complete=True)

    assert len(shown()) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_what_may_pass_says_so(adapter, asked, double, status):
    if status == 429:
        double.faults.limit(POST, wait_s=3600)
    else:
        double.faults.fail(POST, status=status)
    reply = await adapter.open_reply(asked.address, "k")
    with pytest.raises(DeliveryError) as failure:
        await reply.show([ANSWER], complete=True)

    assert failure.value.passes
    assert "\n" not in str(failure.value)


async def test_a_broken_line_may_pass(adapter, asked, double):
    double.faults.cut(POST, calls=9)
    reply = await adapter.open_reply(asked.address, "k")
    with pytest.raises(DeliveryError) as failure:
        await reply.show([ANSWER], complete=True)

    assert failure.value.passes


async def test_a_missing_right_is_named(adapter, asked, double, channel):
    place = double.world.channels[int(channel)]
    bot = double.bot_user_id
    see, write = Permissions.VIEW_CHANNEL, Permissions.SEND_MESSAGES_IN_THREADS
    mine = [one for one in place.overwrites if one.target_id != bot]
    double.world.set_overwrites(
        place, [*mine, Overwrite(bot, is_member=True, allow=see, deny=write)]
    )
    reply = await adapter.open_reply(asked.address, "k")
    with pytest.raises(DeliveryError, match=r"missing permissions.*invite") as failure:
        await reply.show([ANSWER], complete=True)

    assert not failure.value.passes


async def test_a_channel_that_is_gone_is_gone_for_good(adapter, double):
    venue = Venue(platform="discord", team="1", channel="12345")
    reply = await adapter.open_reply(Address(venue=venue), "k")
    with pytest.raises(DeliveryError, match="the channel is gone") as failure:
        await reply.show([ANSWER], complete=True)

    assert not failure.value.passes


async def test_who_is_not_logged_in_is_waited_for(stage, context, monkeypatch):
    monkeypatch.setattr("citewell_discord.calls._LOGIN_S", 0.05)
    config = DiscordConfig.model_validate(stage.settings)
    async with build(config, context) as adapter:
        venue = Venue(platform="discord", channel="1")
        reply = await adapter.open_reply(Address(venue=venue), "k")
        with pytest.raises(DeliveryError, match="cannot be reached yet") as failure:
            await reply.show([ANSWER], complete=True)

    assert failure.value.passes


# --- replies for one person -------------------------------------------------------------------


@pytest.fixture
async def private(stage, alice, channel, event):
    await stage.command(alice, "How many days?", channel=channel)
    return await event(Asked)


async def test_a_command_is_answered_to_who_used_it_alone(
    adapter, private, stage, alice, bob, channel
):
    assert private.address.only_for == alice
    reply = await adapter.open_reply(private.address, "k")
    await reply.status("Looking …")
    await reply.show([[text("Everyone")]], complete=False)
    await reply.show([ANSWER, [text("more")]], complete=True)

    first, second = stage.seen(alice, channel=channel)
    assert reply.posted == (first.id, second.id)
    assert first.only_for == second.only_for == alice
    assert not first.is_growing
    assert stage.seen(bob, channel=channel) == []
    await reply.show([ANSWER], complete=True)
    assert len(stage.seen(alice, channel=channel)) == 1
    await reply.withdraw()
    assert stage.seen(alice, channel=channel) == []


async def test_a_private_reply_is_found_while_its_token_lives(
    serving, adapter, private, stage, alice, channel, host
):
    first = await adapter.open_reply(private.address, "k")
    async with serving(host) as (second, _):
        empty = await second.find_reply(private.address, "k", ())
        assert empty.posted == ()
        await first.show([[text("half")]], complete=False)
        found = await second.find_reply(private.address, "k", ())
        await found.show([ANSWER], complete=True)

    (message,) = stage.seen(alice, channel=channel)
    assert message.text.startswith("Everyone has 28 days.")


async def test_a_private_reply_whose_token_died_is_repeated_directly(
    adapter, private, stage, alice, channel, host, monkeypatch
):
    first = await adapter.open_reply(private.address, "k")
    await first.show([[text("half")]], complete=False)
    monkeypatch.setattr("citewell_discord.private.TOKEN_LIFE_S", 0.0)
    assert await adapter.find_reply(private.address, "k", first.posted) is None
    again = await adapter.open_reply(private.address, "k")
    await again.show([ANSWER], complete=True)
    await again.show([ANSWER, [text("more")]], complete=True)

    assert [one.text[:8] for one in stage.seen(alice)] == ["Everyone", "more"]
    found = await adapter.find_reply(private.address, "k", again.posted)
    await found.show([ANSWER], complete=True)
    assert len(stage.seen(alice)) == 1
    await found.withdraw()
    assert stage.seen(alice) == []


async def test_a_command_that_nobody_acknowledged_is_answered_directly(
    adapter, private, stage, double, alice, channel
):
    address = Address(
        venue=private.venue,
        only_for=alice,
        data={**private.address.data, "token": "never heard of"},
    )
    reply = await adapter.open_reply(address, "k")
    await reply.show([ANSWER], complete=True)

    assert len(stage.seen(alice)) == 1


async def test_a_private_reply_that_its_reader_dismissed_is_not_forced_on_them(
    adapter, private, stage, double, alice, channel
):
    reply = await adapter.open_reply(private.address, "k")
    await reply.show([[text("half")]], complete=False)
    double._posts.remove(double.interactions[-1].original)
    with pytest.raises(DeliveryError) as failure:
        await reply.show([ANSWER], complete=True)
    assert not failure.value.passes
    assert await adapter.find_reply(private.address, "k", reply.posted) is None
    await reply.withdraw()

    assert reply.posted == ()
    assert stage.seen(alice) == []


async def test_a_private_reply_may_be_answered_late(
    adapter, private, stage, double, alice, channel
):
    interaction = double.interactions[-1]
    await double.until(lambda: interaction.answered)
    double._posts.remove(interaction.original)
    interaction.answered = interaction.original = None
    found = await adapter.find_reply(private.address, "k", ())
    await found.show([ANSWER], complete=True)

    (message,) = stage.seen(alice, channel=channel)
    assert message.only_for == alice


ANSWERS = "/webhooks/{application_id}/{token}/messages/{message}"


async def test_a_private_reply_that_cannot_be_looked_for_may_be_later(adapter, private, double):
    await double.until(lambda: double.interactions[-1].answered)
    double.faults.fail(f"GET {ANSWERS}", status=503)
    with pytest.raises(DeliveryError) as failure:
        await adapter.find_reply(private.address, "k", ())

    assert failure.value.passes


async def test_a_private_reply_that_cannot_be_shown_may_be_later(adapter, private, double):
    await double.until(lambda: double.interactions[-1].answered)
    reply = await adapter.open_reply(private.address, "k")
    double.faults.fail(f"PATCH {ANSWERS}", status=503)
    with pytest.raises(DeliveryError) as failure:
        await reply.show([ANSWER], complete=True)

    assert failure.value.passes


async def test_a_message_holds_4000_characters_and_no_more(adapter, asked, shown):
    whole = [text("x" * 3900)]
    assert adapter.fits(whole, asked.address)
    assert not adapter.fits([text("x" * 4000)], asked.address)
    assert not fits([text("\N{PILE OF POO}" * 3000)])
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([whole], complete=False)
    await reply.show([whole], complete=True)

    assert shown()[0].text == "x" * 3900


async def test_replies_may_be_shown_at_once(adapter, stage, alice, channel, event):
    for number in range(6):
        await stage.say(alice, f"question {number}", channel=channel)
    await event(Asked, 6)
    replies = [
        await adapter.open_reply((await event(Asked, at + 1)).address, f"k{at}") for at in range(6)
    ]
    await asyncio.gather(*(one.show([ANSWER], complete=True) for one in replies))

    assert len({one.posted for one in replies}) == 6
