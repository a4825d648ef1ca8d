"""What is said in Discord becomes a question where it is for the bot, and nothing where not."""

import pytest

from citewell.chat import Asked, Deleted, Edited
from citewell.errors import JournalError
from citewell_discord.directs import Directs
from citewell_discord.testing import CannotAct


async def test_a_mention_is_a_question_of_a_thread_to_be(stage, alice, channel, event):
    said = await stage.say(alice, "How many days?", channel=channel)

    asked = await event(Asked)
    assert asked.key == said.id
    assert asked.text == "How many days?"
    assert asked.user == alice
    assert (asked.venue.platform, asked.venue.team) == ("discord", str(stage.guild.id))
    assert (asked.venue.channel, asked.venue.thread) == (channel, said.thread)
    assert asked.address.data["name"] == "How many days?"
    assert asked.address.only_for is None


async def test_what_is_written_directly_is_a_question(stage, alice, event):
    said = await stage.say(alice, "How many days?")

    asked = await event(Asked)
    assert asked.text == "How many days?"
    assert (asked.venue.team, asked.venue.channel) == ("", said.channel)
    assert asked.address.data["user"] == alice


async def test_a_full_disk_costs_no_first_direct_message(stage, alice, context, event, caplog):
    part = context.data_dir / "direct.part"
    part.mkdir()
    said = await stage.say(alice, "How many days?")
    assert (await event(Asked)).key == said.id
    assert "direct.json cannot be written" in caplog.text
    part.rmdir()
    await stage.say(alice, "And for interns?")
    await event(Asked, 2)

    assert Directs(context.data_dir / "direct.json").ids == (int(said.channel),)


async def test_what_is_said_to_others_is_no_question(stage, alice, channel, host, event):
    await stage.say(alice, "How many days?", channel=channel, mention=False)
    await stage.say(alice, "the next one")

    assert (await event(Asked)).text == "the next one"
    assert len(host.events) == 1


async def test_bots_are_never_asked_by_bots(stage, double, alice, channel, host, event):
    other = double.other_bot("other", stage.guild)
    place = double.world.channels[int(channel)]
    double.world.set_overwrites(place, [])
    other.say(place, f"{double.world.bot.mention} hello?")
    await stage.say(alice, "the next one")

    assert (await event(Asked)).text == "the next one"
    assert len(host.events) == 1


async def test_a_thread_goes_on_without_a_mention(stage, alice, bob, channel, event, adapter):
    said = await stage.say(alice, "How many days?", channel=channel)
    asked = await event(Asked)
    await (await adapter.open_reply(asked.address, "k")).status("…")
    await stage.double.until(lambda: int(said.thread) in stage.double.world.channels)
    more = await stage.say(bob, "And for me?", channel=channel, thread=said.thread, mention=False)

    followed = await event(Asked, 2)
    assert followed.key == more.id
    assert followed.venue == asked.venue
    assert "name" not in followed.address.data


async def test_talk_among_people_in_a_thread_is_left_alone(
    stage, double, alice, bob, channel, event, adapter, host
):
    said = await stage.say(alice, "How many days?", channel=channel)
    await (await adapter.open_reply((await event(Asked)).address, "k")).status("…")
    await double.until(lambda: int(said.thread) in double.world.channels)
    thread = {"channel": channel, "thread": said.thread, "mention": False}
    await stage.say(bob, f"what do you think, <@{alice}>?", **thread)
    await stage.say(alice, "the next one")

    assert (await event(Asked, 2)).text == "the next one"


async def test_a_channel_may_want_a_mention_each_time(stage, serving, until, alice, channel):
    channels = {channel: {"follow_up": False}}
    async with serving(channels=channels) as (adapter, host):
        said = await stage.say(alice, "How many days?", channel=channel)
        await until(lambda: host.of(Asked))
        await (await adapter.open_reply(host.of(Asked)[0].address, "k")).status("…")
        await until(lambda: int(said.thread) in stage.double.world.channels)
        await stage.say(alice, "And?", channel=channel, thread=said.thread, mention=False)
        await stage.say(alice, "the next one")
        await until(lambda: len(host.of(Asked)) == 2)

        assert host.of(Asked)[1].text == "the next one"


async def test_mentions_work_without_the_intent(stage, serving, until, alice, channel):
    stage.double.world.enabled = 0
    async with serving(message_content=False, server_members=False) as (_, host):
        await stage.say(alice, "How many days?", channel=channel)
        await stage.say(alice, "And directly?")
        await until(lambda: len(host.of(Asked)) == 2)

        assert {one.text for one in host.of(Asked)} == {"How many days?", "And directly?"}


async def test_who_answers_the_bot_asks_it(stage, serving, double, until, alice, channel):
    stage.has_threads = False
    async with serving(threads=False) as (adapter, host):
        await stage.say(alice, "How many days?", channel=channel)
        await until(lambda: host.of(Asked))
        address = host.of(Asked)[0].address
        assert address.venue.thread == ""
        reply = await adapter.open_reply(address, "k")
        await reply.show([[]], complete=True)
        person = stage._person(alice)
        person.reply(stage._message(reply.posted[0]), "And for interns?")
        await until(lambda: len(host.of(Asked)) == 2)

        assert host.of(Asked)[1].text == "And for interns?"
        assert host.of(Asked)[1].about == ""


async def test_a_chain_of_replies_is_known_after_a_restart(
    stage, serving, double, until, alice, channel
):
    person, stage.has_threads = stage._person(alice), False
    async with serving(threads=False) as (adapter, host):
        await stage.say(alice, "How many days?", channel=channel)
        await until(lambda: host.of(Asked))
        for number in (1, 2):
            reply = await adapter.open_reply(host.of(Asked)[-1].address, f"k{number}")
            await reply.show([[]], complete=True)
            person.reply(stage._message(reply.posted[0]), f"And {number}?")
            await until(lambda number=number: len(host.of(Asked)) == number + 1)
        reply = await adapter.open_reply(host.of(Asked)[-1].address, "k3")
        await reply.show([[]], complete=True)
    async with serving(threads=False) as (_, again):
        person.reply(stage._message(reply.posted[0]), "And 3?")
        await stage.say(alice, "Something else", channel=channel)
        await until(lambda: len(again.of(Asked)) == 2)

    talks = [one.venue.conversation for one in (*host.of(Asked), *again.of(Asked))]
    assert len(set(talks[:4])) == 1
    assert talks[4] != talks[0]
    assert {one.address.venue.thread for one in again.of(Asked)} == {""}


async def test_who_answers_a_hint_in_a_channel_asks_nothing(
    stage, double, alice, channel, host, event, until
):
    await stage.say(alice, "", channel=channel)
    await until(lambda: stage.seen(alice, channel=channel))
    hint = stage._message(stage.seen(alice, channel=channel)[0].id)
    reply = stage._person(alice).reply(hint, "Thanks, I will look myself")
    await stage.say(alice, "the next one")

    assert double.world.bot in reply.mentions
    assert [(await event(Asked)).text, len(host.events)] == ["the next one", 1]


async def test_a_mention_in_an_answer_to_somebody_is_about_what_they_said(
    stage, double, alice, bob, channel, event
):
    said = await stage.say(bob, "Leave is 40 days.", channel=channel, mention=False)
    mention = double.world.bot.mention
    stage._person(alice).reply(stage._message(said.id), f"{mention} is that so?")

    asked = await event(Asked)
    assert (asked.text, asked.about) == ("is that so?", "Leave is 40 days.")


async def test_the_files_of_what_a_question_is_about_come_along(
    stage, double, alice, bob, channel, event
):
    files = {"leave.txt": b"28 days"}
    said = await stage.say(bob, "Look here.", channel=channel, mention=False, files=files)
    mention = double.world.bot.mention
    stage._person(alice).reply(stage._message(said.id), f"{mention} is that so?")

    assert [one.name for one in (await event(Asked)).attachments] == ["leave.txt"]


async def test_a_mention_alone_asks_what_it_answers(stage, double, alice, bob, channel, event):
    said = await stage.say(bob, "How many days?", channel=channel, mention=False)
    stage._person(alice).reply(stage._message(said.id), double.world.bot.mention)

    assert (await event(Asked)).text == "How many days?"


async def test_a_mention_of_nothing_gets_a_hint(stage, double, alice, channel, host, until):
    await stage.say(alice, "", channel=channel)
    await until(lambda: stage.seen(alice, channel=channel))

    (hint,) = stage.seen(alice, channel=channel)
    assert "whole sentence" in hint.text
    assert hint.pings == ()
    assert host.events == []


async def test_an_edit_changes_the_question(stage, alice, channel, event):
    said = await stage.say(alice, "How many days?", channel=channel)
    asked = await event(Asked)
    await stage.change(said, "How many weeks?")

    edited = await event(Edited)
    assert (edited.of, edited.text) == (said.id, "How many weeks?")
    assert edited.venue == asked.venue
    assert edited.at > asked.at


async def test_what_discord_adds_to_a_message_is_no_edit(
    stage, double, alice, channel, event, host
):
    said = await stage.say(alice, "How many days?", channel=channel)
    await event(Asked)
    message = stage._message(said.id)
    double._posts.reflag(message, message.flags)
    await stage.say(alice, "the next one")

    await event(Asked, 2)
    assert host.of(Edited) == []


async def test_a_forgotten_mention_can_be_added(stage, double, alice, channel, event):
    said = await stage.say(alice, "How many days?", channel=channel, mention=False)
    await stage.change(said, f"{double.world.bot.mention} How many days?")

    assert (await event(Asked)).key == said.id


@pytest.mark.parametrize("is_cached", [True, False])
async def test_a_question_that_names_the_bot_no_more_is_still_one(
    stage, serving, until, alice, channel, is_cached
):
    person = stage._person(alice)
    async with serving() as (_, host):
        talk = await stage.say(alice, "just talking", channel=channel, mention=False)
        said = await stage.say(alice, "How many days?", channel=channel)
        await until(lambda: host.of(Asked))
        if is_cached:
            person.edit(stage._message(talk.id), "still talking")
            person.edit(stage._message(said.id), "How many weeks?")
            await until(lambda: host.of(Edited))
    async with serving(host):
        person.edit(stage._message(talk.id), "talking further")
        person.edit(stage._message(said.id), "How many months?")
        await until(lambda: len(host.of(Edited)) == 1 + is_cached)

    assert {one.of for one in host.of(Edited)} == {said.id}
    assert {one.venue for one in host.of(Edited)} == {host.of(Asked)[0].venue}
    assert host.of(Edited)[-1].text == "How many months?"


async def test_without_the_intent_a_question_that_names_the_bot_no_more_stays_as_it_was(
    stage, serving, until, alice, channel
):
    stage.double.world.enabled = 0
    async with serving(message_content=False, server_members=False) as (adapter, host):
        said = await stage.say(alice, "How many days?", channel=channel)
        await until(lambda: host.of(Asked))
        stage._person(alice).edit(stage._message(said.id), "How many weeks?")
        await stage.say(alice, "the next one", channel=channel)
        await until(lambda: len(host.of(Asked)) == 2)

        assert host.of(Edited) == []
        assert await adapter.changed(host.of(Asked)[0]) is None


async def test_a_deleted_question_is_told(stage, alice, channel, event):
    said = await stage.say(alice, "How many days?", channel=channel)
    asked = await event(Asked)
    await stage.take_back(said)

    deleted = await event(Deleted)
    assert deleted.of == said.id
    assert deleted.venue.channel == asked.venue.channel
    assert deleted.venue.team == asked.venue.team


async def test_who_deletes_what_asked_nothing_is_not_noted(stage, alice, channel, host, event):
    said = await stage.say(alice, "just talking", channel=channel, mention=False)
    await stage.take_back(said)
    await stage.say(alice, "the next one")

    await event(Asked)
    assert host.of(Deleted) == []


async def test_of_what_is_deleted_after_a_restart_only_questions_are_told(
    stage, serving, until, alice, channel
):
    async with serving() as (_, host):
        talk = await stage.say(alice, "just talking", channel=channel, mention=False)
        said = await stage.say(alice, "How many days?", channel=channel)
        direct = await stage.say(alice, "And directly?")
        await until(lambda: len(host.of(Asked)) == 2)
    async with serving(host) as (_, host):
        await stage.take_back(talk)
        await stage.take_back(said)
        await stage.take_back(direct)
        await until(lambda: len(host.of(Deleted)) == 2)

    assert {one.of for one in host.of(Deleted)} == {said.id, direct.id}


async def test_where_replies_are_conversations_what_is_deleted_after_a_restart_is_told(
    stage, serving, until, alice, channel
):
    person, stage.has_threads = stage._person(alice), False
    async with serving(threads=False) as (adapter, host):
        await stage.say(alice, "How many days?", channel=channel)
        await until(lambda: host.of(Asked))
        reply = await adapter.open_reply(host.of(Asked)[0].address, "k")
        await reply.show([[]], complete=True)
        more = person.reply(stage._message(reply.posted[0]), "And for interns?")
        await until(lambda: len(host.of(Asked)) == 2)
    async with serving(host, threads=False) as (_, host):
        person.delete(more)
        await until(lambda: host.of(Deleted))

    assert host.of(Deleted)[0].of == str(more.id)


async def test_a_repetition_has_the_same_key(stage, alice, channel, host, until):
    said = await stage.say(alice, "How many days?", channel=channel)
    await stage.repeat(said)
    await until(lambda: len(host.events) == 2)

    assert len(host.keys) == 1


async def test_what_cannot_be_kept_is_tried_again(stage, alice, channel, host, until):
    host.failures += [JournalError("locked")] * 2
    await stage.say(alice, "How many days?", channel=channel)
    await until(lambda: host.of(Asked))

    assert host.failures == []


async def test_what_cannot_be_kept_at_all_is_said(stage, alice, channel, host, until, monkeypatch):
    monkeypatch.setattr("citewell_discord.hearing._TRIES", 1)
    host.failures += [JournalError("locked")]
    await stage.say(alice, "How many days?", channel=channel)
    await until(lambda: stage.seen(alice, channel=channel))

    assert "ask again" in stage.seen(alice, channel=channel)[0].text


@pytest.fixture
async def thread(stage, adapter, alice, channel, event):
    """A thread in which the bot takes part."""
    said = await stage.say(alice, "How many days?", channel=channel)
    await (await adapter.open_reply((await event(Asked)).address, "k")).status("…")
    await stage.double.until(lambda: int(said.thread) in stage.double.world.channels)
    return {"channel": channel, "thread": said.thread, "mention": False}


async def test_what_a_locked_journal_hides_for_a_moment_is_asked_later(
    stage, alice, thread, host, event
):
    takes_part, refused = host.takes_part, [JournalError("locked")]

    def locked(venue):
        if refused:
            raise refused.pop()
        return takes_part(venue)

    host.takes_part = locked
    await stage.say(alice, "And for interns?", **thread)

    assert (await event(Asked, 2)).text == "And for interns?"


async def test_what_a_locked_journal_hides_for_long_is_apologised_for(
    stage, alice, thread, host, until, monkeypatch
):
    def locked(_):
        raise JournalError("locked")

    monkeypatch.setattr("citewell_discord.hearing._TRIES", 1)
    host.takes_part = locked
    said = await stage.say(alice, "And for interns?", **thread)
    where = {"channel": said.channel, "thread": said.thread}
    await until(lambda: stage.seen(alice, **where))
    await stage.change(said, "And for all?")
    await stage.take_back(said)

    assert "ask again" in stage.seen(alice, **where)[0].text
    assert len(host.of(Asked)) == 1


async def test_an_empty_mention_that_becomes_a_question_is_asked(
    stage, alice, channel, event, until
):
    said = await stage.say(alice, "", channel=channel)
    await until(lambda: stage.seen(alice, channel=channel))
    await stage.change(said, "How many days?")

    asked = await event(Asked)
    assert (asked.key, asked.text) == (said.id, "How many days?")


async def test_a_change_that_cannot_be_kept_is_said(
    stage, alice, channel, host, event, until, monkeypatch
):
    said = await stage.say(alice, "How many days?", channel=channel)
    await event(Asked)
    monkeypatch.setattr("citewell_discord.hearing._TRIES", 1)
    host.failures += [JournalError("locked")]
    await stage.change(said, "How many weeks?")
    await until(lambda: stage.seen(alice, channel=channel))

    assert "ask again" in stage.seen(alice, channel=channel)[0].text


async def test_a_file_comes_with_the_question(stage, alice, channel, adapter, event):
    await stage.say(alice, "What is this?", channel=channel, files={"leave.txt": b"28 days"})

    (attachment,) = (await event(Asked)).attachments
    assert (attachment.name, attachment.size) == ("leave.txt", 7)
    assert await adapter.fetch(attachment, max_bytes=7) == b"28 days"


@pytest.mark.parametrize(
    ("block", "allow"),
    [
        ({"channels": ["CHANNEL"]}, {}),
        ({"roles": ["77"]}, {}),
        ({}, {"channels": ["1"]}),
        ({}, {"roles": ["88"]}),
    ],
)
async def test_only_who_is_admitted_is_answered(
    stage, serving, until, alice, channel, block, allow
):
    stage.person("alice", groups=["77"])
    named = {"CHANNEL": channel}
    lists = [
        {key: [named.get(one, one) for one in ids] for key, ids in one.items()}
        for one in (block, allow)
    ]
    chief = stage.person("chief", groups=["88"])
    async with serving(block=lists[0], allow=lists[1]) as (_, host):
        await stage.say(alice, "How many days?", channel=channel)
        await stage.say(chief, "the next one")
        await until(lambda: host.of(Asked))

        assert [one.text for one in host.of(Asked)] == ["the next one"]
        told = stage._person(alice).slash(stage._place(channel), "ask", question="And so?")
        await until(lambda: told.replies)
        assert told.replies[0].content == "I do not answer here."


@pytest.mark.parametrize("which", ["allow", "block"])
async def test_only_servers_that_are_admitted_are_answered(
    stage, serving, double, until, alice, channel, which
):
    guild = "1" if which == "allow" else str(stage.guild.id)
    async with serving(**{which: {"guilds": [guild]}}) as (_, host):
        await stage.say(alice, "How many days?", channel=channel)
        asked = stage._person(alice).slash(stage._place(channel), "ask", question="And so?")
        await until(lambda: asked.replies)

        assert asked.replies[0].content == "I do not answer here."
        assert host.events == []


@pytest.mark.parametrize("which", ["allow", "block"])
async def test_lists_of_servers_hold_for_direct_messages(
    stage, serving, double, until, alice, which
):
    other = double.world.add_guild("other")
    stranger = double.person("stranger", other)
    theirs, ours = [str(other.id)], [str(stage.guild.id)]
    lists = {"allow": {"guilds": ours}} if which == "allow" else {"block": {"guilds": theirs}}
    async with serving(**lists) as (_, host):
        stranger.tell_bot("How many days?")
        await stage.say(alice, "the next one")
        await until(lambda: host.of(Asked))
        asked = stranger.slash(double.world.direct(stranger.user), "ask", question="And so?")
        await until(lambda: asked.replies)

        assert [one.text for one in host.of(Asked)] == ["the next one"]
        assert asked.replies[0].content == "I do not answer here."


async def test_whose_roles_are_not_known_is_told_to_ask_again(stage, serving, double, until, alice):
    stage.person("alice", groups=["77"])
    async with serving(allow={"roles": ["77"]}) as (_, host):
        double.faults.fail("GET /guilds/{guild_id}/members/{user_id}", status=503)
        await stage.say(alice, "How many days?")
        await until(lambda: stage.seen(alice))
        await stage.say(alice, "the next one")
        await until(lambda: host.of(Asked))

        assert "ask again" in stage.seen(alice)[0].text
        assert [one.text for one in host.of(Asked)] == ["the next one"]


async def test_a_channel_can_be_left_without_answers(stage, serving, until, alice, channel):
    async with serving(channels={channel: {"answers": False}}) as (_, host):
        await stage.say(alice, "How many days?", channel=channel)
        await stage.say(alice, "the next one")
        await until(lambda: host.of(Asked))

        assert [one.text for one in host.of(Asked)] == ["the next one"]


async def test_direct_messages_can_be_left_unanswered(stage, serving, until, alice, channel):
    async with serving(direct=False) as (_, host):
        await stage.say(alice, "How many days?")
        await stage.say(alice, "the next one", channel=channel)
        await until(lambda: host.of(Asked))

        assert [one.text for one in host.of(Asked)] == ["the next one"]


async def test_a_group_is_named_by_digits(stage):
    with pytest.raises(CannotAct, match="expected digits"):
        stage.person("alice", groups=["people"])
