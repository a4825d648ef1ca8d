"""What people do in Slack reaches the core before Slack hears that it was heard."""

import asyncio

import pytest

from citewell.chat import Asked, Deleted, Edited, LibraryState, Recent, Stopped, Venue
from citewell_slack.incoming import Workspace, is_from_person
from citewell_slack.listening import EMPTY, NOT_HERE
from citewell_slack.testing import rendered
from citewell_slack.testing.workspace import ChannelKind


@pytest.fixture
async def served(serving):
    async with serving(prompts=[{"title": "Leave", "message": "How many days?"}]) as pair:
        yield pair


@pytest.fixture
def host(served):
    return served[1]


async def test_both_events_of_one_mention_are_one_question(host, double, alice, general):
    said = alice.say(general, f"{double.mention} how many <days> & nights?")
    await double.deliveries.idle()

    (asked,) = host.events
    assert len(host.repeated) == 1
    assert asked == Asked(
        key=said.ts,
        venue=Venue(platform="slack", team=double.team, channel=general.id, thread=said.ts),
        user=alice.id,
        at=float(said.ts),
        text="how many <days> & nights?",
        address=asked.address,
    )
    assert asked.address.venue == asked.venue
    assert asked.address.only_for is None
    assert asked.address.data == {"user": alice.id, "ts": said.ts}


async def test_a_retry_is_no_second_question(host, double, alice, general):
    alice.say(general, f"{double.mention} how many days?")
    await double.deliveries.idle()
    for delivery in [*double.deliveries.log]:
        await double.deliveries.repeat(delivery).settled()

    assert len(host.events) == 1


async def test_what_cannot_be_kept_is_not_acknowledged_but_sent_again(
    host, double, alice, eventually
):
    host.failures = 1
    alice.say(alice.im, "how many days?")
    await eventually(lambda: not host.failures)
    await double.clock.advance(3)
    await double.deliveries.idle()

    (delivery,) = double.deliveries.log
    assert delivery.failures == ["timeout"]
    assert delivery.state == "acknowledged"
    assert [one.text for one in host.events] == ["how many days?"]


async def test_a_direct_message_needs_no_mention(host, double, alice):
    said = alice.say(alice.im, "how many days?")
    await double.deliveries.idle()

    (asked,) = host.events
    assert asked.venue.thread == said.ts
    assert asked.address.data["direct"] == "1"


async def test_a_thread_goes_on_without_a_mention(host, double, alice, general):
    first = alice.say(general, f"{double.mention} how many days?")
    await double.deliveries.idle()
    alice.say(general, "and nights?", thread=first)
    alice.say(general, f"{alice.mention} what do you think?", thread=first)
    alice.say(general, "something else")
    other = alice.say(general, "lunch?")
    alice.say(general, "yes", thread=other)
    await double.deliveries.idle()

    assert [one.text for one in host.events] == ["how many days?", "and nights?"]
    assert {one.venue.thread for one in host.events} == {first.ts}


async def test_a_channel_may_want_a_mention_each_time(serving, double, alice, general):
    async with serving(channels={general.id: {"follow_up": False}}) as (_, host):
        first = alice.say(general, f"{double.mention} how many days?")
        await double.deliveries.idle()
        alice.say(general, "and nights?", thread=first)
        await double.deliveries.idle()

    assert [one.text for one in host.events] == ["how many days?"]


async def test_nothing_is_answered_where_it_is_not_to_be(serving, double, alice, general):
    async with serving(channels={general.id: {"answers": False}}) as (_, host):
        said = alice.say(general, f"{double.mention} how many days?")
        command = await alice.command("/ask", "how many days?", channel=general).settled()
        await alice.shortcut("ask_about_this", said).settled()
        await double.deliveries.idle()

    assert host.events == []
    assert command.answer["text"] == NOT_HERE
    assert {one.text for one in double.workspace.shown_to(alice.id)} == {NOT_HERE}


async def test_no_bot_is_answered(host, double, general):
    robot = double.add_person("robot", is_bot=True)
    general.members.append(robot.id)
    robot.say(general, f"{double.mention} how many days?")
    double.bot().say(general, f"{double.mention} how many days?")
    await double.deliveries.idle()

    assert host.events == []
    assert all(one.state == "acknowledged" for one in double.deliveries.log)


async def test_a_mention_among_several_people_is_heard(host, double, alice):
    members = [alice.id, double.add_person("bob").id, double.bot_user_id]
    group = double.workspace.add_channel("mpdm", members, kind=ChannelKind.GROUP_IM)
    first = alice.say(group, f"{double.mention} how many days?")
    await double.deliveries.idle()
    alice.say(group, "and nights?", thread=first)
    alice.say(group, "lunch?")
    await double.deliveries.idle()

    assert [one.text for one in host.events] == ["how many days?", "and nights?"]
    assert "direct" not in host.events[0].address.data


async def test_slackbot_is_no_person():
    where = Workspace(platform="slack", team="T1", bot="U1")
    message = {"type": "message", "channel": "D1", "text": "I am only a bot", "ts": "1.000001"}

    assert is_from_person({**message, "user": "U2"}, where)
    assert not is_from_person({**message, "user": "USLACKBOT"}, where)


async def test_a_mention_with_a_file_is_heard_without_its_own_event(host, double, alice, general):
    double.events.subscriptions.discard("app_mention")
    file = alice.upload("plan.txt", b"the plan")
    alice.say(general, f"{double.mention} what is the plan?", files=[file])
    await double.deliveries.idle()

    assert [one.text for one in host.events] == ["what is the plan?"]


async def test_a_mention_without_a_question_gets_a_hint_once(host, double, alice, general):
    alice.say(general, double.mention)
    await double.deliveries.idle()

    assert host.events == []
    assert [one.text for one in double.workspace.shown_to(alice.id)] == [EMPTY]


async def test_a_question_that_is_changed_to_nothing_gets_no_hint_besides(
    host, double, alice, general
):
    said = alice.say(general, f"{double.mention} how many days?")
    await double.deliveries.idle()
    alice.edit(said, double.mention)
    await double.deliveries.idle()

    assert [one.text for one in host.of(Edited)] == [""]
    assert list(double.workspace.shown_to(alice.id)) == []


async def test_a_mention_that_is_added_without_a_question_gets_a_hint(host, double, alice, general):
    said = alice.say(general, "hello")
    await double.deliveries.idle()
    alice.edit(said, f"{double.mention}")
    await double.deliveries.idle()

    assert [one.text for one in double.workspace.shown_to(alice.id)] == [EMPTY]


async def test_files_come_along(host, double, alice, general):
    file = alice.upload("plan.txt", b"the plan")
    alice.say(general, f"{double.mention} what is the plan?", files=[file])
    await double.deliveries.idle()

    (attachment,) = host.events[0].attachments
    assert (attachment.name, attachment.size) == ("plan.txt", 8)


async def test_a_changed_question_is_told(host, double, alice, general):
    said = alice.say(general, f"{double.mention} how many days?")
    await double.deliveries.idle()
    alice.edit(said, f"{double.mention} how many nights?")
    await double.deliveries.idle()

    (edited,) = host.of(Edited)
    assert (edited.of, edited.text, edited.user) == (said.ts, "how many nights?", alice.id)
    assert edited.venue == host.of(Asked)[0].venue


async def test_a_preview_is_no_change(host, double, alice, general):
    said = alice.say(general, f"{double.mention} what is https://example.com?")
    await double.deliveries.idle()
    double.unfurl(said)
    await double.deliveries.idle()

    assert host.of(Edited) == []


async def test_a_mention_that_is_added_later_asks(host, double, alice, general):
    said = alice.say(general, "how many days?")
    await double.deliveries.idle()
    alice.edit(said, f"{double.mention} how many days?")
    await double.deliveries.idle()

    (asked,) = host.of(Asked)
    assert asked.key == said.ts


@pytest.mark.parametrize("has_reply", [False, True])
async def test_a_question_that_is_taken_back_is_told(host, double, alice, general, has_reply):
    said = alice.say(general, f"{double.mention} how many days?")
    if has_reply:
        alice.say(general, "hm", thread=said)
    await double.deliveries.idle()
    alice.delete(said)
    await double.deliveries.idle()

    (deleted,) = host.of(Deleted)
    assert (deleted.of, deleted.user) == (said.ts, alice.id)


async def test_what_was_never_asked_is_of_no_interest(host, double, alice, general):
    said = alice.say(general, "lunch?")
    alice.edit(said, "dinner?")
    alice.delete(said)
    await double.deliveries.idle()

    assert host.events == []


async def test_who_presses_stop_is_heard(host, double, alice):
    said = alice.say(alice.im, "how many days?")
    alice.press_stop(said)
    await double.deliveries.idle()

    (stopped,) = host.of(Stopped)
    assert stopped.venue == host.of(Asked)[0].venue


async def test_the_command_asks_privately(host, double, alice, general):
    command = await alice.command("/ask", "how many days?", channel=general).settled()

    (asked,) = host.events
    assert not command.answer
    assert double.workspace.shown_to(alice.id) == []
    assert asked.text == "how many days?"
    assert asked.key == command.payload["trigger_id"]
    assert asked.address.only_for == alice.id
    assert asked.address.venue.thread == ""
    assert asked.address.data["response_url"] == command.payload["response_url"]


async def test_two_people_do_not_share_a_private_conversation(host, double, alice, general):
    bob = double.add_person("bob")
    general.members.append(bob.id)
    for one in (alice, bob):
        await one.command("/ask", "how many days?", channel=general).settled()

    assert len({one.venue.conversation for one in host.events}) == 2


async def test_a_command_without_a_question_says_how(host, alice, general):
    command = await alice.command("/ask", " ", channel=general).settled()

    assert command.answer["text"].startswith(EMPTY)
    assert host.events == []


async def test_a_command_that_cannot_be_kept_is_not_acknowledged(
    host, double, alice, general, eventually
):
    host.failures = 1
    delivery = alice.command("/ask", "how many days?", channel=general)
    await eventually(lambda: not host.failures)
    await double.clock.advance(3)

    assert (await delivery.settled()).state == "lost"


async def test_a_message_can_be_asked_about(host, double, alice, general):
    bob = double.add_person("bob")
    general.members.append(bob.id)
    said = bob.say(general, f"{alice.mention} how many days?")
    delivery = await alice.shortcut("ask_about_this", said).settled()

    (asked,) = host.events
    assert asked.text == f"@{alice.id} how many days?"
    assert asked.key == delivery.payload["trigger_id"]
    assert (asked.user, asked.address.only_for) == (alice.id, alice.id)
    assert asked.address.venue.thread == said.ts


async def test_home_tells_how_to_ask_and_what_is_indexed(host, double, alice):
    host.states = [LibraryState(name="handbook", documents=2, passages=9, synced_at=1_700_000_000)]
    venue = Venue(platform="slack", channel="C1")
    host.latest = [Recent(at=1_700_000_000, text="how many days?", venue=venue, posted=())]
    alice.open_home()
    await double.deliveries.idle()

    text = rendered(alice.home()).text
    assert "handbook: 2 documents, 9 passages, synced 2023-11-14" in text
    assert "/ask" in text
    assert "how many days?" in text


async def test_the_messages_tab_suggests_questions(host, double, alice):
    alice.open_messages()
    await double.deliveries.idle()

    prompts = double.workspace.surfaces.prompts[alice.im.id]
    assert prompts.prompts == ({"title": "Leave", "message": "How many days?"},)


async def test_other_events_are_acknowledged(host, double, alice, general):
    said = alice.say(general, "lunch?")
    alice.react(said, "eyes")
    alice.look_at(general)
    await double.deliveries.idle()

    assert all(one.state == "acknowledged" for one in double.deliveries.log)


async def test_a_follow_up_that_is_heard_before_its_question_is_heard(host, double, alice, general):
    double.deliveries.hold()
    first = alice.say(general, f"{double.mention} how many days?")
    second = alice.say(general, "And how many weeks?", thread=first)
    other = alice.say(general, "Lunch?")
    alice.say(general, "Yes, at noon.", thread=other)
    double.deliveries._held.reverse()
    double.deliveries.release()
    await double.deliveries.idle()

    assert {one.key for one in host.events} == {first.ts, second.ts}


async def test_a_follow_up_to_a_question_that_is_gone_waits_for_who_takes_the_question_in(
    host, double, alice, general
):
    double.deliveries.hold()
    first = alice.say(general, f"{double.mention} how many days?")
    second = alice.say(general, "And how many weeks?", thread=first)
    alice.delete(first)
    late = [one for one in double.deliveries._held if one.event.get("ts") == first.ts]
    for one in late:
        double.deliveries._held.remove(one)
    double.deliveries.release()
    await asyncio.sleep(0.3)
    assert not host.of(Asked)
    double.deliveries.repeat(late[0])
    await double.deliveries.idle()

    assert {first.ts, second.ts} <= {one.key for one in host.of(Asked)}


async def test_a_thread_whose_first_message_is_gone_is_read_once(host, double, alice, general):
    first = alice.say(general, "Lunch?")
    alice.say(general, "Yes.", thread=first)
    alice.delete(first)
    await double.deliveries.idle()
    for number in range(3):
        alice.say(general, f"At {number}?", thread=first)
        await double.deliveries.idle()

    assert len(double.calls("conversations.replies")) == 1
    assert not host.of(Asked)
