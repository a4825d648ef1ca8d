"""Commands, menus, buttons and forms, before and after a restart."""

import logging

import pytest
from msgspec.structs import replace

from citewell.blocks import Action, Actions, Span, Text
from citewell.chat import Address, Asked, Edited, HandOff, Quoted, Venue, Voted
from citewell.errors import JournalError
from citewell.types.documents import Place
from citewell_discord.addresses import place_of
from citewell_discord.testing import Overwrite, Permissions

NAMES = ("quotes", "helpful", "unhelpful", "person", "private", "share")


def answer(answer_id="a1"):
    actions = Actions(tuple(Action(one, one.title(), answer_id) for one in NAMES))
    return [Text((Span("Everyone has 28 days."),)), actions]


@pytest.fixture
async def seen(stage, adapter, alice, channel, event):
    """An answer in a thread."""
    said = await stage.say(alice, "How many days?", channel=channel)
    asked = await event(Asked)
    reply = await adapter.open_reply(asked.address, "k")
    await reply.show([answer()], complete=True)
    return stage.seen(alice, channel=channel, thread=said.thread)[0]


async def pressed(stage, person, message, name):
    await stage.press(person, message, message.button(name))


async def test_a_command_is_acknowledged_once_it_is_kept(
    stage, double, alice, channel, host, event
):
    order = []
    accept = host.accept

    async def slow(happened):
        order.append(double.interactions[-1].answered)
        return await accept(happened)

    host.accept = slow
    said = await stage.command(alice, "How many days?", channel=channel)
    asked = await event(Asked)
    interaction = double.interactions[-1]
    await double.until(lambda: interaction.answered)

    assert order == [None]
    assert (asked.key, asked.text, asked.user) == (said.id, "How many days?", alice)
    assert asked.address.only_for == alice
    assert asked.address.data["token"] == interaction.token
    assert interaction.original.is_ephemeral
    assert interaction.original.is_loading


async def test_a_command_can_be_used_directly(stage, alice, event):
    await stage.command(alice, "How many days?")

    asked = await event(Asked)
    assert asked.venue.team == ""
    assert asked.address.only_for == alice


async def test_two_people_who_ask_privately_in_one_channel_have_a_conversation_each(
    stage, alice, bob, channel, host, event
):
    await stage.command(alice, "How many days?", channel=channel)
    await event(Asked)
    await stage.command(bob, "And for interns?", channel=channel)

    first, second = await event(Asked), await event(Asked, 2)
    assert first.venue.conversation != second.venue.conversation
    assert {one.address.venue.conversation for one in (first, second)} == {
        f"discord/{stage.guild.id}/{channel}/"
    }


async def test_a_private_question_in_a_thread_lets_people_go_on_among_themselves(
    stage, alice, bob, channel, host, event
):
    talk = await stage.say(alice, "the printer is broken", channel=channel, mention=False)
    await stage.say(bob, "off and on?", channel=channel, thread=talk.thread, mention=False)
    stage._person(alice).slash(stage._place(talk.thread), "ask", question="How many days?")
    await event(Asked)
    await stage.say(bob, "did it help?", channel=channel, thread=talk.thread, mention=False)
    await stage.say(bob, "the next one")

    assert (await event(Asked, 2)).text == "the next one"


async def test_a_command_that_comes_twice_is_one_question(stage, alice, channel, host, until):
    said = await stage.command(alice, "How many days?", channel=channel)
    await stage.repeat(said)
    await until(lambda: len(host.events) == 2)

    assert len(host.keys) == 1


async def test_no_token_of_a_command_is_logged(
    stage, double, adapter, alice, channel, event, caplog
):
    caplog.set_level(logging.DEBUG, "discord")
    double.faults.limit("POST /interactions/{interaction_id}/{token}/callback", calls=1)
    route = "PATCH /webhooks/{application_id}/{token}/messages/{message}"
    double.faults.limit(route, calls=1)
    await stage.command(alice, "How many days?", channel=channel)
    reply = await adapter.open_reply((await event(Asked)).address, "k")
    await reply.show([answer()], complete=True)

    told = [one.getMessage() for one in caplog.records if one.name.startswith("discord")]
    assert any("/***/" in one for one in told)
    assert double.interactions[-1].token not in caplog.text


async def test_a_command_that_cannot_be_kept_is_told_so(
    stage, double, alice, channel, host, until, monkeypatch
):
    monkeypatch.setattr("citewell_discord.interacting._BETWEEN_TRIES_S", 0)
    host.failures += [JournalError("locked")] * 3
    await stage.command(alice, "How many days?", channel=channel)
    await until(lambda: double.interactions[-1].replies)

    assert "try again" in double.interactions[-1].replies[0].content
    assert host.events == []


async def test_a_message_can_be_asked_about(stage, alice, bob, channel, event):
    said = await stage.say(bob, "How many days?", channel=channel, mention=False)
    asking = await stage.ask_about(alice, said)

    asked = await event(Asked)
    assert (asked.key, asked.user, asked.text) == (asking.id, alice, "How many days?")
    assert asked.address.only_for == alice


async def test_an_answer_can_be_asked_about(stage, alice, seen, event):
    await stage.ask_about(alice, seen)

    asked = await event(Asked, 2)
    assert "Everyone has 28 days." in asked.text
    assert asked.address.venue.thread == seen.thread
    assert asked.venue.thread == f"private-{alice}"


async def test_the_files_of_a_message_that_is_asked_about_come_along(
    stage, alice, bob, channel, event
):
    said = await stage.say(bob, "", channel=channel, mention=False, files={"a.txt": b"x"})
    await stage.ask_about(alice, said)

    asked = await event(Asked)
    assert (asked.text, [one.name for one in asked.attachments]) == ("", ["a.txt"])


async def test_a_command_without_words_asks_nothing(stage, double, alice, channel, host, until):
    await stage.command(alice, "   ", channel=channel)
    await until(lambda: double.interactions[-1].replies)

    assert double.interactions[-1].replies[0].content.startswith("There is nothing")
    assert host.events == []


# --- quotes -----------------------------------------------------------------------------------

QUOTED = Quoted(
    number=1,
    title="Leave",
    uri="https://example.org/leave.html",
    place=Place(page=3, headings=("Leave", "Annual leave"), line=7),
    before="As agreed, ",
    quote="everyone has 28 days",
    after=" of leave.\nUnused days expire.",
)


async def test_quotes_are_shown_in_context_to_who_asks_alone(
    stage, double, alice, bob, channel, seen, host
):
    host.quoted = [QUOTED]
    await pressed(stage, bob, seen, "quotes")
    await double.until(lambda: len(stage.seen(bob, channel=channel, thread=seen.thread)) == 2)

    shown = stage.seen(bob, channel=channel, thread=seen.thread)[1]
    assert shown.only_for == bob
    assert "[1] Leave, page 3, Annual leave, line 7" in shown.text
    assert "As agreed, everyone has 28 days of leave." in shown.text
    raw = stage._message(shown.id).components[0].content
    assert "**everyone has 28 days**" in raw
    assert shown.links == ("https://example.org/leave.html#page=3",)
    assert host.asked_for[0][0] == "a1"
    assert host.asked_for[0][1].only_for == bob
    assert host.asked_for[0][1].venue.thread == seen.thread
    assert len(stage.seen(alice, channel=channel, thread=seen.thread)) == 1


async def test_quotes_that_may_not_be_read_are_told_so(stage, double, alice, channel, seen):
    await pressed(stage, alice, seen, "quotes")
    await double.until(lambda: len(stage.seen(alice, channel=channel, thread=seen.thread)) == 2)

    shown = stage.seen(alice, channel=channel, thread=seen.thread)[1]
    assert shown.text.startswith("Nothing of what this answer quotes")


async def test_long_quotes_come_whole(stage, double, alice, channel, seen, host):
    words = " ".join(f"word{at}" for at in range(1500))
    host.quoted = [
        Quoted(
            number=at,
            title="Leave",
            uri=None,
            place=Place(),
            before="b" * 3000,
            quote=words,
            after="a" * 3000,
        )
        for at in (1, 2)
    ]
    await pressed(stage, alice, seen, "quotes")

    def text():
        shown = stage.seen(alice, channel=channel, thread=seen.thread)[1:]
        return " ".join(one.text for one in shown)

    await double.until(lambda: text().count("word1499") == 2)
    assert text().count("word700") == 2
    assert text().count("…") == 4


async def test_quotes_that_cannot_be_read_now_are_told_so(
    stage, double, alice, channel, seen, host, caplog
):
    host.quoted = None
    await pressed(stage, alice, seen, "quotes")
    await double.until(lambda: len(stage.seen(alice, channel=channel, thread=seen.thread)) == 2)

    assert "just now" in stage.seen(alice, channel=channel, thread=seen.thread)[1].text
    assert "the quotes of answer a1" in caplog.text


# --- votes ------------------------------------------------------------------------------------


async def test_a_vote_is_kept_and_thanked_for(stage, double, alice, channel, seen, event):
    await pressed(stage, alice, seen, "helpful")

    vote = await event(Voted)
    assert (vote.answer_id, vote.helpful, vote.user) == ("a1", True, alice)
    assert vote.venue.thread == seen.thread
    thanks = stage.seen(alice, channel=channel, thread=seen.thread)[1]
    assert (thanks.text, thanks.only_for) == ("Thank you.", alice)


async def test_who_is_not_helped_is_asked_why(stage, alice, channel, seen, event):
    await pressed(stage, alice, seen, "unhelpful")
    first = await event(Voted)
    assert (first.helpful, first.reason) == (False, "")
    assert "What was wrong?" in stage.form(alice)
    await stage.fill_in(alice, "It is from 2019.")

    second = await event(Voted, 2)
    assert (second.helpful, second.reason) == (False, "It is from 2019.")
    assert second.key != first.key
    assert second.answer_id == "a1"


async def test_buttons_and_forms_work_after_a_restart(
    stage, serving, double, alice, channel, seen, served
):
    await pressed(stage, alice, seen, "unhelpful")
    async with serving() as (_, again):
        double.gateway.sessions.pop(next(iter(double.gateway.sessions)))
        await stage.fill_in(alice, "It is from 2019.")
        await double.until(lambda: again.of(Voted))
        await pressed(stage, alice, seen, "helpful")
        await double.until(lambda: len(again.of(Voted)) == 2)

        assert [one.reason for one in again.of(Voted)] == ["It is from 2019.", ""]


# --- private, shared --------------------------------------------------------------------------


async def test_an_answer_for_one_alone_is_asked_again(stage, alice, bob, seen, event):
    await pressed(stage, bob, seen, "private")

    asked = await event(Asked, 2)
    assert (asked.again, asked.text, asked.user) == ("a1", "", bob)
    assert asked.address.only_for == bob
    assert asked.address.data["token"]
    assert asked.address.venue.thread == seen.thread
    assert asked.venue.thread == f"private-{bob}"


async def test_a_shared_answer_goes_to_everyone_there(
    stage, adapter, alice, bob, channel, event, until, host
):
    await stage.command(alice, "How many days?", channel=channel)
    reply = await adapter.open_reply((await event(Asked)).address, "k")
    await reply.show([answer()], complete=True)
    (private,) = stage.seen(alice, channel=channel)
    await pressed(stage, alice, private, "share")

    asked = await event(Asked, 2)
    assert (asked.again, asked.user) == ("a1", alice)
    assert asked.address.only_for is None
    assert asked.venue.conversation not in {
        host.of(Asked)[0].venue.conversation,
        asked.address.venue.conversation,
    }
    assert place_of(asked.venue) == channel
    shared = await adapter.open_reply(asked.address, "k2")
    await shared.show([answer("a2")], complete=True)
    (public,) = stage.seen(bob, channel=channel)
    assert public.only_for is None
    found = await adapter.find_reply(asked.address, "k2", ())
    assert found.posted == shared.posted


@pytest.fixture
async def private(stage, adapter, alice, channel, event):
    """An answer to somebody alone."""
    await stage.command(alice, "How many days?", channel=channel)
    reply = await adapter.open_reply((await event(Asked)).address, "k")
    await reply.show([answer()], complete=True)
    return stage.seen(alice, channel=channel)[0]


async def test_where_the_bot_may_not_write_nothing_is_shared(
    stage, double, alice, channel, private, host
):
    place = stage._place(channel)
    silent = Overwrite(double.bot_user_id, is_member=True, deny=Permissions.SEND_MESSAGES)
    double.world.set_overwrites(place, [silent])
    await pressed(stage, alice, private, "share")

    told = [one.text for one in stage.seen(alice, channel=channel)]
    assert told[-1] == "I may not write here, so this cannot be shared."
    assert len(host.of(Asked)) == 1


async def test_what_is_pressed_twice_is_shared_once(stage, alice, channel, private, host):
    await pressed(stage, alice, private, "share")
    await pressed(stage, alice, private, "share")

    told = [one.text for one in stage.seen(alice, channel=channel)]
    assert told[-2:] == ["It is answered here for everyone.", "You shared this before."]
    assert len(host.keys) == 2


async def test_what_is_pressed_twice_is_answered_privately_once(
    stage, double, bob, channel, seen, host, event
):
    await pressed(stage, bob, seen, "private")
    await event(Asked, 2)
    await pressed(stage, bob, seen, "private")

    told = stage.seen(bob, channel=channel, thread=seen.thread)[-1]
    assert told.text.startswith("You asked for this just now")
    assert len(host.keys) == 2


# --- people -----------------------------------------------------------------------------------


def handed(seen, alice, *, is_repeated=False):
    venue = Venue(platform="discord", team="1", channel=seen.channel, thread=seen.thread)
    return HandOff(
        asker=alice,
        question="How many days, @everyone?",
        blocks=tuple(answer()),
        venue=venue,
        posted=(seen.id,),
        is_repeated=is_repeated,
    )


@pytest.fixture
def desk(stage):
    """The channel in which people are told."""
    return stage.settings["hand_off"]["channel"]


async def test_people_are_told_once(stage, double, alice, channel, seen, host, desk, until):
    host.handed = handed(seen, alice)
    await pressed(stage, alice, seen, "person")
    await until(lambda: host.told)

    (told,) = stage.seen(alice, channel=desk)
    assert "How many days, @everyone?" in told.text
    assert "Everyone has 28 days." in told.text
    assert told.links == (f"https://discord.com/channels/1/{seen.thread}/{seen.id}",)
    assert (told.pings, told.buttons, told.previews) == ((), (), ())
    answer_id, address = host.asked_for[0]
    assert answer_id == "a1"
    assert [one[:2] for one in host.told] == [("a1", alice)]
    assert address == Address(
        venue=Venue(platform="discord", team=str(stage.guild.id), channel=desk)
    )
    host.handed = handed(seen, alice, is_repeated=True)
    await pressed(stage, alice, seen, "person")
    await until(lambda: len(stage.seen(alice, channel=channel, thread=seen.thread)) == 3)

    assert "before" in stage.seen(alice, channel=channel, thread=seen.thread)[2].text
    assert len(stage.seen(alice, channel=desk)) == 1


async def test_people_are_led_to_an_answer_that_stands_in_no_thread(
    stage, alice, channel, seen, host, desk, until
):
    venue = Venue(platform="discord", team="1", channel=channel, thread="999")
    host.handed = replace(handed(seen, alice), venue=venue)
    await pressed(stage, alice, seen, "person")
    await until(lambda: stage.seen(alice, channel=desk))

    (told,) = stage.seen(alice, channel=desk)
    assert told.links == (f"https://discord.com/channels/1/{channel}/{seen.id}",)


async def test_who_answers_what_was_handed_off_asks_nothing(
    stage, alice, seen, host, desk, until, event
):
    host.handed = handed(seen, alice)
    await pressed(stage, alice, seen, "person")
    await until(lambda: stage.seen(alice, channel=desk))
    told = stage._message(stage.seen(alice, channel=desk)[0].id)
    stage._person(alice).reply(told, "I will call them")
    await stage.say(alice, "the next one")

    assert (await event(Asked, 2)).text == "the next one"


@pytest.mark.parametrize("ping", [False, True])
async def test_their_role_is_named_and_rung_only_if_so_set(
    stage, serving, double, alice, channel, desk, ping, until
):
    role = double.world.add_role(stage.guild, "people team")
    stage.guild.roles[role.id].is_mentionable = True
    hand_off = {"channel": desk, "role": str(role.id), "ping": ping}
    async with serving(hand_off=hand_off) as (adapter, host):
        said = await stage.say(alice, "How many days?", channel=channel)
        await until(lambda: host.of(Asked))
        reply = await adapter.open_reply(host.of(Asked)[0].address, "k")
        await reply.show([answer()], complete=True)
        (seen,) = stage.seen(alice, channel=channel, thread=said.thread)
        host.handed = handed(seen, alice)
        await pressed(stage, alice, seen, "person")
        await until(lambda: stage.seen(alice, channel=desk))

        (told,) = stage.seen(alice, channel=desk)
        assert f"<@&{role.id}>" in told.text
        assert told.pings == ((f"<@&{role.id}>",) if ping else ())


async def test_people_who_could_not_be_told_are_told_the_next_time(
    stage, double, alice, channel, seen, host, desk, until, caplog
):
    host.handed = handed(seen, alice)
    double.faults.fail("POST /channels/{channel_id}/messages", status=503)
    await pressed(stage, alice, seen, "person")
    await until(lambda: len(stage.seen(alice, channel=channel, thread=seen.thread)) == 2)
    assert "try again" in stage.seen(alice, channel=channel, thread=seen.thread)[1].text
    assert host.told == []
    await pressed(stage, alice, seen, "person")
    await until(lambda: stage.seen(alice, channel=desk))

    assert len(stage.seen(alice, channel=desk)) == 1
    assert "cannot be handed off" in caplog.text


async def test_a_locked_journal_hands_nothing_off_and_says_so(
    stage, double, alice, channel, seen, host
):
    async def locked(*_):
        raise JournalError("locked")

    host.hand_off = locked
    await pressed(stage, alice, seen, "person")
    await double.until(lambda: len(stage.seen(alice, channel=channel, thread=seen.thread)) == 2)

    assert "try again" in stage.seen(alice, channel=channel, thread=seen.thread)[1].text


async def test_an_answer_that_is_forgotten_cannot_be_handed_on(stage, alice, channel, seen, until):
    await pressed(stage, alice, seen, "person")
    await until(lambda: len(stage.seen(alice, channel=channel, thread=seen.thread)) == 2)

    told = stage.seen(alice, channel=channel, thread=seen.thread)[1].text
    assert told.startswith("Nothing is known of this answer")


async def test_without_people_there_is_no_button_for_them(stage, serving, until, alice, channel):
    async with serving(hand_off=None) as (adapter, host):
        said = await stage.say(alice, "How many days?", channel=channel)
        await until(lambda: host.of(Asked))
        reply = await adapter.open_reply(host.of(Asked)[0].address, "k")
        await reply.show([answer()], complete=True)

        (seen,) = stage.seen(alice, channel=channel, thread=said.thread)
        assert "person" not in [one.name for one in seen.buttons]


# --- forums -----------------------------------------------------------------------------------


async def test_a_new_post_is_answered_and_marked_as_solved(
    stage, serving, double, until, alice, bob
):
    from citewell_discord.testing import ALL

    forum = double.world.add_forum(stage.guild, "questions", ["solved"])
    double.world.change_role(stage.guild, stage.guild.members[double.bot_user_id].roles[0], ALL)
    forums = {str(forum.id): {"solved_tag": "solved"}}
    async with serving(forums=forums) as (adapter, host):
        post = stage._person(alice).post(forum, "Leave", "How many days?")
        await until(lambda: host.of(Asked))
        asked = host.of(Asked)[0]
        assert asked.text == "Leave\n\nHow many days?"
        assert (asked.venue.channel, asked.venue.thread) == (str(forum.id), str(post.id))
        reply = await adapter.open_reply(asked.address, "k")
        await reply.show([answer()], complete=True)
        (seen,) = stage.seen(alice, channel=str(forum.id), thread=str(post.id))
        await pressed(stage, bob, seen, "helpful")
        await until(lambda: len(host.of(Voted)) == 1)
        assert post.applied_tags == []
        await pressed(stage, alice, seen, "helpful")
        await until(lambda: post.applied_tags)

        assert post.applied_tags == [forum.tag("solved").id]
        stage._person(alice).post(forum, "Done", "It is solved", tags=["solved"])
        other = stage._person(alice).post(forum, "Next", "And so?")
        await until(lambda: len(host.of(Asked)) == 2)
        assert host.of(Asked)[1].venue.thread == str(other.id)


async def test_what_a_solved_post_asks_has_not_changed(stage, serving, double, until, alice):
    from citewell_discord.testing import ALL

    forum = double.world.add_forum(stage.guild, "questions", ["solved"])
    double.world.change_role(stage.guild, stage.guild.members[double.bot_user_id].roles[0], ALL)
    async with serving(forums={str(forum.id): {"solved_tag": "solved"}}) as (adapter, host):
        post = stage._person(alice).post(forum, "Leave", "How many days?")
        await until(lambda: host.of(Asked))
        stage._person(alice).edit(stage._message(str(post.id)), "How many weeks?")
        await until(lambda: host.of(Edited))
        asked = replace(host.of(Asked)[0], text=host.of(Edited)[0].text)
        reply = await adapter.open_reply(asked.address, "k")
        await reply.show([answer()], complete=True)
        (seen,) = stage.seen(alice, channel=str(forum.id), thread=str(post.id))
        await pressed(stage, alice, seen, "helpful")
        await until(lambda: post.applied_tags)

        assert asked.text == "Leave\n\nHow many weeks?"
        assert await adapter.changed(asked) is None


@pytest.mark.parametrize("trouble", ["no such tag", "no right"])
async def test_a_post_that_cannot_be_marked_is_left_so(
    stage, serving, double, until, alice, trouble, caplog
):
    forum = double.world.add_forum(stage.guild, "questions", ["solved"])
    tag = "solved" if trouble == "no right" else "done"
    async with serving(forums={str(forum.id): {"solved_tag": tag}}) as (adapter, host):
        post = stage._person(alice).post(forum, "Leave", "How many days?")
        await until(lambda: host.of(Asked))
        reply = await adapter.open_reply(host.of(Asked)[0].address, "k")
        await reply.show([answer()], complete=True)
        (seen,) = stage.seen(alice, channel=str(forum.id), thread=str(post.id))
        await pressed(stage, alice, seen, "helpful")
        await until(lambda: "solved" in caplog.text or "has no tag" in caplog.text)

        assert len(host.of(Voted)) == 1
        assert post.applied_tags == []


async def test_a_forum_that_is_not_named_is_left_alone(stage, double, alice, host, event):
    forum = double.world.add_forum(stage.guild, "talk")
    stage._person(alice).post(forum, "Leave", "How many days?")
    await stage.say(alice, "the next one")

    assert (await event(Asked)).text == "the next one"
